//! How far the work in the background is behind, and how the storages and the imports are.

use crate::application::clock::Clock;
use crate::application::kept::store::{IMPORT, SCHEDULED_CHECK, Store, StoreError};
use crate::application::observe::Observer;
use crate::domain::project::ProjectStatus;
use crate::domain::storage::HealthState;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the queues are measured.
const INTERVAL: Duration = Duration::from_secs(15);
/// What takes longer the more rows there are may take one part in so many of the time: with a million storages it is
/// counted less often.
const ONE_PART_IN: u32 = 100;

/// Measures the queues for the metrics. Each replica measures the same queues.
pub struct JobLag {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
}

/// How many jobs waited when they were counted last, of those that did not take long the last time.
#[derive(Debug, Default)]
struct Waiting {
    checks: u64,
    imports: u64,
}

impl JobLag {
    pub async fn run(self, stop: CancellationToken) {
        let mut next_count = Instant::now();
        let mut waiting = Waiting::default();
        loop {
            let begun = Instant::now();
            if begun >= next_count {
                self.count(&mut waiting).await;
                next_count = begun + begun.elapsed() * ONE_PART_IN;
            }
            self.measure_queues(&waiting).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// All of it at once.
    #[cfg(test)]
    pub async fn measure(&self) {
        let mut waiting = Waiting::default();
        self.count(&mut waiting).await;
        self.measure_queues(&waiting).await;
    }

    /// How long the first job of each queue has waited. Jobs that took long the last time are left out: they wait for
    /// their own kind only. What cannot be asked keeps its last value.
    async fn measure_queues(&self, counted: &Waiting) {
        for (kind, counted) in [(SCHEDULED_CHECK, counted.checks), (IMPORT, counted.imports)] {
            let now = self.clock.now();
            match self.store.longest_due(kind, false, now).await {
                Ok(Some(due)) => {
                    let lag = (now - due).try_into().unwrap_or(Duration::ZERO);
                    // At least the one that was found now.
                    self.observer.jobs_wait(kind, counted.max(1), lag);
                }
                Ok(None) => self.observer.jobs_wait(kind, 0, Duration::ZERO),
                Err(error) => tracing::debug!(%error, kind, "cannot measure the jobs that wait"),
            }
        }
    }

    /// Counts whole tables, and queues that may be long.
    async fn count(&self, waiting: &mut Waiting) {
        if let Some(number) = self.count_jobs(SCHEDULED_CHECK).await {
            waiting.checks = number;
        }
        if let Some(number) = self.count_jobs(IMPORT).await {
            waiting.imports = number;
        }
        match self.store.count_role_waits().await {
            Ok(number) => self.observer.setups_wait(number),
            Err(error) => tracing::debug!(%error, "cannot count the setups that wait"),
        }
        match self.store.count_deliveries().await {
            Ok(number) => self.observer.events_wait(number),
            Err(error) => tracing::debug!(%error, "cannot count the events on their way"),
        }
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

    /// Counts the jobs of a kind that wait. Of the answer those are left out that took long the last time.
    async fn count_jobs(&self, kind: &str) -> Option<u64> {
        let now = self.clock.now();
        let counted = async {
            let in_time = self.store.count_due(kind, false, now).await?;
            let slow = self.store.count_due(kind, true, now).await?;
            Ok::<_, StoreError>((in_time, slow))
        };
        match counted.await {
            Ok((in_time, slow)) => {
                self.observer
                    .jobs_waiting(kind, in_time.saturating_add(slow));
                Some(in_time)
            }
            Err(error) => {
                tracing::debug!(%error, kind, "cannot count the jobs that wait");
                None
            }
        }
    }
}
