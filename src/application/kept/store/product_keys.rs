//! Keys of the product.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::idempotency::KeptAnswer;
use crate::application::kept::store::values::{SecretHash, Window};
use crate::domain::ids::KeyId;
use crate::domain::people::product_key::ProductKey;
use async_trait::async_trait;
use std::collections::HashMap;

/// A secret is known by its hash only.
#[async_trait]
pub trait ProductKeyStore: Send + Sync {
    async fn create_product_key(
        &self,
        key: &ProductKey,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()>;
    async fn product_key(&self, id: &KeyId) -> StoreResult<Option<ProductKey>>;
    async fn list_product_keys(&self, window: &Window) -> StoreResult<Vec<ProductKey>>;
    /// The key with this hash, expired or not, as this process knows it: one that another process has deleted within
    /// the last second may still be found. `last_used_at` may be some minutes old.
    async fn product_key_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<ProductKey>>;
    /// The same for several, in one statement; those that are there.
    async fn product_keys_by_hashes(
        &self,
        hashes: &[SecretHash],
    ) -> StoreResult<HashMap<SecretHash, ProductKey>>;
    /// Removes it, with the links of every workspace that were made with it and the sessions that came of them: from
    /// now on none of these opens anything. False when there is none.
    async fn delete_product_key(&self, id: &KeyId) -> StoreResult<bool>;
}
