use crate::application::kept::store::{
    AuditFilter, AuditStore, CheckStore, CheckTarget, ClaimedJob, JobStore, PendingCheck,
    PendingStore, Recorded, SCHEDULED_CHECK, SetupStore, StorageStore, StoreError,
};
use crate::database::Database;
use crate::domain::cause::entry::Bearing;
use crate::domain::check::{CheckReport, StepName, StepStatus};
use crate::domain::connection::region::Region;
use crate::domain::ids::{CheckId, SetupId, StorageId};
use crate::domain::people::audit::Actor;
use crate::domain::storage::{HealthState, Quarantining};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

on_both_engines!(
    reports_come_back_and_show_in_their_target,
    health_moves_only_when_the_state_changes,
    a_check_that_proves_nothing_leaves_the_health_as_it_was,
    a_role_that_lets_others_in_quarantines_until_the_next_pass,
    a_passed_check_verifies_the_present_revision_alone,
    history_is_newest_first,
    due_checks_are_claimed_once,
    a_claimed_check_comes_again_when_it_is_due,
    damaged_reports_are_not_read,
);

async fn reports_come_back_and_show_in_their_target(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let made = setup(&db, &mine.id, role_draft()).await;
    let check = report(made.id.as_str(), 1, StepStatus::Warning);
    let target = CheckTarget::Setup(made.id.clone());
    let nothing = Ok(Recorded::NoTarget);
    assert_eq!(db.record_check(&other.id, &target, &check).await, nothing);
    for absent in [
        CheckTarget::Setup(SetupId::generate()),
        CheckTarget::Storage(StorageId::generate()),
    ] {
        assert_eq!(db.record_check(&mine.id, &absent, &check).await, nothing);
    }
    assert_eq!(db.check(&mine.id, &check.id).await, Ok(None));
    let recorded = db.record_check(&mine.id, &target, &check).await;
    assert_eq!(recorded, Ok(Recorded::Stored));
    assert_eq!(db.check(&mine.id, &check.id).await, Ok(Some(check.clone())));
    assert_eq!(db.check(&other.id, &check.id).await, Ok(None));
    assert_eq!(db.check(&mine.id, &CheckId::generate()).await, Ok(None));
    let checked = db.setup(&mine.id, &made.id).await.unwrap().unwrap();
    assert_eq!(checked.last_check, Some(check.id));
    assert_eq!(checked.revision, 1);
}

async fn health_moves_only_when_the_state_changes(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let target = CheckTarget::Storage(stored.id.clone());
    let mut since = stored.health.since;
    let mut at = stored.health.since;
    for (status, state, moves) in [
        (StepStatus::Passed, HealthState::Healthy, false),
        (StepStatus::Failed, HealthState::Broken, true),
        (StepStatus::Failed, HealthState::Broken, false),
        (StepStatus::Warning, HealthState::Degraded, true),
        (StepStatus::Passed, HealthState::Healthy, true),
    ] {
        at += Duration::minutes(1);
        let mut check = match status {
            StepStatus::Failed => {
                let id = stored.id.as_str();
                failed_report(id, 1, StepName::GetObject, "x", Bearing::Definite)
            }
            StepStatus::Passed | StepStatus::Warning | StepStatus::Skipped => {
                report(stored.id.as_str(), 1, status)
            }
        };
        check.started_at = at;
        let changed = change_by(db.record_check(&mine.id, &target, &check).await);
        assert_eq!(changed.is_some(), moves);
        if let Some(change) = changed {
            assert_eq!((change.to.state, change.at), (state, at));
            assert_eq!((&change.storage, &change.check), (&stored.id, &check.id));
            assert_eq!(change.quarantine, None);
        }
        if moves {
            since = at;
        }
        let health = reload(&db, &stored).await.health;
        assert_eq!(health.state, state);
        assert_eq!(health.since, since, "{status:?}");
        assert_eq!(health.last_check, Some(check.id));
    }
}

