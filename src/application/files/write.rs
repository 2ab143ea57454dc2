//! Storing and deleting files.

use crate::application::bucket::body::UploadBody;
use crate::application::bucket::write::{DeleteTarget, NewObject, PutFailure, StoredObject};
use crate::application::error::{Error, Kind, Result};
use crate::application::files::copy::refused_acl;
use crate::application::files::shared::{Files, TRANSFER};
use crate::application::people::caller::Writer;
use crate::domain::Invalid;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::ids::StorageRef;
use crate::domain::people::reach::Touch;
use futures_util::stream::{self, StreamExt};
use std::time::Duration;
use tracing::Instrument;

/// How many keys one call deletes at most.
pub const MOST_DELETED: usize = 10_000;
/// What S3 deletes in one call (S3 API reference, DeleteObjects).
const DELETE_BATCH: usize = 1_000;
/// How many such calls run at once for one request.
const BATCHES_AT_ONCE: usize = 4;

/// A file to delete: its present version, or a certain version, which cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileToDelete {
    pub key: FileKey,
    pub version_id: Option<String>,
}

/// What became of a file that was to be deleted.
#[derive(Debug, Clone)]
pub struct FileDeletion {
    pub file: FileToDelete,
    pub error: Option<Error>,
}

impl Files {
    /// Stores a body as a file. Nothing of it is there before all of it is.
    pub async fn put(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        key: &FileKey,
        object: NewObject,
        body: UploadBody,
    ) -> Result<StoredObject> {
        let touched = [Touch::Write(key)];
        let bucket = self
            .bucket_for(FileOperation::Upload, writer.member(), storage, &touched)
            .await?;
        if object.acl.is_some() {
            self.bucket_for(FileOperation::WriteAcl, writer.member(), storage, &touched)
                .await?;
        }
        let object_key = bucket.key("key", key)?;
        let transfer = self.allowances.transfer(writer.workspace())?;
        let buffers = body.length().unwrap_or(TRANSFER).min(TRANSFER);
        let memory = self
            .memory
            .take_for_body(writer.workspace().as_str(), buffers)
            .await?;
        let (to, explainer) = (self.bucket.clone(), self.explainer.clone());
        let work = async move {
            let _until_the_end = (memory, transfer);
            let failure = match to.put(&bucket, &object_key, &object, body).await {
                Ok(stored) => return Ok(stored),
                Err(failure) => failure,
            };
            Err(match of_the_body(failure) {
                Ok(error) => error,
                // S3 has no object to compare with: the condition does not hold.
                Err(mut failure) => {
                    if failure.kind == FailureKind::NoSuchKey {
                        failure.kind = FailureKind::PreconditionFailed;
                    }
                    match object.acl.and_then(|_| refused_acl(&failure)) {
                        Some(refused) => refused.error().internal(failure),
                        None => explainer.error(&bucket, done(&failure), failure).await,
                    }
                }
            })
        };
        let task = self.running.spawn_on(work.in_current_span(), &self.runtime);
        task.await.map_err(Error::bug)?
    }

    /// Deletes a file. One that is not there is as good as deleted.
    pub async fn delete(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        file: &FileToDelete,
    ) -> Result<()> {
        let bucket = self
            .bucket_for(
                deletion_of(file),
                writer.member(),
                storage,
                &[Touch::Delete(&file.key)],
            )
            .await?;
        let target = DeleteTarget {
            key: bucket.key("key", &file.key)?,
            version_id: file.version_id.clone(),
        };
        let deleted = self.bucket.delete(&bucket, &target).await;
        self.explainer
            .explain(&bucket, deletion_of(file), deleted)
            .await
    }

