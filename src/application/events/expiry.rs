//! Notices that setups have expired, and writes that down as events.

use crate::application::clock::Clock;
use crate::application::error::Result;
use crate::application::kept::store::Store;
use crate::application::outage;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a replica looks for setups that have expired.
const INTERVAL: Duration = Duration::from_secs(5);
/// How many are noticed in one transaction.
const BATCH: u32 = 100;

/// Writes an event for each setup that expires, once, whichever replica notices.
pub struct SetupExpiry {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl SetupExpiry {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.round().await {
                // Perhaps more are there.
                Ok(noticed) if noticed >= u64::from(BATCH) => continue,
                Ok(_) => outage::worked(),
                Err(error) => outage::failed(&error, "cannot look for setups that have expired"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Writes the events of those that have expired by now, of a bounded number. Returns how many.
    pub async fn round(&self) -> Result<u64> {
        Ok(self.store.expire_setups(self.clock.now(), BATCH).await?)
    }
}
