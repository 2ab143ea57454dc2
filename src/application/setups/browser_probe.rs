//! The check's further step, which a browser makes: it puts, reads and deletes a probe object by signed
//! URLs from the page's own origin. Only a browser shows what a browser is allowed to do.

use crate::application::bucket::port::Bucket;
use crate::application::bucket::sign::{
    ReadMethod, SignedCall, SignedResponse, SignedUpload, SignedUrl,
};
use crate::application::bucket::write::DeleteTarget;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::error::{Error, Result};
use crate::application::kept::vault::random_bytes;
use crate::application::people::caller::Admin;
use crate::application::setups::Setups;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::ids::SetupId;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long the probe's URLs work.
const LIFE: Duration = Duration::from_secs(120);

pub struct BrowserProbes {
    pub setups: Arc<Setups>,
    pub bucket: Arc<dyn Bucket>,
    pub explainer: Explainer,
}

/// Which probe object: 32 hexadecimal digits, so nothing else can be named by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeId(String);

impl ProbeId {
    fn generate() -> Result<Self> {
        let random = u128::from_be_bytes(random_bytes()?);
        Ok(Self(format!("{random:032x}")))
    }

    pub fn parse(text: &str) -> Result<Self> {
        let well_formed =
            text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match well_formed {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::not_found("probe")),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In this folder below the prefix, which the lifecycle document lets expire.
    fn key(&self, bucket: &ConnectedBucket, folder: &str) -> Result<ObjectKey> {
        let key = FileKey::parse(&format!("/{folder}sallyport-browser-{}", self.0))
            .map_err(|invalid| Error::field("prefix", invalid))?;
        bucket.key("prefix", &key)
    }
}

/// What the browser is to call, in this order.
#[derive(Debug, Clone)]
pub struct ProbeUrls {
    pub id: ProbeId,
    /// None for read access, and then `get` is of an object that does not exist.
    pub put: Option<SignedUrl>,
    pub get: SignedUrl,
    pub delete: Option<SignedUrl>,
}

impl BrowserProbes {
    /// The URLs of a new probe. Needs a passed check of the present settings, like the storage itself.
    pub async fn begin(&self, admin: &Admin, setup: &SetupId) -> Result<ProbeUrls> {
        let bucket = self.setups.passed_bucket(admin, setup).await?;
        let id = ProbeId::generate()?;
        let key = id.key(&bucket, self.folder())?;
        let (put, delete) = match bucket.connection.settings.access.writes() {
            true => {
                let keys = vec![key.clone()];
                let put = SignedCall::Put {
                    keys: keys.clone(),
                    upload: SignedUpload::default(),
                };
                let delete = SignedCall::Delete { keys };
                (
                    Some(self.sign(&bucket, put).await?),
                    Some(self.sign(&bucket, delete).await?),
                )
            }
            false => (None, None),
        };
        Ok(ProbeUrls {
            get: self.sign(&bucket, get(key)).await?,
            id,
            put,
            delete,
        })
    }

    /// The origin that the probe's URLs lead to, for the page's Content-Security-Policy.
    pub async fn origin(&self, admin: &Admin, setup: &SetupId) -> Result<String> {
        let bucket = self.setups.passed_bucket(admin, setup).await?;
        let key = ProbeId::generate()?.key(&bucket, self.folder())?;
        let signed = self.sign(&bucket, get(key)).await?;
        let url = Url::parse(&signed.url).map_err(Error::bug)?;
        Ok(url.origin().ascii_serialization())
    }

    /// Deletes what the browser could put and not delete.
    pub async fn clean_up(&self, admin: &Admin, setup: &SetupId, id: &ProbeId) -> Result<()> {
        let bucket = self.setups.passed_bucket(admin, setup).await?;
        let target = DeleteTarget {
            key: id.key(&bucket, self.folder())?,
            version_id: None,
        };
        let deleted = self.bucket.delete(&bucket, &target).await;
        self.explainer
            .explain(&bucket, FileOperation::Delete, deleted)
            .await
    }

    fn folder(&self) -> &str {
        self.setups.connections.lifecycle_folders.temp()
    }

    async fn sign(&self, bucket: &ConnectedBucket, call: SignedCall) -> Result<SignedUrl> {
        let operation = match call {
            SignedCall::Read { .. } => FileOperation::Read,
            SignedCall::Put { .. } | SignedCall::Parts { .. } => FileOperation::Upload,
            SignedCall::Delete { .. } => FileOperation::Delete,
        };
        let urls = self.bucket.sign(bucket, call, LIFE).await;
        let urls = self.explainer.explain(bucket, operation, urls).await?;
        urls.into_first()
            .ok_or_else(|| Error::bug("one key was signed as none"))
    }
}

fn get(key: ObjectKey) -> SignedCall {
    SignedCall::Read {
        method: ReadMethod::Get,
        objects: vec![(key, SignedResponse::default())],
        range: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_s_id_names_nothing_else() {
        let id = ProbeId::generate().unwrap();
        assert_eq!(ProbeId::parse(id.as_str()).unwrap(), id);
        for text in [
            "",
            "../secret",
            &id.as_str()[1..],
            &format!("{}x", id.as_str()),
        ] {
            assert!(ProbeId::parse(text).is_err(), "{text:?}");
        }
        assert!(ProbeId::parse(&"A".repeat(32)).is_err());
    }
}