async fn a_check_that_proves_nothing_leaves_the_health_as_it_was(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let target = CheckTarget::Storage(stored.id.clone());
    let mut at = stored.health.since;
    for (bearing, state, code) in [
        (Bearing::Passing, HealthState::Healthy, None),
        (Bearing::Definite, HealthState::Broken, Some("code_1")),
        (Bearing::Passing, HealthState::Broken, Some("code_1")),
        (Bearing::RefusesUs, HealthState::Broken, Some("code_3")),
        (Bearing::Undecided, HealthState::Unknown, Some("code_4")),
        (Bearing::Passing, HealthState::Unknown, Some("code_4")),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, (bearing, state, code))| ((number, bearing), state, code))
    {
        at += Duration::minutes(1);
        let before = reload(&db, &stored).await.health;
        let (number, bearing) = bearing;
        let code_of_step = format!("code_{number}");
        let mut check = failed_report(
            stored.id.as_str(),
            1,
            StepName::GetObject,
            &code_of_step,
            bearing,
        );
        check.started_at = at;
        change_by(db.record_check(&mine.id, &target, &check).await);
        let health = reload(&db, &stored).await.health;
        assert_eq!((health.state, health.code.as_deref()), (state, code));
        assert_eq!(health.last_check, Some(check.id));
        let is_same = (before.state, before.code.as_deref()) == (state, code);
        let since = if is_same { before.since } else { at };
        assert_eq!(health.since, since, "{bearing:?}");
    }
}

async fn a_role_that_lets_others_in_quarantines_until_the_next_pass(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let neighbour = storage(&db, &mine.id).await;
    let target = CheckTarget::Storage(stored.id.clone());
    let begin = stored.health.since;
    let open = |revision, minutes, code: &str| {
        let step = StepName::RefusesMissingExternalId;
        let mut check = failed_report(
            stored.id.as_str(),
            revision,
            step,
            code,
            Bearing::OpenToOthers,
        );
        check.started_at = begin + Duration::minutes(minutes);
        check
    };
    let passed = |minutes| {
        let mut check = report(stored.id.as_str(), 1, StepStatus::Warning);
        check.started_at = begin + Duration::minutes(minutes);
        check
    };
    let other = |minutes, bearing| {
        let mut check = failed_report(stored.id.as_str(), 1, StepName::AssumeRole, "x", bearing);
        check.started_at = begin + Duration::minutes(minutes);
        check
    };
    let record = async |check: CheckReport| {
        let recorded = db.record_check(&mine.id, &target, &check).await;
        change_by(recorded).and_then(|change| change.quarantine)
    };

    // Of another revision: it says nothing of the present role.
    assert_eq!(record(open(7, 1, "older")).await, None);
    assert_eq!(reload(&db, &stored).await.quarantine, None);

    let first = open(1, 2, "first");
    let began = Some(Quarantining::Began("first".to_owned()));
    assert_eq!(record(first.clone()).await, began);
    let found = reload(&db, &stored).await;
    let quarantine = found.quarantine.clone().unwrap();
    assert_eq!(
        (
            quarantine.since,
            &quarantine.check,
            quarantine.code.as_str()
        ),
        (first.started_at, &first.id, "first")
    );
    assert_eq!(found.health.state, HealthState::Broken);
    assert_eq!(reload(&db, &neighbour).await.quarantine, None);
    // Nothing but a pass ends it, and it keeps its beginning. A check that began before says nothing.
    for check in [
        open(1, 3, "again"),
        other(4, Bearing::RefusesUs),
        other(5, Bearing::Definite),
        other(6, Bearing::Undecided),
        other(7, Bearing::Passing),
        passed(1),
    ] {
        assert_eq!(record(check).await, None);
        assert_eq!(reload(&db, &stored).await.quarantine, found.quarantine);
    }
    // A change that waits for its check ends it when it takes the connection's place, not before.
    let connection = with_other_role(&stored).connection;
    let change = put(&connection);
    let changed = db.change_storage(&mine.id, &stored.id, seen(1, None), &change);
    assert_eq!(changed.await, Ok(true));
    assert_eq!(reload(&db, &stored).await.quarantine, found.quarantine);
    let mut open_too = open(8, 8, "pending");
    let mut repaired = passed(9);
    (open_too.revision, repaired.revision) = (2, 2);
    let record_pending = async |check: CheckReport| {
        let recorded = db.record_pending_check(&mine.id, &stored.id, &check, &connection);
        recorded.await.unwrap()
    };
    assert_eq!(record_pending(open_too).await, PendingCheck::Failed);
    assert_eq!(reload(&db, &stored).await.quarantine, found.quarantine);
    let PendingCheck::InUse(recorded) = record_pending(repaired).await else {
        panic!("it passed");
    };
    let ended = change_by(Ok(recorded)).unwrap().quarantine;
    assert_eq!(ended, Some(Quarantining::Ended));
    assert_eq!(reload(&db, &stored).await.quarantine, None);

    // Both changes are in the audit log, as the service's own.
    let of_workspace = AuditFilter {
        workspace: Some(mine.id.clone()),
        key: None,
        ..AuditFilter::default()
    };
    let entries = db.list_audit(&of_workspace, &all()).await.unwrap();
    let written: Vec<_> = entries
        .iter()
        .filter(|entry| entry.state.is_none())
        .map(|e| (e.action.as_str(), e.target.as_deref(), e.code.as_deref()))
        .collect();
    let id = Some(stored.id.as_str());
    assert_eq!(
        written,
        [
            ("end_storage_quarantine", id, None),
            ("quarantine_storage", id, Some("first"))
        ]
    );
    assert!(entries.iter().all(|entry| entry.actor == Actor::Service));

    // A row with a part of it does not pass for one that may be used.
    let part = "UPDATE storages SET quarantined_at = 5";
    tester.tamper(part).await.unwrap();
    let read = db.storage(&mine.id, &stored.id).await;
    assert!(matches!(read, Err(StoreError::Damaged { .. })), "{read:?}");
}

