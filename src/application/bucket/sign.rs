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
    /// Stores the object. The upload must have this `Content-Type`; any where it is absent.
    Put {
        content_type: Option<String>,
        /// The upload must ask for this ACL; for none where it is absent.
        acl: Option<CannedAcl>,
    },
    Delete,
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
