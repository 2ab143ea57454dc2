//! How far the work in the background is behind, and how the storages and the imports are.

use crate::application::clock::Clock;
use crate::application::kept::store::{IMPORT, SCHEDULED_CHECK, Store};
use crate::application::observe::Observer;
use crate::domain::project::ProjectStatus;
use crate::domain::storage::HealthState;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the queues are measured.
const INTERVAL: Duration = Duration::from_secs(15);
/// Counting whole tables may take one part in so many of the time: with a million storages they are counted less often.
const ONE_PART_IN: u32 = 100;

/// Measures the queues for the metrics. Each replica measures the same queues.
pub struct JobLag {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
}

impl JobLag {
    pub async fn run(self, stop: CancellationToken) {
        let mut next_count = Instant::now();
        loop {
            let begun = Instant::now();
            if begun >= next_count {
                self.measure().await;
                next_count = begun + begun.elapsed() * ONE_PART_IN;
            } else {
                self.measure_queues().await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// All of it at once.
    pub async fn measure(&self) {
        self.measure_queues().await;
        self.count().await;
    }

    /// Jobs that took long the last time are not counted: they wait for their own kind only. What cannot
    /// be asked keeps its last value.
    async fn measure_queues(&self) {
        for kind in [SCHEDULED_CHECK, IMPORT] {
            let now = self.clock.now();
            match self.store.job_queue(kind, false, now).await {
                Ok(queue) => {
                    let lag = queue.oldest_due.map(|due| now - due);
                    let lag = lag.and_then(|lag| lag.try_into().ok());
                    let lag = lag.unwrap_or(Duration::ZERO);
                    self.observer.jobs_wait(kind, queue.waiting, lag);
                }
                Err(error) => tracing::debug!(%error, kind, "cannot measure the jobs that wait"),
            }
        }
        match self.store.count_role_waits().await {
            Ok(number) => self.observer.setups_wait(number),
            Err(error) => tracing::debug!(%error, "cannot count the setups that wait"),
        }
        match self.store.count_deliveries().await {
            Ok(number) => self.observer.events_wait(number),
            Err(error) => tracing::debug!(%error, "cannot count the events on their way"),
        }
    }

    /// Counts whole tables.
    async fn count(&self) {
        match self.store.count_storages().await {
            Ok(counted) => {
                for state in HealthState::ALL {
                    let of_state = counted.iter().find(|(found, _)| *found == state);
                    let number = of_state.map_or(0, |(_, number)| *number);
                    self.observer.storages_have(state, number);
                }
            }
            Err(error) => tracing::debug!(%error, "cannot count the storages"),
        }
        match self.store.count_projects().await {
            Ok(counted) => {
                for status in ProjectStatus::ALL {
                    let of_status = counted.iter().find(|(found, _)| *found == status);
                    let number = of_status.map_or(0, |(_, number)| *number);
                    self.observer.projects_have(status, number);
                }
            }
            Err(error) => tracing::debug!(%error, "cannot count the projects"),
        }
    }
}
