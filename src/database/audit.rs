//! The audit log. The database itself refuses to change its rows.

use crate::application::kept::store::{
    AuditFilter, AuditStore, FILES_IN_LISTS, StoreError, StoreResult, Window,
};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::placeholders::{placeholders, rows};
use crate::database::together::Statement;
use crate::domain::ids::{AuditId, StorageId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::{Actor, AuditEntry, AuditIntent, AuditedFile};
use crate::domain::people::subject::SubjectId;
use async_trait::async_trait;
use std::collections::HashMap;
use time::OffsetDateTime;

/// How many files one statement inserts. SQLite takes 32,766 placeholders in a statement, PostgreSQL
/// 65,535; a file has eight.
const FILES_AT_ONCE: usize = 500;

/// By name: with `*`, a newer replica that adds a column would break the statements that an older one
/// keeps prepared on PostgreSQL.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, occurred_at, workspace_id, actor, actor_name, on_behalf_of, action, target, result, code, remote_addr, \
             request_id, file_count, signed_method, signed_until, state_before, state_after \
             FROM audit_log ",
            $rest
        )
    };
}

macro_rules! insert_files {
    ($rows:literal) => {
        concat!(
            "INSERT INTO audit_files
                 (entry_id, position, workspace_id, file_key, part, version_id, result, code)
             VALUES ",
            $rows
        )
    };
}

mod listed;
mod rows;

use listed::{Order, listed};
use rows::{entry, file, files_json, intent, row};

