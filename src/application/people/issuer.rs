//! What is asked of an issuer of tokens, and its keys: read when they are needed, kept for an hour, and read again,
//! at most twice a minute, when a token is signed by a key that is not among them.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind};
use crate::application::people::key_set::KeySet;
use crate::domain::people::claims::{Claims, Refused};
use async_trait::async_trait;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use url::Url;

/// How long what an issuer publishes is used without asking again.
pub const FRESH: Duration = Duration::from_secs(3_600);
/// How long nothing is asked again after it was asked.
pub const PAUSE: Duration = Duration::from_secs(30);
/// The same where nothing is there to go on with.
const SHORT_PAUSE: Duration = Duration::from_secs(2);

/// Where a document of an issuer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentPlace {
    Url(Url),
    /// A file of this machine.
    File(PathBuf),
}

/// A request to an issuer's token endpoint.
pub struct TokenRequest<'a> {
    pub url: &'a Url,
    pub fields: Vec<(&'static str, &'a str)>,
    /// The name and the secret for HTTP Basic, encoded already.
    pub basic: Option<(String, SecretString)>,
}

/// What a token endpoint answered.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Why an issuer did not answer as it should: for the log, not for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer(pub String);

/// Speaks with issuers. Answers are at most 256 KiB, and come within 10 seconds.
#[async_trait]
pub trait IssuerClient: Send + Sync {
    /// The text of a document.
    async fn document(&self, place: &DocumentPlace) -> Result<Vec<u8>, NoAnswer>;
    /// The answer of a token endpoint, whatever its status.
    async fn tokens(&self, request: TokenRequest<'_>) -> Result<Reply, NoAnswer>;
    /// What a userinfo endpoint says of the person whose access token this is.
    async fn userinfo(&self, url: &Url, token: &SecretString) -> Result<Vec<u8>, NoAnswer>;
}

/// Why a token's claims are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotVerified {
    Refused(Refused),
    /// There are no keys to verify it with.
    NoKeys(NoAnswer),
}

/// An issuer's keys, as this process knows them.
pub struct IssuerKeys {
    client: Arc<dyn IssuerClient>,
    clock: Arc<dyn Clock>,
    /// One request reads them, and the others wait for it.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    place: Option<DocumentPlace>,
    keys: Option<Arc<KeySet>>,
    read_at: Option<OffsetDateTime>,
    tried_at: Option<OffsetDateTime>,
}

impl IssuerKeys {
    pub fn new(client: Arc<dyn IssuerClient>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            kept: Mutex::default(),
        }
    }

    /// The claims of a token that one of the keys at this place has signed. They are not checked yet.
    pub async fn verify(&self, place: &DocumentPlace, token: &str) -> Result<Claims, NotVerified> {
        let keys = self.present(place).await.map_err(NotVerified::NoKeys)?;
        let refused = match keys.verify(token) {
            Ok(claims) => return Ok(claims),
            Err(refused) => refused,
        };
        // The issuer may have changed its keys since.
        let may_be_newer = matches!(refused, Refused::UnknownKey | Refused::Signature);
        match may_be_newer {
            true => match self.newer(place, &keys).await {
                Some(keys) => keys.verify(token).map_err(NotVerified::Refused),
                None => Err(NotVerified::Refused(refused)),
            },
            false => Err(NotVerified::Refused(refused)),
        }
    }

    /// Reads the keys now.
    pub async fn load(&self, place: &DocumentPlace) -> Result<(), NoAnswer> {
        let mut kept = self.kept.lock().await;
        self.read(&mut kept, place).await.map(drop)
    }

    async fn present(&self, place: &DocumentPlace) -> Result<Arc<KeySet>, NoAnswer> {
        let mut kept = self.kept.lock().await;
        if kept.place.as_ref() != Some(place) {
            *kept = Kept {
                place: Some(place.clone()),
                ..Kept::default()
            };
        }
        let now = self.clock.now();
        let is_within =
            |at: Option<OffsetDateTime>, time: Duration| at.is_some_and(|at| now < at + time);
        match kept.keys.clone() {
            Some(keys) if is_within(kept.read_at, FRESH) || is_within(kept.tried_at, PAUSE) => {
                Ok(keys)
            }
            // The known ones are better than none while the issuer does not answer.
            Some(keys) => Ok(self.read(&mut kept, place).await.unwrap_or(keys)),
            None if is_within(kept.tried_at, SHORT_PAUSE) => Err(NoAnswer(
                "the keys could not be read a moment ago".to_owned(),
            )),
            None => self.read(&mut kept, place).await,
        }
    }

    /// Keys that were read after these. `None`: there are none, or they were asked for a moment ago.
    async fn newer(&self, place: &DocumentPlace, known: &Arc<KeySet>) -> Option<Arc<KeySet>> {
        let mut kept = self.kept.lock().await;
        if let Some(keys) = &kept.keys
            && !Arc::ptr_eq(keys, known)
        {
            return Some(keys.clone());
        }
        let now = self.clock.now();
        if kept.tried_at.is_some_and(|at| now < at + PAUSE) {
            return None;
        }
        self.read(&mut kept, place).await.ok()
    }

    async fn read(&self, kept: &mut Kept, place: &DocumentPlace) -> Result<Arc<KeySet>, NoAnswer> {
        let now = self.clock.now();
        kept.tried_at = Some(now);
        let read = match self.client.document(place).await {
            Ok(text) => KeySet::parse(&text).map_err(NoAnswer),
            Err(error) => Err(error),
        };
        match read {
            Ok(keys) => {
                let keys = Arc::new(keys);
                kept.place = Some(place.clone());
                kept.keys = Some(keys.clone());
                kept.read_at = Some(now);
                Ok(keys)
            }
            Err(error) => {
                tracing::warn!(place = ?place, cause = error.0, "an issuer's keys cannot be read");
                Err(error)
            }
        }
    }
}

/// The answer where an issuer does not do its part.
pub fn unavailable(cause: &NoAnswer) -> Error {
    Error::new(
        Kind::Unavailable,
        "issuer_unavailable",
        "The service that signs people in does not answer as it should.",
    )
    .remedy("Try again in a moment. If the problem persists, tell the operator of this service.")
    .retry_after(SHORT_PAUSE)
    .internal(&cause.0)
}
