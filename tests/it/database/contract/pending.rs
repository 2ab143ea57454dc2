//! Changes of storages that wait for their check.

use crate::application::kept::store::{
    CheckStore, CheckTarget, JobStore, PendingCheck, PendingEdit, PendingStore, ProjectStore,
    Recorded, SCHEDULED_CHECK, SeenStorage, StorageChange, StorageDeletion, StorageStore,
    StoreError,
};
use crate::database::Database;
use crate::domain::check::StepStatus;
use crate::domain::connection::access_key::SealedSecret;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::ids::StorageId;
use crate::domain::storage::{HealthState, PendingConnection, Storage};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::Duration;

on_both_engines!(
    a_change_waits_beside_the_connection_in_use,
    a_change_is_made_only_from_what_was_seen,
    a_passed_check_puts_the_change_in_use,
    a_change_in_use_is_checked_again_soon,
    a_failed_check_leaves_everything_in_use_as_it_is,
    a_check_of_an_earlier_change_does_not_count,
    a_change_of_an_earlier_connection_is_not_used,
    bucket_and_prefix_are_fixed_while_projects_use_them,
    only_a_customer_s_own_credentials_can_wait,
    a_change_goes_with_its_storage,
    two_checks_at_once_put_one_change_in_use,
    damaged_changes_are_not_read,
);

async fn pending(db: &Database, storage: &Storage) -> Option<PendingConnection> {
    let found = db.pending(&storage.workspace, &storage.id).await;
    found.unwrap()
}

async fn change(
    db: &Database,
    storage: &Storage,
    seen: SeenStorage,
    change: &StorageChange,
) -> bool {
    let (workspace, id) = (&storage.workspace, &storage.id);
    let done = db.change_storage(workspace, id, seen, change).await;
    done.unwrap()
}

async fn check(
    db: &Database,
    storage: &Storage,
    revision: i64,
    status: StepStatus,
    connection: &Connection,
) -> PendingCheck {
    let report = report(storage.id.as_str(), revision, status);
    db.record_pending_check(&storage.workspace, &storage.id, &report, connection)
        .await
        .unwrap()
}

async fn a_change_waits_beside_the_connection_in_use(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let keyed = complete(&db, &setup(&db, &mine.id, access_key_draft()).await).await;
    let stored = storage(&db, &mine.id).await;
    assert_eq!(pending(&db, &stored).await, None);
    assert_eq!(db.list_pending(&mine.id, &all()).await, Ok(vec![]));

    let changed = with_other_role(&stored).connection;
    let first = StorageChange {
        display_name: Some(name("Neu")),
        ..put(&changed)
    };
    assert!(change(&db, &stored, seen(1, None), &first).await);
    let waiting = pending(&db, &stored).await.unwrap();
    assert_eq!(
        waiting,
        PendingConnection {
            storage: stored.id.clone(),
            workspace: mine.id.clone(),
            connection: changed,
            revision: 2,
            replaces: 1,
            last_check: None,
            changed_at: first.at,
        }
    );
    // The storage has its name, and is otherwise as it was.
    let named = Storage {
        display_name: name("Neu"),
        ..stored.clone()
    };
    assert_eq!(reload(&db, &stored).await, named);

    let mut other_secret = keyed.connection.clone();
    if let Credentials::AccessKey {
        secret, sealed_for, ..
    } = &mut other_secret.credentials
    {
        *secret = SealedSecret(vec![9, 9, 9]);
        *sealed_for = PendingConnection::sealed_for(&keyed.id);
    }
    assert!(change(&db, &keyed, seen(1, None), &put(&other_secret)).await);
    let keyed_waiting = pending(&db, &keyed).await.unwrap();
    assert_eq!(keyed_waiting.connection, other_secret);
    assert_eq!(reload(&db, &keyed).await, keyed);

    let both = vec![keyed_waiting.clone(), waiting.clone()];
    assert_eq!(db.list_pending(&mine.id, &all()).await, Ok(both));
    let rest = page(Some(keyed.id.as_str()), 10);
    let listed = db.list_pending(&mine.id, &rest).await;
    assert_eq!(listed, Ok(vec![waiting]));
    let first = db.list_pending(&mine.id, &page(None, 1)).await;
    assert_eq!(first, Ok(vec![keyed_waiting]));
}

