//! Changes of storages, and the connections that wait for their check.

use crate::application::kept::store::{
    CheckTarget, PendingCheck, PendingEdit, PendingStore, Recorded, SCHEDULED_CHECK, SeenStorage,
    StorageChange, StoreResult, Window,
};
use crate::database::checks::ReportOf;
use crate::database::engine::{Sql, Tx, values};
use crate::database::events::NewEvent;
use crate::database::record::Record;
use crate::database::statement::Named;
use crate::database::{Database, after, checks, connections, events, health, statement, storages};
use crate::domain::check::CheckReport;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::event::EventType;
use crate::domain::ids::{CheckId, StorageId, WorkspaceId};
use crate::domain::people::subject::SubjectId;
use crate::domain::storage::PendingConnection;
use async_trait::async_trait;
use std::sync::LazyLock;
use time::Duration;

/// How soon after a change is in use its connection is checked again.
const NEXT_CHECK: Duration = Duration::minutes(2);

fn select(from_where: &str) -> &'static str {
    let own = [
        "storage_id AS id",
        "workspace_id",
        "bucket",
        "external_id",
        "sealed_for",
        "revision",
        "replaces_revision",
        "last_check_id",
        "changed_at",
    ];
    statement::select(own.into_iter().chain(connections::names()), from_where)
}

static ONE: LazyLock<&str> = LazyLock::new(|| {
    select("FROM pending_connections WHERE workspace_id = $1 AND storage_id = $2")
});
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    select(
        "FROM pending_connections WHERE workspace_id = $1 AND storage_id > $2
         ORDER BY storage_id LIMIT $3",
    )
});

#[async_trait]
impl PendingStore for Database {
    async fn pending(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
    ) -> StoreResult<Option<PendingConnection>> {
        self.fetch_record(
            "pending_connections",
            *ONE,
            values![workspace.as_str(), storage.as_str()],
            pending,
        )
        .await
    }

