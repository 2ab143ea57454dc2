//! The check of a storage's pending change: when it passes, the change comes into use.

use crate::application::checks::{Checks, Patience};
use crate::application::error::{Error, Result};
use crate::application::kept::store::PendingCheck;
use crate::domain::check::{CheckReport, Step};
use crate::domain::connection::Connection;
use crate::domain::storage::PendingConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tracing::Instrument;

impl Checks {
    /// Checks a pending change, within the workspace's limits, and stores what follows from it.
    /// `in_use` is its connection as the storage will have it.
    pub async fn run_pending(
        self: &Arc<Self>,
        pending: PendingConnection,
        mut in_use: Connection,
        wait: Duration,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<(CheckReport, PendingCheck)> {
        let permit = self.limits.enter(&pending.workspace)?;
        let checks = self.clone();
        // In a task of its own, as every check: it ends and counts when the client has gone.
        let work = async move {
            let bucket = pending.connected();
            let report = checks
                .examine(&bucket, Patience::Change(wait), listener)
                .await;
            drop(permit);
            if let Some(found) = report.region {
                in_use.settings.region = Some(found);
            }
            let came_of_it = checks
                .store
                .record_pending_check(&pending.workspace, &pending.storage, &report, &in_use)
                .await?;
            if let PendingCheck::InUse(recorded) = &came_of_it {
                checks.publish(recorded);
            }
            Ok((report, came_of_it))
        };
        let task = self.running.spawn(work.in_current_span());
        task.await.map_err(Error::bug)?
    }
}
