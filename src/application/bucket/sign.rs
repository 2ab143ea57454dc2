//! URLs that let whoever holds them use one object for a while.

use crate::application::bucket::read::BucketResult;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use std::time::Duration;
use time::OffsetDateTime;

/// What a signed URL lets its holder do with the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedMethod {
    Get(SignedResponse),
    Head(SignedResponse),
    /// Stores the object.
    Put(SignedUpload),
    Delete,
}

/// What the upload by a signed URL must be like. What is here is part of the URL's signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignedUpload {
    /// Its `Content-Type`; any where it is absent.
    pub content_type: Option<String>,
    /// The ACL that it asks for; none where it is absent.
    pub acl: Option<CannedAcl>,
    /// Its `Content-Length`, in bytes, up to 5 GiB; any where it is absent.
    pub size: Option<u64>,
    /// It sends `If-None-Match: *`: the store refuses it where there is an object with this key (S3 user
    /// guide, "How to prevent object overwrites with conditional writes").
    pub if_none_match: bool,
}

/// How a signed URL makes the store answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignedResponse {
    /// `Content-Type` of the answer; the object's own where absent.
    pub content_type: Option<String>,
    /// `Content-Disposition` of the answer.
    pub content_disposition: Option<String>,
    /// The `Range` that the request must carry.
    pub range: Option<String>,
}

/// A URL that gives whoever holds it one object for a while. A secret: `Debug` hides the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    pub url: String,
    pub method: &'static str,
    /// Headers that the request must carry.
    pub headers: Vec<(String, String)>,
    /// When it really stops working: never later than the credentials that signed it.
    pub expires_at: OffsetDateTime,
}

impl std::fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.url.split('?').next().unwrap_or_default();
        write!(f, "SignedUrl({} {shown}?…)", self.method)
    }
}

#[async_trait]
pub trait BucketSign: Send + Sync {
    /// Signs one URL for each key, in their order, all with the same life and with credentials of the
    /// same session.
    async fn sign(
        &self,
        bucket: &ConnectedBucket,
        keys: &[(ObjectKey, SignedMethod)],
        expires_in: Duration,
    ) -> BucketResult<Vec<SignedUrl>>;
}
