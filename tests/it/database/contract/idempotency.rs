use crate::application::kept::store::{Idempotency, IdempotencyStore, Store};
use crate::database::Database;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    a_key_is_held_answered_and_given_back,
    a_stale_holder_loses_the_key,
    an_old_answer_is_forgotten,
    one_of_many_takes_the_key,
    forgotten_keys_are_swept_out,
    what_is_remembered_has_one_value,
);

const HOUR: Duration = Duration::hours(1);

async fn begin(db: &Database, scope: &str, key: &str, at: OffsetDateTime) -> Idempotency {
    db.begin_idempotent(scope, key, &[7; 32], at, at - HOUR, at - HOUR * 24)
        .await
        .unwrap()
}

async fn a_key_is_held_answered_and_given_back(db: TestDb) {
    let db = db.database;
    let at = now();
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::InProgress);
    assert_eq!(begin(&db, "a", "K", at).await, Idempotency::Started);
    assert_eq!(begin(&db, "b", "k", at).await, Idempotency::Started);
    db.abandon_idempotent("a", "k").await.unwrap();
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    db.answer_idempotent("a", "k", &[0, 1, 255]).await.unwrap();
    let answered = Idempotency::Answered {
        fingerprint: [7; 32],
        sealed_answer: vec![0, 1, 255],
    };
    assert_eq!(begin(&db, "a", "k", at).await, answered);
    // An answer stands: it is neither given back nor replaced.
    db.abandon_idempotent("a", "k").await.unwrap();
    db.answer_idempotent("a", "k", &[9]).await.unwrap();
    let other = db.begin_idempotent("a", "k", &[8; 32], at, at - HOUR, at - HOUR);
    assert_eq!(other.await, Ok(answered));
    assert_eq!(begin(&db, "b", "k", at).await, Idempotency::InProgress);
}

async fn a_stale_holder_loses_the_key(db: TestDb) {
    let db = db.database;
    let at = now();
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    assert_eq!(
        begin(&db, "a", "k", at + HOUR).await,
        Idempotency::InProgress
    );
    let late = at + HOUR + Duration::microseconds(1);
    assert_eq!(begin(&db, "a", "k", late).await, Idempotency::Started);
    // The new holder counts from its own beginning.
    assert_eq!(
        begin(&db, "a", "k", late + HOUR).await,
        Idempotency::InProgress
    );
}

async fn an_old_answer_is_forgotten(db: TestDb) {
    let db = db.database;
    let at = now();
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    db.answer_idempotent("a", "k", b"x").await.unwrap();
    let day = at + HOUR * 24;
    assert!(matches!(
        begin(&db, "a", "k", day).await,
        Idempotency::Answered { .. }
    ));
    let late = day + Duration::microseconds(1);
    assert_eq!(begin(&db, "a", "k", late).await, Idempotency::Started);
}

async fn one_of_many_takes_the_key(db: TestDb) {
    let db = db.database;
    let at = now();
    let mut racers = Vec::new();
    for _ in 0..20 {
        let db = db.clone();
        racers.push(tokio::spawn(async move { begin(&db, "a", "k", at).await }));
    }
    let mut winners = 0;
    for racer in racers {
        winners += usize::from(racer.await.unwrap() == Idempotency::Started);
    }
    assert_eq!(winners, 1);
}

async fn forgotten_keys_are_swept_out(db: TestDb) {
    let at = now();
    for key in 0..6 {
        begin(&db.database, "old", &key.to_string(), at).await;
    }
    for key in 0..2 {
        begin(&db.database, "new", &key.to_string(), at + HOUR * 48).await;
    }
    let left = db
        .texts("SELECT scope FROM idempotency_keys", "scope")
        .await;
    assert_eq!(left, ["new", "new"]);
}

async fn what_is_remembered_has_one_value(db: TestDb) {
    let db = db.database;
    let mut racers = Vec::new();
    for value in 0..20_u8 {
        let db = db.clone();
        racers.push(tokio::spawn(async move {
            db.remember("token", &[value, 0]).await.unwrap()
        }));
    }
    let mut values = Vec::new();
    for racer in racers {
        values.push(racer.await.unwrap());
    }
    values.dedup();
    assert_eq!(values.len(), 1);
    assert_eq!(db.remember("token", b"later").await, Ok(values.remove(0)));
    assert_eq!(db.remember("other", b"x").await, Ok(b"x".to_vec()));
}
