//! Jobs: work that goes on in the background.

use crate::application::kept::store::error::StoreResult;
use crate::domain::ids::WorkspaceId;
use async_trait::async_trait;
use time::OffsetDateTime;

/// The kind of job that imports a project's files; its subject is the project.
pub const IMPORT: &str = "import";
/// The kind of job that checks a stored connection again and again; its subject is the storage.
pub const SCHEDULED_CHECK: &str = "check";

/// A job to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    pub kind: &'static str,
    pub workspace: WorkspaceId,
    /// The ID of what the job is about. There is one job of a kind for each subject, and it is deleted
    /// with its subject.
    pub subject: String,
    /// What is to be done, in the job's own form.
    pub payload: String,
    /// Nobody takes the job before this time.
    pub due: OffsetDateTime,
}

/// A job that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    pub kind: String,
    pub workspace: WorkspaceId,
    pub subject: String,
    pub payload: String,
    /// How far the job is, in its own form; `None` at the beginning.
    pub cursor: Option<String>,
    /// The worker that holds it.
    pub worker: String,
}

#[async_trait]
pub trait JobStore: Send + Sync {
    /// Takes one job of this kind that is due and that nobody holds (its lease, if any, ended before
    /// `now`), and leases it to `worker` until `lease_until`. Workspaces take turns: one with many jobs
    /// does not keep another's waiting.
    async fn claim_job(
        &self,
        kind: &str,
        worker: &str,
        now: OffsetDateTime,
        lease_until: OffsetDateTime,
    ) -> StoreResult<Option<ClaimedJob>>;
    /// Gives the job back until `due`. A `cursor` replaces the stored one. Nothing happens when the
    /// worker does not hold the job any more; so it is with the next two.
    async fn rest_job(
        &self,
        job: &ClaimedJob,
        due: OffsetDateTime,
        cursor: Option<&str>,
    ) -> StoreResult<()>;
    /// Gives the job back: another worker may take it at once.
    async fn release_job(&self, job: &ClaimedJob) -> StoreResult<()>;
    /// Deletes the job.
    /// How many jobs of each kind wait for a worker.
    async fn jobs_due(&self, now: OffsetDateTime) -> StoreResult<Vec<(String, u64)>>;
    async fn end_job(&self, job: &ClaimedJob) -> StoreResult<()>;
}
