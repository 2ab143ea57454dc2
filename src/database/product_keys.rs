//! Keys of the product.

use crate::application::kept::store::{
    KeptAnswer, ProductKeyStore, SecretHash, StoreResult, Window,
};
use crate::database::engine::{Sql, Value, values};
use crate::database::idempotency::keep;
use crate::database::memory::Scope;
use crate::database::placeholders::placeholders;
use crate::database::record::{Record, stored_name};
use crate::database::{Database, after};
use crate::domain::ids::KeyId;
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::scope::Scopes;
use async_trait::async_trait;
use std::collections::HashMap;

pub(super) const BY_HASH: &str = "SELECT id, name, scopes, created_at, expires_at, last_used_at
    FROM product_keys WHERE hash = $1";

#[async_trait]
impl ProductKeyStore for Database {
    async fn create_product_key(
        &self,
        key: &ProductKey,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        tx.execute(
            "INSERT INTO product_keys (id, name, scopes, hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![
                key.id.as_str(),
                key.name.as_str(),
                key.scopes.to_text(),
                hash.as_slice(),
                key.created_at,
                key.expires_at,
            ],
        )
        .await?;
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn product_key(&self, id: &KeyId) -> StoreResult<Option<ProductKey>> {
        self.fetch_record(
            "product_keys",
            "SELECT id, name, scopes, created_at, expires_at, last_used_at
             FROM product_keys WHERE id = $1",
            values![id.as_str()],
            key,
        )
        .await
    }

    async fn list_product_keys(&self, window: &Window) -> StoreResult<Vec<ProductKey>> {
        self.fetch_records(
            "product_keys",
            "SELECT id, name, scopes, created_at, expires_at, last_used_at FROM product_keys
             WHERE id > $1 ORDER BY id LIMIT $2",
            values![after(window), window.limit],
            key,
        )
        .await
    }

    async fn product_key_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<ProductKey>> {
        let read = || self.fetch_record("product_keys", BY_HASH, values![hash.as_slice()], key);
        let room = &self.memory.rooms().keys;
        self.memory.of(room, hash, Scope::Product, read).await
    }

    async fn product_keys_by_hashes(
        &self,
        hashes: &[SecretHash],
    ) -> StoreResult<HashMap<SecretHash, ProductKey>> {
        let room = &self.memory.rooms().keys;
        let read = |unknown| by_hashes(self, unknown);
        self.memory.found_together(room, hashes, read).await
    }

    async fn delete_product_key(&self, id: &KeyId) -> StoreResult<bool> {
        // Links and sessions that it has made go with it, by their references.
        let deleted = self
            .execute(
                "DELETE FROM product_keys WHERE id = $1",
                values![id.as_str()],
            )
            .await?;
        Ok(deleted == 1)
    }
}

async fn by_hashes(
    database: &Database,
    hashes: Vec<SecretHash>,
) -> StoreResult<HashMap<SecretHash, ProductKey>> {
    let sql = format!(
        "SELECT id, name, scopes, created_at, expires_at, last_used_at, hash FROM product_keys
         WHERE hash IN ({})",
        placeholders(1, hashes.len())
    );
    let values = hashes.iter().map(|hash| Value::from(hash.as_slice()));
    let found = database
        .fetch_records(
            "product_keys",
            Sql::Built(sql),
            values.collect(),
            |record| {
                let hash = SecretHash::try_from(record.bytes("hash")?.as_slice())
                    .map_err(|error| record.damaged("hash", error))?;
                Ok((hash, key(record)?))
            },
        )
        .await?;
    Ok(found.into_iter().collect())
}

fn key(record: &Record) -> StoreResult<ProductKey> {
    Ok(ProductKey {
        id: record.parse("id", KeyId::parse)?,
        name: record.parse("name", stored_name)?,
        scopes: record.parse("scopes", Scopes::from_text)?,
        created_at: record.time("created_at")?,
        expires_at: record.time_opt("expires_at")?,
        last_used_at: record.time_opt("last_used_at")?,
    })
}
