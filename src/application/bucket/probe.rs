//! What the connection check needs from AWS: single questions, each with AWS's own answer.
//!
//! The use case decides what an answer means; an implementation only asks and classifies. No method
//! uses a cached session, and none retries a refusal.

use crate::application::bucket::read::ListedObject;
use crate::domain::aws_failure::{AwsFailure, ObjectLock};
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::origin::OriginPattern;
use async_trait::async_trait;
use std::sync::Arc;
use time::OffsetDateTime;

/// How many objects of a listing the check looks at: enough to find one that can be read.
pub const LISTED: usize = 20;

/// A call's answer with what AWS said of it.
pub type Answer<T> = Result<Answered<T>, AwsFailure>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    pub value: T,
    pub operation: &'static str,
    pub http_status: Option<u16>,
    pub request_id: Option<String>,
    /// Where the bucket is, when the answer says.
    pub bucket_region: Option<Region>,
}

/// Which external ID an AssumeRole of the check carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalIdSent {
    /// The connection's own.
    Own,
    /// None at all.
    Missing,
    /// A fresh random one, of the same form.
    Stranger,
    /// The connection's own with its last digit changed.
    NearMiss,
    /// The connection's own in capitals.
    Capitals,
    /// That of another setup of the same workspace.
    OfOtherSetup(ExternalId),
}

/// An encryption that a write asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutEncryption {
    /// `AES256` (SSE-S3).
    S3,
    /// `aws:kms`, with the account's own key.
    Kms,
}

/// A CORS preflight, as it is sent.
#[derive(Debug, Clone, Copy)]
pub struct PreflightSent<'a> {
    /// The value of `Origin`. Not always one that a browser sends.
    pub origin: &'a str,
    pub method: &'a str,
    /// With the headers that an upload sends.
    pub with_headers: bool,
}

/// What a preflight was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preflighted {
    pub is_allowed: bool,
    /// A page may read the `ETag` of the answer.
    pub exposes_etag: bool,
}

/// Who the call says must own the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedOwner {
    Omit,
    /// The account that the connection names, or that of the role's ARN.
    Require,
}

/// What came back of the probe object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// Whether it is what was written, byte for byte.
    pub is_same: bool,
    pub size: u64,
    /// `x-amz-server-side-encryption`, where the store says it.
    pub encryption: Option<String>,
    /// The KMS key that it is encrypted with, where the store says it.
    pub kms_key: Option<String>,
    /// What is known of its lock: S3 says it to those who may read it.
    pub lock: ObjectLock,
    /// When a lifecycle rule of the bucket lets it expire: S3 says so with each object that one applies to (S3
    /// API reference, GetObject, `x-amz-expiration`).
    pub expires: Option<OffsetDateTime>,
}

/// One CORS preflight's answer.
pub struct Preflight {
    pub origin: OriginPattern,
    pub method: String,
    pub answer: Answer<Preflighted>,
}

#[async_trait]
pub trait BucketProbe: Send + Sync {
    /// Where the calls go. Starts at the connection's Region, or at the service's own.
    fn region(&self) -> Region;

    /// The same credentials, in another Region.
    fn in_region(&self, region: Region) -> Arc<dyn BucketProbe>;

    async fn location(&self, owner: ExpectedOwner) -> Answer<Region>;

    /// Asks the bucket itself (HeadBucket): any answer names the Region, a refusal included.
    async fn region_of_bucket(&self) -> Answer<()>;

    /// The first objects below the prefix: one more than [`LISTED`], because the probe object may be among them.
    async fn list(&self, owner: ExpectedOwner) -> Answer<Vec<ListedObject>>;

    /// Lists a folder as browsing does, with a delimiter: the first names, keys and folders, each with the prefix.
    async fn list_folder(&self, folder: &ObjectKeyPrefix) -> Answer<Vec<String>>;

    /// The IDs of the versions of exactly this key, delete markers included. Those of a bucket without
    /// versions are left out.
    async fn versions(&self, key: &ObjectKey) -> Answer<Vec<String>>;

    /// The present version of an object. `None`: the bucket keeps none.
    async fn current_version(&self, key: &ObjectKey) -> Answer<Option<String>>;

    /// Reads the first byte of an object that was listed. The key is S3's own, from below the prefix.
    async fn read_listed(&self, key: &str) -> Answer<()>;

    /// Reads an object that does not exist.
    async fn read_absent(&self, key: &ObjectKey) -> Answer<()>;

    /// Reads a version of an object that does not exist.
    async fn read_absent_version(&self, key: &ObjectKey) -> Answer<()>;

    /// Writes the probe object, and gives the ID of its version where the bucket keeps versions.
    /// `if_absent`: only where there is none.
    async fn put(&self, key: &ObjectKey, if_absent: bool) -> Answer<Option<String>>;

    /// Reads the probe object, whole.
    async fn read_back(&self, key: &ObjectKey) -> Answer<ReadBack>;

    /// Deletes an object, or a version of it. Gives the ID of the delete marker that this made.
    async fn delete(&self, key: &ObjectKey, version: Option<&str>) -> Answer<Option<String>>;

    /// Reads the ACL of an object that does not exist.
    async fn read_absent_acl(&self, key: &ObjectKey) -> Answer<()>;

    /// Changes the ACL of an object that does not exist.
    async fn write_absent_acl(&self, key: &ObjectKey) -> Answer<()>;

    /// Asks as a browser would whether a page of this origin may use the method (a CORS preflight).
    async fn preflight(&self, key: &ObjectKey, sent: PreflightSent<'_>) -> Answer<Preflighted>;

    /// The first objects below the prefix, with the agreement to pay for the request.
    async fn list_paying(&self) -> Answer<()>;

    /// Writes the probe object with an encryption of its own, and gives the ID of its version.
    async fn put_encrypted(
        &self,
        key: &ObjectKey,
        encryption: PutEncryption,
    ) -> Answer<Option<String>>;

    /// Names of the folders beside the prefix: those in the folder that it is in.
    async fn folders_beside(&self) -> Answer<Vec<String>>;
}

#[async_trait]
pub trait Prober: Send + Sync {
    /// Asks AWS who the service is.
    async fn identity(&self) -> Result<ServiceIdentity, AwsFailure>;

    /// Calls AssumeRole. The sessions of refusal probes that unexpectedly succeed are dropped at once.
    async fn assume_role(
        &self,
        bucket: &ConnectedBucket,
        sent: ExternalIdSent,
    ) -> Answer<Arc<dyn BucketProbe>>;

    /// Calls AssumeRole with the connection's own external ID at the STS of this Region. A session that S3
    /// does not know in the bucket's Region may be known when the Region's own STS made it.
    async fn assume_role_in(
        &self,
        bucket: &ConnectedBucket,
        region: Region,
    ) -> Answer<Arc<dyn BucketProbe>>;

    /// The probes of a connection that has an access key, or the service's own credentials.
    async fn with_key(&self, bucket: &ConnectedBucket) -> Result<Arc<dyn BucketProbe>, AwsFailure>;

    /// Forgets the sessions that file operations use in this owner's name, and what its role refused: a
    /// check has found out how things are now.
    async fn forget(&self, owner: &Owner);
}
