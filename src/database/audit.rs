//! The audit log. The database itself refuses to change or delete its rows.

use crate::application::kept::store::{AuditStore, StoreResult, Window};
use crate::database::engine::values;
use crate::database::record::Record;
use crate::database::{Database, before};
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use async_trait::async_trait;
use time::OffsetDateTime;

/// By name: with `*`, a newer replica that adds a column would break the statements that an older one
/// keeps prepared on PostgreSQL.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, occurred_at, workspace_id, actor, action, target, result, code, remote_addr, \
             request_id \
             FROM audit_log ",
            $rest
        )
    };
}

#[async_trait]
impl AuditStore for Database {
    async fn append_audit(&self, entry: &AuditEntry) -> StoreResult<()> {
        self.execute(
            "INSERT INTO audit_log (id, occurred_at, workspace_id, actor, action, target, result, code,
                 remote_addr, request_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            values![
                entry.id.as_str(),
                entry.at,
                entry.workspace.as_ref().map(|v| v.as_str()),
                entry.actor.as_str(),
                entry.action.as_str(),
                entry.target.as_deref(),
                entry.result.as_str(),
                entry.code.as_deref(),
                entry.remote_addr.as_deref(),
                entry.request_id.as_deref(),
            ],
        )
        .await
        .map(drop)
    }

    async fn list_audit(
        &self,
        workspace: Option<&WorkspaceId>,
        window: &Window,
    ) -> StoreResult<Vec<AuditEntry>> {
        match workspace {
            Some(workspace) => {
                self.fetch_records(
                    "audit_log",
                    select!(
                        "WHERE workspace_id = $1 AND id < $2
                     ORDER BY id DESC LIMIT $3"
                    ),
                    values![workspace.as_str(), before(window), window.limit],
                    entry,
                )
                .await
            }
            None => {
                self.fetch_records(
                    "audit_log",
                    select!("WHERE id < $1 ORDER BY id DESC LIMIT $2"),
                    values![before(window), window.limit],
                    entry,
                )
                .await
            }
        }
    }
}

/// Entries from before `before`, oldest first, those after the ID `after`.
pub(super) async fn list_before(
    database: &Database,
    before: OffsetDateTime,
    after: &str,
    limit: u32,
) -> StoreResult<Vec<AuditEntry>> {
    database
        .fetch_records(
            "audit_log",
            select!("WHERE occurred_at < $1 AND id > $2 ORDER BY id LIMIT $3"),
            values![before, after, limit],
            entry,
        )
        .await
}

fn entry(record: &Record) -> StoreResult<AuditEntry> {
    Ok(AuditEntry {
        id: record.parse("id", AuditId::parse)?,
        at: record.time("occurred_at")?,
        workspace: record.parse_opt("workspace_id", WorkspaceId::parse)?,
        actor: record.parse("actor", Actor::parse)?,
        action: record.text("action")?,
        target: record.text_opt("target")?,
        result: record.parse("result", AuditResult::parse)?,
        code: record.text_opt("code")?,
        remote_addr: record.text_opt("remote_addr")?,
        request_id: record.text_opt("request_id")?,
    })
}
