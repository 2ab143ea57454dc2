//! The one place where a change of a storage's health is published.

use crate::application::checks::Checks;
use crate::application::kept::store::Recorded;
use crate::domain::storage::{HealthChange, Quarantining};

impl Checks {
    /// Publishes what storing a report changed, once, after it was stored: by whichever way it was recorded, and
    /// by the process that recorded it. When that process dies before, the change is in the audit log alone. Who
    /// must not miss one reads what the same transaction wrote (`database::health`).
    pub(super) fn publish(&self, recorded: &Recorded) {
        match recorded {
            Recorded::Changed(change) => {
                self.observer.health_changed(change);
                log(change);
            }
            Recorded::NoTarget | Recorded::Stored => {}
        }
    }
}

fn log(change: &HealthChange) {
    let (workspace, storage) = (change.workspace.as_str(), change.storage.as_str());
    if change.is_of_health() {
        tracing::info!(
            workspace,
            storage,
            from = change.from.state.as_str(),
            to = change.to.state.as_str(),
            code = change.to.code,
            check = change.check.as_str(),
            "a storage's health has changed"
        );
    }
    match &change.quarantine {
        Some(Quarantining::Began(code)) => tracing::warn!(
            workspace,
            storage,
            code,
            check = change.check.as_str(),
            "a storage's role lets others in"
        ),
        Some(Quarantining::Ended) => tracing::info!(
            workspace,
            storage,
            check = change.check.as_str(),
            "a storage's role refuses others again"
        ),
        None => {}
    }
}
