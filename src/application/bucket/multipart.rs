//! Multipart uploads whose parts come one by one: straight from somebody else, by signed URLs, or through
//! the service.

use crate::application::bucket::body::UploadBody;
use crate::application::bucket::read::BucketResult;
use crate::application::bucket::write::{NewObject, PutFailure, StoredObject};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use time::OffsetDateTime;

/// An upload that the store has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedUpload {
    /// S3's ID of it.
    pub id: String,
    /// The object of the upload is not older than this, by the store's clock, in whole seconds. `None`: not known.
    pub since: Option<OffsetDateTime>,
}

/// A part that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPart {
    /// 1 to 10,000.
    pub number: u32,
    /// As S3 answered it.
    pub etag: String,
    /// Its CRC-32 in base64, as S3 answered it. `None`: it was sent without one.
    pub checksum_crc32: Option<String>,
}

#[async_trait]
pub trait BucketMultipart: Send + Sync {
    /// Begins an upload whose parts somebody else sends.
    async fn begin_multipart(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        object: &NewObject,
    ) -> BucketResult<OpenedUpload>;

    /// Begins an upload whose parts come through the service.
    async fn begin_relayed(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        object: &NewObject,
    ) -> BucketResult<OpenedUpload>;

    /// Stores one part of such an upload: all of it or nothing. The body has a length.
    async fn relay_part(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload_id: &str,
        number: u32,
        body: UploadBody,
    ) -> Result<SentPart, PutFailure>;

    /// Makes the object of the parts. Where it is proved to be there already, that is a success too.
    async fn complete_multipart(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload: &OpenedUpload,
        object: &NewObject,
        parts: &[SentPart],
    ) -> BucketResult<StoredObject>;

    /// Aborts the upload and removes its parts. One that is not there any more is no failure.
    async fn abort_multipart(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload_id: &str,
    ) -> BucketResult<()>;
}