async fn a_passed_check_verifies_the_present_revision_alone(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let target = CheckTarget::Storage(stored.id.clone());
    let record = async |revision, status, region: Option<Region>| {
        let mut check = report(stored.id.as_str(), revision, status);
        check.region = region;
        change_by(db.record_check(&mine.id, &target, &check).await);
        assert_eq!(db.check(&mine.id, &check.id).await, Ok(Some(check)));
        reload(&db, &stored).await
    };
    let found = Region::parse("us-east-2").ok();
    // As replicas of earlier versions change a connection: at once, without a check.
    let change = format!(
        "UPDATE storages SET revision = 2 WHERE id = '{}'",
        stored.id
    );
    tester.tamper(&change).await.unwrap();

    // Of the older revision: kept, without effect.
    let before = reload(&db, &stored).await;
    assert_eq!(record(1, StepStatus::Passed, found).await, before);
    assert_eq!(record(1, StepStatus::Failed, found).await, before);

    let failed = record(2, StepStatus::Failed, found).await;
    assert!(!failed.is_verified());
    assert_eq!(
        failed.connection.settings.region,
        stored.connection.settings.region
    );
    let passed = record(2, StepStatus::Passed, found).await;
    assert!(passed.is_verified());
    assert_eq!(passed.revision, 2);
    assert_eq!(passed.connection.settings.region, found);
    let unknown = record(2, StepStatus::Warning, None).await;
    assert_eq!(unknown.connection.settings.region, found);
    // Found broken later: the settings stay those that passed once.
    assert!(record(2, StepStatus::Failed, None).await.is_verified());
}