async fn a_change_is_made_only_from_what_was_seen(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let to_other_role = put(&with_other_role(&stored).connection);
    for outdated in [seen(0, None), seen(2, None), seen(1, Some(2))] {
        assert!(!change(&db, &stored, outdated, &to_other_role).await);
    }
    assert_eq!(pending(&db, &stored).await, None);
    assert!(change(&db, &stored, seen(1, None), &to_other_role).await);
    let remove = StorageChange {
        pending: PendingEdit::Remove,
        ..keep()
    };
    for outdated in [&to_other_role, &remove] {
        assert!(!change(&db, &stored, seen(1, None), outdated).await);
    }
    let waiting = pending(&db, &stored).await.unwrap();
    assert_eq!(waiting.revision, 2);
    // The next one has a number of its own, also after one was removed.
    assert!(change(&db, &stored, seen(1, Some(2)), &to_other_role).await);
    assert_eq!(pending(&db, &stored).await.unwrap().revision, 3);
    assert!(change(&db, &stored, seen(1, Some(3)), &remove).await);
    assert_eq!(pending(&db, &stored).await, None);
    assert!(change(&db, &stored, seen(1, None), &to_other_role).await);
    assert_eq!(pending(&db, &stored).await.unwrap().revision, 4);
    assert_eq!(db.remove_pending(&mine.id, &stored.id).await, Ok(true));
    assert_eq!(db.remove_pending(&mine.id, &stored.id).await, Ok(false));
    assert_eq!(reload(&db, &stored).await, stored);
    let absent = StorageId::generate();
    let of_nothing = db
        .change_storage(&mine.id, &absent, seen(1, None), &keep())
        .await;
    assert_eq!(of_nothing, Ok(false));
}

async fn a_passed_check_puts_the_change_in_use(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let mut changed = with_other_role(&stored).connection;
    assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
    let warned = report(stored.id.as_str(), 2, StepStatus::Warning);
    // Where the bucket is, is what the check found.
    changed.settings.region = warned.region;
    let recorded = db.record_pending_check(&mine.id, &stored.id, &warned, &changed);
    let Ok(PendingCheck::InUse(recorded)) = recorded.await else {
        panic!("it passed");
    };
    let change = change_by(Ok(recorded)).unwrap();
    assert_eq!(
        (change.check, change.at),
        (warned.id.clone(), warned.started_at)
    );
    let now = reload(&db, &stored).await;
    assert_eq!(now.connection, changed);
    assert_eq!((now.revision, now.verified_revision), (2, 2));
    assert_eq!(now.health.state, HealthState::Degraded);
    assert_eq!(now.health.since, warned.started_at);
    assert_eq!(now.health.last_check, Some(warned.id.clone()));
    assert_eq!(pending(&db, &stored).await, None);
    let history = db.list_checks(&mine.id, &stored.id, &all()).await;
    assert_eq!(history, Ok(vec![warned.clone()]));

    // A check of the earlier connection that ends now has no effect.
    let late = report(stored.id.as_str(), 1, StepStatus::Failed);
    let target = CheckTarget::Storage(stored.id.clone());
    assert_eq!(
        db.record_check(&mine.id, &target, &late).await,
        Ok(Recorded::Stored)
    );
    assert_eq!(reload(&db, &stored).await, now);
}

