//! Keys of the product, managed by the operator.

use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{Store, Window};
use crate::application::people::secrets::{SecretKind, new_secret};
use crate::application::people::usage::UsageMeter;
use crate::domain::Invalid;
use crate::domain::ids::KeyId;
use crate::domain::names::Name;
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::scope::Scopes;
use secrecy::SecretString;
use std::sync::Arc;
use time::OffsetDateTime;

/// What a new key shall be.
pub struct NewKey {
    pub name: Name,
    pub scopes: Scopes,
    pub expires_at: Option<OffsetDateTime>,
}

/// A new key and its secret, which is given out once.
pub type CreatedKey = (ProductKey, SecretString);

/// Keys of the product: made, listed and deleted.
pub struct ProductKeys {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub usage: Arc<UsageMeter>,
}

impl ProductKeys {
    /// Makes a key. The secret is given out here and never again.
    pub async fn create(&self, new: NewKey, keep: Keep<'_, CreatedKey>) -> Result<CreatedKey> {
        let now = self.clock.now();
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::field(
                "expires_at",
                Invalid::new("invalid_expires_at", "`expires_at` must be in the future."),
            ));
        }
        let (secret, hash) = new_secret(SecretKind::ProductKey)?;
        let key = ProductKey {
            id: KeyId::generate(),
            name: new.name,
            scopes: new.scopes,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
        };
        let made = (key, secret);
        let answer = keep.answer(&made)?;
        self.store
            .create_product_key(&made.0, &hash, answer.as_ref())
            .await?;
        Ok(made)
    }

    pub async fn get(&self, id: &KeyId) -> Result<ProductKey> {
        self.usage.flush_uses().await?;
        let key = self.store.product_key(id).await?;
        key.ok_or_else(|| Error::not_found("key"))
    }

    pub async fn list(&self, window: &Window) -> Result<Vec<ProductKey>> {
        self.usage.flush_uses().await?;
        Ok(self.store.list_product_keys(window).await?)
    }

    /// Deletes a key: the next request with it is refused, and the next one of what was made with it: links, sessions
    /// that came of them, and tokens for browsers.
    pub async fn delete(&self, id: &KeyId) -> Result<()> {
        match self.store.delete_product_key(id).await? {
            true => Ok(()),
            false => Err(Error::not_found("key")),
        }
    }
}
