use crate::application::kept::store::{
    Expired, RetentionStore, RoleWaitStore, SetupStore, TryPace, TryResult,
};
use crate::database::Database;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::{SetupId, WorkspaceId};
use crate::domain::role_wait::TryOutcome;
use crate::domain::setup::{Draft, Setup};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use time::{Duration, OffsetDateTime};

on_both_engines!(
    a_setup_waits_for_one_role_and_begins_anew_for_another,
    replicas_together_keep_to_the_pace,
    a_try_whose_replica_died_is_made_again,
    who_watches_brings_the_next_try_near,
    a_dialog_that_was_left_without_input_goes,
);

const SECOND: Duration = Duration::seconds(1);
const PACE: TryPace = TryPace {
    apart: SECOND,
    most: 20,
    lease: Duration::seconds(60),
};

/// When the tests begin: the same time whenever it is asked.
fn begin() -> OffsetDateTime {
    static BEGIN: LazyLock<OffsetDateTime> = LazyLock::new(now);
    *BEGIN
}

fn role(name: &str) -> RoleArn {
    RoleArn::parse(&format!("arn:aws:iam::123456789012:role/{name}")).unwrap()
}

/// A setup that waits for its role since `begin()`.
async fn waits(db: &Database, workspace: &WorkspaceId) -> SetupId {
    let setup = setup(db, workspace, Draft::default()).await;
    db.wait_for_role(workspace, &setup.id, &role("a"), begin(), begin())
        .await
        .unwrap();
    setup.id
}

async fn a_setup_waits_for_one_role_and_begins_anew_for_another(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let id = waits(&db, &mine).await;
    let [begun] = &db.begin_role_tries(begin(), PACE).await.unwrap()[..] else {
        panic!("one is due");
    };
    assert_eq!((begun.tries, begun.last_tried_at), (1, Some(begin())));
    let result = TryResult {
        outcome: TryOutcome::NotYet,
        due: Some(begin() + SECOND * 30),
    };
    db.record_role_try(begun, result).await.unwrap();
    let at = begin() + SECOND;
    db.wait_for_role(&mine, &id, &role("a"), at, at)
        .await
        .unwrap();
    let same = db.role_wait(&mine, &id).await.unwrap().unwrap();
    assert_eq!((same.since, same.tries), (begin(), 1));
    assert_eq!((same.outcome, same.due), (Some(result.outcome), result.due));
    db.wait_for_role(&mine, &id, &role("b"), at, at)
        .await
        .unwrap();
    let anew = db.role_wait(&mine, &id).await.unwrap().unwrap();
    assert_eq!((anew.since, anew.tries, anew.outcome), (at, 0, None));
    // The pace still counts the last try.
    assert_eq!(anew.last_tried_at, Some(begin()));
    // A try of the role before says nothing of this one.
    db.record_role_try(begun, result).await.unwrap();
    assert_eq!(db.role_wait(&mine, &id).await.unwrap(), Some(anew));
    // Once it has appeared it is not tried any more, and appears only once.
    db.record_role(&mine, &id, &role("b"), at).await.unwrap();
    db.record_role(&mine, &id, &role("b"), at + SECOND)
        .await
        .unwrap();
    let there = db.role_wait(&mine, &id).await.unwrap().unwrap();
    assert_eq!((there.appeared_at, there.due), (Some(at), None));
    // Another workspace sees none of it and changes none.
    assert_eq!(db.role_wait(&other, &id).await, Ok(None));
    db.wait_for_no_role(&other, &id).await.unwrap();
    db.record_role(&other, &id, &role("c"), at).await.unwrap();
    db.wait_for_role(&other, &id, &role("c"), at, at)
        .await
        .unwrap();
    assert_eq!(db.role_wait(&mine, &id).await.unwrap(), Some(there));
    db.wait_for_no_role(&mine, &id).await.unwrap();
    assert_eq!(db.role_wait(&mine, &id).await, Ok(None));
}

async fn replicas_together_keep_to_the_pace(db: TestDb) {
    let db = db.database;
    let noisy = workspace(&db).await.id;
    for _ in 0..5 {
        waits(&db, &noisy).await;
    }
    let mut quiet = Vec::new();
    for _ in 0..25 {
        let workspace = workspace(&db).await.id;
        waits(&db, &workspace).await;
        quiet.push(workspace);
    }
    let mut of_noisy = 0;
    let mut served = BTreeSet::new();
    for second in 0..4 {
        let at = begin() + SECOND * second * 2;
        // Four replicas ask at the same moment.
        let asked = (0..4).map(|_| db.begin_role_tries(at, PACE));
        let begun = futures_util::future::join_all(asked).await;
        let begun: Vec<_> = begun.into_iter().flat_map(Result::unwrap).collect();
        assert!(begun.len() <= 20, "{}", begun.len());
        let own = begun.iter().filter(|wait| wait.workspace == noisy).count();
        assert!(own <= 1, "{own}");
        of_noisy += own;
        served.extend(begun.into_iter().map(|wait| wait.workspace.to_string()));
    }
    // One with many does not keep the others waiting.
    assert!(of_noisy >= 2, "{of_noisy}");
    assert_eq!(served.len(), 26);
}

async fn a_try_whose_replica_died_is_made_again(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    waits(&db, &mine).await;
    let tried = async |at| db.begin_role_tries(at, PACE).await.unwrap().len();
    assert_eq!(tried(begin()).await, 1);
    assert_eq!(tried(begin() + SECOND * 59).await, 0);
    assert_eq!(tried(begin() + SECOND * 60).await, 1);
}

async fn who_watches_brings_the_next_try_near(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let id = waits(&db, &mine).await;
    let begun = db.begin_role_tries(begin(), PACE).await.unwrap();
    let result = TryResult {
        outcome: TryOutcome::NotYet,
        due: Some(begin() + SECOND * 900),
    };
    db.record_role_try(&begun[0], result).await.unwrap();
    let at = begin() + SECOND;
    db.watch_role(&mine, &id, at, at + SECOND * 10, SECOND * 3)
        .await
        .unwrap();
    let wait = db.role_wait(&mine, &id).await.unwrap().unwrap();
    assert_eq!(wait.due, Some(begin() + SECOND * 3));
    assert!(wait.is_watched(at) && !wait.is_watched(at + SECOND * 10));
    assert_eq!(wait.unwatched_tries, 0);
}

async fn a_dialog_that_was_left_without_input_goes(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let open = async |draft| setup(&db, &mine, draft).await;
    let (left, of_api, filled) = (
        open(Draft::default()).await,
        open(Draft::default()).await,
        open(role_draft()).await,
    );
    let seen = async |setup: &Setup, at, begins| {
        db.dialog_is_open(&mine, &setup.id, at, begins)
            .await
            .unwrap();
    };
    seen(&left, begin(), true).await;
    seen(&filled, begin(), true).await;
    // Only looked at in the dialog.
    seen(&of_api, begin(), false).await;
    let hour = Duration::hours(1);
    let remove = async |before| db.remove_expired(Expired::LeftDialogs, before, 100).await;
    assert_eq!(remove(begin()).await, Ok(0));
    seen(&left, begin() + hour, false).await;
    assert_eq!(remove(begin() + hour).await, Ok(0));
    assert_eq!(remove(begin() + hour + SECOND).await, Ok(1));
    assert_eq!(db.setup(&mine, &left.id).await, Ok(None));
    for kept in [&of_api, &filled] {
        assert!(db.setup(&mine, &kept.id).await.unwrap().is_some());
    }
}