async fn a_change_in_use_is_checked_again_soon(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let claim = async |at| {
        let until = at + Duration::minutes(5);
        let claim = any_job(SCHEDULED_CHECK, "w", at, until);
        db.claim_job(&claim).await.unwrap()
    };
    // The first check is due a minute after the storage was made; the next one in an hour.
    let start = now() + Duration::seconds(61);
    let job = claim(start).await.unwrap();
    let hour = start + Duration::hours(1);
    db.rest_job(&job, &rest(hour, None)).await.unwrap();
    let changed = with_other_role(&stored).connection;
    assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
    let failed = check(&db, &stored, 2, StepStatus::Failed, &changed).await;
    assert_eq!(failed, PendingCheck::Failed);
    assert_eq!(claim(start + Duration::minutes(3)).await, None);
    let passed = check(&db, &stored, 2, StepStatus::Passed, &changed).await;
    assert_eq!(passed, PendingCheck::InUse(Recorded::Stored));
    assert_eq!(claim(start).await, None);
    assert!(claim(start + Duration::minutes(3)).await.is_some());
}

async fn a_failed_check_leaves_everything_in_use_as_it_is(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let changed = with_other_role(&stored).connection;
    assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
    let failed = report(stored.id.as_str(), 2, StepStatus::Failed);
    let recorded = db.record_pending_check(&mine.id, &stored.id, &failed, &changed);
    assert_eq!(recorded.await, Ok(PendingCheck::Failed));
    assert_eq!(reload(&db, &stored).await, stored);
    let waiting = pending(&db, &stored).await.unwrap();
    assert_eq!(waiting.last_check, Some(failed.id.clone()));
    let kept = db.check(&mine.id, &failed.id).await.unwrap();
    assert_eq!(kept, Some(failed));
    // It says nothing of the connection in use.
    let history = db.list_checks(&mine.id, &stored.id, &all()).await;
    assert_eq!(history, Ok(vec![]));
    // A further change has not been checked.
    assert!(change(&db, &stored, seen(1, Some(2)), &put(&changed)).await);
    assert_eq!(pending(&db, &stored).await.unwrap().last_check, None);
}

async fn a_check_of_an_earlier_change_does_not_count(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let changed = with_other_role(&stored).connection;
    let passed = StepStatus::Passed;
    let outdated = PendingCheck::Outdated;
    assert_eq!(check(&db, &stored, 2, passed, &changed).await, outdated);
    assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
    assert_eq!(db.remove_pending(&mine.id, &stored.id).await, Ok(true));
    assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
    for earlier in [1, 2] {
        let came_of_it = check(&db, &stored, earlier, passed, &changed).await;
        assert_eq!(came_of_it, outdated);
    }
    assert_eq!(reload(&db, &stored).await, stored);
    assert_eq!(
        check(&db, &stored, 3, passed, &changed).await,
        PendingCheck::InUse(Recorded::Stored)
    );
    assert_eq!(reload(&db, &stored).await.revision, 3);
}

async fn a_change_of_an_earlier_connection_is_not_used(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let changed = with_other_role(&stored).connection;
    assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
    // As replicas of earlier versions change a connection: at once, without a check.
    let at_once = format!(
        "UPDATE storages SET revision = 2 WHERE id = '{}'",
        stored.id
    );
    tester.tamper(&at_once).await.unwrap();
    let came_of_it = check(&db, &stored, 2, StepStatus::Passed, &changed).await;
    assert_eq!(came_of_it, PendingCheck::Outdated);
    assert_eq!(reload(&db, &stored).await.connection, stored.connection);
    // Made again, it is of the connection that the storage has now.
    assert!(change(&db, &stored, seen(2, Some(2)), &put(&changed)).await);
    let waiting = pending(&db, &stored).await.unwrap();
    assert_eq!((waiting.revision, waiting.replaces), (3, 2));
    let came_of_it = check(&db, &stored, 3, StepStatus::Passed, &changed).await;
    assert_eq!(came_of_it, PendingCheck::InUse(Recorded::Stored));
}