#[async_trait]
impl AuditStore for Database {
    async fn begin_audit(&self, intent: &AuditIntent) -> StoreResult<()> {
        let deed = &intent.deed;
        let files = files_json(&deed.files)?;
        let insert: Statement = (
            "INSERT INTO audit_intents (id, begun_at, seen_at, workspace_id, actor, action, target,
                 remote_addr, request_id, files, signed_method, actor_name, on_behalf_of)
             VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, action = excluded.action,
                 files = excluded.files, signed_method = excluded.signed_method"
                .into(),
            values![
                intent.id.as_str(),
                intent.begun_at,
                deed.workspace.as_ref().map(WorkspaceId::as_str),
                deed.actor.as_str(),
                deed.action.as_str(),
                deed.target.as_deref(),
                deed.remote_addr.as_deref(),
                deed.request_id.as_deref(),
                files,
                deed.signed.as_ref().map(|signed| signed.method.as_str()),
                deed.actor_name.as_ref().map(Name::as_str),
                deed.on_behalf_of.as_ref().map(SubjectId::as_str),
            ],
        );
        self.change(vec![insert]).await
    }

    async fn touch_audit(&self, intent: &AuditId, now: OffsetDateTime) -> StoreResult<()> {
        self.execute(
            "UPDATE audit_intents SET seen_at = $2 WHERE id = $1",
            values![intent.as_str(), now],
        )
        .await
        .map(drop)
    }

    async fn discard_audit(&self, intent: &AuditId) -> StoreResult<()> {
        self.change(vec![gone(intent)]).await
    }

    async fn abandoned_audits(
        &self,
        before: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<Vec<AuditIntent>> {
        self.fetch_records(
            "audit_intents",
            "SELECT id, begun_at, workspace_id, actor, action, target, remote_addr, request_id, files,
                 signed_method, actor_name, on_behalf_of
             FROM audit_intents WHERE seen_at < $1 ORDER BY seen_at LIMIT $2",
            values![before, limit],
            intent,
        )
        .await
    }

    async fn recover_audit(
        &self,
        intent: &AuditId,
        before: OffsetDateTime,
        entry: &AuditEntry,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let taken = tx
            .execute(
                "DELETE FROM audit_intents WHERE id = $1 AND seen_at < $2",
                values![intent.as_str(), before],
            )
            .await?;
        if taken == 0 {
            return Ok(false);
        }
        insert(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn append_audit(&self, entry: &AuditEntry, intent: Option<&AuditId>) -> StoreResult<()> {
        let mut change: Vec<Statement> = intent.map(gone).into_iter().collect();
        change.extend(inserts(entry));
        self.change(change).await
    }

    async fn list_audit(
        &self,
        filter: &AuditFilter,
        window: &Window,
    ) -> StoreResult<Vec<AuditEntry>> {
        self.in_order(filter, Order::NewestFirst, window).await
    }

    async fn list_audit_oldest_first(
        &self,
        filter: &AuditFilter,
        window: &Window,
    ) -> StoreResult<Vec<AuditEntry>> {
        self.in_order(filter, Order::OldestFirst, window).await
    }

    async fn connection_used_by(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> StoreResult<Option<(Actor, OffsetDateTime)>> {
        self.fetch_record(
            "audit_log",
            "SELECT id, actor, occurred_at FROM audit_log
             WHERE action = 'use_pending_change' AND target = $2 AND workspace_id = $1
                 AND occurred_at >= $3 AND occurred_at <= $4
             ORDER BY occurred_at DESC LIMIT 1",
            values![workspace.as_str(), storage.as_str(), since, until],
            |record| {
                Ok((
                    record.parse("actor", Actor::parse)?,
                    record.time("occurred_at")?,
                ))
            },
        )
        .await
    }

    async fn list_audit_files(
        &self,
        workspace: Option<&WorkspaceId>,
        entry: &AuditId,
        window: &Window,
    ) -> StoreResult<Option<Vec<(u64, AuditedFile)>>> {
        let found = self
            .fetch_record(
                "audit_log",
                "SELECT id, workspace_id FROM audit_log WHERE id = $1",
                values![entry.as_str()],
                |record| record.parse_opt("workspace_id", WorkspaceId::parse),
            )
            .await?;
        match (found, workspace) {
            (None, _) => return Ok(None),
            (Some(of), Some(workspace)) if of.as_ref() != Some(workspace) => return Ok(None),
            (Some(_), _) => {}
        }
        let after = match &window.after {
            None => -1,
            Some(text) => text
                .parse::<i64>()
                .map_err(|error| StoreError::Failed(format!("`{text}` is no position: {error}")))?,
        };
        self.fetch_records(
            "audit_files",
            "SELECT entry_id AS id, position, file_key, part, version_id, result, code
             FROM audit_files WHERE entry_id = $1 AND position > $2 ORDER BY position LIMIT $3",
            values![entry.as_str(), after, window.limit],
            |record| Ok((record.number("position")?, file(record)?)),
        )
        .await
        .map(Some)
    }
}

impl Database {
    async fn in_order(
        &self,
        filter: &AuditFilter,
        order: Order,
        window: &Window,
    ) -> StoreResult<Vec<AuditEntry>> {
        let key = filter.key.as_ref().map(ToString::to_string);
        let (sql, values) = listed(filter, key.as_deref(), order, window);
        let mut entries = self
            .fetch_records("audit_log", Sql::Built(sql), values, entry)
            .await?;
        self.add_files(&mut entries, key.as_deref()).await?;
        Ok(entries)
    }

    /// Adds the files to the entries of a list: the first few of each, or the one that was asked for.
    async fn add_files(&self, entries: &mut [AuditEntry], key: Option<&str>) -> StoreResult<()> {
        let about: Vec<String> = entries
            .iter()
            .filter(|entry| entry.file_count > 0)
            .map(|entry| entry.id.to_string())
            .collect();
        if about.is_empty() {
            return Ok(());
        }
        let (which, first) = match key {
            Some(key) => ("file_key = $1", Value::from(key)),
            None => ("position < $1", Value::from(FILES_IN_LISTS)),
        };
        let sql = format!(
            "SELECT entry_id AS id, position, file_key, part, version_id, result, code
             FROM audit_files WHERE {which} AND entry_id IN ({}) ORDER BY entry_id, position",
            placeholders(2, about.len())
        );
        let values = std::iter::once(first)
            .chain(about.into_iter().map(Value::from))
            .collect();
        let rows = self
            .fetch_records("audit_files", Sql::Built(sql), values, |record| {
                Ok((record.text("id")?, file(record)?))
            })
            .await?;
        let mut files: HashMap<String, Vec<AuditedFile>> = HashMap::new();
        for (entry, file) in rows {
            let of_entry = files.entry(entry).or_default();
            if of_entry.len() < FILES_IN_LISTS as usize {
                of_entry.push(file);
            }
        }
        for entry in entries {
            entry.files = files.remove(entry.id.as_str()).unwrap_or_default();
        }
        Ok(())
    }
}

/// Inserts an entry and its files.
pub(super) async fn insert(tx: &mut Tx, entry: &AuditEntry) -> StoreResult<()> {
    for (sql, values) in inserts(entry) {
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// What inserts an entry and its files.
fn inserts(entry: &AuditEntry) -> Vec<Statement> {
    let (sql, values) = row(entry);
    let mut statements = vec![(sql.into(), values)];
    let numbered: Vec<(i64, &AuditedFile)> = (0..).zip(&entry.files).collect();
    for some in numbered.chunks(FILES_AT_ONCE) {
        let sql = match some {
            // By far the most frequent: it is kept prepared.
            [_] => Sql::Both(insert_files!("($1, $2, $3, $4, $5, $6, $7, $8)")),
            _ => Sql::Built(format!("{}{}", insert_files!(""), rows(some.len(), 8))),
        };
        let values = some
            .iter()
            .flat_map(|(position, audited)| {
                values![
                    entry.id.as_str(),
                    *position,
                    entry.workspace.as_ref().map(|v| v.as_str()),
                    audited.file.key.to_string(),
                    audited.file.part.as_str(),
                    audited.file.version_id.as_deref(),
                    audited.result.as_str(),
                    audited.code.as_deref(),
                ]
            })
            .collect();
        statements.push((sql, values));
    }
    statements
}

/// Forgets an intent.
fn gone(intent: &AuditId) -> Statement {
    let sql = "DELETE FROM audit_intents WHERE id = $1";
    (sql.into(), values![intent.as_str()])
}

/// Entries from before `before`, oldest first, those after the ID `after`, each with all of its files.
pub(super) async fn list_before(
    database: &Database,
    before: OffsetDateTime,
    after: &str,
    limit: u32,
) -> StoreResult<Vec<AuditEntry>> {
    let mut entries = database
        .fetch_records(
            "audit_log",
            select!("WHERE occurred_at < $1 AND id > $2 ORDER BY id LIMIT $3"),
            values![before, after, limit],
            entry,
        )
        .await?;
    for entry in entries.iter_mut().filter(|entry| entry.file_count > 0) {
        entry.files = database
            .fetch_records(
                "audit_files",
                "SELECT entry_id AS id, position, file_key, part, version_id, result, code
                 FROM audit_files WHERE entry_id = $1 ORDER BY position",
                values![entry.id.as_str()],
                file,
            )
            .await?;
    }
    Ok(entries)
}
