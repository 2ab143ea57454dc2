//! Uploads in parts that somebody else sends, by signed URLs.

use crate::application::bucket::read::{BucketResult, SignedUrl};
use crate::application::bucket::write::{NewObject, StoredObject};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use std::time::Duration;

/// A part that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPart {
    /// 1 to 10,000.
    pub number: u32,
    /// As S3 answered it.
    pub etag: String,
}

#[async_trait]
pub trait BucketUploads: Send + Sync {
    /// Begins an upload. Gives S3's ID of it.
    async fn begin(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        object: &NewObject,
    ) -> BucketResult<String>;

    /// Signs a URL for each part.
    async fn sign_parts(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload_id: &str,
        numbers: &[u32],
        expires_in: Duration,
    ) -> BucketResult<Vec<SignedUrl>>;

    /// Makes the object of the parts.
    async fn finish(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload_id: &str,
        object: &NewObject,
        parts: &[SentPart],
    ) -> BucketResult<StoredObject>;

    /// Gives the upload up. One that is not there any more is no failure.
    async fn give_up(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload_id: &str,
    ) -> BucketResult<()>;
}
