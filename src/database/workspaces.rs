//! Workspaces and their API tokens.

use crate::application::kept::store::{
    ErasedWorkspace, HeldToken, KeptAnswer, SecretHash, StoreError, StoreResult, Window,
    WorkspaceStore,
};
use crate::application::kept::vault::random_bytes;
use crate::database::engine::{Sql, Value, values};
use crate::database::erasure;
use crate::database::idempotency::keep;
use crate::database::memory::Scope;
use crate::database::placeholders::placeholders;
use crate::database::record::{Record, stored_name};
use crate::database::standing::standing;
use crate::database::statement::{self, Named};
use crate::database::{Database, after};
use crate::domain::Invalid;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::{StorageRef, TokenId, WorkspaceId};
use crate::domain::people::metadata::Metadata;
use crate::domain::people::reach::Bounds;
use crate::domain::people::standing::{NewState, StandingChange, SuspensionReason};
use crate::domain::people::workspace::{ApiToken, Role, Workspace, WorkspaceExternalId};
use async_trait::async_trait;
use std::collections::HashMap;
use time::OffsetDateTime;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT w.id, w.name, w.external_id, w.metadata, w.created_at, w.suspended_at,
                 w.suspended_reason, w.limit_storages, w.limit_requests_per_minute, w.limit_transfers,
                 d.storage_id AS default_storage_id
             FROM workspaces w LEFT JOIN default_storages d ON d.workspace_id = w.id ",
            $rest
        )
    };
}

/// Tokens with how their workspaces stand.
macro_rules! select_held {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT t.id, t.workspace_id, t.name, t.role, t.created_at, t.expires_at, t.storage_ids,
                 t.folders, t.write_folders, t.last_used_at, w.suspended_at, w.suspended_reason,
                 w.limit_storages, w.limit_requests_per_minute, w.limit_transfers",
            $more,
            " FROM api_tokens t JOIN workspaces w ON w.id = t.workspace_id ",
            $rest
        )
    };
}

pub(super) const BY_ID: &str = select!("WHERE w.id = $1");
pub(super) const BY_EXTERNAL_ID: &str = select!("WHERE w.external_id = $1");
pub(super) const HELD_BY_HASH: &str = select_held!("", "WHERE t.hash = $1 OR t.narrowed_hash = $1");

#[async_trait]
impl WorkspaceStore for Database {
    async fn create_workspace(
        &self,
        workspace: &Workspace,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let suspension = workspace.standing.suspension.as_ref();
        let limits = workspace.standing.limits;
        let mut tx = self.begin().await?;
        tx.execute(
            "INSERT INTO workspaces (id, name, external_id, metadata, created_at, suspended_at,
                 suspended_reason, limit_storages, limit_requests_per_minute, limit_transfers)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            values![
                workspace.id.as_str(),
                workspace.name.as_str(),
                external_id(workspace),
                metadata(workspace),
                workspace.created_at,
                suspension.map(|suspension| suspension.since),
                suspension
                    .and_then(|suspension| suspension.reason.as_ref())
                    .map(SuspensionReason::as_str),
                limits.storages.map(i64::from),
                limits.requests_per_minute.map(i64::from),
                limits.transfers.map(i64::from),
            ],
        )
        .await?;
        if let StorageRef::Own(storage) = &workspace.default_storage {
            tx.execute(
                "INSERT INTO default_storages (workspace_id, storage_id) VALUES ($1, $2)",
                values![workspace.id.as_str(), storage.as_str()],
            )
            .await?;
        }
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn workspace(&self, id: &WorkspaceId) -> StoreResult<Option<Workspace>> {
        self.fetch_record("workspaces", BY_ID, values![id.as_str()], workspace)
            .await
    }

    async fn workspace_by_external_id(
        &self,
        id: &WorkspaceExternalId,
    ) -> StoreResult<Option<Workspace>> {
        self.fetch_record(
            "workspaces",
            BY_EXTERNAL_ID,
            values![id.as_str()],
            workspace,
        )
        .await
    }

    async fn known_workspace(&self, id: &WorkspaceId) -> StoreResult<Option<Workspace>> {
        let room = &self.memory.rooms().workspaces;
        let read = || self.workspace(id);
        self.memory.of(room, id, Scope::Workspace(id), read).await
    }

    async fn known_workspace_by_external_id(
        &self,
        id: &WorkspaceExternalId,
    ) -> StoreResult<Option<Workspace>> {
        let room = &self.memory.rooms().by_external_id;
        let read = || self.workspace_by_external_id(id);
        self.memory.found(room, id, read).await
    }

