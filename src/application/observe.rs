//! What the use cases and AWS adapters count, for metrics.

use crate::domain::check::Outcome;
use std::time::Duration;

/// Counts what happens. Called on hot paths: an implementation only adds.
pub trait Observer: Send + Sync {
    /// An AssumeRole call of the session cache ended.
    fn assumed_role(&self, succeeded: bool);

    /// A connection check ended.
    fn checked_connection(&self, outcome: Outcome);

    /// So many jobs of a kind are due and not worked on; the first has waited for so long.
    fn jobs_wait(&self, _kind: &str, _waiting: u64, _longest: Duration) {}
}
