//! Whether the database is there, and the few values of the service itself that are kept by their names.

use crate::application::kept::store::{Store, StoreError, StoreResult};
use crate::database::engine::values;
use crate::database::memory::Scope;
use crate::database::record::Record;
use crate::database::{Database, wait};
use async_trait::async_trait;
use std::time::Duration;

/// How long a call waits that asks only whether the database is there.
const PING_LIMIT: Duration = Duration::from_secs(3);

#[async_trait]
impl Store for Database {
    async fn ping(&self) -> StoreResult<()> {
        let asked = self.fetch_all("SELECT 1", values![]);
        wait(PING_LIMIT, "no answer", asked).await.map(drop)
    }

    async fn remember(&self, name: &str, value: &[u8]) -> StoreResult<Vec<u8>> {
        self.execute(
            "INSERT INTO remembered (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            values![name, value],
        )
        .await?;
        let rows = self
            .fetch_all(
                "SELECT value FROM remembered WHERE name = $1",
                values![name],
            )
            .await?;
        match rows.into_iter().next() {
            Some(row) => Record::named(format!("remembered/{name}"), row).bytes("value"),
            None => Err(StoreError::Failed(format!("`{name}` was not remembered"))),
        }
    }

    async fn remembered(&self, name: &str) -> StoreResult<Vec<(String, Vec<u8>)>> {
        // Names are constants of ours, so nothing in them needs escaping.
        let below = format!("{name}/%");
        let rows = self
            .fetch_all(
                "SELECT name, value FROM remembered WHERE name = $1 OR name LIKE $2 ORDER BY name",
                values![name, below],
            )
            .await?;
        rows.into_iter()
            .map(|row| {
                let record = Record::named(format!("remembered/{name}"), row);
                Ok((record.text("name")?, record.bytes("value")?))
            })
            .collect()
    }

    async fn known_remembered(&self, name: &str) -> StoreResult<Vec<(String, Vec<u8>)>> {
        let room = &self.memory.rooms().remembered;
        let key = name.to_owned();
        let read = || async { self.remembered(name).await.map(Some) };
        let found = self.memory.of(room, &key, Scope::Product, read).await?;
        Ok(found.unwrap_or_default())
    }

    async fn replace_remembered(&self, name: &str, value: &[u8]) -> StoreResult<()> {
        self.execute(
            "INSERT INTO remembered (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            values![name, value],
        )
        .await
        .map(drop)
    }

    async fn forget_remembered(&self, name: &str) -> StoreResult<()> {
        self.execute("DELETE FROM remembered WHERE name = $1", values![name])
            .await
            .map(drop)
    }
}
