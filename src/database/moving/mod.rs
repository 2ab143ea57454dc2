//! Workspaces that leave the database in a file, or come into it.
//!
//! Tables and columns are those of the schema itself, as in [`copy`](super::copy); [`plan`] says which of them move.

mod plan;
mod read;
mod write;

use crate::application::kept::store::{
    MovingStore, NotWritten, StoreError, StoreResult, WorkspaceReader, WorkspaceWriter,
};
use crate::database::engine::values;
use crate::database::moving::read::Reader;
use crate::database::moving::write::Writer;
use crate::database::record::Record;
use crate::database::tables::{Table, of_this_release};
use crate::database::{Database, migrations};
use crate::domain::ids::WorkspaceId;
use async_trait::async_trait;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

/// How many parts of a file are removed by one statement. Each has up to some hundred kilobytes.
const FORGOTTEN_AT_ONCE: u32 = 100;

/// The schema of this release does not change while it runs.
static TABLES: OnceCell<Arc<[Table]>> = OnceCell::const_new();

async fn tables() -> StoreResult<Arc<[Table]>> {
    let known = TABLES
        .get_or_try_init(|| async { of_this_release().await.map(Arc::from) })
        .await?;
    Ok(known.clone())
}

fn stored(position: u64) -> StoreResult<i64> {
    i64::try_from(position).map_err(|error| StoreError::Failed(error.to_string()))
}

#[async_trait]
impl MovingStore for Database {
    fn schema(&self) -> Vec<i64> {
        migrations::known().collect()
    }

    async fn read_workspace(
        &self,
        id: &WorkspaceId,
    ) -> StoreResult<Option<Box<dyn WorkspaceReader>>> {
        let reader = Reader::begin(self, tables().await?, id).await?;
        Ok(reader.map(|reader| Box::new(reader) as Box<dyn WorkspaceReader>))
    }

    async fn write_workspace(
        &self,
        id: &WorkspaceId,
    ) -> Result<Box<dyn WorkspaceWriter>, NotWritten> {
        let writer = Writer::begin(self, tables().await?, id).await?;
        Ok(Box::new(writer))
    }

    async fn keep_part(
        &self,
        import: &str,
        position: u64,
        sealed: &[u8],
        at: OffsetDateTime,
    ) -> StoreResult<()> {
        self.execute(
            "INSERT INTO moved_parts (import_id, position, sealed, created_at)
             VALUES ($1, $2, $3, $4)",
            values![import, stored(position)?, sealed, at],
        )
        .await
        .map(drop)
    }

    async fn kept_part(&self, import: &str, position: u64) -> StoreResult<Option<Vec<u8>>> {
        let rows = self
            .fetch_all(
                "SELECT sealed FROM moved_parts WHERE import_id = $1 AND position = $2",
                values![import, stored(position)?],
            )
            .await?;
        let row = rows.into_iter().next();
        row.map(|row| Record::named(format!("moved_parts/{import}"), row).bytes("sealed"))
            .transpose()
    }

    async fn forget_parts(&self, import: &str) -> StoreResult<()> {
        // A few at a time: what they are in is overwritten on SQLite, and others wait for each statement.
        loop {
            let removed = self
                .execute(
                    "DELETE FROM moved_parts WHERE (import_id, position) IN (
                         SELECT import_id, position FROM moved_parts WHERE import_id = $1 LIMIT $2)",
                    values![import, FORGOTTEN_AT_ONCE],
                )
                .await?;
            if removed < u64::from(FORGOTTEN_AT_ONCE) {
                return Ok(());
            }
        }
    }
}
