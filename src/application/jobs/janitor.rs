//! The janitor: removes what is older than it is kept, on one replica at a time.

use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::kept::master_key;
use crate::application::kept::retention::{CheckPosition, Remover};
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::application::outage;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often there is a round.
const INTERVAL: Duration = Duration::from_secs(60);
/// After how long another replica goes on for one that died. Renewed before each batch.
const LEASE: Duration = Duration::from_secs(120);
/// The lease's name.
const NAME: &str = "janitor";
/// How many batches of one kind a round removes at most, so the other kinds get their turn.
const MOST_BATCHES: usize = 20;

pub struct Janitor {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub vault: Arc<Vault>,
    pub remover: Remover,
}

impl Janitor {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let holder = Uuid::now_v7().simple().to_string();
        let mut position = CheckPosition::default();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            match self.round(&holder, position.clone(), &stop).await {
                Ok(next) => {
                    outage::worked();
                    position = next;
                }
                Err(error) => outage::failed(&error, "the janitor could not do its work"),
            }
        }
        // Another replica need not wait for the end of the lease.
        if let Err(error) = self.store.release_lease(NAME, &holder).await {
            tracing::debug!(%error, "the janitor's lease was not given back");
        }
    }

    /// Removes a bounded amount, unless another replica is at it. Returns where the next round goes on.
    pub async fn round(
        &self,
        holder: &str,
        position: CheckPosition,
        stop: &CancellationToken,
    ) -> Result<CheckPosition> {
        // Each replica says for itself which key it seals with.
        if !master_key::is_right(self.store.as_ref(), &self.vault).await? {
            return Err(Error::bug(
                "the database has a master key now that this process was not given: restart it with that key",
            ));
        }
        for (what, before) in self.remover.expired(self.clock.now()) {
            for _ in 0..MOST_BATCHES {
                if stop.is_cancelled() || !self.holds(holder).await? {
                    return Ok(position);
                }
                if !self.remover.remove(what, before).await? {
                    break;
                }
            }
        }
        // With many storages a round looks at so many of them, or else a pass over all would take days.
        let mut position = position;
        for _ in 0..MOST_BATCHES {
            if stop.is_cancelled() || !self.holds(holder).await? {
                break;
            }
            position = self
                .remover
                .remove_checks(self.clock.now(), position)
                .await?;
            if position == CheckPosition::default() {
                break;
            }
        }
        Ok(position)
    }

    async fn holds(&self, holder: &str) -> Result<bool> {
        let now = self.clock.now();
        let held = self.store.hold_lease(NAME, holder, now, now + LEASE);
        Ok(held.await?)
    }
}