async fn history_is_newest_first(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let stored = storage(&db, &mine.id).await;
    let neighbour = storage(&db, &mine.id).await;
    let mut made = Vec::new();
    for target in [&stored, &neighbour, &stored, &stored] {
        let check = report(target.id.as_str(), 1, StepStatus::Passed);
        let target_id = CheckTarget::Storage(target.id.clone());
        db.record_check(&mine.id, &target_id, &check).await.unwrap();
        if target.id == stored.id {
            made.insert(0, check);
        }
    }
    let list = async |window| db.list_checks(&mine.id, &stored.id, &window).await.unwrap();
    assert_eq!(list(all()).await, made);
    assert_eq!(list(page(None, 1)).await, made[..1]);
    assert_eq!(list(page(Some(made[0].id.as_str()), 9)).await, made[1..]);
    assert_eq!(
        db.list_checks(&other.id, &stored.id, &all()).await,
        Ok(vec![])
    );
}

/// Takes a scheduled check that is due, as a worker does.
async fn claim(db: &Database, now: OffsetDateTime) -> Option<ClaimedJob> {
    let until = now + Duration::hours(1);
    db.claim_job(&any_job(SCHEDULED_CHECK, "w", now, until))
        .await
        .unwrap()
}

async fn due_checks_are_claimed_once(db: TestDb) {
    let db = db.database;
    let mut stored = HashSet::new();
    for _ in 0..3 {
        let mine = workspace(&db).await;
        for _ in 0..10 {
            let storage = storage(&db, &mine.id).await;
            stored.insert((mine.id.clone(), storage.id.to_string()));
        }
    }
    let soon = now() + Duration::minutes(2);
    let mut claimers = Vec::new();
    for _ in 0..20 {
        let db = db.clone();
        claimers.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            while let Some(job) = claim(&db, soon).await {
                mine.push((job.workspace, job.subject));
            }
            mine
        }));
    }
    let mut taken = Vec::new();
    for claimer in claimers {
        taken.extend(claimer.await.unwrap());
    }
    // One that found a row locked leaves it to the next round.
    while let Some(job) = claim(&db, soon).await {
        taken.push((job.workspace, job.subject));
    }
    assert_eq!(taken.len(), 30);
    assert_eq!(taken.into_iter().collect::<HashSet<_>>(), stored);
}

async fn a_claimed_check_comes_again_when_it_is_due(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    // The first check is due some time after the storage was made, and within two minutes.
    let (at, hour) = (
        stored.created_at + Duration::seconds(60),
        Duration::hours(1),
    );
    assert_eq!(claim(&db, at - Duration::seconds(1)).await, None);
    let job = claim(&db, at).await.unwrap();
    assert_eq!(
        (&job.workspace, job.subject.as_str()),
        (&mine.id, stored.id.as_str())
    );
    assert_eq!(claim(&db, at).await, None);
    db.rest_job(&job, &rest(at + hour, None)).await.unwrap();
    assert_eq!(claim(&db, at).await, None);
    assert!(claim(&db, at + hour).await.is_some());
    // It goes with its storage.
    db.delete_storage(&mine.id, &stored.id, None, None)
        .await
        .unwrap();
    assert_eq!(claim(&db, at + hour * 9).await, None);
}

async fn damaged_reports_are_not_read(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let target = CheckTarget::Storage(stored.id.clone());
    for (column, bad) in [
        ("steps", "'[]'"),
        ("steps", "'{'"),
        ("attempts", "-1"),
        ("duration_ms", "-1"),
        ("region", "'no where'"),
    ] {
        let check = report(stored.id.as_str(), 1, StepStatus::Passed);
        db.record_check(&mine.id, &target, &check).await.unwrap();
        tester
            .tamper(&format!(
                "UPDATE checks SET {column} = {bad} WHERE id = '{}'",
                check.id
            ))
            .await
            .unwrap();
        let read = db.check(&mine.id, &check.id).await;
        let Err(StoreError::Damaged { record, .. }) = read else {
            panic!("{column} = {bad}: {read:?}");
        };
        assert_eq!(record, format!("checks/{}", check.id));
    }
}
