//! Listing and reading objects.

use crate::application::pace::CutMark;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use time::OffsetDateTime;

pub type BucketResult<T> = Result<T, AwsFailure>;

/// Which objects to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    pub prefix: ObjectKeyPrefix,
    /// Whether what lies in sub-folders is listed too, instead of the folders' names.
    pub recursive: bool,
    /// At most 1,000: S3 gives no more at a time.
    pub page_size: u32,
    pub from: ListFrom,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFrom {
    Beginning,
    /// The token from the page before.
    Continuation(String),
    /// After this key, which need not exist.
    After(ObjectKey),
}

/// A page of raw keys, not yet seen from below the prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// Common prefixes, each ending in a slash.
    pub folders: Vec<String>,
    pub objects: Vec<ListedObject>,
    /// The token for the next page; `None` on the last one.
    pub continuation: Option<String>,
    /// The store keeps no order: how far a page reaches says nothing, and only the token goes on.
    pub disordered: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    /// In bytes.
    pub size: i64,
    pub last_modified: Option<OffsetDateTime>,
    /// With its quotes, as S3 gives it.
    pub etag: Option<String>,
    pub storage_class: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMetadata {
    /// In bytes; `None` where the store does not say.
    pub size: Option<i64>,
    pub etag: Option<String>,
    pub content_type: Option<String>,
    /// How the stored bytes are encoded, like `gzip`.
    pub content_encoding: Option<String>,
    pub last_modified: Option<OffsetDateTime>,
    pub version_id: Option<String>,
    pub storage_class: Option<String>,
    /// The customer's own metadata (`x-amz-meta-…`).
    pub metadata: Vec<(String, String)>,
}

/// Conditions and range of a read, as in the HTTP headers of the same names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadConditions {
    /// An HTTP `Range` with one range, like `bytes=0-99`.
    pub range: Option<String>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    /// A version of the object; the present one where it is absent.
    pub version_id: Option<String>,
}

/// An object's content under way.
pub struct ObjectContent {
    pub metadata: ObjectMetadata,
    /// How many bytes the body has: of the range, where one was asked for. `None` where the store does not
    /// say: the body ends where it ends, and a break cannot be resumed.
    pub content_length: Option<u64>,
    /// `bytes 0-99/1234`, where a range was asked for and served.
    pub content_range: Option<String>,
    /// The bytes. Ends with an error when the transfer breaks, so a part never looks like a whole.
    pub body: BoxStream<'static, Result<Bytes, std::io::Error>>,
    /// Set where the body was cut off because its reader is too slow.
    pub cut: CutMark,
}

#[async_trait]
pub trait BucketRead: Send + Sync {
    /// One page of a listing.
    async fn list(&self, bucket: &ConnectedBucket, request: ListRequest) -> BucketResult<ListPage>;

    async fn head(&self, bucket: &ConnectedBucket, key: &ObjectKey)
    -> BucketResult<ObjectMetadata>;

    /// Begins to read an object.
    async fn get(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        conditions: &ReadConditions,
    ) -> BucketResult<ObjectContent>;

    /// Forgets the sessions of an owner: its connection has changed.
    async fn forget(&self, owner: &Owner);

    /// The owner is gone: forgets its sessions and makes no other, so nothing more is asked of AWS in its
    /// name, not even by what is under way.
    async fn end(&self, owner: &Owner);
}
