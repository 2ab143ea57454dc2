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

/// What storing a report did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The target does not exist: nothing was stored.
    NoTarget,
    Stored,
    /// Stored; and the storage is in quarantine since this report.
    QuarantineBegan,
    /// Stored; and with it the storage's quarantine has ended.
    QuarantineEnded,
}

#[async_trait]
pub trait CheckStore: Send + Sync {
    /// Stores the report and, in the same transaction, its effect: on a setup, `last_check`; on a
    /// storage, its health (`since` moves only when the state changes; a report that proves nothing leaves
    /// the state as it was), and, when it passed at the present revision, `verified_revision` and the
    /// Region it found. A report of a role that lets others in begins the storage's quarantine, one that
    /// passed ends it; the audit log says so, in the same transaction. A report of an older revision of a
    /// storage is stored without effect.
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
