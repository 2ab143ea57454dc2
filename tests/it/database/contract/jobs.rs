use crate::application::kept::store::{
    ClaimedJob, IMPORT, JobClaim, JobRest, JobStore, SCHEDULED_CHECK,
};
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
    a_workspace_has_its_share_in_work_and_no_more,
    the_share_holds_for_claims_at_the_same_moment,
    each_of_many_workspaces_has_a_turn_before_one_has_two,
    what_nobody_can_take_keeps_nobody_waiting,
    slow_jobs_are_taken_apart,
    a_lease_is_renewed_by_its_holder,
    the_queue_is_measured,
    what_waits_longest_is_found_behind_lines_that_are_too_early,
    what_an_older_replica_adds_becomes_a_job,
    what_was_under_way_goes_on_after_the_upgrade,
);

async fn claim(db: &Database, kind: &str, now: OffsetDateTime) -> Option<ClaimedJob> {
    let until = now + Duration::hours(1);
    db.claim_job(&any_job(kind, "w", now, until)).await.unwrap()
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
    db.rest_job(&job, &rest(due, Some("half"))).await.unwrap();
    assert_eq!(claim(&db, IMPORT, due - Duration::seconds(1)).await, None);
    let again = claim(&db, IMPORT, due).await.unwrap();
    assert_eq!(again.cursor.as_deref(), Some("half"));
    // Without a new cursor the stored one stays.
    db.rest_job(&again, &rest(due, None)).await.unwrap();
    let again = claim(&db, IMPORT, due).await.unwrap();
    assert_eq!(again.cursor.as_deref(), Some("half"));
    db.end_job(&again).await.unwrap();
    assert_eq!(claim(&db, IMPORT, due + Duration::days(1)).await, None);
}

async fn kinds_do_not_wait_for_each_other(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let (project, _) = import(&db, &mine.id).await;
    let at = now() + Duration::minutes(2);
    // Its storage has a scheduled check, which is due too.
    let check = claim(&db, SCHEDULED_CHECK, at).await.unwrap();
    let import = claim(&db, IMPORT, at).await.unwrap();
    assert_eq!(import.subject, project.id.to_string());
    assert_ne!(check.subject, import.subject);
}

async fn a_workspace_has_its_share_in_work_and_no_more(db: TestDb) {
    let db = db.database;
    let (busy, quiet) = (workspace(&db).await, workspace(&db).await);
    for _ in 0..4 {
        import(&db, &busy.id).await;
    }
    let at = now() + Duration::seconds(9);
    let until = at + Duration::minutes(1);
    let claim = async |now| {
        let claim = JobClaim {
            most_of_workspace: 2,
            ..any_job(IMPORT, "w", now, until)
        };
        db.claim_job(&claim).await.unwrap()
    };
    let first = claim(at).await.unwrap();
    assert!(claim(at).await.is_some());
    assert_eq!(claim(at).await, None);
    // Others are not kept waiting by it.
    import(&db, &quiet.id).await;
    assert_eq!(claim(at).await.unwrap().workspace, quiet.id);
    // A job that ended, or whose worker died, makes room.
    db.end_job(&first).await.unwrap();
    assert_eq!(claim(at).await.unwrap().workspace, busy.id);
    assert_eq!(claim(at).await, None);
    let over = until + Duration::microseconds(1);
    assert!(claim(over).await.is_some());
}

/// Also when many ask at the same moment.
async fn the_share_holds_for_claims_at_the_same_moment(db: TestDb) {
    let db = db.database;
    let busy = workspace(&db).await;
    for _ in 0..10 {
        import(&db, &busy.id).await;
    }
    let at = now() + Duration::seconds(9);
    let claims = (0..10).map(|_| {
        let db = db.clone();
        tokio::spawn(async move {
            let claim = JobClaim {
                most_of_workspace: 3,
                ..any_job(IMPORT, "w", at, at + Duration::hours(1))
            };
            db.claim_job(&claim).await.unwrap().is_some()
        })
    });
    let mut claimed = 0;
    for claim in claims.collect::<Vec<_>>() {
        claimed += usize::from(claim.await.unwrap());
    }
    assert_eq!(claimed, 3);
}

/// More than come into the line together, or are looked at in one transaction.
async fn each_of_many_workspaces_has_a_turn_before_one_has_two(db: TestDb) {
    let db = db.database;
    let busy = workspace(&db).await;
    for _ in 0..5 {
        import(&db, &busy.id).await;
    }
    let mut others = Vec::new();
    for _ in 0..70 {
        let other = workspace(&db).await;
        import(&db, &other.id).await;
        others.push(other.id);
    }
    let at = now() + Duration::seconds(9);
    let mut turns = Vec::new();
    while let Some(job) = claim(&db, IMPORT, at).await {
        turns.push(job.workspace);
    }
    assert_eq!(turns.len(), 75);
    let mut first: Vec<WorkspaceId> = turns.drain(..71).collect();
    others.push(busy.id.clone());
    first.sort();
    others.sort();
    assert_eq!(first, others);
    assert!(turns.iter().all(|of| *of == busy.id), "{turns:?}");
}

