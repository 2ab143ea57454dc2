//! Reports of the connection check.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::Window;
use crate::domain::check::CheckReport;
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use async_trait::async_trait;

/// What a check was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckTarget {
    Setup(SetupId),
    Storage(StorageId),
}

#[async_trait]
pub trait CheckStore: Send + Sync {
    /// Stores the report and, in the same transaction, its effect: on a setup, `last_check`; on a
    /// storage, its health (`since` moves only when the state changes), and, when it passed at the
    /// present revision, `verified_revision` and the Region it found. A report of an older revision of
    /// a storage is stored without effect. False when the target does not exist.
    async fn record_check(
        &self,
        workspace: &WorkspaceId,
        target: &CheckTarget,
        report: &CheckReport,
    ) -> StoreResult<bool>;
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
