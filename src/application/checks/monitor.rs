//! Keeps checking stored connections, so that a broken one is known before somebody needs it.

use crate::application::checks::Checks;
use crate::application::error::Result;
use crate::application::kept::store::Store;
use crate::domain::ids::{StorageId, WorkspaceId};
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How many storages are taken, and checked at the same time, in one round.
const AT_ONCE: usize = 4;

/// How often the database is asked for storages that are due.
const ROUND: Duration = Duration::from_secs(15);

pub struct Monitor {
    pub store: Arc<dyn Store>,
    pub checks: Arc<Checks>,
    /// How long after one check the next is due.
    pub interval: Duration,
}

impl Monitor {
    /// Checks what is due, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.round().await {
                // Perhaps more are due.
                Ok(checked) if checked == AT_ONCE => {}
                Ok(_) => pause(&stop).await,
                Err(error) => {
                    tracing::warn!(
                        code = error.code,
                        cause = error.internal,
                        "cannot check stored connections"
                    );
                    pause(&stop).await;
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// One round: how many storages were due and taken.
    pub async fn round(&self) -> Result<usize> {
        let now = self.checks.clock.now();
        let due = self
            .store
            .claim_due_checks(now, now + self.interval, AT_ONCE as u32)
            .await?;
        let taken = due.len();
        stream::iter(due)
            .for_each_concurrent(AT_ONCE, |(workspace, storage)| async move {
                if let Err(error) = self.check(&workspace, &storage).await {
                    tracing::warn!(
                        %workspace, %storage, code = error.code, cause = error.internal,
                        "a scheduled check failed to run"
                    );
                }
            })
            .await;
        Ok(taken)
    }

    async fn check(&self, workspace: &WorkspaceId, storage: &StorageId) -> Result<()> {
        if let Some(storage) = self.store.storage(workspace, storage).await? {
            let bucket = storage.connected();
            self.checks.run_now(&bucket, Duration::ZERO, None).await?;
        }
        Ok(())
    }
}

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(ROUND) => {}
    }
}
