//! Storages of the workspaces.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::Window;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::ids::{StorageId, StorageRef, WorkspaceId};
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::WorkspaceExternalId;
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
    /// It is the default storage, and nothing was said of what becomes the default.
    IsDefault,
    /// What was to become the default is not there, or is the storage itself.
    NoSuchDefault,
}

/// Which storages: those for which everything holds that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageSearch {
    /// `None`: of every workspace.
    pub workspace: Option<WorkspaceId>,
    pub health: Option<HealthState>,
    /// As text: only the service makes external IDs.
    pub external_id: Option<String>,
    pub bucket: Option<BucketName>,
    /// What the name contains, in capitals or not.
    pub name: Option<String>,
}

impl StorageSearch {
    /// Whether it leaves every storage of the workspace, or of all.
    pub fn is_empty(&self) -> bool {
        let Self {
            workspace: _,
            health,
            external_id,
            bucket,
            name,
        } = self;
        health.is_none() && external_id.is_none() && bucket.is_none() && name.is_none()
    }
}

/// A storage of any workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundStorage {
    pub storage: Storage,
    pub workspace_external_id: Option<WorkspaceExternalId>,
    /// The default storage of its workspace.
    pub default: StorageRef,
}

#[async_trait]
pub trait StorageStore: Send + Sync {
    async fn storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Option<Storage>>;
    /// The same as this process knows it, from memory where it can be: what another process has changed within the last
    /// second may be missing. For work that uses the storage now, and never for what is shown, or changed after it was
    /// read.
    async fn known_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Option<Storage>>;
    async fn list_storages(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Storage>>;
    /// The workspace's storages in these buckets, at most 100 of each bucket.
    async fn storages_of_buckets(
        &self,
        workspace: &WorkspaceId,
        buckets: &[BucketName],
    ) -> StoreResult<Vec<Storage>>;
    /// How many storages of all workspaces have each health; those that none has are left out.
    async fn count_storages(&self) -> StoreResult<Vec<(HealthState, u64)>>;
    /// Storages of one workspace, or of all.
    async fn search_storages(
        &self,
        search: &StorageSearch,
        window: &Window,
    ) -> StoreResult<Vec<FoundStorage>>;
    /// Deletes a storage that no project uses, with its checks and its pending change. Where it is the default,
    /// `next` becomes so, and without one nothing is deleted.
    async fn delete_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
        next: Option<&StorageRef>,
        on_behalf_of: Option<&SubjectId>,
    ) -> StoreResult<StorageDeletion>;
}
