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
use std::sync::{Arc, OnceLock};

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

pub struct Authenticator {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Unknown until the database was reached for the first time, unless it comes from the settings.
    operator: OnceLock<SecretHash>,
}

impl Authenticator {
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        operator: Option<&SecretString>,
    ) -> Self {
        let known = OnceLock::new();
        if let Some(token) = operator {
            known.get_or_init(|| sha256(token.expose_secret().as_bytes()));
        }
        Self {
            store,
            clock,
            operator: known,
        }
    }

    /// Finds out the operator's token. `Some` is a token made just now, to be shown once.
    pub async fn prepare(&self) -> Result<Option<SecretString>> {
        if self.operator.get().is_some() {
            return Ok(None);
        }
        let (secret, hash) = new_token()?;
        let kept = self.store.remember("operator_token_hash", &hash).await?;
        let kept = SecretHash::try_from(kept.as_slice())
            .map_err(|_| Error::bug("the stored hash of the operator's token is damaged"))?;
        let made = kept == hash;
        self.operator.get_or_init(|| kept);
        Ok(made.then_some(secret))
    }

    /// The caller with this token. Unknown, expired and revoked ones are refused alike.
    pub async fn caller(&self, token: &str) -> Result<Caller> {
        let hash = sha256(token.as_bytes());
        if let Some(operator) = self.operator.get()
            && constant_time::verify_slices_are_equal(operator, &hash).is_ok()
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
