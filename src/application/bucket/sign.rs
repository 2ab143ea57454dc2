//! URLs that let whoever holds them use one object for a while.

use crate::application::bucket::read::BucketResult;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use std::time::Duration;
use time::OffsetDateTime;

/// What the URLs of one call let their holder do, and with which objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedCall {
    /// Reads the objects, or their headers alone.
    Read {
        method: ReadMethod,
        objects: Vec<(ObjectKey, SignedResponse)>,
        /// The `Range` that each request must carry.
        range: Option<String>,
    },
    /// Stores objects, all of the same kind.
    Put {
        keys: Vec<ObjectKey>,
        upload: SignedUpload,
    },
    Delete {
        keys: Vec<ObjectKey>,
    },
    /// Stores parts of an upload that has begun.
    Parts {
        key: ObjectKey,
        /// The store's own.
        upload_id: String,
        /// 1 to 10,000.
        numbers: Vec<u32>,
    },
}

impl SignedCall {
    /// How many URLs it has.
    pub fn count(&self) -> usize {
        match self {
            Self::Read { objects, .. } => objects.len(),
            Self::Put { keys, .. } | Self::Delete { keys } => keys.len(),
            Self::Parts { numbers, .. } => numbers.len(),
        }
    }
}

/// What a signed URL that reads is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadMethod {
    #[default]
    Get,
    Head,
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

/// What all URLs of a call have in common. A URL is
///
/// `base` + `key` + `?` + `own` + `query` + `signature` + `end`
///
/// where `key`, `own` and `signature` are its [`OwnParts`].
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CommonParts {
    pub base: String,
    pub query: String,
    pub end: String,
}

/// What a URL has for itself.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OwnParts {
    /// Percent-encoded.
    pub key: String,
    /// The beginning of its query, with the `&` that joins it; empty where that is the same for all.
    pub own: String,
    pub signature: String,
}

impl OwnParts {
    fn clear(&mut self) {
        self.key.clear();
        self.own.clear();
        self.signature.clear();
    }
}

/// Makes URLs one by one. Whatever can fail has been done before.
pub trait UrlMaker: Send {
    fn count(&self) -> usize;

    fn common(&self) -> &CommonParts;

    /// Writes the URL at a place below [`count`](Self::count) into parts that are empty.
    fn make(&mut self, at: usize, parts: &mut OwnParts);
}

/// The signed URLs of one call, in the order of what was signed. Each is made when it is wanted: ten
/// thousand of them take tens of megabytes.
pub struct SignedUrls {
    pub method: &'static str,
    /// Headers that each request must carry.
    pub headers: Vec<(String, String)>,
    /// When they really stop working: never later than the credentials that signed them.
    pub expires_at: OffsetDateTime,
    urls: Box<dyn UrlMaker>,
}

impl SignedUrls {
    pub fn new(
        method: &'static str,
        headers: Vec<(String, String)>,
        expires_at: OffsetDateTime,
        urls: Box<dyn UrlMaker>,
    ) -> Self {
        Self {
            method,
            headers,
            expires_at,
            urls,
        }
    }

    pub fn count(&self) -> usize {
        self.urls.count()
    }

    /// When the last of them stops working. `None`: there is none.
    pub fn end(&self) -> Option<OffsetDateTime> {
        (self.count() > 0).then_some(self.expires_at)
    }

    pub fn common(&self) -> &CommonParts {
        self.urls.common()
    }

    /// Makes the URL at a place below [`count`](Self::count), in place of what the parts hold.
    pub fn make(&mut self, at: usize, parts: &mut OwnParts) {
        parts.clear();
        self.urls.make(at, parts);
    }

    /// The first URL, where there is one.
    pub fn into_first(mut self) -> Option<SignedUrl> {
        if self.count() == 0 {
            return None;
        }
        let mut parts = OwnParts::default();
        self.make(0, &mut parts);
        let OwnParts {
            key,
            own,
            signature,
        } = &parts;
        let CommonParts { base, query, end } = self.common();
        Some(SignedUrl {
            url: format!("{base}{key}?{own}{query}{signature}{end}"),
            method: self.method,
            headers: self.headers,
            expires_at: self.expires_at,
        })
    }
}

impl std::fmt::Debug for SignedUrls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedUrls({} of {})", self.method, self.count())
    }
}

#[async_trait]
pub trait BucketSign: Send + Sync {
    /// Signs a URL for each object or part of the call, in their order, all with the same life and with
    /// credentials of the same session.
    async fn sign(
        &self,
        bucket: &ConnectedBucket,
        call: SignedCall,
        expires_in: Duration,
    ) -> BucketResult<SignedUrls>;
}
