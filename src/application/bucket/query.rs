//! Read-only queries: metadata in full, versions, ACLs, the Region, the account's buckets.

use crate::application::bucket::read::{BucketResult, ObjectMetadata};
use crate::domain::connection::ConnectedBucket;
use crate::domain::connection::region::Region;
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use async_trait::async_trait;
use time::OffsetDateTime;

/// Everything that S3 reports about an object, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectDetails {
    pub metadata: ObjectMetadata,
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub encryption: Option<String>,
    pub kms_key_id: Option<String>,
    /// By S3's names, like `crc32`, in base64. Of an object uploaded in parts, S3 may have a checksum of
    /// the parts' checksums, which ends in `-` and their number.
    pub checksums: Vec<(&'static str, String)>,
    pub archive: Archive,
    pub headers: KeptHeaders,
    /// How many values of the customer's own metadata the store has and cannot send in headers
    /// (`x-amz-missing-meta`; S3 API reference, HeadObject).
    pub missing_metadata: u32,
}

/// The headers of HTTP that are kept with an object besides its type and coding, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptHeaders {
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_language: Option<String>,
    pub expires: Option<String>,
}

/// Whether an object can be read now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Archive {
    /// It must be restored before it can be read.
    pub archived: bool,
    pub restore: Option<Restore>,
}

/// A restoration of an archived object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restore {
    InProgress,
    /// Readable until then.
    Until(Option<OffsetDateTime>),
}

/// A version of an object, or a delete marker among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    pub version_id: String,
    pub is_latest: bool,
    /// The object was deleted here; its earlier versions are still there.
    pub is_delete_marker: bool,
    /// In bytes; 0 for a delete marker.
    pub size: i64,
    pub last_modified: Option<OffsetDateTime>,
    pub etag: Option<String>,
    pub storage_class: Option<String>,
}

/// A page of an object's versions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionPage {
    pub versions: Vec<ObjectVersion>,
    /// The version to go on after; `None` on the last page.
    pub after: Option<String>,
}

/// A bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBucket {
    pub name: String,
    pub region: Option<String>,
    pub created_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketPage {
    pub buckets: Vec<AccountBucket>,
    /// S3's own token for the next page; `None` on the last one.
    pub continuation: Option<String>,
}

/// Folders of a bucket, in a page that may have none although others follow: S3 counts files too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderNames {
    /// Common prefixes, each ending in a slash.
    pub folders: Vec<String>,
    /// The token for the next page; `None` on the last one.
    pub continuation: Option<String>,
}

/// Who has which permission on an object, by its ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// A canonical user's ID, or a group's URI.
    pub grantee: String,
    /// `FULL_CONTROL`, `READ`, `READ_ACP`, `WRITE_ACP`.
    pub permission: String,
}

#[async_trait]
pub trait BucketQuery: Send + Sync {
    /// The present object, or a version of it.
    async fn details(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        version_id: Option<&str>,
    ) -> BucketResult<ObjectDetails>;

    async fn versions(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        page_size: u32,
        after: Option<&str>,
    ) -> BucketResult<VersionPage>;

    async fn acl(&self, bucket: &ConnectedBucket, key: &ObjectKey) -> BucketResult<Vec<Grant>>;

    /// Where the bucket is, asked of S3.
    async fn location(&self, bucket: &ConnectedBucket) -> BucketResult<Region>;

    /// A page of the folders below these beginnings of keys, wherever in the bucket. Not for storages: what they
    /// list is below their prefix.
    async fn folders(
        &self,
        bucket: &ConnectedBucket,
        below: &ObjectKeyPrefix,
        page_size: u32,
        continuation: Option<&str>,
    ) -> BucketResult<FolderNames>;

    /// The buckets of the account that the connection's credentials belong to.
    async fn account_buckets(
        &self,
        bucket: &ConnectedBucket,
        page_size: u32,
        continuation: Option<&str>,
    ) -> BucketResult<BucketPage>;
}