    /// Deletes many files. Gives an outcome for each, in their order.
    pub async fn delete_many(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        files: Vec<FileToDelete>,
    ) -> Result<Vec<FileDeletion>> {
        if files.len() > MOST_DELETED {
            return Err(Error::field(
                "keys",
                Invalid::new(
                    "too_many_keys",
                    format!("One call deletes at most {MOST_DELETED} files."),
                ),
            ));
        }
        let touched: Vec<Touch<'_>> = files.iter().map(|f| Touch::Delete(&f.key)).collect();
        let bucket = self
            .bucket_for(FileOperation::Delete, writer.member(), storage, &touched)
            .await?;
        let all = files
            .iter()
            .enumerate()
            .map(|(at, file)| {
                Ok(DeleteTarget {
                    key: bucket.key(&format!("keys[{at}]"), &file.key)?,
                    version_id: file.version_id.clone(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let outcomes: Vec<_> = stream::iter(all.chunks(DELETE_BATCH))
            .map(|batch| self.bucket.delete_many(&bucket, batch))
            .buffered(BATCHES_AT_ONCE)
            .collect()
            .await;
        let mut deletions = Vec::with_capacity(files.len());
        for (file, outcome) in files.into_iter().zip(outcomes.into_iter().flatten()) {
            let operation = deletion_of(&file);
            let outcome = self.explainer.explain(&bucket, operation, outcome).await;
            deletions.push(FileDeletion {
                file,
                error: outcome.err(),
            });
        }
        Ok(deletions)
    }
}

/// Why a body was not stored, where AWS did not refuse it; else AWS's failure.
pub(super) fn of_the_body(failure: PutFailure) -> std::result::Result<Error, AwsFailure> {
    Ok(match failure {
        PutFailure::Aws(failure) => return Err(failure),
        PutFailure::Body(fault) => fault.into(),
        PutFailure::NoRoom => busy(),
        PutFailure::StoreStalled { limit, all_sent } => store_stalled(limit, all_sent),
        PutFailure::Spool(cause) => Error::new(
            Kind::Unavailable,
            "spool_unavailable",
            "The service cannot keep a body without `Content-Length` while it comes: its disk is full or cannot be written. Nothing was stored.",
        )
        .remedy("Send the file's size as `Content-Length`. The operator finds the cause in the log.")
        .retry_after(Duration::from_secs(30))
        .internal(cause),
    })
}

/// What was denied: the upload, or the ACL that it asked for.
fn done(failure: &AwsFailure) -> FileOperation {
    let denial = failure.denial.as_deref();
    match denial.and_then(|denial| denial.action.as_deref()) {
        Some("s3:PutObjectAcl") => FileOperation::WriteAcl,
        Some(_) | None => FileOperation::Upload,
    }
}

fn deletion_of(file: &FileToDelete) -> FileOperation {
    match file.version_id {
        Some(_) => FileOperation::DeleteVersion,
        None => FileOperation::Delete,
    }
}

fn store_stalled(limit: Duration, all_sent: bool) -> Error {
    let seconds = limit.as_secs();
    let (detail, remedy) = match all_sent {
        false => (
            format!(
                "The storage took nothing of the file, or did not confirm what it took, for {seconds} seconds. Nothing was stored."
            ),
            "Upload the file again in a moment.",
        ),
        true => (
            format!(
                "The storage has the whole file, but did not say within {seconds} seconds that it stored it."
            ),
            "Read the file's metadata: it shows whether the file is there. If not, upload it again.",
        ),
    };
    Error::new(Kind::UpstreamTimeout, "storage_timeout", detail).remedy(remedy)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_stalls_is_reported_as_it_was() {
        let limit = Duration::from_secs(60);
        let cut = store_stalled(limit, false);
        assert_eq!(cut.code, "storage_timeout");
        assert!(cut.detail.contains("60 seconds") && cut.detail.contains("Nothing was stored"));
        // Nobody knows whether it stored the object.
        let unknown = store_stalled(limit, true);
        assert!(!unknown.detail.contains("Nothing was stored"));
        assert!(
            unknown
                .remedy
                .as_ref()
                .is_some_and(|text| text.contains("metadata"))
        );
    }
}
