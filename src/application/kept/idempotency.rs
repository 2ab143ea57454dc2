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
use std::time::Duration;

/// How long an answer is kept.
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// After this time a request that was never answered, as in a killed process, no longer holds its key.
pub const STALE_AFTER: Duration = Duration::from_secs(60);

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
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Do it, then [`finish`] or [`abandon`].
    First,
    /// It was done; this was the answer.
    Done(Vec<u8>),
}

pub async fn begin(
    store: &dyn Store,
    vault: &Vault,
    clock: &dyn Clock,
    once: &Once,
) -> Result<Begun> {
    let now = clock.now();
    let known = store
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
        Idempotency::Started => Ok(Begun::First),
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
        Idempotency::Answered { sealed_answer, .. } => vault
            .open(Purpose::IdempotentAnswer, &once.place(), &sealed_answer)
            .map(Begun::Done)
            .map_err(|error| Error::bug(format!("a stored answer: {error}"))),
    }
}

/// Keeps the answer of a request that was done.
pub async fn finish(store: &dyn Store, vault: &Vault, once: &Once, answer: &[u8]) -> Result<()> {
    let sealed = vault.seal(Purpose::IdempotentAnswer, &once.place(), answer)?;
    store
        .answer_idempotent(&once.scope, &once.key.0, &sealed)
        .await?;
    Ok(())
}

/// Gives the key back after a request that changed nothing.
pub async fn abandon(store: &dyn Store, once: &Once) -> Result<()> {
    Ok(store.abandon_idempotent(&once.scope, &once.key.0).await?)
}

impl Once {
    fn place(&self) -> Vec<u8> {
        // Neither part has a newline in it: the key is visible ASCII, the scope a path.
        format!("{}\n{}", self.scope, self.key.0).into_bytes()
    }
}
