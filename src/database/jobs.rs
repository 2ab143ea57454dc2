//! Jobs that go on in the background. A row lives as long as its job.
//!
//! The table is our own, and not a queue beside the database, because a step of a job commits in one
//! transaction with the rows that it makes.

use crate::application::kept::store::{
    ClaimedJob, JobClaim, JobRest, JobStore, NewJob, StoreError, StoreResult,
};
use crate::database::Database;
use crate::database::engine::{Pool, Sql, Tx, values};
use crate::database::job_lines::{self, Found, Lines, Patience, Place};
use async_trait::async_trait;
use time::OffsetDateTime;

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

/// Looks for a job in one transaction, from a place on. With whether more lines may come in.
async fn look_for_job(
    database: &Database,
    claim: &JobClaim<'_>,
    lines: Lines,
    after: &Place,
    patience: Patience,
) -> StoreResult<(Found, bool)> {
    let mut tx = database.begin().await?;
    one_claim_at_a_time(&mut tx, claim.kind).await?;
    job_lines::bound_waits(&mut tx, patience).await?;
    let more_arrive = lines.arriving && job_lines::let_in(&mut tx, claim, patience).await?;
    let found = job_lines::take(&mut tx, claim, after, patience).await?;
    tx.commit().await?;
    Ok((found, more_arrive))
}

#[async_trait]
impl JobStore for Database {
    async fn claim_job(&self, claim: &JobClaim<'_>) -> StoreResult<Option<ClaimedJob>> {
        // Most often nothing is due, and then nobody waits for a turn to write.
        let lines = job_lines::look(self, claim).await?;
        if !lines.waiting && !lines.arriving {
            return Ok(None);
        }
        let mut place = Place::first();
        let mut patience = match self.pool {
            Pool::Postgres { .. } => Patience::Short,
            Pool::Sqlite { .. } => Patience::No,
        };
        loop {
            let looked = look_for_job(self, claim, lines, &place, patience).await;
            let (found, more_arrive) = match looked {
                // It waited for a line in vain. If that is not why, the next fails as well.
                Err(StoreError::Unavailable(_)) if patience == Patience::Short => {
                    patience = Patience::No;
                    continue;
                }
                looked => looked?,
            };
            place = match found {
                Found::Job(job) => return Ok(Some(job)),
                // What has just come in may have its turn before this place.
                Found::Nothing if more_arrive => Place::first(),
                Found::Nothing => return Ok(None),
                Found::GoOnFrom(place) => place,
            };
        }
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

    async fn end_job(&self, job: &ClaimedJob) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        end(&mut tx, (&job.kind, &job.subject, &job.worker)).await?;
        tx.commit().await
    }

    async fn longest_due(
        &self,
        kind: &str,
        slow: bool,
        now: OffsetDateTime,
    ) -> StoreResult<Option<OffsetDateTime>> {
        job_lines::longest_due(self, kind, slow, now).await
    }

    async fn count_due(&self, kind: &str, slow: bool, now: OffsetDateTime) -> StoreResult<u64> {
        job_lines::count_due(self, kind, slow, now).await
    }
}
