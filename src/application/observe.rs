//! What the use cases and AWS adapters count, for metrics.

use crate::domain::check::Outcome;
use crate::domain::identity_fault::IdentityFault;
use crate::domain::project::ProjectStatus;
use crate::domain::role_wait::TryOutcome;
use crate::domain::storage::{HealthChange, HealthState};
use std::time::Duration;

/// Counts what happens. Called on hot paths: an implementation only adds, and leaves out what it does not
/// count.
pub trait Observer: Send + Sync {
    /// An AssumeRole call of the session cache ended.
    fn assumed_role(&self, succeeded: bool);

    /// A connection check ended.
    fn checked_connection(&self, outcome: Outcome);

    /// So many jobs of a kind are due and not worked on; the first has waited for so long.
    fn jobs_wait(&self, _kind: &str, _waiting: u64, _longest: Duration) {}

    /// A check found a storage otherwise than it was.
    fn health_changed(&self, change: &HealthChange);

    /// So many storages have this health.
    fn storages_have(&self, _: HealthState, _number: u64) {}

    /// So many projects have this status.
    fn projects_have(&self, _: ProjectStatus, _number: u64) {}

    /// A try to use a role that a setup waits for ended.
    fn tried_role(&self, _: TryOutcome) {}

    /// So many setups wait for their role.
    fn setups_wait(&self, _number: u64) {}

    /// A call to AWS ended.
    fn called_aws(&self, _: AwsCall<'_>) {}

    /// AWS was asked who the service is. `None`: it answered.
    fn service_identity(&self, _: Option<IdentityFault>) {}

    /// A session of a storage was needed; one was there, or had to be made.
    fn needed_session(&self, _: bool) {}

    /// A statement looked for tokens that have not been used lately.
    fn looked_for_tokens(&self) {}

    /// A worker asked for a job of this kind, and was answered after so long; also where there was none.
    fn asked_for_job(&self, _kind: &str, _took: Duration) {}

    /// A worker took a job of this kind.
    fn began_job(&self, _: &str) {}

    /// So many jobs of this kind wait for a worker, of any process.
    fn jobs_waiting(&self, _: &str, _: u64) {}

    /// The worker is done with it for now.
    fn ended_job(&self, _: &str, _: bool) {}

    /// An attempt to send an event to a webhook ended, after so long.
    fn sent_event(&self, _succeeded: bool, _took: Duration) {}

    /// An event was not taken by a webhook for a day.
    fn gave_up_event(&self) {}

    /// So many events are on their way to webhooks.
    fn events_wait(&self, _number: u64) {}
}

/// A call to AWS, with all of its tries.
#[derive(Debug, Clone, Copy)]
pub struct AwsCall<'a> {
    /// `S3` or `STS`.
    pub service: &'a str,
    /// As AWS calls it, like `GetObject`.
    pub operation: &'a str,
    pub result: AwsResult,
    /// Until the answer's body begins.
    pub took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsResult {
    Done,
    /// AWS answered with a 4xx.
    Refused,
    /// AWS answered with a 5xx, or not at all.
    Failed,
}
