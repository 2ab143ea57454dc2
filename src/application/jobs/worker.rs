//! A worker: takes jobs of one lane and does them, one at a time.

use crate::application::clock::Clock;
use crate::application::error::Result;
use crate::application::jobs::{Job, Lane, Next};
use crate::application::kept::store::{ClaimedJob, JobClaim, JobRest, Store};
use crate::application::observe::Observer;
use crate::application::outage;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a worker waits after the database failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(3);
/// How many times a lease is renewed within its length.
const RENEWALS: u32 = 3;

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
                Ok(true) => {
                    outage::worked();
                    continue;
                }
                Ok(false) => {
                    outage::worked();
                    self.interval
                }
                Err(error) => {
                    outage::failed(&error, "cannot work on jobs");
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
        if job.is_paused() {
            return Ok(false);
        }
        let worker = Uuid::now_v7().simple().to_string();
        let now = self.clock.now();
        let claim = JobClaim {
            kind: job.kind(),
            slow: job.takes_slow(),
            most_of_workspace: job.most_of_workspace(),
            worker: &worker,
            now,
            lease_until: now + job.lease(),
        };
        let asked = Instant::now();
        let claimed = self.store.claim_job(&claim).await?;
        self.observer.asked_for_job(job.kind(), asked.elapsed());
        let Some(claimed) = claimed else {
            return Ok(false);
        };
        self.observer.began_job(job.kind());
        let next = self.work(job, &claimed, stop).await;
        self.observer.ended_job(job.kind(), next.is_ok());
        match &next {
            Ok(Next::Ended) => self.store.end_job(&claimed).await?,
            Ok(Next::Again { due, cursor, slow }) => {
                let rest = JobRest {
                    due: *due,
                    cursor: cursor.as_deref(),
                    slow: *slow,
                };
                self.store.rest_job(&claimed, &rest).await?
            }
            Ok(Next::Settled) => {}
            Err(_) => self.store.release_job(&claimed).await?,
        }
        next.map(|_| true)
    }

    async fn work(
        &self,
        job: &dyn Job,
        claimed: &ClaimedJob,
        stop: &CancellationToken,
    ) -> Result<Next> {
        let stop = stop.child_token();
        tokio::select! {
            next = job.work(claimed, &stop) => next,
            never = self.keep(job, claimed, &stop) => match never {},
        }
    }

    /// Renews the lease for as long as the work goes on. Ends the work when the job is another worker's,
    /// or gone.
    async fn keep(
        &self,
        job: &dyn Job,
        claimed: &ClaimedJob,
        stop: &CancellationToken,
    ) -> Infallible {
        loop {
            tokio::time::sleep(job.lease() / RENEWALS).await;
            let until = self.clock.now() + job.lease();
            match self.store.renew_job(claimed, until).await {
                Ok(true) => {}
                Ok(false) => {
                    stop.cancel();
                    return std::future::pending().await;
                }
                // The database is away: another worker may take the job when it is back.
                Err(error) => {
                    outage::failed(&error.into(), "cannot renew the lease of a job");
                }
            }
        }
    }
}