    async fn list_pending(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<PendingConnection>> {
        self.fetch_records(
            "pending_connections",
            *PAGE,
            values![workspace.as_str(), after(window), window.limit],
            pending,
        )
        .await
    }

    async fn change_storage(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        seen: SeenStorage,
        change: &StorageChange,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let Some(stored) = lock(&mut tx, workspace, storage).await? else {
            return Ok(false);
        };
        match &change.pending {
            PendingEdit::Keep => {}
            PendingEdit::Remove | PendingEdit::Put(_) if stored.seen != seen => return Ok(false),
            PendingEdit::Remove => {
                delete(&mut tx, workspace, storage).await?;
            }
            PendingEdit::Put(connection) => {
                if stored.is_fixed_for(connection) {
                    return Ok(false);
                }
                delete(&mut tx, workspace, storage).await?;
                stored
                    .put(&mut tx, workspace, storage, connection, change)
                    .await?;
            }
        }
        if let Some(name) = &change.display_name {
            tx.execute(
                "UPDATE storages SET display_name = $3 WHERE workspace_id = $1 AND id = $2",
                values![workspace.as_str(), storage.as_str(), name.as_str()],
            )
            .await?;
            let subject = change.on_behalf_of.as_ref().map(SubjectId::as_str);
            events::write(&mut tx, &[updated(workspace, storage, subject)]).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn remove_pending(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let removed = delete(&mut tx, workspace, storage).await?;
        tx.commit().await?;
        Ok(removed)
    }

    async fn record_pending_check(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        report: &CheckReport,
        connection: &Connection,
    ) -> StoreResult<PendingCheck> {
        let mut tx = self.begin().await?;
        let Some(stored) = lock(&mut tx, workspace, storage).await? else {
            return Ok(PendingCheck::Outdated);
        };
        if stored.seen.pending != Some(report.revision)
            || stored.replaces != Some(stored.seen.revision)
        {
            return Ok(PendingCheck::Outdated);
        }
        let passed = report.outcome().is_pass();
        let is_fixed = stored.is_fixed_for(connection);
        let target = CheckTarget::Storage(storage.clone());
        if !passed || is_fixed {
            checks::insert(&mut tx, workspace, &target, report, ReportOf::PendingChange).await?;
            tx.execute(
                "UPDATE pending_connections SET last_check_id = $3
                 WHERE workspace_id = $1 AND storage_id = $2",
                values![workspace.as_str(), storage.as_str(), report.id.as_str()],
            )
            .await?;
            tx.commit().await?;
            return Ok(match passed {
                true => PendingCheck::FixedByProjects(stored.project_count),
                false => PendingCheck::Failed,
            });
        }
        let of = ReportOf::ConnectionInUse;
        checks::insert(&mut tx, workspace, &target, report, of).await?;
        let recorded = use_connection(&mut tx, workspace, storage, report, connection).await?;
        delete(&mut tx, workspace, storage).await?;
        let subject = stored.on_behalf_of.as_deref();
        events::write(&mut tx, &[updated(workspace, storage, subject)]).await?;
        events::write_health(&mut tx, &recorded).await?;
        tx.commit().await?;
        Ok(PendingCheck::InUse(recorded))
    }
}

/// A storage's row, locked, and what is pending.
struct Locked {
    seen: SeenStorage,
    /// The storage's revision that the pending change was made of.
    replaces: Option<i64>,
    /// The highest revision that a pending change has had.
    last_pending: i64,
    project_count: i64,
    bucket: String,
    prefix: String,
    /// For whom the pending change was made.
    on_behalf_of: Option<String>,
}

impl Locked {
    /// Whether projects forbid to move the storage to where this connection leads.
    fn is_fixed_for(&self, connection: &Connection) -> bool {
        let moves = connection.bucket.as_str() != self.bucket
            || connection.settings.prefix.as_str() != self.prefix;
        moves && self.project_count > 0
    }

    async fn put(
        &self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        storage: &StorageId,
        connection: &Connection,
        change: &StorageChange,
    ) -> StoreResult<()> {
        let revision = self.seen.revision.max(self.last_pending) + 1;
        let mut row: Named = vec![
            ("workspace_id", workspace.as_str().into()),
            ("storage_id", storage.as_str().into()),
            ("revision", revision.into()),
            ("replaces_revision", self.seen.revision.into()),
            ("changed_at", change.at.into()),
            (
                "on_behalf_of",
                change.on_behalf_of.as_ref().map(SubjectId::as_str).into(),
            ),
        ];
        row.extend(storages::connection_columns(connection)?);
        let (sql, values) = statement::insert("pending_connections", row);
        tx.execute(sql, values).await?;
        tx.execute(
            "UPDATE storages SET last_pending_revision = $3 WHERE workspace_id = $1 AND id = $2",
            values![workspace.as_str(), storage.as_str(), revision],
        )
        .await
        .map(drop)
    }
}

/// Locked, so no project can come to use the storage meanwhile, and no other change is made.
async fn lock(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    storage: &StorageId,
) -> StoreResult<Option<Locked>> {
    let row = tx
        .fetch_optional(
            Sql::Each {
                sqlite: "SELECT id, revision, last_pending_revision, project_count, bucket, prefix
                         FROM storages WHERE workspace_id = $1 AND id = $2",
                postgres:
                    "SELECT id, revision, last_pending_revision, project_count, bucket, prefix
                           FROM storages WHERE workspace_id = $1 AND id = $2 FOR UPDATE",
            },
            values![workspace.as_str(), storage.as_str()],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let record = Record::new("storages", row)?;
    let pending = tx
        .fetch_optional(
            "SELECT storage_id AS id, revision, replaces_revision, on_behalf_of FROM pending_connections
             WHERE workspace_id = $1 AND storage_id = $2",
            values![workspace.as_str(), storage.as_str()],
        )
        .await?
        .map(|row| Record::new("pending_connections", row))
        .transpose()?;
    let number = |column| {
        pending
            .as_ref()
            .map(|record| record.int(column))
            .transpose()
    };
    Ok(Some(Locked {
        seen: SeenStorage {
            revision: record.int("revision")?,
            pending: number("revision")?,
        },
        replaces: number("replaces_revision")?,
        last_pending: record.int("last_pending_revision")?,
        project_count: record.int("project_count")?,
        bucket: record.text("bucket")?,
        prefix: record.text("prefix")?,
        on_behalf_of: match &pending {
            Some(pending) => pending.text_opt("on_behalf_of")?,
            None => None,
        },
    }))
}

/// The event of a storage whose name or connection is another now.
fn updated<'a>(
    workspace: &'a WorkspaceId,
    storage: &'a StorageId,
    subject: Option<&'a str>,
) -> NewEvent<'a> {
    NewEvent {
        kind: EventType::StorageUpdated,
        workspace,
        subject,
        about: vec![("storage_id", storage.as_str())],
    }
}

async fn delete(tx: &mut Tx, workspace: &WorkspaceId, storage: &StorageId) -> StoreResult<bool> {
    let deleted = tx
        .execute(
            "DELETE FROM pending_connections WHERE workspace_id = $1 AND storage_id = $2",
            values![workspace.as_str(), storage.as_str()],
        )
        .await?;
    Ok(deleted == 1)
}

/// Puts a connection that has just passed a check in the place of the storage's own.
async fn use_connection(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    storage: &StorageId,
    report: &CheckReport,
    connection: &Connection,
) -> StoreResult<Recorded> {
    let columns = storages::connection_columns(connection)?;
    let assignments = statement::assignments(&columns, 6);
    let key_id = match &connection.credentials {
        Credentials::AccessKey { access_key_id, .. } => Some(access_key_id.as_str()),
        Credentials::Role { .. } | Credentials::Service => None,
    };
    let mut values = values![
        workspace.as_str(),
        storage.as_str(),
        report.revision,
        key_id,
        key_id.map(|_| report.started_at),
    ];
    values.extend(statement::values_of(columns));
    // Checks of the connection before say nothing of this one, whenever they began.
    let sql = format!(
        "UPDATE storages SET {assignments}, revision = $3, health_as_of = NULL, last_check_id = NULL,
             access_key_set_at = CASE WHEN access_key_id = $4 THEN access_key_set_at ELSE $5 END
         WHERE workspace_id = $1 AND id = $2"
    );
    tx.execute(Sql::Built(sql), values).await?;
    // The report is of the storage's own connection now: health, proof and quarantine follow from it.
    let recorded = health::apply_to_storage(tx, workspace, storage, report).await?;
    tx.execute(
        "UPDATE jobs SET due_at = $3 WHERE kind = $1 AND subject_id = $2 AND due_at > $3",
        values![
            SCHEDULED_CHECK,
            storage.as_str(),
            report.started_at + NEXT_CHECK
        ],
    )
    .await?;
    Ok(recorded)
}

fn pending(record: &Record) -> StoreResult<PendingConnection> {
    Ok(PendingConnection {
        storage: record.parse("id", StorageId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        connection: storages::connection(record)?,
        revision: record.int("revision")?,
        replaces: record.int("replaces_revision")?,
        last_check: record.parse_opt("last_check_id", CheckId::parse)?,
        changed_at: record.time("changed_at")?,
    })
}