/// Lines whose jobs are gone, rest or are held, before one whose job is due.
async fn what_nobody_can_take_keeps_nobody_waiting(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let at = now() + Duration::seconds(9);
    for _ in 0..40 {
        let gone = workspace(&db).await;
        import(&db, &gone.id).await;
    }
    // They are in line by now.
    let until = at + Duration::hours(1);
    let nothing = JobClaim {
        most_of_workspace: 0,
        ..any_job(IMPORT, "w", at, until)
    };
    assert_eq!(db.claim_job(&nothing).await, Ok(None));
    tester
        .tamper("DELETE FROM jobs WHERE kind = 'import'")
        .await
        .unwrap();
    let held = workspace(&db).await;
    import(&db, &held.id).await;
    let resting = workspace(&db).await;
    import(&db, &resting.id).await;
    let first = claim(&db, IMPORT, at).await.unwrap();
    let second = claim(&db, IMPORT, at).await.unwrap();
    assert_eq!(
        (&first.workspace, &second.workspace),
        (&held.id, &resting.id)
    );
    let later = at + Duration::minutes(5);
    db.rest_job(&second, &rest(later, None)).await.unwrap();
    assert_eq!(claim(&db, IMPORT, at).await, None);
    let last = workspace(&db).await;
    import(&db, &last.id).await;
    assert_eq!(claim(&db, IMPORT, at).await.unwrap().workspace, last.id);
    // What rests and what a dead worker holds comes back by itself, each at its time.
    assert_eq!(db.longest_due(IMPORT, false, later).await, Ok(Some(later)));
    let again = claim(&db, IMPORT, later).await.unwrap();
    assert_eq!(again.workspace, resting.id);
    assert_eq!(claim(&db, IMPORT, later).await, None);
    let over = until + Duration::microseconds(1);
    let first_again = claim(&db, IMPORT, over).await.unwrap();
    assert_eq!(first_again.workspace, held.id);
}

async fn slow_jobs_are_taken_apart(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    import(&db, &mine.id).await;
    let at = now() + Duration::seconds(9);
    let job = claim(&db, IMPORT, at).await.unwrap();
    let slowly = JobRest {
        slow: true,
        ..rest(at, None)
    };
    db.rest_job(&job, &slowly).await.unwrap();
    assert_eq!(claim(&db, IMPORT, at).await, None);
    let slow = JobClaim {
        slow: true,
        ..any_job(IMPORT, "w", at, at + Duration::hours(1))
    };
    let job = db.claim_job(&slow).await.unwrap().unwrap();
    // One that was in time this time is one of the others again.
    db.rest_job(&job, &rest(at, None)).await.unwrap();
    assert_eq!(db.claim_job(&slow).await, Ok(None));
    assert!(claim(&db, IMPORT, at).await.is_some());
}

async fn a_lease_is_renewed_by_its_holder(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    import(&db, &mine.id).await;
    let at = now() + Duration::seconds(9);
    let job = claim(&db, IMPORT, at).await.unwrap();
    let longer = at + Duration::hours(3);
    assert_eq!(db.renew_job(&job, longer).await, Ok(true));
    assert_eq!(claim(&db, IMPORT, at + Duration::hours(2)).await, None);
    db.end_job(&job).await.unwrap();
    assert_eq!(db.renew_job(&job, longer).await, Ok(false));
}

async fn the_queue_is_measured(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let at = now() + Duration::seconds(9);
    let queue = async |slow| {
        let waiting = db.count_due(IMPORT, slow, at).await.unwrap();
        (waiting, db.longest_due(IMPORT, slow, at).await.unwrap())
    };
    assert_eq!(queue(false).await, (0, None));
    for _ in 0..3 {
        import(&db, &mine.id).await;
    }
    // One is worked on, one rests, one waits.
    let working = claim(&db, IMPORT, at).await.unwrap();
    let resting = claim(&db, IMPORT, at).await.unwrap();
    let due = at + Duration::seconds(1);
    db.rest_job(&resting, &rest(due, None)).await.unwrap();
    let one = (1, Some(OffsetDateTime::UNIX_EPOCH));
    assert_eq!(queue(false).await, one);
    let slowly = JobRest {
        slow: true,
        ..rest(at, None)
    };
    db.rest_job(&working, &slowly).await.unwrap();
    assert_eq!(queue(false).await, one);
    assert_eq!(queue(true).await.0, 1);
}

/// Their first jobs were deleted, and those that are left are due later.
async fn what_waits_longest_is_found_behind_lines_that_are_too_early(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    for _ in 0..64 {
        let early = workspace(&db).await;
        import(&db, &early.id).await;
    }
    let later = "UPDATE jobs SET due_at = 9000000 WHERE kind = 'import'";
    tester.tamper(later).await.unwrap();
    let last = workspace(&db).await;
    import(&db, &last.id).await;
    for due in [
        "UPDATE jobs SET due_at = 5000000 WHERE kind = 'import' AND due_at = 0".to_owned(),
        format!(
            "UPDATE job_lines SET due_at = 5000000 WHERE kind = 'import' AND workspace_id = '{}'",
            last.id
        ),
    ] {
        tester.tamper(&due).await.unwrap();
    }
    let due = OffsetDateTime::UNIX_EPOCH + Duration::seconds(5);
    assert_eq!(db.longest_due(IMPORT, false, now()).await, Ok(Some(due)));
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
    let at = now() + Duration::minutes(2);
    let taken = claim(&db, IMPORT, at).await.unwrap();
    assert_eq!(taken.cursor.as_deref(), Some("half"));
    assert_eq!(taken.payload, job.payload);
    assert!(claim(&db, SCHEDULED_CHECK, at).await.is_some());
}
