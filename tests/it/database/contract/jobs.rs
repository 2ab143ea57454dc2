use crate::application::kept::store::{ClaimedJob, IMPORT, JobStore, SCHEDULED_CHECK};
use crate::database::Database;
use crate::domain::ids::WorkspaceId;
use crate::it::database::contract::imports::import;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    workspaces_take_turns,
    a_job_rests_until_it_is_due,
    kinds_do_not_wait_for_each_other,
    what_an_older_replica_adds_becomes_a_job,
    what_was_under_way_goes_on_after_the_upgrade,
);

async fn claim(db: &Database, kind: &str, now: OffsetDateTime) -> Option<ClaimedJob> {
    let until = now + Duration::hours(1);
    db.claim_job(kind, "w", now, until).await.unwrap()
}

async fn workspaces_take_turns(db: TestDb) {
    let db = db.database;
    let (busy, quiet) = (workspace(&db).await, workspace(&db).await);
    for _ in 0..4 {
        import(&db, &busy.id).await;
    }
    // They came last, and do not wait for all that came before.
    for _ in 0..2 {
        import(&db, &quiet.id).await;
    }
    let later = now() + Duration::seconds(9);
    let mut turns: Vec<WorkspaceId> = Vec::new();
    while let Some(job) = claim(&db, IMPORT, later).await {
        turns.push(job.workspace.clone());
        db.end_job(&job).await.unwrap();
    }
    let (b, q) = (&busy.id, &quiet.id);
    assert_eq!(turns.iter().collect::<Vec<_>>(), [b, q, b, q, b, b]);
}

async fn a_job_rests_until_it_is_due(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    import(&db, &mine.id).await;
    let at = now() + Duration::seconds(9);
    let job = claim(&db, IMPORT, at).await.unwrap();
    let due = at + Duration::minutes(2);
    db.rest_job(&job, due, Some("half")).await.unwrap();
    assert_eq!(claim(&db, IMPORT, due - Duration::seconds(1)).await, None);
    let again = claim(&db, IMPORT, due).await.unwrap();
    assert_eq!(again.cursor.as_deref(), Some("half"));
    // Without a new cursor the stored one stays.
    db.rest_job(&again, due, None).await.unwrap();
    let again = claim(&db, IMPORT, due).await.unwrap();
    assert_eq!(again.cursor.as_deref(), Some("half"));
    db.end_job(&again).await.unwrap();
    assert_eq!(claim(&db, IMPORT, due + Duration::days(1)).await, None);
}

async fn kinds_do_not_wait_for_each_other(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let (project, _) = import(&db, &mine.id).await;
    let at = now() + Duration::seconds(9);
    // Its storage has a scheduled check, which is due too.
    let check = claim(&db, SCHEDULED_CHECK, at).await.unwrap();
    let import = claim(&db, IMPORT, at).await.unwrap();
    assert_eq!(import.subject, project.id.to_string());
    assert_ne!(check.subject, import.subject);
}

/// A replica of the release before this one writes to the tables that it knows.
async fn what_an_older_replica_adds_becomes_a_job(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let (project, job) = import(&db, &mine.id).await;
    tester.tamper("DELETE FROM jobs").await.unwrap();
    let old = format!(
        "INSERT INTO imports (project_id, source) VALUES ('{}', '{}')",
        project.id, job.payload
    );
    // The replica is no tamperer: triggers work for it.
    let normal = match tester.is_postgres() {
        true => "SET session_replication_role = origin; ",
        false => "",
    };
    tester.tamper(&format!("{normal}{old}")).await.unwrap();
    let at = now() + Duration::seconds(9);
    let taken = claim(&db, IMPORT, at).await.unwrap();
    assert_eq!(
        (&taken.workspace, &taken.subject, &taken.payload),
        (&mine.id, &job.subject, &job.payload)
    );
    let left = tester
        .texts("SELECT project_id FROM imports", "project_id")
        .await;
    assert_eq!(left, Vec::<String>::new());
}

/// The statements of the migration that carry over, run on rows as the release before wrote them.
async fn what_was_under_way_goes_on_after_the_upgrade(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let (project, job) = import(&db, &mine.id).await;
    tester.tamper("DELETE FROM jobs").await.unwrap();
    let drop = if tester.is_postgres() {
        "DROP TRIGGER imports_become_jobs ON imports"
    } else {
        "DROP TRIGGER imports_become_jobs"
    };
    tester.tamper(drop).await.unwrap();
    let pause = 9_000_000_i64;
    let old = format!(
        "INSERT INTO imports (project_id, source, import_cursor, worker, lease_until)
         VALUES ('{}', '{}', 'half', 'w-old', {pause})",
        project.id, job.payload
    );
    tester.tamper(&old).await.unwrap();
    let migration = include_str!("../../../../migrations/sqlite/0004_jobs.sql");
    let (_, rest) = migration
        .split_once("-- What is under way goes on.")
        .unwrap();
    let (carried, _) = rest.split_once("-- `imports` and").unwrap();
    let statements = carried
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("--"));
    let statements: String = statements.skip(1).collect();
    for statement in statements.split(';').filter(|text| !text.trim().is_empty()) {
        tester.tamper(statement).await.unwrap();
    }
    let before = OffsetDateTime::UNIX_EPOCH + Duration::seconds(8);
    assert_eq!(claim(&db, IMPORT, before).await, None);
    let at = now() + Duration::seconds(9);
    let taken = claim(&db, IMPORT, at).await.unwrap();
    assert_eq!(taken.cursor.as_deref(), Some("half"));
    assert_eq!(taken.payload, job.payload);
    assert!(claim(&db, SCHEDULED_CHECK, at).await.is_some());
}
