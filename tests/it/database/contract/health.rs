//! What reports do to a storage's health, in whatever order they come, and what is kept of it.

use crate::application::kept::store::{
    AuditFilter, AuditStore, CheckStore, CheckTarget, JobStore, PendingCheck, PendingStore,
    ProjectStore, Recorded, RetentionStore, SCHEDULED_CHECK, StorageStore,
};
use crate::database::Database;
use crate::domain::cause::entry::{Bearing, Side};
use crate::domain::check::{CheckReport, StepName, StepStatus, Steps};
use crate::domain::ids::{AuditId, StorageId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use crate::domain::project::ProjectStatus;
use crate::domain::storage::{Health, HealthReports, HealthState, Storage};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    the_check_that_began_later_decides,
    of_checks_that_end_at_once_the_one_that_began_last_decides,
    a_changed_connection_has_a_health_of_its_own,
    the_checks_of_a_bad_spell_stay_while_it_lasts,
    a_storage_that_broke_is_checked_soon,
    every_change_is_in_the_audit_log_once,
    storages_of_the_release_before_have_their_last_good_check,
    the_projects_of_a_storage_are_counted_and_named,
    who_put_a_connection_into_use_is_known,
    storages_are_counted_by_health,
    a_failure_of_the_services_own_side_changes_nothing,
);

/// A report of a check that began so many minutes after the storage was made.
fn passed(stored: &Storage, minutes: i64) -> CheckReport {
    let mut check = report(stored.id.as_str(), 1, StepStatus::Passed);
    check.started_at = stored.health.since + Duration::minutes(minutes);
    check
}

fn failed(stored: &Storage, minutes: i64, code: &str) -> CheckReport {
    let (id, step) = (stored.id.as_str(), StepName::GetObject);
    let mut check = failed_report(id, 1, step, code, Bearing::Definite);
    check.started_at = stored.health.since + Duration::minutes(minutes);
    check
}

async fn record(db: &Database, stored: &Storage, check: &CheckReport) -> Health {
    let target = CheckTarget::Storage(stored.id.clone());
    let recorded = db.record_check(&stored.workspace, &target, check).await;
    change_by(recorded);
    reload(db, stored).await.health
}

async fn the_check_that_began_later_decides(db: TestDb) {
    let db = db.database;
    let stored = storage(&db, &workspace(&db).await.id).await;
    let later = failed(&stored, 5, "x");
    record(&db, &stored, &later).await;
    let broken = reload(&db, &stored).await;
    // It has ended after the other, and is kept.
    let earlier = passed(&stored, 4);
    record(&db, &stored, &earlier).await;
    assert_eq!(reload(&db, &stored).await, broken);
    let kept = db.check(&stored.workspace, &earlier.id).await.unwrap();
    assert_eq!(kept, Some(earlier));
    assert_eq!(broken.health.last_check, Some(later.id));
}

