//! Changing files of a storage, by file key. Every use case here takes an [`Admin`], and refuses a
//! storage with read access before AWS is asked.

use crate::application::bucket::body::UploadBody;
use crate::application::bucket::read::SignedUrl;
use crate::application::bucket::write::{
    BucketWrites, Doomed, NewObject, PutFailure, SignedWrite, StoredObject,
};
use crate::application::diagnosis::denials::Denials;
use crate::application::error::{Error, Kind, Result};
use crate::application::files::read::{MOST_SIGNED, check_header_text, object_key, url_life};
use crate::application::people::caller::Admin;
use crate::application::storages::Storages;
use crate::domain::Invalid;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::ids::StorageRef;
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// How many keys one call deletes at most.
pub const MOST_DELETED: usize = 10_000;
/// What S3 deletes in one call (S3 API reference, DeleteObjects).
const DELETE_BATCH: usize = 1_000;
/// How many such calls run at once for one request.
const BATCHES_AT_ONCE: usize = 4;

pub struct FileWrites {
    pub storages: Arc<Storages>,
    pub bucket: Arc<dyn BucketWrites>,
    pub denials: Denials,
    /// The longest life of a signed URL.
    pub longest_url_life: Duration,
    /// Uploads under way: one whose client has left still has to clean up.
    pub running: TaskTracker,
    /// Where they run: a worker of the server may end before them.
    pub runtime: Handle,
}

/// A file to delete: its present version, or a certain one for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoomedFile {
    pub key: FileKey,
    pub version_id: Option<String>,
}

/// What became of a file that was to be deleted.
#[derive(Debug, Clone)]
pub struct Deletion {
    pub file: DoomedFile,
    pub error: Option<Error>,
}

impl FileWrites {
    /// The storage's bucket, if its settings let it be written to.
    pub(crate) async fn writable(
        &self,
        admin: &Admin,
        storage: &StorageRef,
    ) -> Result<ConnectedBucket> {
        let bucket = self.storages.usable(admin.workspace(), storage).await?;
        if bucket.connection.settings.access.writes() {
            return Ok(bucket);
        }
        Err(Error::new(
            Kind::Conflict,
            "storage_read_only",
            "This storage was connected for reading only.",
        )
        .remedy("Set the storage's `access` to `read_write`, apply its documents again, and check the connection."))
    }

    /// Stores a body as a file. Nothing of it is there before all of it is.
    pub async fn put(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        key: &FileKey,
        object: NewObject,
        body: UploadBody,
    ) -> Result<StoredObject> {
        let bucket = self.writable(admin, storage).await?;
        let object_key = object_key(&bucket, key)?;
        let (writes, denials) = (self.bucket.clone(), self.denials.clone());
        let work = async move {
            let stored = writes.put(&bucket, &object_key, &object, body).await;
            stored.map_err(|failure| match failure {
                PutFailure::Body(fault) => fault.into(),
                PutFailure::NoMemory => busy(),
                // S3 has no object to compare with: the condition does not hold.
                PutFailure::Aws(mut failure) => {
                    if failure.kind == FailureKind::NoSuchKey {
                        failure.kind = FailureKind::PreconditionFailed;
                    }
                    denials.error(&bucket, FileOperation::Upload, failure)
                }
            })
        };
        let task = self.running.spawn_on(work.in_current_span(), &self.runtime);
        task.await.map_err(Error::bug)?
    }

    /// Deletes a file. One that is not there is as good as deleted.
    pub async fn delete(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        file: &DoomedFile,
    ) -> Result<()> {
        let bucket = self.writable(admin, storage).await?;
        let doomed = Doomed {
            key: object_key(&bucket, &file.key)?,
            version_id: file.version_id.clone(),
        };
        self.bucket
            .delete(&bucket, &doomed)
            .await
            .map_err(|failure| self.denials.error(&bucket, deletion_of(file), failure))
    }

    /// Deletes many files, and tells of each what became of it, in their order.
    pub async fn delete_many(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        files: Vec<DoomedFile>,
    ) -> Result<Vec<Deletion>> {
        if files.len() > MOST_DELETED {
            return Err(Error::field(
                "keys",
                Invalid::new(
                    "too_many_keys",
                    format!("One call deletes at most {MOST_DELETED} files."),
                ),
            ));
        }
        let bucket = self.writable(admin, storage).await?;
        let keys = object_keys(&bucket, files.iter().map(|file| &file.key))?;
        let all: Vec<Doomed> = keys
            .into_iter()
            .zip(&files)
            .map(|(key, file)| Doomed {
                key,
                version_id: file.version_id.clone(),
            })
            .collect();
        let outcomes: Vec<_> = stream::iter(all.chunks(DELETE_BATCH))
            .map(|batch| self.bucket.delete_many(&bucket, batch))
            .buffered(BATCHES_AT_ONCE)
            .collect()
            .await;
        Ok(files
            .into_iter()
            .zip(outcomes.into_iter().flatten())
            .map(|(file, outcome)| {
                let error = outcome
                    .err()
                    .map(|failure| self.denials.error(&bucket, deletion_of(&file), failure));
                Deletion { file, error }
            })
            .collect())
    }

    /// Signs URLs that let whoever holds them store or delete the files for a while.
    pub async fn sign(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        keys: &[FileKey],
        what: &SignedWrite,
        expires_in: Option<Duration>,
    ) -> Result<Vec<SignedUrl>> {
        let expires_in = url_life(expires_in, self.longest_url_life)?;
        if keys.len() > MOST_SIGNED {
            return Err(Error::field(
                "keys",
                Invalid::new(
                    "too_many_keys",
                    format!("One call signs at most {MOST_SIGNED} URLs."),
                ),
            ));
        }
        if let SignedWrite::Put { content_type } = what {
            check_header_text("content_type", content_type.as_deref())?;
        }
        let bucket = self.writable(admin, storage).await?;
        let keys = object_keys(&bucket, keys.iter())?;
        Ok(self
            .bucket
            .sign_write(&bucket, &keys, what, expires_in)
            .await?)
    }
}

/// The full keys, or the first that is too long, named by its place.
fn object_keys<'a>(
    bucket: &ConnectedBucket,
    keys: impl Iterator<Item = &'a FileKey>,
) -> Result<Vec<ObjectKey>> {
    keys.enumerate()
        .map(|(at, key)| {
            ObjectKey::within(&bucket.connection.settings.prefix, key)
                .map_err(|invalid| Error::field(&format!("keys[{at}]"), invalid))
        })
        .collect()
}

fn deletion_of(file: &DoomedFile) -> FileOperation {
    match file.version_id {
        Some(_) => FileOperation::DeleteVersion,
        None => FileOperation::Delete,
    }
}

fn busy() -> Error {
    Error::new(
        Kind::Unavailable,
        "uploads_busy",
        "Too many uploads without `Content-Length` are on their way. Nothing was stored.",
    )
    .remedy("Send the file's size as `Content-Length`, or try again in a moment.")
    .retry_after(Duration::from_secs(5))
}
