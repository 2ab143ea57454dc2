//! Keeps checking stored connections, so a broken one is known before somebody needs it.

use crate::application::checks::Checks;
use crate::application::error::{Error, Result};
use crate::application::jobs::{Job, Lane, Next};
use crate::application::kept::store::{ClaimedJob, SCHEDULED_CHECK, Store};
use crate::domain::ids::StorageId;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a worker holds a check. Every call to AWS has a shorter limit.
const LEASE: Duration = Duration::from_secs(10 * 60);

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
        let due = self.checks.clock.now() + self.interval;
        let id = StorageId::parse(&job.subject).map_err(Error::bug)?;
        let Some(storage) = self.store.storage(&job.workspace, &id).await? else {
            return Ok(Next::Ended);
        };
        let bucket = storage.connected();
        if let Err(error) = self.checks.run_now(&bucket, Duration::ZERO, None).await {
            tracing::warn!(
                workspace = %job.workspace, storage = %id, code = error.code, cause = error.internal,
                "a scheduled check failed to run"
            );
        }
        Ok(Next::Again { due, cursor: None })
    }
}
