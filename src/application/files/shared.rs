//! The use case of a storage's files, and what its operations have in common.

use crate::application::bucket::port::Bucket;
use crate::application::budget::ByteBudget;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::vault::Vault;
use crate::application::pace::LeastPace;
use crate::application::people::allowance::Allowances;
use crate::application::people::caller::Member;
use crate::application::people::usage::UsageMeter;
use crate::application::storages::Storages;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::ids::StorageRef;
use crate::domain::people::reach::Touch;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Files of storages, by file key. Each file of this folder adds the operations of one kind. What changes
/// something takes a [`Writer`](crate::application::people::caller::Writer), and refuses a storage with read access before AWS is asked.
pub struct Files {
    pub storages: Arc<Storages>,
    pub bucket: Arc<dyn Bucket>,
    pub explainer: Explainer,
    /// Seals the IDs of multipart uploads.
    pub vault: Arc<Vault>,
    /// The longest life of a signed URL.
    pub longest_url_life: Duration,
    /// The memory of bodies under way: of files, and of requests' JSON.
    pub memory: Arc<ByteBudget>,
    /// How many files a workspace has on their way at the same time.
    pub allowances: Arc<Allowances>,
    /// Counts signed URLs.
    pub usage: Arc<UsageMeter>,
    /// A reader that is slower is cut off.
    pub reader_pace: LeastPace,
    /// Uploads under way: one whose client has left still has to clean up.
    pub running: TaskTracker,
    /// Where they run: a worker of the server may end before them.
    pub runtime: Handle,
}

/// What a body on its way takes in memory at most, in bytes: buffers of both connections. The HTTP client reads
/// and writes up to 408 KiB at once, and what it has read before may still wait for a slow client.
pub(super) const TRANSFER: u64 = 1 << 20;

impl Files {
    /// The storage's bucket, if the caller reaches all that the operation touches, and the storage's settings
    /// permit it. There is no other way to a bucket here, so no operation forgets to say what it touches.
    pub(super) async fn bucket_for(
        &self,
        operation: FileOperation,
        member: &Member,
        storage: &StorageRef,
        touched: &[Touch<'_>],
    ) -> Result<ConnectedBucket> {
        member.admit(storage, touched)?;
        let bucket = self.storages.usable(&member.workspace, storage).await?;
        let grants = bucket.connection.settings.grants();
        if operation.writes() && !grants.writes() {
            return Err(Error::new(
                Kind::Conflict,
                "storage_read_only",
                "This storage was connected for reading only.",
            )
            .remedy("Set the storage's `access` to `read_write`, apply its documents again, and check the connection."));
        }
        match operation.feature() {
            Some(feature) if !grants.has(Some(feature)) => Err(Error::new(
                Kind::Conflict,
                "not_granted",
                format!("This storage was connected without the permissions for {operation}."),
            )
            .remedy(format!(
                "Set the storage's `{}` to `true`, apply its documents again, and check the connection.",
                feature.setting()
            ))),
            Some(_) | None => Ok(bucket.on_behalf_of(member.person())),
        }
    }
}
