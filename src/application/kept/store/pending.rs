//! Changes of storages, and the connections that wait for their check.

use crate::application::kept::store::checks::Recorded;
use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::Window;
use crate::domain::check::CheckReport;
use crate::domain::connection::Connection;
use crate::domain::ids::{StorageId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::subject::SubjectId;
use crate::domain::storage::PendingConnection;
use async_trait::async_trait;
use time::OffsetDateTime;

/// What a change of a storage was made from. Nothing is stored when it is no longer so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenStorage {
    pub revision: i64,
    /// The revision of the pending change, if there was one.
    pub pending: Option<i64>,
}

/// What becomes of a storage's pending change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingEdit {
    /// It stays as it is, and what was seen of it does not matter.
    Keep,
    Remove,
    /// This is the pending change now. It has a new revision, and no check.
    Put(Box<Connection>),
}

/// A change of a storage, stored as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageChange {
    /// A new name.
    pub display_name: Option<Name>,
    pub pending: PendingEdit,
    pub at: OffsetDateTime,
    /// The product's person for whom it is made.
    pub on_behalf_of: Option<SubjectId>,
}

/// What came of the check of a pending change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingCheck {
    /// It failed. It is the change's last check, and the storage is as it was.
    Failed,
    /// It passed, and the storage has the connection now. With it what the report did to the storage.
    InUse(Recorded),
    /// It is of a change that is no longer the pending one, or the storage has another connection
    /// meanwhile. Nothing was stored.
    Outdated,
    /// It passed, but the change would move bucket or prefix, and so many projects use the storage.
    FixedByProjects(i64),
}

#[async_trait]
pub trait PendingStore: Send + Sync {
    async fn pending(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
    ) -> StoreResult<Option<PendingConnection>>;
    /// Those of the storages in the window, in their order.
    async fn list_pending(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<PendingConnection>>;
    /// Changes the storage, if it is still as it was seen; when bucket or prefix would move, only while
    /// no project uses it. False otherwise. The connection in use is never changed by this.
    async fn change_storage(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        seen: SeenStorage,
        change: &StorageChange,
    ) -> StoreResult<bool>;
    /// Removes the pending change, and its secret with it. False where there is none.
    async fn remove_pending(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
    ) -> StoreResult<bool>;
    /// Stores the check of a pending change and, in the same transaction, what follows from it. When it
    /// passed, `connection` takes the place of the storage's connection, at the change's revision and
    /// verified; the check is the storage's health; the next scheduled check is due two minutes after
    /// it; and the pending change is gone.
    async fn record_pending_check(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        report: &CheckReport,
        connection: &Connection,
    ) -> StoreResult<PendingCheck>;
}
