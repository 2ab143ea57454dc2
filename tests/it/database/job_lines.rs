//! Jobs are taken on PostgreSQL while other transactions have them, or their lines, in hand.

use crate::application::kept::store::{ClaimedJob, IMPORT, JobClaim, JobStore};
use crate::database::{Database, DatabaseUrl};
use crate::it::database::contract::imports::import;
use crate::it::database::contract::samples::{any_job, now, workspace};
use crate::it::support::database::TestDb;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use time::{Duration, OffsetDateTime};

/// Another transaction, as of another replica.
struct Other(PgConnection);

impl Other {
    async fn on(db: &TestDb) -> Self {
        let DatabaseUrl::Postgres(options) = &db.url else {
            panic!("not PostgreSQL");
        };
        Self(options.connect().await.unwrap())
    }

    async fn run(&mut self, sql: &str) {
        let run = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.0).await;
        run.unwrap();
    }
}

async fn claim(db: &Database, now: OffsetDateTime, until: OffsetDateTime) -> Option<ClaimedJob> {
    let claimed = db.claim_job(&any_job(IMPORT, "w", now, until)).await;
    claimed.unwrap()
}

/// Has the lines whose time has come take their places, and takes nothing.
async fn line_up(db: &Database, now: OffsetDateTime) {
    let nothing = JobClaim {
        most_of_workspace: 0,
        ..any_job(IMPORT, "w", now, now)
    };
    assert_eq!(db.claim_job(&nothing).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_is_rolled_back_loses_no_job() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let mut other = Other::on(&db).await;
        let db = db.database;
        let mine = workspace(&db).await;
        let (project, _) = import(&db, &mine.id).await;
        let at = now() + Duration::seconds(9);
        let until = at + Duration::hours(1);
        other.run("BEGIN; DELETE FROM jobs").await;
        assert_eq!(claim(&db, at, until).await, None);
        other.run("ROLLBACK").await;
        let job = claim(&db, at, until).await.unwrap();
        assert_eq!(job.subject, project.id.to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_passed_over_comes_after_the_one_behind_it() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let mut other = Other::on(&db).await;
        let db = db.database;
        let mine = workspace(&db).await;
        let (first, _) = import(&db, &mine.id).await;
        let (second, _) = import(&db, &mine.id).await;
        let at = now() + Duration::seconds(9);
        let until = at + Duration::hours(1);
        let delete = format!("BEGIN; DELETE FROM jobs WHERE subject_id = '{}'", first.id);
        other.run(&delete).await;
        let job = claim(&db, at, until).await.unwrap();
        assert_eq!(job.subject, second.id.to_string());
        assert_eq!(claim(&db, at, until).await, None);
        other.run("ROLLBACK").await;
        let job = claim(&db, at, until).await.unwrap();
        assert_eq!(job.subject, first.id.to_string());
    })
    .await;
}

/// Its lease had ended by the time of the renewal, and its worker died after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_lease_was_renewed_late_is_taken_when_that_ends() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let mut other = Other::on(&db).await;
        let db = db.database;
        let mine = workspace(&db).await;
        import(&db, &mine.id).await;
        let at = now() + Duration::seconds(9);
        let minutes = |number| at + Duration::minutes(number);
        assert!(claim(&db, at, minutes(1)).await.is_some());
        // By ten minutes.
        let renew = "BEGIN; UPDATE jobs SET lease_until = lease_until + 600000000
                     WHERE kind = 'import'";
        other.run(renew).await;
        assert_eq!(claim(&db, minutes(2), minutes(3)).await, None);
        other.run("COMMIT").await;
        assert_eq!(claim(&db, minutes(10), minutes(60)).await, None);
        assert!(claim(&db, minutes(12), minutes(60)).await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_that_ends_while_a_worker_looks_loses_no_job() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let tester = db.clone();
        let mut other = Other::on(&db).await;
        let db = db.database;
        let mine = workspace(&db).await;
        import(&db, &mine.id).await;
        let at = now() + Duration::seconds(9);
        let until = at + Duration::hours(1);
        line_up(&db, at).await;
        other.run("UPDATE workspaces SET suspended_at = 1").await;
        let end = "BEGIN; UPDATE workspaces SET suspended_at = NULL";
        other.run(end).await;
        let worker = tokio::spawn({
            let db = db.clone();
            async move { claim(&db, at, until).await }
        });
        // It has read that the workspace is suspended, and waits for the line.
        let waits = "SELECT wait_event FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while !worker.is_finished() && tester.texts(waits, "wait_event").await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        other.run("COMMIT").await;
        let found = worker.await.unwrap();
        let later = claim(&db, at, until).await;
        assert_eq!(
            usize::from(found.is_some()) + usize::from(later.is_some()),
            1
        );
    })
    .await;
}

/// As that of a large workspace, while it is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_locked_for_long_keeps_nobody_waiting() {
    for waits in [false, true] {
        let db = TestDb::postgres().await;
        db.run(move |db| async move {
            let mut other = Other::on(&db).await;
            let db = db.database;
            let (locked, free) = (workspace(&db).await, workspace(&db).await);
            import(&db, &locked.id).await;
            import(&db, &free.id).await;
            let at = now() + Duration::seconds(9);
            let until = at + Duration::hours(1);
            if waits {
                line_up(&db, at).await;
            }
            let lock = format!(
                "BEGIN; UPDATE job_lines SET turn = turn WHERE workspace_id = '{}'",
                locked.id
            );
            other.run(&lock).await;
            let job = claim(&db, at, until).await.unwrap();
            assert_eq!(job.workspace, free.id);
            assert_eq!(claim(&db, at, until).await, None);
            other.run("ROLLBACK").await;
            let job = claim(&db, at, until).await.unwrap();
            assert_eq!(job.workspace, locked.id);
        })
        .await;
    }
}
