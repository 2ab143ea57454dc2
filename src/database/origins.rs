//! The web origins that workspaces allow.

use crate::application::kept::store::{OriginStore, StoreResult};
use crate::database::Database;
use crate::database::engine::{Sql, Value, values};
use crate::database::memory::Scope;
use crate::database::placeholders::placeholders;
use crate::domain::ids::WorkspaceId;
use crate::domain::origin::OriginPattern;
use async_trait::async_trait;

pub(super) const OF_WORKSPACE: &str = "SELECT workspace_id AS id, origin FROM workspace_origins
    WHERE workspace_id = $1 ORDER BY position";

#[async_trait]
impl OriginStore for Database {
    async fn workspace_origins(&self, workspace: &WorkspaceId) -> StoreResult<Vec<OriginPattern>> {
        self.fetch_records(
            "workspace_origins",
            OF_WORKSPACE,
            values![workspace.as_str()],
            |record| record.parse("origin", OriginPattern::parse),
        )
        .await
    }

    async fn known_origins(&self, workspace: &WorkspaceId) -> StoreResult<Vec<OriginPattern>> {
        let room = &self.memory.rooms().origins;
        let read = || async { self.workspace_origins(workspace).await.map(Some) };
        let found = self
            .memory
            .of(room, workspace, Scope::Workspace(workspace), read);
        Ok(found.await?.unwrap_or_default())
    }

    async fn set_workspace_origins(
        &self,
        workspace: &WorkspaceId,
        origins: &[OriginPattern],
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        // Changes nothing, and holds the row: two requests at once replace them one after the other.
        let known = tx
            .execute(
                "UPDATE workspaces SET name = name WHERE id = $1",
                values![workspace.as_str()],
            )
            .await?;
        if known == 0 {
            return Ok(false);
        }
        tx.execute(
            "DELETE FROM workspace_origins WHERE workspace_id = $1",
            values![workspace.as_str()],
        )
        .await?;
        for (position, origin) in (0_i64..).zip(origins) {
            tx.execute(
                "INSERT INTO workspace_origins (workspace_id, position, origin)
                 VALUES ($1, $2, $3)",
                values![workspace.as_str(), position, origin.as_str()],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn any_workspace_allows(&self, texts: &[String]) -> StoreResult<bool> {
        let sql = format!(
            "SELECT workspace_id AS id FROM workspace_origins WHERE origin IN ({}) LIMIT 1",
            placeholders(1, texts.len())
        );
        let texts = texts.iter().map(|text| Value::from(text.as_str()));
        let found = self
            .fetch_records(
                "workspace_origins",
                Sql::Built(sql),
                texts.collect(),
                |record| record.text("id"),
            )
            .await?;
        Ok(!found.is_empty())
    }
}
