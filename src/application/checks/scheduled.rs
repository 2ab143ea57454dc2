//! Keeps checking stored connections, so a broken one is known before somebody needs it.

use crate::application::checks::Checks;
use crate::application::error::{Error, Result};
use crate::application::jobs::{Job, Lane, Next};
use crate::application::kept::store::{ClaimedJob, SCHEDULED_CHECK, Store};
use crate::domain::ids::StorageId;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// How long a worker holds a check. Every call to AWS has a shorter limit.
const LEASE: Duration = Duration::from_secs(10 * 60);

/// How long a check goes on trying while only faults that may pass come in: three or four tries.
const WAIT: Duration = Duration::from_secs(4);

/// A new storage is checked at once, and again when it is this old. Its setup's check may have asked STS
/// while a change of the role was still spreading, which takes up to a minute; by then it has spread. Less
/// than two minutes, with the time until a worker takes the job.
const FOLLOW_UP: Duration = Duration::from_secs(75);

/// The job that checks a stored connection again and again.
pub struct ScheduledChecks {
    pub store: Arc<dyn Store>,
    pub checks: Arc<Checks>,
    /// How long after one check the next is due.
    pub interval: Duration,
}

#[async_trait]
impl Job for ScheduledChecks {
    fn kind(&self) -> &'static str {
        SCHEDULED_CHECK
    }

    fn lane(&self) -> Lane {
        Lane::Quick
    }

    fn lease(&self) -> Duration {
        LEASE
    }

    /// A check that has begun runs to its end, so it removes its probe object.
    async fn work(&self, job: &ClaimedJob, _: &CancellationToken) -> Result<Next> {
        let now = self.checks.clock.now();
        let id = StorageId::parse(&job.subject).map_err(Error::bug)?;
        let Some(storage) = self.store.storage(&job.workspace, &id).await? else {
            return Ok(Next::Ended);
        };
        let bucket = storage.connected();
        if let Err(error) = self.checks.run_now(&bucket, WAIT, None).await {
            tracing::warn!(
                workspace = %job.workspace, storage = %id, code = error.code, cause = error.internal,
                "a scheduled check failed to run"
            );
        }
        let due = next_check(now, storage.created_at, self.interval);
        Ok(Next::Again { due, cursor: None })
    }
}

/// When a storage of this age is checked next.
fn next_check(
    now: OffsetDateTime,
    created_at: OffsetDateTime,
    interval: Duration,
) -> OffsetDateTime {
    let (regular, follow_up) = (now + interval, created_at + FOLLOW_UP);
    match follow_up > now {
        true => regular.min(follow_up),
        false => regular,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_storage_is_checked_again_within_two_minutes() {
        let made = OffsetDateTime::UNIX_EPOCH;
        let (hour, second) = (Duration::from_secs(3_600), Duration::from_secs(1));
        let first = made + Duration::from_secs(15);
        let follow_up = next_check(first, made, hour);
        assert!(follow_up - made < Duration::from_secs(120) - 2 * Duration::from_secs(15));
        // Later than a change of IAM takes to spread.
        assert!(follow_up - made >= Duration::from_secs(60));
        assert_eq!(next_check(follow_up, made, hour), follow_up + hour);
        assert_eq!(next_check(first, made, second), first + second);
    }
}
