//! Jobs that go on in the background. A row lives as long as its job.
//!
//! The table is our own, and not a queue beside the database, because a step of a job commits in one
//! transaction with the rows that it makes.

use crate::application::kept::store::{
    ClaimedJob, JobClaim, JobQueue, JobRest, JobStore, NewJob, StoreResult,
};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::domain::ids::WorkspaceId;
use async_trait::async_trait;
use time::OffsetDateTime;

/// A job that may be taken, of the workspace whose turn it is. A workspace that has its share in work
/// already is left out, and so is one that is suspended.
///
/// Few jobs are due, and nearly all have a lease in the past. The plus keeps SQLite from looking for them by that, here
/// and below.
macro_rules! concat_free {
    ($lock:literal) => {
        concat!(
            "SELECT j.subject_id AS id, j.kind, j.workspace_id, j.payload, j.job_cursor
             FROM jobs j LEFT JOIN job_turns t
                 ON t.workspace_id = j.workspace_id AND t.kind = j.kind
             WHERE j.kind = $1 AND j.due_at <= $2 AND +j.lease_until < $2 AND j.slow = $3
                 AND j.workspace_id NOT IN (
                     SELECT h.workspace_id FROM jobs h
                     WHERE h.kind = $1 AND h.lease_until >= $2 AND h.slow = $3
                     GROUP BY h.workspace_id HAVING COUNT(*) >= $4)
                 AND j.workspace_id NOT IN (
                     SELECT w.id FROM workspaces w WHERE w.suspended_at IS NOT NULL)
             ORDER BY COALESCE(t.turn, 0), j.due_at, j.subject_id LIMIT 1",
            $lock
        )
    };
}
const FREE: &str = concat_free!("");
/// Whether a job may be due, at little cost.
const ANY_DUE: &str = "SELECT subject_id AS id FROM jobs
     WHERE kind = $1 AND due_at <= $2 AND +lease_until < $2 AND slow = $3 LIMIT 1";
/// Next turns are numbered. A number, because clocks of replicas differ.
const TAKE_TURN: &str = "INSERT INTO job_turns (workspace_id, kind, turn)
     VALUES ($1, $2, (SELECT COALESCE(MAX(turn), 0) + 1 FROM job_turns WHERE kind = $2))
     ON CONFLICT (workspace_id, kind) DO UPDATE SET turn = excluded.turn";
/// The names of the kinds are there for the index: without them every job there is would be looked at.
const DUE: &str = "SELECT kind AS id, COUNT(*) AS number FROM jobs
     WHERE kind IN ('check', 'import') AND slow IN (0, 1)
         AND due_at <= $1 AND +lease_until < $1
         AND workspace_id NOT IN (SELECT id FROM workspaces WHERE suspended_at IS NOT NULL)
     GROUP BY kind";
const QUEUE: &str = "SELECT COUNT(*) AS waiting, MIN(due_at) AS oldest_due FROM jobs
     WHERE kind = $1 AND due_at <= $2 AND +lease_until < $2 AND slow = $3
         AND workspace_id NOT IN (SELECT id FROM workspaces WHERE suspended_at IS NOT NULL)";

/// Stores a job, unless its subject has one of the kind.
pub(super) async fn insert(tx: &mut Tx, job: &NewJob) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO jobs (kind, subject_id, workspace_id, payload, job_cursor, due_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, subject_id) DO NOTHING",
        values![
            job.kind,
            job.subject.as_str(),
            job.workspace.as_str(),
            job.payload.as_str(),
            job.cursor.as_deref(),
            job.due
        ],
    )
    .await
    .map(drop)
}

/// Deletes every job about a subject.
pub(super) async fn delete_of(tx: &mut Tx, subject: &str) -> StoreResult<()> {
    tx.execute("DELETE FROM jobs WHERE subject_id = $1", values![subject])
        .await
        .map(drop)
}

/// Moves the cursor and the end of the lease. False when the worker does not hold the job.
pub(super) async fn advance(
    tx: &mut Tx,
    (kind, subject, worker): (&str, &str, &str),
    cursor: &str,
    lease_until: OffsetDateTime,
) -> StoreResult<bool> {
    let held = tx
        .execute(
            "UPDATE jobs SET job_cursor = $4, lease_until = $5
             WHERE kind = $1 AND subject_id = $2 AND worker = $3",
            values![kind, subject, worker, cursor, lease_until],
        )
        .await?;
    Ok(held == 1)
}

/// Deletes a job that the worker holds. False when it does not.
pub(super) async fn end(
    tx: &mut Tx,
    (kind, subject, worker): (&str, &str, &str),
) -> StoreResult<bool> {
    let held = tx
        .execute(
            "DELETE FROM jobs WHERE kind = $1 AND subject_id = $2 AND worker = $3",
            values![kind, subject, worker],
        )
        .await?;
    Ok(held == 1)
}

/// Makes other claims of the kind wait for the end of this one, so that each sees what the others hold.
/// SQLite has one writer at a time anyway.
pub(super) async fn one_claim_at_a_time(tx: &mut Tx, kind: &str) -> StoreResult<()> {
    tx.fetch_optional(
        Sql::Each {
            sqlite: "SELECT $1 AS kind",
            postgres: "SELECT pg_advisory_xact_lock(hashtextextended('sallyport/claim/' || $1, 0))",
        },
        values![kind],
    )
    .await
    .map(drop)
}

