//! Who holds a bearer token.
//!
//! Tokens have 256 bits of randomness, so their SHA-256 is enough to keep: there is nothing to
//! guess. A workspace token is found by its hash, which takes about the same time whatever it is; the
//! operator's is compared in constant time.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{SecretHash, Store};
use crate::application::kept::vault::{random_bytes, sha256};
use crate::application::people::caller::{Caller, Credential, Member};
use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What every token that the service makes starts with, so secret scanners find a leaked one.
pub const TOKEN_PREFIX: &str = "spt_";

/// A new token: the secret for its holder, and the hash to keep.
pub fn new_token() -> Result<(SecretString, SecretHash)> {
    let secret = format!(
        "{TOKEN_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(random_bytes::<32>()?)
    );
    let hash = sha256(secret.as_bytes());
    Ok((secret.into(), hash))
}

/// Where the service keeps the hash of the operator's token that it made.
const OPERATOR: &str = "operator_token_hash";
/// How long a token of the operator's that was replaced may still be taken.
const REREAD_AFTER: Duration = Duration::from_secs(5);

pub struct Authenticator {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    operator: OperatorToken,
}

/// How the operator's token is known.
enum OperatorToken {
    /// From the settings.
    Given(SecretHash),
    /// From the database, where another process may replace it. `None` until the database was reached for
    /// the first time.
    Kept(Mutex<Option<KeptHash>>),
}

#[derive(Clone, Copy)]
struct KeptHash {
    hash: SecretHash,
    read_at: Instant,
}

/// Replaces the token that the service made for the operator. Running services take the new one, and refuse
/// the old one, within seconds.
pub async fn replace_operator_token(store: &dyn Store) -> Result<SecretString> {
    let (secret, hash) = new_token()?;
    store.replace_remembered(OPERATOR, &hash).await?;
    Ok(secret)
}

impl Authenticator {
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        operator: Option<&SecretString>,
    ) -> Self {
        let operator = match operator {
            Some(token) => OperatorToken::Given(sha256(token.expose_secret().as_bytes())),
            None => OperatorToken::Kept(Mutex::default()),
        };
        Self {
            store,
            clock,
            operator,
        }
    }

    /// Finds out the operator's token. `Some` is a token made just now, to be shown once.
    pub async fn prepare(&self) -> Result<Option<SecretString>> {
        let OperatorToken::Kept(slot) = &self.operator else {
            return Ok(None);
        };
        let (secret, hash) = new_token()?;
        let kept = parse_hash(&self.store.remember(OPERATOR, &hash).await?)?;
        set(slot, kept);
        Ok((kept == hash).then_some(secret))
    }

    /// The hash of the operator's token, as it is now.
    async fn operator(&self) -> Option<SecretHash> {
        let slot = match &self.operator {
            OperatorToken::Given(hash) => return Some(*hash),
            OperatorToken::Kept(slot) => slot,
        };
        let known = *slot.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known?;
        if known.read_at.elapsed() < REREAD_AFTER {
            return Some(known.hash);
        }
        // Others take the known one while this request reads it again.
        set(slot, known.hash);
        match self.store.remembered(OPERATOR).await {
            Ok(kept) => {
                let kept = kept.first().and_then(|(_, hash)| parse_hash(hash).ok());
                if let Some(hash) = kept {
                    set(slot, hash);
                }
                kept
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read the operator's token again");
                Some(known.hash)
            }
        }
    }

    /// The caller with this token. Unknown, expired and revoked ones are refused alike.
    pub async fn caller(&self, token: &str) -> Result<Caller> {
        let hash = sha256(token.as_bytes());
        if let Some(operator) = self.operator().await
            && constant_time::verify_slices_are_equal(&operator, &hash).is_ok()
        {
            return Ok(Caller::Operator);
        }
        let token = self
            .store
            .token_by_hash(&hash)
            .await?
            .filter(|t| t.expires_at.is_none_or(|end| end > self.clock.now()))
            .ok_or_else(|| {
                Error::new(
                    Kind::Unauthenticated,
                    "unauthenticated",
                    "This token is unknown, expired or revoked.",
                )
            })?;
        Ok(Caller::Workspace(Member {
            workspace: token.workspace,
            role: token.role,
            credential: Credential::Token(token.id),
        }))
    }
}

fn set(slot: &Mutex<Option<KeptHash>>, hash: SecretHash) {
    let read_at = Instant::now();
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(KeptHash { hash, read_at });
}

fn parse_hash(kept: &[u8]) -> Result<SecretHash> {
    SecretHash::try_from(kept)
        .map_err(|_| Error::bug("the stored hash of the operator's token is damaged"))
}
