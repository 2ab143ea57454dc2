//! What the connection check needs from AWS: single questions, each with AWS's own answer.
//!
//! The use case decides what an answer means; an implementation only asks and classifies. No method
//! uses a cached session, and none retries a refusal.

use crate::application::bucket::read::ListedObject;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::object_key::ObjectKey;
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

/// Temporary (or the customer's own) credentials, for the probes of one check.
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

    /// Reads the first byte of an object that was listed. The key is S3's own, from below the prefix.
    async fn read_listed(&self, key: &str) -> Answer<()>;

    /// Reads an object that does not exist.
    async fn read_absent(&self, key: &ObjectKey) -> Answer<()>;

    async fn put(&self, key: &ObjectKey) -> Answer<()>;

    async fn delete(&self, key: &ObjectKey) -> Answer<()>;

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

    /// The probes of a connection that has an access key, or the service's own credentials.
    async fn with_key(&self, bucket: &ConnectedBucket) -> Result<Arc<dyn BucketProbe>, AwsFailure>;

    /// Forgets the sessions that file operations use in this owner's name, and what its role refused: a
    /// check has found out how things are now.
    async fn forget(&self, owner: &Owner);
}
