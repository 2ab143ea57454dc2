//! Requests that are done once, however often they are sent.
//!
//! A client names a request by an idempotency key. The first one with it is done; later ones with the
//! same content get the same answer. Only successful answers are kept: after a refusal or a failure the
//! same key may be tried again. Answers are kept sealed, because one may hold a new token.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{Idempotency, SecretHash, Store};
use crate::application::kept::vault::{Purpose, Vault};
use crate::domain::Invalid;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer is kept.
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// After this time a request that was never answered, as in a killed process, no longer holds its key.
pub const STALE_AFTER: Duration = Duration::from_secs(60);
/// How often, and how many times, a request that waits asks for the first one's answer.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
const LOOKS: u32 = 100;
const IN_PROGRESS: &str = "idempotency_key_in_progress";

/// A client's name for one request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn parse(text: &[u8]) -> std::result::Result<Self, Invalid> {
        if (1..=255).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic) {
            Ok(Self(String::from_utf8_lossy(text).into_owned()))
        } else {
            Err(Invalid::new(
                "invalid_idempotency_key",
                "An idempotency key has 1 to 255 visible ASCII characters, like a UUID.",
            ))
        }
    }
}

/// One request: who sends what to where (`scope`), its key, and the hash of its content.
#[derive(Debug, Clone)]
pub struct Once {
    pub scope: String,
    pub key: IdempotencyKey,
    pub fingerprint: SecretHash,
}

/// What to do with a request.
pub enum BegunRequest<'a> {
    /// Do it, then say what came of it.
    First(Held<'a>),
    /// It was done; this was the answer.
    Done(Vec<u8>),
}

/// Requests that are done once.
pub struct IdempotentRequests {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
}

/// A request that holds its key. One that is dropped, as in a panic, holds it for [`STALE_AFTER`].
#[must_use = "the key is held until the answer is kept or the key is given back"]
pub struct Held<'a> {
    requests: &'a IdempotentRequests,
    once: Once,
}

impl IdempotentRequests {
    /// Begins a request, unless one with its key is done or under way. One that is under way is refused
    /// with the code `idempotency_key_in_progress`.
    pub async fn begin(&self, once: Once) -> Result<BegunRequest<'_>> {
        match self.state(&once).await? {
            Some(answer) => Ok(BegunRequest::Done(answer)),
            None => Ok(BegunRequest::First(Held {
                requests: self,
                once,
            })),
        }
    }

    /// The same, waiting for the answer of a request that is under way.
    pub async fn begin_or_wait(&self, once: Once) -> Result<BegunRequest<'_>> {
        for _ in 0..LOOKS {
            match self.begin(once.clone()).await {
                Err(error) if error.code == IN_PROGRESS => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                other => return other,
            }
        }
        self.begin(once).await
    }

    /// The kept answer; `None` where this request is the first and now holds the key.
    async fn state(&self, once: &Once) -> Result<Option<Vec<u8>>> {
        let now = self.clock.now();
        let known = self
            .store
            .begin_idempotent(
                &once.scope,
                &once.key.0,
                &once.fingerprint,
                now,
                now - STALE_AFTER,
                now - RETENTION,
            )
            .await?;
        match known {
            Idempotency::Started => Ok(None),
            Idempotency::InProgress => Err(Error::new(
                Kind::Conflict,
                "idempotency_key_in_progress",
                "A request with this idempotency key is being worked on.",
            )
            .remedy("Repeat it in a moment, to get its answer.")
            .retry_after(Duration::from_secs(1))),
            Idempotency::Answered { fingerprint, .. } if fingerprint != once.fingerprint => {
                Err(Error::new(
                    Kind::Unprocessable,
                    "idempotency_key_reused",
                    "This idempotency key was used for a request with another body.",
                )
                .remedy("Use a new key for each new request."))
            }
            Idempotency::Answered { sealed_answer, .. } => self
                .vault
                .open(Purpose::IdempotentAnswer, &once.place(), &sealed_answer)
                .map(Some)
                .map_err(|error| Error::bug(format!("a stored answer: {error}"))),
        }
    }
}

impl Held<'_> {
    /// Keeps the answer of the request, which was done. A failure goes to the log: the change is made
    /// and the client shall know, although a repetition would make it again.
    pub async fn keep(self, answer: &[u8]) {
        let Self { requests, once } = self;
        let kept = async {
            let sealed = requests
                .vault
                .seal(Purpose::IdempotentAnswer, &once.place(), answer)?;
            requests
                .store
                .answer_idempotent(&once.scope, &once.key.0, &sealed)
                .await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = kept.await {
            tracing::error!(cause = error.internal, "an idempotent answer was not kept");
        }
    }

    /// Gives the key back after a request that changed nothing.
    pub async fn give_back(self) -> Result<()> {
        let Self { requests, once } = self;
        let store = &requests.store;
        Ok(store.abandon_idempotent(&once.scope, &once.key.0).await?)
    }
}

impl Once {
    fn place(&self) -> Vec<u8> {
        // Neither part has a newline in it: the key is visible ASCII, the scope a path.
        format!("{}\n{}", self.scope, self.key.0).into_bytes()
    }
}
