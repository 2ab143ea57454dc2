use crate::application::kept::store::{
    CheckStore, CheckTarget, Completion, HeldKey, Idempotency, IdempotencyStore, KeptAnswer,
    KeyClaim, ProjectStore, Recorded, SetupStore, SignInStore, Store, StoreError, WorkspaceStore,
};
use crate::database::Database;
use crate::domain::check::StepStatus;
use crate::domain::ids::{SignInLinkId, TokenId};
use crate::domain::people::reach::Bounds;
use crate::domain::people::sign_in::{Arrival, SignInLink, WayBack};
use crate::domain::people::workspace::{ApiToken, Role};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    a_key_is_held_answered_and_given_back,
    a_lease_that_ends_frees_the_key,
    holders_of_an_older_version_are_respected,
    an_old_answer_is_forgotten,
    what_is_made_and_its_answer_are_stored_together,
    an_answer_is_stored_alone,
    one_of_many_takes_the_key,
    forgotten_keys_are_swept_out,
    what_is_remembered_has_one_value,
);

const HOUR: Duration = Duration::hours(1);

/// Leases end after an hour; so do those of older versions.
fn claim<'a>(scope: &'a str, key: &'a str, now: OffsetDateTime) -> KeyClaim<'a> {
    KeyClaim {
        scope,
        key,
        fingerprint: &[7; 32],
        now,
        held_until: now + HOUR,
        stale_before: now - HOUR,
        forget_before: now - HOUR * 24,
    }
}

async fn begin(db: &Database, scope: &str, key: &str, at: OffsetDateTime) -> Idempotency {
    db.begin_idempotent(&claim(scope, key, at)).await.unwrap()
}

fn held(scope: &str, key: &str, since: OffsetDateTime) -> HeldKey {
    HeldKey {
        scope: scope.to_owned(),
        key: key.to_owned(),
        since,
    }
}

/// Makes a workspace, with the answer to the request that holds the key.
async fn answer(db: &Database, held: &HeldKey, sealed: &[u8]) -> Result<(), StoreError> {
    let answer = KeptAnswer {
        held: held.clone(),
        sealed: sealed.to_vec(),
    };
    db.create_workspace(&new_workspace(), Some(&answer)).await
}

async fn a_key_is_held_answered_and_given_back(db: TestDb) {
    let db = db.database;
    let at = now();
    let key = held("a", "k", at);
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::InProgress);
    assert_eq!(begin(&db, "a", "K", at).await, Idempotency::Started);
    assert_eq!(begin(&db, "b", "k", at).await, Idempotency::Started);
    db.abandon_idempotent(&key).await.unwrap();
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    assert_eq!(answer(&db, &key, &[0, 1, 255]).await, Ok(()));
    let answered = Idempotency::Answered {
        fingerprint: [7; 32],
        sealed_answer: vec![0, 1, 255],
    };
    assert_eq!(begin(&db, "a", "k", at).await, answered);
    // An answer stands: it is neither given back nor replaced, and has no lease.
    db.abandon_idempotent(&key).await.unwrap();
    assert_eq!(answer(&db, &key, &[9]).await, Err(StoreError::KeyLost));
    assert_eq!(db.renew_idempotent(&key, at + HOUR).await, Ok(false));
    let other = KeyClaim {
        fingerprint: &[8; 32],
        ..claim("a", "k", at)
    };
    assert_eq!(db.begin_idempotent(&other).await, Ok(answered));
    assert_eq!(begin(&db, "b", "k", at).await, Idempotency::InProgress);
}

async fn a_lease_that_ends_frees_the_key(db: TestDb) {
    let db = db.database;
    let (at, second) = (now(), Duration::seconds(1));
    let first = held("a", "k", at);
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    let in_progress = Idempotency::InProgress;
    assert_eq!(begin(&db, "a", "k", at + HOUR).await, in_progress);
    // Renewed, it lasts.
    assert_eq!(db.renew_idempotent(&first, at + HOUR * 3).await, Ok(true));
    assert_eq!(begin(&db, "a", "k", at + HOUR * 3).await, in_progress);
    let late = at + HOUR * 3 + second;
    assert_eq!(begin(&db, "a", "k", late).await, Idempotency::Started);
    // Whoever held it before makes nothing with it any more, and takes nothing from its new holder.
    assert_eq!(answer(&db, &first, b"x").await, Err(StoreError::KeyLost));
    assert_eq!(db.list_workspaces(&all()).await, Ok(vec![]));
    assert_eq!(db.renew_idempotent(&first, late + HOUR).await, Ok(false));
    db.abandon_idempotent(&first).await.unwrap();
    assert_eq!(begin(&db, "a", "k", late + HOUR).await, in_progress);
    assert_eq!(answer(&db, &held("a", "k", late), b"x").await, Ok(()));
    assert_eq!(db.list_workspaces(&all()).await.unwrap().len(), 1);
}