    async fn change_workspace(
        &self,
        workspace: &Workspace,
        standing: &StandingChange,
    ) -> StoreResult<bool> {
        let StandingChange {
            state,
            storages,
            requests_per_minute,
            transfers,
        } = standing;
        let mut columns: Named = vec![
            ("name", workspace.name.as_str().into()),
            ("external_id", external_id(workspace).into()),
            ("metadata", metadata(workspace).into()),
        ];
        for (column, limit) in [
            ("limit_storages", storages),
            ("limit_requests_per_minute", requests_per_minute),
            ("limit_transfers", transfers),
        ] {
            if let Some(limit) = limit {
                columns.push((column, limit.map(i64::from).into()));
            }
        }
        if *state == Some(NewState::Activate) {
            columns.push(("suspended_at", Value::Int(None)));
            columns.push(("suspended_reason", Value::Text(None)));
        }
        let mut sql = format!(
            "UPDATE workspaces SET {}",
            statement::assignments(&columns, 2)
        );
        let mut values = values![workspace.id.as_str()];
        values.extend(statement::values_of(columns));
        if let Some(NewState::Suspend(suspension)) = state {
            let since = values.len() + 1;
            sql.push_str(&format!(
                ", suspended_at = COALESCE(suspended_at, ${since}),
                 suspended_reason = COALESCE(${}, suspended_reason)",
                since + 1
            ));
            let reason = suspension.reason.as_ref().map(SuspensionReason::as_str);
            values.extend(values![suspension.since, reason]);
        }
        sql.push_str(" WHERE id = $1");
        let changed = self.execute(Sql::Built(sql), values).await?;
        Ok(changed == 1)
    }

    async fn list_workspaces(&self, window: &Window) -> StoreResult<Vec<Workspace>> {
        self.fetch_records(
            "workspaces",
            select!("WHERE w.id > $1 ORDER BY w.id LIMIT $2"),
            values![after(window), window.limit],
            workspace,
        )
        .await
    }

