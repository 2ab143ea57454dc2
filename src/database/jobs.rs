//! Jobs that go on in the background. A row lives as long as its job.
//!
//! The table is our own, and not a queue beside the database, because a step of a job commits in one
//! transaction with the rows that it makes.

use crate::application::kept::store::{ClaimedJob, JobStore, NewJob, StoreResult};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::domain::ids::WorkspaceId;
use async_trait::async_trait;
use time::OffsetDateTime;

/// Stores a job, unless its subject has one of the kind.
pub(super) async fn insert(tx: &mut Tx, job: &NewJob) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO jobs (kind, subject_id, workspace_id, payload, due_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, subject_id) DO NOTHING",
        values![
            job.kind,
            job.subject.as_str(),
            job.workspace.as_str(),
            job.payload.as_str(),
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

#[async_trait]
impl JobStore for Database {
    async fn claim_job(
        &self,
        kind: &str,
        worker: &str,
        now: OffsetDateTime,
        lease_until: OffsetDateTime,
    ) -> StoreResult<Option<ClaimedJob>> {
        let mut tx = self.begin().await?;
        let free = tx
            .fetch_optional(
                Sql::Each {
                    sqlite:
                        "SELECT j.subject_id AS id, j.kind, j.workspace_id, j.payload, j.job_cursor
                             FROM jobs j LEFT JOIN job_turns t
                                 ON t.workspace_id = j.workspace_id AND t.kind = j.kind
                             WHERE j.kind = $1 AND j.due_at <= $2 AND j.lease_until < $2
                             ORDER BY COALESCE(t.turn, 0), j.due_at, j.subject_id LIMIT 1",
                    postgres:
                        "SELECT j.subject_id AS id, j.kind, j.workspace_id, j.payload, j.job_cursor
                               FROM jobs j LEFT JOIN job_turns t
                                   ON t.workspace_id = j.workspace_id AND t.kind = j.kind
                               WHERE j.kind = $1 AND j.due_at <= $2 AND j.lease_until < $2
                               ORDER BY COALESCE(t.turn, 0), j.due_at, j.subject_id LIMIT 1
                               FOR UPDATE OF j SKIP LOCKED",
                },
                values![kind, now],
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
        // The workspace goes to the end of the line. A number, because clocks of replicas differ.
        tx.execute(
            "INSERT INTO job_turns (workspace_id, kind, turn)
             VALUES ($1, $2, (SELECT COALESCE(MAX(turn), 0) + 1 FROM job_turns WHERE kind = $2))
             ON CONFLICT (workspace_id, kind) DO UPDATE SET turn = excluded.turn",
            values![job.workspace.as_str(), kind],
        )
        .await?;
        tx.commit().await?;
        Ok(Some(job))
    }

    async fn rest_job(
        &self,
        job: &ClaimedJob,
        due: OffsetDateTime,
        cursor: Option<&str>,
    ) -> StoreResult<()> {
        self.execute(
            "UPDATE jobs SET worker = NULL, lease_until = 0, due_at = $4,
                 job_cursor = COALESCE($5, job_cursor)
             WHERE kind = $1 AND subject_id = $2 AND worker = $3",
            values![
                job.kind.as_str(),
                job.subject.as_str(),
                job.worker.as_str(),
                due,
                cursor
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
        self.fetch_records(
            "jobs",
            "SELECT kind AS id, COUNT(*) AS number FROM jobs
             WHERE due_at <= $1 AND lease_until < $1 GROUP BY kind",
            values![now],
            |record| Ok((record.text("id")?, record.number("number")?)),
        )
        .await
    }

    async fn end_job(&self, job: &ClaimedJob) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        end(&mut tx, (&job.kind, &job.subject, &job.worker)).await?;
        tx.commit().await
    }
}