async fn holders_of_an_older_version_are_respected(db: TestDb) {
    let at = now();
    assert_eq!(
        begin(&db.database, "a", "k", at).await,
        Idempotency::Started
    );
    // An older version has no leases, and leaves that of an earlier holder as it is.
    for lease in ["NULL", "5"] {
        db.tamper(&format!("UPDATE idempotency_keys SET held_until = {lease}"))
            .await
            .unwrap();
        let begun = begin(&db.database, "a", "k", at + HOUR).await;
        assert_eq!(begun, Idempotency::InProgress, "{lease}");
    }
    let late = at + HOUR + Duration::microseconds(1);
    let begun = begin(&db.database, "a", "k", late).await;
    assert_eq!(begun, Idempotency::Started);
}

async fn an_old_answer_is_forgotten(db: TestDb) {
    let db = db.database;
    let at = now();
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    assert_eq!(answer(&db, &held("a", "k", at), b"x").await, Ok(()));
    let day = at + HOUR * 24;
    assert!(matches!(
        begin(&db, "a", "k", day).await,
        Idempotency::Answered { .. }
    ));
    let late = day + Duration::microseconds(1);
    assert_eq!(begin(&db, "a", "k", late).await, Idempotency::Started);
}

/// Of a request that makes what has no row.
async fn an_answer_is_stored_alone(db: TestDb) {
    let db = db.database;
    let at = now();
    let answer = |since| KeptAnswer {
        held: held("a", "k", since),
        sealed: b"x".to_vec(),
    };
    let lost = Err(StoreError::KeyLost);
    assert_eq!(db.answer_idempotent(&answer(at)).await, lost);
    assert_eq!(begin(&db, "a", "k", at).await, Idempotency::Started);
    assert_eq!(db.answer_idempotent(&answer(at + HOUR)).await, lost);
    assert_eq!(db.answer_idempotent(&answer(at)).await, Ok(()));
    let answered = Idempotency::Answered {
        fingerprint: [7; 32],
        sealed_answer: b"x".to_vec(),
    };
    assert_eq!(begin(&db, "a", "k", at).await, answered);
    // It stands.
    assert_eq!(db.answer_idempotent(&answer(at)).await, lost);
}

/// Each method that makes something makes it with the answer, or makes nothing.
async fn what_is_made_and_its_answer_are_stored_together(db: TestDb) {
    let tester = db.clone();
    let db = db.database;
    let at = now();
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let made = setup(&db, &mine.id, role_draft()).await;
    let report = report(made.id.as_str(), 1, StepStatus::Passed);
    let target = CheckTarget::Setup(made.id.clone());
    let recorded = db.record_check(&mine.id, &target, &report).await;
    assert_eq!(recorded, Ok(Recorded::Stored));
    let completed = storage_of(&made);
    let new_setup = new_setup(&mine.id);
    let project = new_project(&mine.id, Some(&stored.id));
    let token = ApiToken {
        id: TokenId::generate(),
        workspace: mine.id.clone(),
        name: name("ci"),
        role: Role::Member,
        bounds: Bounds::default(),
        created_at: at,
        expires_at: None,
        last_used_at: None,
    };
    let link = SignInLink {
        id: SignInLinkId::generate(),
        workspace: mine.id.clone(),
        role: Role::Admin,
        arrival: Arrival::Settings,
        way_back: WayBack::default(),
        subject: None,
        made_by: None,
        created_at: at,
        expires_at: at + HOUR,
    };
    let kinds = [
        "workspace",
        "token",
        "link",
        "setup",
        "completion",
        "project",
    ];
    let counts = || async {
        let tables = [
            "workspaces",
            "api_tokens",
            "sign_in_links",
            "setups",
            "storages",
            "projects",
        ];
        let mut counts = Vec::new();
        for table in tables {
            let sql = format!("SELECT id FROM {table}");
            counts.push(tester.texts(&sql, "id").await.len());
        }
        counts
    };
    let before = counts().await;
    for holds in [false, true] {
        for kind in kinds {
            if holds {
                assert_eq!(begin(&db, "made", kind, at).await, Idempotency::Started);
            }
            let answer = KeptAnswer {
                held: held("made", kind, at),
                sealed: kind.as_bytes().to_vec(),
            };
            let answer = Some(&answer);
            let result = match kind {
                "workspace" => db.create_workspace(&new_workspace(), answer).await,
                "token" => db.create_token(&token, &[1; 32], answer).await,
                "link" => db.create_sign_in_link(&link, &[1; 32], answer).await,
                "setup" => db.create_setup(&new_setup, answer).await,
                "completion" => db
                    .complete_setup(&mine.id, &made.id, 1, &report.id, &completed, answer)
                    .await
                    .map(|done| assert_eq!(done, Completion::Completed)),
                _ => db.create_project(&project, 1, &[], None, answer).await,
            };
            if holds {
                assert_eq!(result, Ok(()), "{kind}");
                let answered = Idempotency::Answered {
                    fingerprint: [7; 32],
                    sealed_answer: kind.as_bytes().to_vec(),
                };
                assert_eq!(begin(&db, "made", kind, at).await, answered);
            } else {
                assert_eq!(result, Err(StoreError::KeyLost), "{kind}");
            }
        }
        let more = usize::from(holds);
        let expected: Vec<usize> = before.iter().map(|count| count + more).collect();
        assert_eq!(counts().await, expected);
    }
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