async fn of_checks_that_end_at_once_the_one_that_began_last_decides(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    for round in 0..10 {
        let stored = storage(&db, &mine.id).await;
        let mut checks = Vec::new();
        for minutes in 1..=6 {
            checks.push(match minutes == 6 {
                true => failed(&stored, minutes, "last"),
                false => passed(&stored, minutes),
            });
        }
        checks.rotate_left(round % 6);
        let mut tasks = Vec::new();
        for check in checks {
            let (db, stored) = (db.clone(), stored.clone());
            tasks.push(tokio::spawn(async move {
                record(&db, &stored, &check).await;
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let health = reload(&db, &stored).await.health;
        assert_eq!(
            (health.state, health.code.as_deref()),
            (HealthState::Broken, Some("last"))
        );
        assert_eq!(health.since, stored.health.since + Duration::minutes(6));
        let last = db.check(&mine.id, &health.last_check.unwrap()).await;
        assert_eq!(last.unwrap().unwrap().started_at, health.since);
    }
}

/// A check of the connection before that began later says nothing of the one that is in use now.
async fn a_changed_connection_has_a_health_of_its_own(db: TestDb) {
    let db = db.database;
    let stored = storage(&db, &workspace(&db).await.id).await;
    let changed = with_other_role(&stored).connection;
    let change = put(&changed);
    let changes = db.change_storage(&stored.workspace, &stored.id, seen(1, None), &change);
    assert_eq!(changes.await, Ok(true));
    let of_before = record(&db, &stored, &failed(&stored, 9, "x")).await;
    assert_eq!(of_before.state, HealthState::Broken);
    let mut of_change = passed(&stored, 8);
    of_change.revision = 2;
    let recorded = db.record_pending_check(&stored.workspace, &stored.id, &of_change, &changed);
    let Ok(PendingCheck::InUse(Recorded::Changed(change))) = recorded.await else {
        panic!("it healed the storage");
    };
    assert_eq!(change.to.state, HealthState::Healthy);
    let now = reload(&db, &stored).await;
    assert_eq!(now.health.state, HealthState::Healthy);
    assert_eq!(now.health.last_check, Some(of_change.id));
    assert!(now.is_verified());
}

async fn the_checks_of_a_bad_spell_stay_while_it_lasts(db: TestDb) {
    let db = db.database;
    let stored = storage(&db, &workspace(&db).await.id).await;
    let (good, first) = (passed(&stored, 1), failed(&stored, 2, "first"));
    let (present, again) = (failed(&stored, 3, "second"), failed(&stored, 4, "second"));
    for check in [&good, &first, &present, &again] {
        record(&db, &stored, check).await;
    }
    let reports = reload(&db, &stored).await.health.reports;
    assert_eq!(
        reports,
        HealthReports {
            last_good: Some(good.id.clone()),
            first_bad: Some(first.id.clone()),
            present: Some(present.id.clone()),
            as_of: Some(again.started_at),
        }
    );
    let ids = [&good, &first, &present, &again].map(|check| check.id.to_string());
    assert_eq!(db.remove_checks(&ids).await, Ok(0));
    let healed = passed(&stored, 5);
    record(&db, &stored, &healed).await;
    // What the spell was is no longer told, and may go.
    assert_eq!(db.remove_checks(&ids).await, Ok(4));
}

async fn due(db: &TestDb, storage: &StorageId) -> OffsetDateTime {
    let sql = format!(
        "SELECT CAST(due_at AS TEXT) AS due FROM jobs WHERE kind = 'check' AND subject_id = '{storage}'"
    );
    let micros: i128 = db.texts(&sql, "due").await[0].parse().unwrap();
    OffsetDateTime::from_unix_timestamp_nanos(micros * 1_000).unwrap()
}

async fn a_storage_that_broke_is_checked_soon(tester: TestDb) {
    let db = &tester.database;
    let stored = storage(db, &workspace(db).await.id).await;
    let start = now() + Duration::minutes(2);
    let claim = any_job(SCHEDULED_CHECK, "w", start, start + Duration::minutes(1));
    let job = db.claim_job(&claim).await.unwrap().unwrap();
    let in_hours = stored.health.since + Duration::hours(5);
    db.rest_job(&job, &rest(in_hours, None)).await.unwrap();
    for minutes in [1, 2] {
        record(db, &stored, &passed(&stored, minutes)).await;
        assert_eq!(due(&tester, &stored.id).await, in_hours);
    }
    let broke = failed(&stored, 3, "x");
    record(db, &stored, &broke).await;
    let soon = broke.ended_at() + Duration::minutes(1);
    assert_eq!(due(&tester, &stored.id).await, soon);
    // Further checks of the same finding leave it to the schedule.
    record(db, &stored, &failed(&stored, 3, "x")).await;
    assert_eq!(due(&tester, &stored.id).await, soon);
}

async fn entries(db: &Database, workspace: &WorkspaceId) -> Vec<AuditEntry> {
    let filter = AuditFilter {
        workspace: Some(workspace.clone()),
        key: None,
        ..AuditFilter::default()
    };
    let mut entries = db.list_audit(&filter, &all()).await.unwrap();
    entries.reverse();
    entries
}

async fn every_change_is_in_the_audit_log_once(db: TestDb) {
    let db = db.database;
    let stored = storage(&db, &workspace(&db).await.id).await;
    for check in [
        passed(&stored, 1),
        failed(&stored, 2, "a"),
        failed(&stored, 3, "a"),
        failed(&stored, 4, "b"),
        // Began before: no effect.
        passed(&stored, 2),
        passed(&stored, 5),
    ] {
        record(&db, &stored, &check).await;
    }
    let written: Vec<_> = entries(&db, &stored.workspace)
        .await
        .into_iter()
        .map(|entry| {
            assert_eq!(entry.action, "storage.health_changed");
            assert_eq!(entry.actor, Actor::Service);
            assert_eq!(entry.target.as_deref(), Some(stored.id.as_str()));
            assert_eq!(entry.result, AuditResult::Done);
            let state = entry.state.unwrap();
            (state.before, state.after, entry.code)
        })
        .collect();
    let line = |before: &str, after: &str, code: Option<&str>| {
        (before.to_owned(), after.to_owned(), code.map(str::to_owned))
    };
    assert_eq!(
        written,
        [
            line("healthy", "broken", Some("a")),
            line("broken", "broken", Some("b")),
            line("broken", "healthy", None),
        ]
    );
}

/// The statement of the migration that carries over, run on rows as the release before wrote them.
async fn storages_of_the_release_before_have_their_last_good_check(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let (healthy, broken) = (storage(&db, &mine.id).await, storage(&db, &mine.id).await);
    let good = passed(&healthy, 1);
    record(&db, &healthy, &good).await;
    record(&db, &broken, &failed(&broken, 1, "x")).await;
    tester
        .tamper(
            "UPDATE storages SET health_as_of = NULL, last_good_check_id = NULL,
                 first_bad_check_id = NULL, health_check_id = NULL",
        )
        .await
        .unwrap();
    let migration = include_str!("../../../../migrations/sqlite/0012_health_over_time.sql");
    let update = migration
        .split(';')
        .find(|sql| sql.contains("UPDATE"))
        .unwrap();
    tester.tamper(update).await.unwrap();
    let reports = reload(&db, &healthy).await.health.reports;
    assert_eq!(reports.last_good, Some(good.id.clone()));
    assert_eq!(
        reload(&db, &broken).await.health.reports,
        HealthReports::default()
    );
    // The next checks go on from there. What is unchanged has no first check that is known.
    let bad = failed(&healthy, 2, "x");
    let reports = record(&db, &healthy, &bad).await.reports;
    assert_eq!(
        (reports.last_good, reports.first_bad),
        (Some(good.id), Some(bad.id))
    );
    let health = record(&db, &broken, &failed(&broken, 2, "x")).await;
    assert_eq!(
        (health.reports.first_bad, health.reports.present),
        (None, None)
    );
    assert_eq!(health.since, broken.health.since + Duration::minutes(1));
}

async fn the_projects_of_a_storage_are_counted_and_named(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let (stored, neighbour) = (storage(&db, &mine.id).await, storage(&db, &mine.id).await);
    let nothing = db
        .projects_of_storage(&mine.id, &stored.id, 10)
        .await
        .unwrap();
    assert_eq!(
        (nothing.count, nothing.importing, nothing.newest.len()),
        (0, 0, 0)
    );
    let mut made = Vec::new();
    for importing in [false, true, false] {
        let mut project = new_project(&mine.id, Some(&stored.id));
        if importing {
            project.status = ProjectStatus::Importing;
        }
        db.create_project(&project, 1, &[], None, None)
            .await
            .unwrap();
        made.insert(0, (project.id, project.name));
    }
    project(&db, &mine.id, Some(&neighbour.id)).await;
    project(&db, &mine.id, None).await;
    let found = db
        .projects_of_storage(&mine.id, &stored.id, 2)
        .await
        .unwrap();
    assert_eq!((found.count, found.importing), (3, 1));
    assert_eq!(found.newest, made[..2]);
    let foreign = db
        .projects_of_storage(&other.id, &stored.id, 2)
        .await
        .unwrap();
    assert_eq!(foreign.count, 0);
}

async fn who_put_a_connection_into_use_is_known(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let stored = storage(&db, &mine.id).await;
    let at = now();
    let entry = |action: &str, minutes: i64, actor: Actor| AuditEntry {
        id: AuditId::generate(),
        at: at + Duration::minutes(minutes),
        workspace: Some(mine.id.clone()),
        actor,
        actor_name: None,
        on_behalf_of: None,
        action: action.to_owned(),
        target: Some(stored.id.to_string()),
        result: AuditResult::Done,
        code: None,
        remote_addr: None,
        request_id: None,
        files: Vec::new(),
        file_count: 0,
        signed: None,
        state: None,
    };
    for entry in [
        entry("use_pending_change", 1, Actor::Operator),
        entry("use_pending_change", 5, Actor::Service),
        entry("change_storage", 6, Actor::Operator),
        entry("use_pending_change", 9, Actor::Operator),
    ] {
        db.append_audit(&entry, None).await.unwrap();
    }
    let by = async |workspace, until| {
        let (since, until) = (at, at + Duration::minutes(until));
        db.connection_used_by(workspace, &stored.id, since, until)
            .await
            .unwrap()
    };
    let fifth = at + Duration::minutes(5);
    assert_eq!(by(&mine.id, 8).await, Some((Actor::Service, fifth)));
    assert_eq!(by(&mine.id, 0).await, None);
    assert_eq!(by(&other.id, 8).await, None);
}

async fn storages_are_counted_by_health(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    assert_eq!(db.count_storages().await, Ok(vec![]));
    for broken in [true, false, true] {
        let stored = storage(&db, &mine.id).await;
        if broken {
            record(&db, &stored, &failed(&stored, 1, "x")).await;
        }
    }
    let mut counted = db.count_storages().await.unwrap();
    counted.sort_by_key(|(_, number)| *number);
    assert_eq!(
        counted,
        [(HealthState::Healthy, 1), (HealthState::Broken, 2)]
    );
}

/// Whatever the health was: no other state, no event, no entry of the audit log, no check that is due sooner.
async fn a_failure_of_the_services_own_side_changes_nothing(db: TestDb) {
    let (rows, db) = (db.clone(), db.database);
    let stored = storage(&db, &workspace(&db).await.id).await;
    let target = CheckTarget::Storage(stored.id.clone());
    let own = |minutes| {
        let (id, step) = (stored.id.as_str(), StepName::AssumeRole);
        let code = "service_key_unknown";
        let mut check = failed_report(id, 1, step, code, Bearing::Undecided);
        check.started_at = stored.health.since + Duration::minutes(minutes);
        let mut steps = Vec::from(check.steps);
        for problem in steps.iter_mut().filter_map(|step| step.problem.as_mut()) {
            problem.side = Some(Side::Service);
        }
        check.steps = Steps::try_from(steps).unwrap();
        check
    };
    let due = async || {
        rows.texts("SELECT CAST(due_at AS TEXT) AS due FROM jobs", "due")
            .await
    };
    let written = async || {
        let events = "SELECT type FROM events WHERE type <> 'storage.created'";
        let entries = "SELECT action FROM audit_log WHERE action = 'storage.health_changed'";
        (
            rows.texts(events, "type").await.len(),
            rows.texts(entries, "action").await.len(),
        )
    };
    for (minutes, other) in [
        (1, None),
        (3, Some(failed(&stored, 2, "x"))),
        (5, Some(passed(&stored, 4))),
    ] {
        if let Some(other) = other {
            record(&db, &stored, &other).await;
        }
        let (before, due_before, written_before) =
            (reload(&db, &stored).await, due().await, written().await);
        let check = own(minutes);
        let recorded = db.record_check(&stored.workspace, &target, &check).await;
        assert_eq!(recorded, Ok(Recorded::Stored));
        let after = reload(&db, &stored).await;
        // It is the last check, and nothing else is told by it.
        assert_eq!(after.health.last_check, Some(check.id.clone()));
        let mut health = after.health.clone();
        health.last_check = before.health.last_check.clone();
        assert_eq!(health, before.health, "{minutes}");
        assert_eq!(after.quarantine, before.quarantine);
        assert_eq!(due().await, due_before);
        assert_eq!(written().await, written_before);
        // The report says so.
        let kept = db.check(&stored.workspace, &check.id).await;
        assert_eq!(kept, Ok(Some(check)));
    }
}
