//! Storages of the workspaces.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::Window;
use crate::domain::ids::{StorageId, WorkspaceId};
use crate::domain::storage::{HealthState, Storage};
use async_trait::async_trait;
use std::time::Duration;

/// How long after a storage was made its first scheduled check is due: late enough for every server of STS to
/// know the role as it is now (IAM is eventually consistent), and soon enough to matter.
pub const FIRST_CHECK_AFTER: Duration = Duration::from_secs(60);

/// What came of deleting a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageDeletion {
    Deleted,
    NotFound,
    /// So many projects use it.
    InUse(i64),
}

#[async_trait]
pub trait StorageStore: Send + Sync {
    async fn storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Option<Storage>>;
    /// The storage that a setup has become.
    async fn storage_of_setup(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<StorageId>>;
    async fn list_storages(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Storage>>;
    /// How many storages of all workspaces have each health; those that none has are left out.
    async fn count_storages(&self) -> StoreResult<Vec<(HealthState, u64)>>;
    /// Deletes a storage that no project uses, with its checks and its pending change; where it was the default, the built-in
    /// storage becomes so.
    async fn delete_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<StorageDeletion>;
}