    async fn delete_workspace(&self, id: &WorkspaceId) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let deleted = erasure::delete(&mut tx, id).await?;
        tx.commit().await?;
        Ok(deleted)
    }

    async fn erase_workspace(
        &self,
        id: &WorkspaceId,
        now: OffsetDateTime,
    ) -> StoreResult<Option<ErasedWorkspace>> {
        erasure::erase(self, id, now).await
    }

    async fn set_default_storage(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageRef,
    ) -> StoreResult<bool> {
        let StorageRef::Own(storage) = storage else {
            let mut tx = self.begin().await?;
            let known = tx
                .fetch_optional(
                    "SELECT id FROM workspaces WHERE id = $1",
                    values![workspace.as_str()],
                )
                .await?;
            tx.execute(
                "DELETE FROM default_storages WHERE workspace_id = $1",
                values![workspace.as_str()],
            )
            .await?;
            tx.commit().await?;
            return Ok(known.is_some());
        };
        let set = self
            .execute(
                "INSERT INTO default_storages (workspace_id, storage_id)
                 SELECT workspace_id, id FROM storages WHERE workspace_id = $1 AND id = $2
                 ON CONFLICT (workspace_id) DO UPDATE SET storage_id = excluded.storage_id",
                values![workspace.as_str(), storage.as_str()],
            )
            .await;
        match set {
            Ok(rows) => Ok(rows == 1),
            // The storage went at this moment.
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn create_token(
        &self,
        token: &ApiToken,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let bounds = &token.bounds;
        // An older release finds tokens by `hash` alone, and knows nothing of bounds.
        let (hash, narrowed) = match bounds.are_none() {
            true => (*hash, None),
            false => (random()?, Some(hash.as_slice())),
        };
        let mut tx = self.begin().await?;
        tx.execute(
            "INSERT INTO api_tokens (id, workspace_id, name, role, hash, created_at, expires_at,
                 storage_ids, folders, write_folders, narrowed_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            values![
                token.id.as_str(),
                token.workspace.as_str(),
                token.name.as_str(),
                token.role.as_str(),
                hash.as_slice(),
                token.created_at,
                token.expires_at,
                bounds.storages.as_deref().map(texts),
                bounds.folders.as_deref().map(texts),
                bounds.write_folders.as_deref().map(texts),
                narrowed,
            ],
        )
        .await?;
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn list_tokens(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<ApiToken>> {
        self.fetch_records(
            "api_tokens",
            "SELECT id, workspace_id, name, role, created_at, expires_at, storage_ids, folders,
                 write_folders, last_used_at
             FROM api_tokens WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            values![workspace.as_str(), after(window), window.limit],
            token,
        )
        .await
    }

    async fn token_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<HeldToken>> {
        let read = || self.fetch_record("api_tokens", HELD_BY_HASH, values![hash.as_slice()], held);
        let room = &self.memory.rooms().tokens;
        self.memory.found(room, hash, read).await
    }

    async fn tokens_by_hashes(
        &self,
        hashes: &[SecretHash],
    ) -> StoreResult<HashMap<SecretHash, HeldToken>> {
        let room = &self.memory.rooms().tokens;
        let read = |unknown| held_by_hashes(self, unknown);
        self.memory.found_together(room, hashes, read).await
    }

    async fn revoke_token(&self, workspace: &WorkspaceId, id: &TokenId) -> StoreResult<bool> {
        // Links and sessions that it has made go with it, by their references.
        let revoked = self
            .execute(
                "DELETE FROM api_tokens WHERE workspace_id = $1 AND id = $2",
                values![workspace.as_str(), id.as_str()],
            )
            .await?;
        Ok(revoked == 1)
    }
}

async fn held_by_hashes(
    database: &Database,
    hashes: Vec<SecretHash>,
) -> StoreResult<HashMap<SecretHash, HeldToken>> {
    let places = placeholders(1, hashes.len());
    let select = select_held!(", COALESCE(t.narrowed_hash, t.hash) AS hash", "");
    let sql = format!("{select} WHERE t.hash IN ({places}) OR t.narrowed_hash IN ({places})");
    let values = hashes.iter().map(|hash| Value::from(hash.as_slice()));
    let found = database
        .fetch_records("api_tokens", Sql::Built(sql), values.collect(), |record| {
            let hash = SecretHash::try_from(record.bytes("hash")?.as_slice())
                .map_err(|error| record.damaged("hash", error))?;
            Ok((hash, held(record)?))
        })
        .await?;
    Ok(found.into_iter().collect())
}

fn external_id(workspace: &Workspace) -> Option<&str> {
    workspace
        .external_id
        .as_ref()
        .map(WorkspaceExternalId::as_str)
}

/// A hash that no secret has.
fn random() -> StoreResult<SecretHash> {
    random_bytes().map_err(|error| StoreError::Failed(error.to_string()))
}

fn texts<T: ToString>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    serde_json::json!(values).to_string()
}

/// Reads what [`texts`] wrote. The column is empty where a token is not narrowed so.
fn read_texts<T>(
    record: &Record,
    column: &str,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> StoreResult<Option<Vec<T>>> {
    record.parse_opt(column, |text| {
        let values: Vec<String> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let parsed = values.iter().map(|value| parse(value));
        parsed
            .collect::<Result<Vec<T>, Invalid>>()
            .map_err(|invalid| invalid.to_string())
    })
}

fn bounds(record: &Record) -> StoreResult<Bounds> {
    Ok(Bounds {
        storages: read_texts(record, "storage_ids", StorageRef::parse)?,
        folders: read_texts(record, "folders", Folder::parse)?,
        write_folders: read_texts(record, "write_folders", Folder::parse)?,
    })
}

fn metadata(workspace: &Workspace) -> String {
    serde_json::json!(workspace.metadata.pairs()).to_string()
}

fn stored_metadata(text: &str) -> Result<Metadata, String> {
    let pairs = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Metadata::parse(pairs).map_err(|invalid| invalid.to_string())
}

fn workspace(record: &Record) -> StoreResult<Workspace> {
    Ok(Workspace {
        id: record.parse("id", WorkspaceId::parse)?,
        name: record.parse("name", stored_name)?,
        external_id: record.parse_opt("external_id", WorkspaceExternalId::parse)?,
        metadata: record.parse("metadata", stored_metadata)?,
        default_storage: record.storage("default_storage_id")?,
        standing: standing(record)?,
        created_at: record.time("created_at")?,
    })
}

fn token(record: &Record) -> StoreResult<ApiToken> {
    Ok(ApiToken {
        id: record.parse("id", TokenId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        name: record.parse("name", stored_name)?,
        role: record.parse("role", Role::parse)?,
        bounds: bounds(record)?,
        created_at: record.time("created_at")?,
        expires_at: record.time_opt("expires_at")?,
        last_used_at: record.time_opt("last_used_at")?,
    })
}

fn held(record: &Record) -> StoreResult<HeldToken> {
    Ok(HeldToken {
        token: token(record)?,
        standing: standing(record)?,
    })
}
