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
    /// How far it is already, in its own form; `None` at the beginning.
    pub cursor: Option<String>,
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

/// Which job a worker asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobClaim<'a> {
    pub kind: &'a str,
    /// Whether to take jobs that took long the last time, or those that did not.
    pub slow: bool,
    /// How many jobs of this kind and pace one workspace has in work, on all replicas together. `u32::MAX`
    /// for no limit.
    pub most_of_workspace: u32,
    pub worker: &'a str,
    pub now: OffsetDateTime,
    pub lease_until: OffsetDateTime,
}

/// How a job rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRest<'a> {
    /// Nobody takes it before this time.
    pub due: OffsetDateTime,
    /// Replaces the stored cursor.
    pub cursor: Option<&'a str>,
    /// Whether it took long this time.
    pub slow: bool,
}

#[async_trait]
pub trait JobStore: Send + Sync {
    /// Takes one job that is due and that nobody holds (its lease, if any, ended before `now`), and
    /// leases it to the worker. Workspaces take turns: the job is of the one that has had no turn for the longest time,
    /// and of its jobs it is the one that has been due the longest. So a workspace with many jobs does not keep
    /// another's waiting. One that has as many in work as `most_of_workspace` is passed over and keeps its place. Jobs
    /// of suspended workspaces stay where they are; here and below they do not count as due.
    ///
    /// Where many workspaces have become due since the last claim, they join the others some at a time, those first
    /// that have been due the longest.
    async fn claim_job(&self, claim: &JobClaim<'_>) -> StoreResult<Option<ClaimedJob>>;
    /// Extends the lease. False when the worker does not hold the job any more, the job is gone, or its workspace is
    /// suspended.
    async fn renew_job(&self, job: &ClaimedJob, lease_until: OffsetDateTime) -> StoreResult<bool>;
    /// Gives the job back until it is due. Nothing happens when the worker does not hold the job any
    /// more; so it is with the next two.
    async fn rest_job(&self, job: &ClaimedJob, rest: &JobRest<'_>) -> StoreResult<()>;
    /// Gives the job back: another worker may take it at once.
    async fn release_job(&self, job: &ClaimedJob) -> StoreResult<()>;
    /// Deletes the job.
    async fn end_job(&self, job: &ClaimedJob) -> StoreResult<()>;
    /// Since when the job of this kind and pace has been due that has waited for a worker the longest. `None`: none
    /// waits. It takes about as long with a million jobs as with one.
    async fn longest_due(
        &self,
        kind: &str,
        slow: bool,
        now: OffsetDateTime,
    ) -> StoreResult<Option<OffsetDateTime>>;
    /// How many jobs of this kind and pace are due and wait for a worker. It takes longer the more there are.
    async fn count_due(&self, kind: &str, slow: bool, now: OffsetDateTime) -> StoreResult<u64>;
}
