//! Copies, moves and ACLs of files within a storage.

use super::bucket_writes::CopiedObject;
use super::caller::Admin;
use super::error::{Error, Kind, Result};
use super::file_writes::FileWrites;
use crate::domain::Invalid;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::canned_acl::CannedAcl;
use crate::domain::connection::ConnectedBucket;
use crate::domain::file_key::FileKey;
use crate::domain::file_operation::FileOperation;
use crate::domain::ids::StorageRef;
use crate::domain::object_key::ObjectKey;
use serde_json::json;

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    pub from: FileKey,
    pub to: FileKey,
    /// Only where there is no file yet.
    pub if_none_match: bool,
}

impl FileWrites {
    /// Copies a file with its metadata.
    pub async fn copy(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        request: &CopyRequest,
    ) -> Result<CopiedObject> {
        let bucket = self.writable(admin, storage).await?;
        self.copied(&bucket, request, FileOperation::Copy).await
    }

    /// Moves a file: copies it, and deletes the original if it is still the one that was copied. When
    /// that fails, both are there, and the answer says so.
    pub async fn rename(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        request: &CopyRequest,
    ) -> Result<CopiedObject> {
        let bucket = self.writable(admin, storage).await?;
        let copied = self.copied(&bucket, request, FileOperation::Move).await?;
        let from = key(&bucket, "from", &request.from)?;
        self.bucket
            .delete_unchanged(&bucket, &from, copied.source_etag.as_deref())
            .await
            .map_err(|failure| {
                let mut error = self.denials.error(&bucket, FileOperation::Move, failure);
                error.detail = format!(
                    "{} The file was copied, and the original is still there.",
                    error.detail
                );
                error.member("copied", json!(request.to.to_string()))
            })?;
        Ok(copied)
    }

    async fn copied(
        &self,
        bucket: &ConnectedBucket,
        request: &CopyRequest,
        operation: FileOperation,
    ) -> Result<CopiedObject> {
        if request.from == request.to {
            return Err(Error::field(
                "to",
                Invalid::new("same_file", "`to` is the file that is to be copied."),
            ));
        }
        let from = key(bucket, "from", &request.from)?;
        let to = key(bucket, "to", &request.to)?;
        self.bucket
            .copy(bucket, &from, &to, request.if_none_match)
            .await
            .map_err(|failure| self.denials.error(bucket, operation, failure))
    }

    /// Gives a file one of S3's ready-made access control lists.
    pub async fn put_acl(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        file: &FileKey,
        acl: CannedAcl,
    ) -> Result<()> {
        let bucket = self.writable(admin, storage).await?;
        let key = key(&bucket, "key", file)?;
        self.bucket
            .put_acl(&bucket, &key, acl)
            .await
            .map_err(|failure| match acls_disabled(&failure) {
                Some(error) => error,
                None => self
                    .denials
                    .error(&bucket, FileOperation::WriteAcl, failure),
            })
    }
}

fn key(bucket: &ConnectedBucket, field: &str, key: &FileKey) -> Result<ObjectKey> {
    ObjectKey::within(&bucket.connection.prefix, key)
        .map_err(|invalid| Error::field(field, invalid))
}

/// Buckets made since April 2023 have ACLs disabled unless somebody has enabled them (S3 user guide,
/// "Controlling ownership of objects").
fn acls_disabled(failure: &AwsFailure) -> Option<Error> {
    if failure.error_code.as_deref() != Some("AccessControlListNotSupported") {
        return None;
    }
    Some(
        Error::new(
            Kind::Conflict,
            "acls_disabled",
            "The bucket has ACLs disabled (its object ownership is `BucketOwnerEnforced`): its owner owns every file, and policies alone decide who may read it.",
        )
        .remedy("Grant access by the bucket policy or by signed URLs. `bucket-owner-full-control` is the only ACL that such a bucket accepts; it changes nothing.")
        .internal(failure),
    )
}
