//! How often and how many connection checks a workspace may run, so one cannot use up what all
//! share: AWS's own limits, and this service's.

use crate::application::error::{Error, Kind, Result};
use crate::application::rate::Rate;
use crate::domain::ids::WorkspaceId;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many checks of one workspace run at the same time.
const AT_ONCE: usize = 4;

pub struct CheckLimits {
    rate: Rate<WorkspaceId>,
    running: Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>,
}

impl CheckLimits {
    /// `per_minute` checks for each workspace, the same number at once after a pause.
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self {
            rate: Rate::per_minute(per_minute),
            running: Mutex::default(),
        }
    }

    /// Permission for one check, held while it runs.
    pub fn enter(&self, workspace: &WorkspaceId) -> Result<OwnedSemaphorePermit> {
        let too_many = |wait: Duration| {
            Error::new(
                Kind::TooMany,
                "too_many_checks",
                "This workspace runs more connection checks than it may.",
            )
            .remedy("Wait a moment, then check again.")
            .retry_after(wait)
        };
        let permit = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            // A workspace with nothing running needs no entry.
            running.retain(|_, semaphore| semaphore.available_permits() < AT_ONCE);
            let semaphore = running
                .entry(workspace.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)))
                .clone();
            semaphore
                .try_acquire_owned()
                .map_err(|_| too_many(Duration::from_secs(2)))?
        };
        self.rate.enter(workspace).map_err(too_many)?;
        Ok(permit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_stops_its_own_workspace_only() {
        let limits = CheckLimits::new(NonZeroU32::new(10).unwrap());
        let (noisy, quiet) = (WorkspaceId::generate(), WorkspaceId::generate());
        let refused = (0..50).filter(|_| limits.enter(&noisy).is_err()).count();
        assert_eq!(refused, 40);
        assert!(limits.enter(&quiet).is_ok());
    }

    #[test]
    fn only_so_many_at_once() {
        let limits = CheckLimits::new(NonZeroU32::new(100).unwrap());
        let workspace = WorkspaceId::generate();
        let held: Vec<_> = (0..AT_ONCE)
            .map(|_| limits.enter(&workspace).unwrap())
            .collect();
        let refused = limits.enter(&workspace).unwrap_err();
        assert_eq!(
            (refused.kind, refused.code),
            (Kind::TooMany, "too_many_checks")
        );
        drop(held);
        assert!(limits.enter(&workspace).is_ok());
    }
}
