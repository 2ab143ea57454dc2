//! Copies, moves and ACLs of files within a storage.

use crate::application::bucket::write::CopiedObject;
use crate::application::error::{Error, Kind, Result};
use crate::application::files::shared::Files;
use crate::application::people::caller::Writer;
use crate::domain::Invalid;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::ids::StorageRef;
use crate::domain::people::reach::Touch;
use serde_json::json;

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    pub from: FileKey,
    /// A version of it; the present one where this is absent. A version may be copied to its own key, which
    /// restores it.
    pub from_version: Option<String>,
    pub to: FileKey,
    /// Only where there is no file yet.
    pub if_none_match: bool,
}

impl Files {
    /// Copies a file, or a version of it, with its metadata.
    pub async fn copy(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        request: &CopyRequest,
    ) -> Result<CopiedObject> {
        let operation = match request.from_version {
            Some(_) => FileOperation::CopyVersion,
            None => FileOperation::Copy,
        };
        let touched = [Touch::Read(&request.from), Touch::Write(&request.to)];
        let bucket = self
            .bucket_for(operation, writer.member(), storage, &touched)
            .await?;
        self.copied(&bucket, request, operation).await
    }

    /// Moves a file: copies it, and deletes the original if it is still the one that was copied. When
    /// that fails, both are there, and the answer says so.
    pub async fn rename(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        request: &CopyRequest,
    ) -> Result<CopiedObject> {
        let bucket = self
            .bucket_for(
                FileOperation::Move,
                writer.member(),
                storage,
                &[Touch::Delete(&request.from), Touch::Write(&request.to)],
            )
            .await?;
        let copied = self.copied(&bucket, request, FileOperation::Move).await?;
        let from = bucket.key("from", &request.from)?;
        let deleted = self
            .bucket
            .delete_unchanged(&bucket, &from, copied.source_etag.as_deref())
            .await;
        let deleted = self
            .explainer
            .explain(&bucket, FileOperation::Move, deleted)
            .await;
        deleted.map_err(|error| {
            error
                .also("The file was copied, and the original is still there.")
                .member("copied", json!(request.to.to_string()))
        })?;
        Ok(copied)
    }

    async fn copied(
        &self,
        bucket: &ConnectedBucket,
        request: &CopyRequest,
        operation: FileOperation,
    ) -> Result<CopiedObject> {
        if request.from == request.to && request.from_version.is_none() {
            return Err(Error::field(
                "to",
                Invalid::new("same_file", "`to` is the file that is to be copied."),
            ));
        }
        let from = bucket.key("from", &request.from)?;
        let to = bucket.key("to", &request.to)?;
        let copied = self
            .bucket
            .copy(
                bucket,
                &from,
                request.from_version.as_deref(),
                &to,
                request.if_none_match,
            )
            .await;
        self.explainer.explain(bucket, operation, copied).await
    }

    /// Gives a file one of S3's ready-made access control lists.
    pub async fn put_acl(
        &self,
        writer: &Writer,
        storage: &StorageRef,
        file: &FileKey,
        acl: CannedAcl,
    ) -> Result<()> {
        let bucket = self
            .bucket_for(
                FileOperation::WriteAcl,
                writer.member(),
                storage,
                &[Touch::Write(file)],
            )
            .await?;
        let key = bucket.key("key", file)?;
        let Err(failure) = self.bucket.put_acl(&bucket, &key, acl).await else {
            return Ok(());
        };
        match refused_acl(&failure) {
            // What this ACL says holds in such a bucket anyway.
            Some(RefusedAcl::Disabled) if acl.is_owner_s() => Ok(()),
            Some(refused) => Err(refused.error().internal(failure)),
            None => Err(self
                .explainer
                .error(&bucket, FileOperation::WriteAcl, failure)
                .await),
        }
    }
}

/// Why no ACL, or not this one, can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusedAcl {
    PublicBlocked,
    Disabled,
}

impl RefusedAcl {
    pub(super) fn error(self) -> Error {
        match self {
            Self::PublicBlocked => Error::new(
                Kind::Conflict,
                "public_acls_blocked",
                "The bucket or its account blocks public ACLs (S3 Block Public Access).",
            )
            .remedy("Give people signed URLs, or choose an ACL that is not public."),
            Self::Disabled => Error::new(
                Kind::Conflict,
                "acls_disabled",
                "The bucket has ACLs disabled (its object ownership is `BucketOwnerEnforced`): its owner owns every file, and policies alone decide who may read it.",
            )
            .remedy("Grant access by the bucket policy or by signed URLs. `bucket-owner-full-control` is the only ACL that fits such a bucket; it changes nothing."),
        }
    }
}

/// Buckets made since April 2023 have ACLs disabled unless somebody has enabled them (S3 user guide,
/// "Controlling ownership of objects").
///
/// S3 denies public ACLs where the bucket or its account blocks them: no permission is missing then.
pub(super) fn refused_acl(failure: &AwsFailure) -> Option<RefusedAcl> {
    let says = |text| failure.message.as_deref().is_some_and(|m| m.contains(text));
    if failure.kind == FailureKind::AccessDenied
        && (says("BlockPublicAcls") || says("Block Public Access"))
    {
        return Some(RefusedAcl::PublicBlocked);
    }
    (failure.error_code.as_deref() == Some("AccessControlListNotSupported"))
        .then_some(RefusedAcl::Disabled)
}
