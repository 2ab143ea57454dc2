use crate::application::kept::store::{
    CheckStore, CheckTarget, ClaimedJob, JobStore, SCHEDULED_CHECK, SetupStore, StorageStore,
    StoreError,
};
use crate::database::Database;
use crate::domain::check::StepStatus;
use crate::domain::connection::region::Region;
use crate::domain::ids::{CheckId, SetupId, StorageId};
use crate::domain::storage::HealthState;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

on_both_engines!(
    reports_come_back_and_show_in_their_target,
    health_moves_only_when_the_state_changes,
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
    assert_eq!(db.record_check(&other.id, &target, &check).await, Ok(false));
    for absent in [
        CheckTarget::Setup(SetupId::generate()),
        CheckTarget::Storage(StorageId::generate()),
    ] {
        assert_eq!(db.record_check(&mine.id, &absent, &check).await, Ok(false));
    }
    assert_eq!(db.check(&mine.id, &check.id).await, Ok(None));
    assert_eq!(db.record_check(&mine.id, &target, &check).await, Ok(true));
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
        let mut check = report(stored.id.as_str(), 1, status);
        check.started_at = at;
        assert_eq!(db.record_check(&mine.id, &target, &check).await, Ok(true));
        if moves {
            since = at;
        }
        let health = reload(&db, &stored).await.health;
        assert_eq!(health.state, state);
        assert_eq!(health.since, since, "{status:?}");
        assert_eq!(health.last_check, Some(check.id));
    }
}

async fn a_passed_check_verifies_the_present_revision_alone(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let target = CheckTarget::Storage(stored.id.clone());
    let record = async |revision, status, region: Option<Region>| {
        let mut check = report(stored.id.as_str(), revision, status);
        check.region = region;
        assert_eq!(db.record_check(&mine.id, &target, &check).await, Ok(true));
        assert_eq!(db.check(&mine.id, &check.id).await, Ok(Some(check)));
        reload(&db, &stored).await
    };
    let found = Region::parse("us-east-2").ok();
    let changed = db.update_connection(&mine.id, &stored.id, &stored.connection, 1);
    assert_eq!(changed.await, Ok(true));

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
    db.delete_storage(&mine.id, &stored.id).await.unwrap();
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
        ("region", "'nowhere'"),
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