async fn bucket_and_prefix_are_fixed_while_projects_use_them(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let mut bucket = stored.connection.clone();
    bucket.bucket = BucketName::parse("elsewhere").unwrap();
    let mut prefix = stored.connection.clone();
    prefix.settings.prefix = BucketPrefix::parse("TEAM/ä b").unwrap();
    // Changed while nothing used the storage, and checked when something does.
    assert!(change(&db, &stored, seen(1, None), &put(&bucket)).await);
    let project = project(&db, &mine.id, Some(&stored.id)).await;
    let came_of_it = check(&db, &stored, 2, StepStatus::Passed, &bucket).await;
    assert_eq!(came_of_it, PendingCheck::FixedByProjects(1));
    assert_eq!(reload(&db, &stored).await.connection, stored.connection);
    for moving in [&bucket, &prefix] {
        assert!(!change(&db, &stored, seen(1, Some(2)), &put(moving)).await);
    }
    let role = with_other_role(&stored).connection;
    assert!(change(&db, &stored, seen(1, Some(2)), &put(&role)).await);
    let came_of_it = check(&db, &stored, 3, StepStatus::Passed, &role).await;
    assert_eq!(came_of_it, PendingCheck::InUse(Recorded::Stored));
    assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(true));
    assert!(change(&db, &stored, seen(3, None), &put(&bucket)).await);
    let came_of_it = check(&db, &stored, 4, StepStatus::Passed, &bucket).await;
    assert_eq!(came_of_it, PendingCheck::InUse(Recorded::Stored));
}

async fn only_a_customer_s_own_credentials_can_wait(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let mut own = stored.connection.clone();
    own.credentials = Credentials::Service;
    let refused = db
        .change_storage(&mine.id, &stored.id, seen(1, None), &put(&own))
        .await;
    assert!(refused.is_err());
    // An external ID that belongs to another setup never comes into use.
    let foreign = storage(&db, &workspace(&db).await.id).await;
    let changed = foreign.connection;
    assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
    let passed = report(stored.id.as_str(), 2, StepStatus::Passed);
    let recorded = db.record_pending_check(&mine.id, &stored.id, &passed, &changed);
    assert!(matches!(recorded.await, Err(StoreError::Conflict(_))));
    assert_eq!(reload(&db, &stored).await, stored);
    assert!(pending(&db, &stored).await.is_some());
}

async fn a_change_goes_with_its_storage(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let to_other_role = put(&with_other_role(&stored).connection);
    assert!(change(&db, &stored, seen(1, None), &to_other_role).await);
    let deleted = db.delete_storage(&mine.id, &stored.id, None, None).await;
    assert_eq!(deleted, Ok(StorageDeletion::Deleted));
    assert_eq!(pending(&db, &stored).await, None);
}

async fn two_checks_at_once_put_one_change_in_use(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    for _ in 0..10 {
        let stored = storage(&db, &mine.id).await;
        let changed = with_other_role(&stored).connection;
        assert!(change(&db, &stored, seen(1, None), &put(&changed)).await);
        let once = || check(&db, &stored, 2, StepStatus::Passed, &changed);
        let both = tokio::join!(once(), once());
        let one_of_each = [
            (
                PendingCheck::InUse(Recorded::Stored),
                PendingCheck::Outdated,
            ),
            (
                PendingCheck::Outdated,
                PendingCheck::InUse(Recorded::Stored),
            ),
        ];
        assert!(one_of_each.contains(&both), "{both:?}");
    }
}

async fn damaged_changes_are_not_read(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    for (column, bad) in [
        ("external_id", "NULL"),
        ("role_arn", "'arn:aws:iam::123456789012:root'"),
        ("auth", "'service'"),
        ("prefix", "'team'"),
    ] {
        let stored = storage(&db, &mine.id).await;
        let to_other_role = put(&with_other_role(&stored).connection);
        assert!(change(&db, &stored, seen(1, None), &to_other_role).await);
        let damage = format!(
            "UPDATE pending_connections SET {column} = {bad} WHERE storage_id = '{}'",
            stored.id
        );
        tester.tamper(&damage).await.unwrap();
        let read = db.pending(&mine.id, &stored.id).await;
        assert!(matches!(read, Err(StoreError::Damaged { .. })), "{read:?}");
        // The storage works on, and the change can be taken back.
        assert_eq!(reload(&db, &stored).await, stored);
        assert_eq!(db.remove_pending(&mine.id, &stored.id).await, Ok(true));
    }
}
