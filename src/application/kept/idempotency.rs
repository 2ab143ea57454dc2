//! Requests that are done once, however often they are sent.
//!
//! A client names a request by an idempotency key. The first one with it is done; later ones with the
//! same content get the same answer. Only successful answers are kept: after a refusal or a failure the
//! same key may be tried again. Answers are kept sealed, because one may hold a new token.
//!
//! The answer is stored in the transaction of what the request makes ([`Keep`]), so whatever stops a request,
//! a repetition finds both or neither. A key is held by a lease, which its request renews while it works.
//! A request that loses its lease nevertheless, as in a process that stood still, makes nothing any more:
//! its transaction finds that the key is another's.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::kept::store::{
    HeldKey, Idempotency, KeptAnswer, KeyClaim, SecretHash, Store, StoreError, is_outcome_unknown,
};
use crate::application::kept::vault::{LOST, Purpose, Vault};
use crate::domain::Invalid;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long an answer is kept.
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a key is held after its last renewal. After a killed process, a repetition waits this long.
pub const LEASE: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long an older version of the service holds a key, which has no lease.
const STALE_AFTER: Duration = Duration::from_secs(60);
/// How often, and how many times, a request that waits asks for the first one's answer.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
const LOOKS: u32 = 100;

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
pub enum BegunRequest {
    /// Do it, and store its answer with what it makes.
    First(Held),
    /// It was done; this was the answer.
    Done(Vec<u8>),
}

/// Requests that are done once.
pub struct IdempotentRequests {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
}

/// A request that holds its key. One that is dropped, as in a panic, holds it for at most [`LEASE`] more.
#[must_use = "the key is held until the answer is kept or the key is given back"]
pub struct Held {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    key: HeldKey,
    renewal: JoinHandle<()>,
}

/// How a use case stores the answer to its request with what it makes: it calls [`answer`](Self::answer)
/// before it stores anything, and gives the result to the store.
pub struct Keep<'a, T> {
    held: Option<&'a Held>,
    render: Option<Render<'a, T>>,
}

/// Turns what will be made into the answer.
type Render<'a, T> = &'a (dyn Fn(&T) -> Result<Vec<u8>> + Sync);

impl<'a, T> Keep<'a, T> {
    /// The answer is kept where the request holds a key, and only rendered otherwise.
    pub fn new(held: Option<&'a Held>, render: Render<'a, T>) -> Self {
        let render = Some(render);
        Self { held, render }
    }

    /// No answer is kept.
    pub fn nothing() -> Self {
        Self {
            held: None,
            render: None,
        }
    }

    /// Renders the answer, so that nothing is left to fail when `made` is stored.
    pub fn answer(&self, made: &T) -> Result<Option<KeptAnswer>> {
        let Some(render) = self.render else {
            return Ok(None);
        };
        let answer = render(made)?;
        self.held.map(|held| held.seal(&answer)).transpose()
    }
}

impl IdempotentRequests {
    /// Begins a request, unless one with its key is done or under way. One that is under way is refused
    /// with the code `idempotency_key_in_progress`.
    pub async fn begin(&self, once: Once) -> Result<BegunRequest> {
        let now = self.clock.now();
        let claim = KeyClaim {
            scope: &once.scope,
            key: &once.key.0,
            fingerprint: &once.fingerprint,
            now,
            held_until: now + LEASE,
            stale_before: now - STALE_AFTER,
            forget_before: now - RETENTION,
        };
        let begun = self.store.begin_idempotent(&claim).await;
        // Nothing but the key may have been taken, and that ends with its lease.
        let begun = begun.map_err(|error| match error {
            StoreError::OutcomeUnknown(why) => StoreError::Unavailable(why),
            definite => definite,
        });
        match begun? {
            Idempotency::Started => {
                let key = HeldKey {
                    scope: once.scope,
                    key: once.key.0,
                    since: now,
                };
                Ok(BegunRequest::First(self.hold(key)))
            }
            Idempotency::InProgress => Err(Error::new(
                Kind::Conflict,
                "idempotency_key_in_progress",
                "A request with this idempotency key is being worked on.",
            )
            .because(Reason::KeyInProgress)
            .remedy("Repeat it in a moment, to get its answer.")
            .retry_after(Duration::from_secs(1))),
            Idempotency::Answered { fingerprint, .. } if fingerprint != once.fingerprint => {
                Err(Error::new(
                    Kind::Unprocessable,
                    "idempotency_key_reused",
                    "This idempotency key was used for a request with another body, by a caller with another role, or for another person.",
                )
                .remedy("Use a new key for each new request."))
            }
            Idempotency::Answered { sealed_answer, .. } => {
                let opened = self.vault.open(
                    Purpose::IdempotentAnswer,
                    &place(&once.scope, &once.key.0),
                    &sealed_answer,
                );
                match opened {
                    Ok(answer) if answer != LOST => Ok(BegunRequest::Done(answer)),
                    Ok(_) | Err(_) => Err(answer_lost()),
                }
            }
        }
    }

    /// Keeps the answer to a request that stores nothing else: what it makes has no row.
    pub async fn keep_alone<T>(&self, keep: Keep<'_, T>, made: &T) -> Result<()> {
        match keep.answer(made)? {
            Some(answer) => Ok(self.store.answer_idempotent(&answer).await?),
            None => Ok(()),
        }
    }

    /// The same, waiting for the answer of a request that is under way.
    pub async fn begin_or_wait(&self, once: Once) -> Result<BegunRequest> {
        for _ in 0..LOOKS {
            match self.begin(once.clone()).await {
                Err(error) if error.reason == Some(Reason::KeyInProgress) => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                other => return other,
            }
        }
        self.begin(once).await
    }

    fn hold(&self, key: HeldKey) -> Held {
        let renewal = renew(self.store.clone(), self.clock.clone(), key.clone());
        Held {
            store: self.store.clone(),
            vault: self.vault.clone(),
            key,
            renewal: tokio::spawn(renewal),
        }
    }
}

/// Renews the lease until the key is answered, or another's.
async fn renew(store: Arc<dyn Store>, clock: Arc<dyn Clock>, key: HeldKey) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match store.renew_idempotent(&key, clock.now() + LEASE).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "a lease on an idempotency key was not renewed"),
        }
    }
}

impl Held {
    fn seal(&self, answer: &[u8]) -> Result<KeptAnswer> {
        let place = place(&self.key.scope, &self.key.key);
        Ok(KeptAnswer {
            held: self.key.clone(),
            sealed: self.vault.seal(Purpose::IdempotentAnswer, &place, answer)?,
        })
    }

    /// Gives the key back after a request that failed. Where it may have made something nevertheless, the key
    /// stays held until its lease ends: then the database knows what became of it.
    pub async fn give_back(self, failed_with: &Error) {
        if is_outcome_unknown(failed_with) {
            return;
        }
        if let Err(error) = self.store.abandon_idempotent(&self.key).await {
            tracing::warn!(%error, "an idempotency key was not given back; its lease ends by itself");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// The request was done, and nobody can read its answer: done again, it would be done twice.
fn answer_lost() -> Error {
    Error::new(
        Kind::Conflict,
        "kept_response_lost",
        "The request with this idempotency key was done, and its response cannot be read any more: the key that it was encrypted with was lost. Nothing was done again.",
    )
    .remedy("Look for what the request made, in the list of its kind. To make another one, use a new key.")
}

/// What a kept answer is sealed for.
fn place(scope: &str, key: &str) -> Vec<u8> {
    // Neither part has a newline in it: the key is visible ASCII, the scope a path.
    format!("{scope}\n{key}").into_bytes()
}
