//! What the connection check needs from AWS: single questions, each with AWS's own answer.
//!
//! The use case decides what an answer means; an implementation only asks and classifies. No method
//! uses a cached session, and none retries a refusal.

use crate::application::bucket::read::ListedObject;
use crate::domain::aws_failure::{AwsFailure, ObjectLock};
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::origin::Origin;
use async_trait::async_trait;
use std::sync::Arc;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalIdSent {
    /// The connection's own.
    Own,
    /// None at all.
    Missing,
    /// A fresh random one, of the same form.
    Stranger,
    /// The connection's own with its last digit changed.
    NearMiss,
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
}

/// One CORS preflight's answer.
pub struct Preflight {
    pub origin: Origin,
    pub method: String,
    pub answer: Answer<bool>,
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

    /// The first objects below the prefix.
    async fn list(&self, owner: ExpectedOwner) -> Answer<Vec<ListedObject>>;

    /// Lists a folder as browsing does: with a delimiter, and nothing of what it finds is kept.
    async fn list_folder(&self, folder: &ObjectKeyPrefix) -> Answer<()>;

    /// The IDs of the versions of exactly this key, delete markers included. Those of a bucket without
    /// versions are left out.
    async fn versions(&self, key: &ObjectKey) -> Answer<Vec<String>>;

    /// The present version of an object. `None`: the bucket keeps none.
    async fn current_version(&self, key: &ObjectKey) -> Answer<Option<String>>;

    /// Reads the first byte of an object that was listed. The key is S3's own, from below the prefix.
    async fn read_listed(&self, key: &str) -> Answer<()>;

    /// Reads an object that does not exist.
    async fn read_absent(&self, key: &ObjectKey) -> Answer<()>;

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
    /// `Ok(true)`: it may.
    async fn preflight(&self, key: &ObjectKey, origin: &Origin, method: &str) -> Answer<bool>;
}

#[async_trait]
pub trait Prober: Send + Sync {
    /// Who the service is to AWS: asked once, then known.
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
