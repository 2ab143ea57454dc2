//! A worker: takes jobs of one lane and does them, one at a time.

use crate::application::clock::Clock;
use crate::application::error::Result;
use crate::application::jobs::{Job, Lane, Next};
use crate::application::kept::store::Store;
use crate::application::observe::Observer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a worker waits after the database failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(15);

/// One worker. Several may run, in one process and in many.
#[derive(Clone)]
pub struct Worker {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub lane: Lane,
    /// Every kind of job. The worker does those of its lane.
    pub jobs: Arc<[Arc<dyn Job>]>,
    /// Notified when there is a new job of the lane.
    pub wake: Arc<Notify>,
    /// How often the worker asks for jobs that are due while nobody wakes it.
    pub interval: Duration,
    pub observer: Arc<dyn Observer>,
}

impl Worker {
    /// Works on jobs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.round(&stop).await {
                // Perhaps more are waiting.
                Ok(true) => continue,
                Ok(false) => self.interval,
                Err(error) => {
                    tracing::warn!(
                        code = error.code,
                        cause = error.internal,
                        "cannot work on jobs"
                    );
                    PAUSE_AFTER_FAILURE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Takes one job of each kind of the lane and works on it. False when none was due.
    pub async fn round(&self, stop: &CancellationToken) -> Result<bool> {
        let mut worked = false;
        for job in self.jobs.iter().filter(|job| job.lane() == self.lane) {
            if !stop.is_cancelled() {
                worked |= self.take(job.as_ref(), stop).await?;
            }
        }
        Ok(worked)
    }

    async fn take(&self, job: &dyn Job, stop: &CancellationToken) -> Result<bool> {
        let worker = Uuid::now_v7().simple().to_string();
        let now = self.clock.now();
        let claimed = self
            .store
            .claim_job(job.kind(), &worker, now, now + job.lease())
            .await?;
        let Some(claimed) = claimed else {
            return Ok(false);
        };
        self.observer.began_job(job.kind());
        let next = job.work(&claimed, stop).await;
        self.observer.ended_job(job.kind(), next.is_ok());
        match &next {
            Ok(Next::Ended) => self.store.end_job(&claimed).await?,
            Ok(Next::Again { due, cursor }) => {
                self.store
                    .rest_job(&claimed, *due, cursor.as_deref())
                    .await?
            }
            Ok(Next::Settled) => {}
            Err(_) => self.store.release_job(&claimed).await?,
        }
        next.map(|_| true)
    }
}