#[async_trait]
impl JobStore for Database {
    async fn claim_job(&self, claim: &JobClaim<'_>) -> StoreResult<Option<ClaimedJob>> {
        let JobClaim {
            kind,
            slow,
            most_of_workspace,
            worker,
            now,
            lease_until,
        } = *claim;
        // Most often nothing is due, and then nobody waits for a turn to write.
        let due = self
            .fetch_all(ANY_DUE, values![kind, now, i64::from(slow)])
            .await?;
        if due.is_empty() {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        if most_of_workspace != u32::MAX {
            one_claim_at_a_time(&mut tx, kind).await?;
        }
        let free = tx
            .fetch_optional(
                Sql::Each {
                    sqlite: FREE,
                    postgres: concat_free!(" FOR UPDATE OF j SKIP LOCKED"),
                },
                values![kind, now, i64::from(slow), most_of_workspace],
            )
            .await?;
        let Some(row) = free else {
            return Ok(None);
        };
        let record = Record::new("jobs", row)?;
        let job = ClaimedJob {
            kind: record.text("kind")?,
            workspace: record.parse("workspace_id", WorkspaceId::parse)?,
            subject: record.text("id")?,
            payload: record.text("payload")?,
            cursor: record.text_opt("job_cursor")?,
            worker: worker.to_owned(),
        };
        tx.execute(
            "UPDATE jobs SET worker = $3, lease_until = $4 WHERE kind = $1 AND subject_id = $2",
            values![kind, job.subject.as_str(), worker, lease_until],
        )
        .await?;
        // The workspace goes to the end of the line.
        tx.execute(TAKE_TURN, values![job.workspace.as_str(), kind])
            .await?;
        tx.commit().await?;
        Ok(Some(job))
    }

    async fn renew_job(&self, job: &ClaimedJob, lease_until: OffsetDateTime) -> StoreResult<bool> {
        let held = self
            .execute(
                // That of a suspended workspace ends: the worker gives the job back.
                "UPDATE jobs SET lease_until = $4
                 WHERE kind = $1 AND subject_id = $2 AND worker = $3
                     AND workspace_id NOT IN (
                         SELECT id FROM workspaces WHERE suspended_at IS NOT NULL)",
                values![
                    job.kind.as_str(),
                    job.subject.as_str(),
                    job.worker.as_str(),
                    lease_until
                ],
            )
            .await?;
        Ok(held == 1)
    }

    async fn rest_job(&self, job: &ClaimedJob, rest: &JobRest<'_>) -> StoreResult<()> {
        self.execute(
            "UPDATE jobs SET worker = NULL, lease_until = 0, due_at = $4,
                 job_cursor = COALESCE($5, job_cursor), slow = $6
             WHERE kind = $1 AND subject_id = $2 AND worker = $3",
            values![
                job.kind.as_str(),
                job.subject.as_str(),
                job.worker.as_str(),
                rest.due,
                rest.cursor,
                i64::from(rest.slow)
            ],
        )
        .await
        .map(drop)
    }

    async fn release_job(&self, job: &ClaimedJob) -> StoreResult<()> {
        self.execute(
            "UPDATE jobs SET worker = NULL, lease_until = 0
             WHERE kind = $1 AND subject_id = $2 AND worker = $3",
            values![job.kind.as_str(), job.subject.as_str(), job.worker.as_str()],
        )
        .await
        .map(drop)
    }

    async fn jobs_due(&self, now: OffsetDateTime) -> StoreResult<Vec<(String, u64)>> {
        self.fetch_records("jobs", DUE, values![now], |record| {
            Ok((record.text("id")?, record.number("number")?))
        })
        .await
    }

    async fn end_job(&self, job: &ClaimedJob) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        end(&mut tx, (&job.kind, &job.subject, &job.worker)).await?;
        tx.commit().await
    }

    async fn job_queue(
        &self,
        kind: &str,
        slow: bool,
        now: OffsetDateTime,
    ) -> StoreResult<JobQueue> {
        let rows = self
            .fetch_all(QUEUE, values![kind, now, i64::from(slow)])
            .await?;
        match rows.into_iter().next() {
            Some(row) => {
                let record = Record::named("jobs".to_owned(), row);
                Ok(JobQueue {
                    waiting: record.number("waiting")?,
                    oldest_due: record.time_opt("oldest_due")?,
                })
            }
            None => Ok(JobQueue {
                waiting: 0,
                oldest_due: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::DatabaseUrl;

    /// With a job for each storage, what looks at all of them takes longer the more there are.
    #[tokio::test]
    async fn sqlite_finds_the_few_jobs_that_are_due_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::sqlite_file(&folder.path().join("x.db"));
        let database = Database::connect(&url).await.unwrap();
        for (sql, index) in [
            (FREE, "SEARCH j USING INDEX jobs_to_do"),
            (ANY_DUE, "SEARCH jobs USING INDEX jobs_to_do"),
            (DUE, "SEARCH jobs USING INDEX jobs_to_do"),
            (QUEUE, "SEARCH jobs USING INDEX jobs_to_do"),
            (TAKE_TURN, "job_turns_last"),
            (
                "DELETE FROM jobs WHERE workspace_id = $1",
                "INDEX jobs_of_workspace",
            ),
        ] {
            let plain = (1..=4).fold(format!("EXPLAIN QUERY PLAN {sql}"), |sql, at| {
                sql.replace(&format!("${at}"), "5")
            });
            let rows = database.fetch_all(Sql::Built(plain), values![]).await;
            let mut plan = String::new();
            for row in rows.unwrap() {
                plan.push_str(&row.text("detail").unwrap().unwrap_or_default());
                plan.push('\n');
            }
            assert!(plan.contains(index), "{sql}\n{plan}");
        }
        database.close().await;
    }
}
