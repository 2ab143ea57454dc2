//! Storing, copying and deleting objects.

use crate::application::bucket::body::{BodyFault, Sha256Text, UploadBody};
use crate::application::bucket::read::BucketResult;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use std::time::Duration;
use time::OffsetDateTime;

/// What a new object is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewObject {
    pub content_type: String,
    pub headers: StoredHeaders,
    /// The customer's own metadata (`x-amz-meta-…`), in plain text.
    pub metadata: Vec<(String, String)>,
    pub conditions: WriteConditions,
    /// `None`: the bucket's default.
    pub acl: Option<CannedAcl>,
}

/// The headers of HTTP that S3 keeps with an object besides its type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredHeaders {
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_language: Option<String>,
    /// In whole seconds.
    pub expires: Option<OffsetDateTime>,
}

/// What must hold when the object is stored, as in the HTTP headers of the same names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteConditions {
    /// `If-None-Match: *`: there is no such object.
    pub if_none_match: bool,
    /// The present object has this ETag.
    pub if_match: Option<String>,
}

/// An object just stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// In bytes; `None` where S3 does not let us ask.
    pub size: Option<u64>,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    pub sha256: Option<Sha256Text>,
}

/// An object just copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedObject {
    /// In bytes; `None` where the store does not say.
    pub size: Option<u64>,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    /// Of the original, as it was copied.
    pub source_etag: Option<String>,
}

/// Why nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutFailure {
    Aws(AwsFailure),
    Body(BodyFault),
    /// The store took nothing of the body for `limit`, or did not answer for so long after its last byte
    /// (`all_sent`); then nobody knows whether it stored the object.
    StoreStalled {
        limit: Duration,
        all_sent: bool,
    },
    /// Too many bodies of unknown length are on their way.
    NoRoom,
    /// The disk does not take a body of unknown length. For the log.
    Spool(String),
}

impl From<AwsFailure> for PutFailure {
    fn from(failure: AwsFailure) -> Self {
        Self::Aws(failure)
    }
}

impl From<BodyFault> for PutFailure {
    fn from(fault: BodyFault) -> Self {
        Self::Body(fault)
    }
}

/// An object to delete: its present version, or a certain version, which cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeleteTarget {
    pub key: ObjectKey,
    pub version_id: Option<String>,
}

#[async_trait]
pub trait BucketWrite: Send + Sync {
    /// Stores the body as an object: all of it or nothing.
    async fn put(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        object: &NewObject,
        body: UploadBody,
    ) -> Result<StoredObject, PutFailure>;

    /// Deletes one object. One that is not there is no failure.
    async fn delete(&self, bucket: &ConnectedBucket, target: &DeleteTarget) -> BucketResult<()>;

    /// Deletes up to 1,000 objects; a result for each, in their order.
    async fn delete_many(
        &self,
        bucket: &ConnectedBucket,
        targets: &[DeleteTarget],
    ) -> Vec<BucketResult<()>>;

    /// Copies an object, or a version of one, with its metadata; with `if_none_match`, only where there is none.
    async fn copy(
        &self,
        bucket: &ConnectedBucket,
        from: &ObjectKey,
        version_id: Option<&str>,
        to: &ObjectKey,
        if_none_match: bool,
    ) -> BucketResult<CopiedObject>;

    /// Deletes an object if it still has this ETag. Without one nothing is deleted
    /// ([`PreconditionFailed`](crate::domain::aws_failure::FailureKind::PreconditionFailed)).
    async fn delete_unchanged(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        etag: Option<&str>,
    ) -> BucketResult<()>;

    async fn put_acl(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        acl: CannedAcl,
    ) -> BucketResult<()>;
}
