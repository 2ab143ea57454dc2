//! Reports of the connection check.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::Window;
use crate::domain::check::CheckReport;
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::storage::HealthChange;
use async_trait::async_trait;

/// What a check was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckTarget {
    Setup(SetupId),
    Storage(StorageId),
}

/// What storing a report did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The target does not exist: nothing was stored.
    NoTarget,
    /// Stored; and the storage's state, its code and its quarantine are as they were.
    Stored,
    /// Stored; and with it the storage is otherwise than it was.
    Changed(Box<HealthChange>),
}

#[async_trait]
pub trait CheckStore: Send + Sync {
    /// Stores the report and, in the same transaction, its effect: on a setup, `last_check`; on a
    /// storage, its health (see [`Health::after`](crate::domain::storage::Health::after); `since` moves only when state or code change) and, when it
    /// passed at the present revision, `verified_revision` and the Region it found. A report of a role that
    /// lets others in begins the storage's quarantine, one that passed ends it; the audit log says so, and says
    /// each change of the health, in the same transaction. A storage that turned broken or unknown is checked
    /// again within a minute. A report of an older revision of a storage is stored without effect; so is one
    /// that began before another that decided, but that it may begin a quarantine.
    async fn record_check(
        &self,
        workspace: &WorkspaceId,
        target: &CheckTarget,
        report: &CheckReport,
    ) -> StoreResult<Recorded>;
    async fn check(
        &self,
        workspace: &WorkspaceId,
        id: &CheckId,
    ) -> StoreResult<Option<CheckReport>>;
    /// Newest first: `after` names the last one seen.
    async fn list_checks(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        window: &Window,
    ) -> StoreResult<Vec<CheckReport>>;
}
