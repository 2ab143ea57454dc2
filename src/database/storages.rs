//! Storages.

use crate::application::kept::store::{
    FIRST_CHECK_AFTER, FoundStorage, NewJob, SCHEDULED_CHECK, StorageDeletion, StorageSearch,
    StorageStore, StoreError, StoreResult, Window,
};
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::events::NewEvent;
use crate::database::memory::Scope;
use crate::database::placeholders::placeholders;
use crate::database::record::{Record, stored_name};
use crate::database::statement::Named;
use crate::database::{Database, after, connections, containing, events, jobs, statement};
use crate::domain::connection::access::Auth;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::event::EventType;
use crate::domain::ids::{CheckId, SetupId, StorageId, StorageRef, WorkspaceId};
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::WorkspaceExternalId;
use crate::domain::setup::DraftSignIn;
use crate::domain::storage::{Health, HealthReports, HealthState, Quarantine, Storage};
use async_trait::async_trait;
use std::sync::LazyLock;

/// The columns of a storage's connection, with their values.
pub(super) fn connection_columns(connection: &Connection) -> StoreResult<Named> {
    let Connection {
        bucket,
        settings,
        credentials,
    } = connection;
    let (external_id, sealed_for) = match credentials {
        Credentials::Role { external_id, .. } => (Some(external_id.to_string()), None),
        Credentials::AccessKey { sealed_for, .. } => (None, Some(sealed_for.as_str())),
        Credentials::Service => {
            return Err(StoreError::Failed(
                "a storage of a customer cannot use the service's own credentials".into(),
            ));
        }
    };
    let mut columns: Named = vec![
        ("bucket", bucket.as_str().into()),
        ("external_id", external_id.into()),
        ("sealed_for", sealed_for.into()),
    ];
    columns.extend(connections::write(settings, &DraftSignIn::of(credentials)));
    Ok(columns)
}

fn select(from_where: &str) -> &'static str {
    let own = [
        "id",
        "workspace_id",
        "setup_id",
        "display_name",
        "bucket",
        "external_id",
        "sealed_for",
        "revision",
        "verified_revision",
        "health",
        "health_since",
        "health_code",
        "health_as_of",
        "last_check_id",
        "last_good_check_id",
        "first_bad_check_id",
        "health_check_id",
        "quarantined_at",
        "quarantine_check_id",
        "quarantine_code",
        "access_key_set_at",
        "project_count",
        "created_at",
    ];
    statement::select(own.into_iter().chain(connections::names()), from_where)
}

pub(super) static ONE: LazyLock<&str> =
    LazyLock::new(|| select("FROM storages WHERE workspace_id = $1 AND id = $2"));
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    select("FROM storages WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3")
});
static COLUMNS: LazyLock<&str> = LazyLock::new(|| select("FROM storages"));
/// The beginning of a statement that goes on with conditions.
static EVERYWHERE: LazyLock<&str> = LazyLock::new(|| {
    select(
        ", (SELECT w.external_id FROM workspaces w WHERE w.id = storages.workspace_id)
             AS workspace_external_id,
             (SELECT d.storage_id FROM default_storages d WHERE d.workspace_id = storages.workspace_id)
             AS default_storage_id
         FROM storages WHERE id > $1",
    )
});

#[async_trait]
impl StorageStore for Database {
    async fn storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Option<Storage>> {
        self.fetch_record(
            "storages",
            *ONE,
            values![workspace.as_str(), id.as_str()],
            storage,
        )
        .await
    }

    async fn known_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Option<Storage>> {
        let room = &self.memory.rooms().storages;
        let read = || self.storage(workspace, id);
        let found = self
            .memory
            .of(room, id, Scope::Workspace(workspace), read)
            .await?;
        // The ID alone finds what is kept, also for another workspace.
        Ok(found.filter(|storage| storage.workspace == *workspace))
    }

    async fn list_storages(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Storage>> {
        self.fetch_records(
            "storages",
            *PAGE,
            values![workspace.as_str(), after(window), window.limit],
            storage,
        )
        .await
    }

    async fn storages_of_buckets(
        &self,
        workspace: &WorkspaceId,
        buckets: &[BucketName],
    ) -> StoreResult<Vec<Storage>> {
        if buckets.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "{} WHERE workspace_id = $1 AND id IN (
                 SELECT id FROM (
                     SELECT id, ROW_NUMBER() OVER (PARTITION BY bucket ORDER BY id) AS place
                     FROM storages WHERE workspace_id = $1 AND bucket IN ({})
                 ) AS numbered WHERE place <= 100)
             ORDER BY id",
            *COLUMNS,
            placeholders(2, buckets.len())
        );
        let mut given = values![workspace.as_str()];
        given.extend(buckets.iter().map(|bucket| Value::from(bucket.as_str())));
        self.fetch_records("storages", Sql::Built(sql), given, storage)
            .await
    }

    async fn search_storages(
        &self,
        search: &StorageSearch,
        window: &Window,
    ) -> StoreResult<Vec<FoundStorage>> {
        let StorageSearch {
            workspace,
            health,
            external_id,
            bucket,
            name,
        } = search;
        let mut values = values![after(window)];
        let mut sql = (*EVERYWHERE).to_owned();
        let mut and = |condition: &str, value: Option<String>| {
            if let Some(value) = value {
                values.push(value.into());
                let place = format!("${}", values.len());
                sql.push_str(" AND ");
                sql.push_str(&condition.replace('?', &place));
            }
        };
        and(
            "workspace_id = ?",
            workspace.as_ref().map(ToString::to_string),
        );
        and("health = ?", health.map(|state| state.as_str().to_owned()));
        // Both by their index: of the storages, and of the workspaces.
        and(
            "(external_id = ? OR workspace_id =
                 (SELECT w.id FROM workspaces w WHERE w.external_id = ?))",
            external_id.clone(),
        );
        and("bucket = ?", bucket.as_ref().map(ToString::to_string));
        and(
            "LOWER(display_name) LIKE LOWER(?) ESCAPE '!'",
            name.as_deref().map(containing),
        );
        values.push(window.limit.into());
        sql.push_str(&format!(" ORDER BY id LIMIT ${}", values.len()));
        self.fetch_records("storages", Sql::Built(sql), values, |record| {
            Ok(FoundStorage {
                storage: storage(record)?,
                workspace_external_id: record
                    .parse_opt("workspace_external_id", WorkspaceExternalId::parse)?,
                default: record.storage("default_storage_id")?,
            })
        })
        .await
    }

    async fn count_storages(&self) -> StoreResult<Vec<(HealthState, u64)>> {
        self.fetch_records(
            "storages",
            "SELECT health AS id, COUNT(*) AS number FROM storages GROUP BY health",
            values![],
            |record| {
                Ok((
                    record.parse("id", HealthState::parse)?,
                    record.number("number")?,
                ))
            },
        )
        .await
    }

    async fn delete_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
        next: Option<&StorageRef>,
        on_behalf_of: Option<&SubjectId>,
    ) -> StoreResult<StorageDeletion> {
        let mut tx = self.begin().await?;
        // Locked, so no project can come to use it meanwhile.
        let row = tx
            .fetch_optional(
                Sql::Each {
                    sqlite: "SELECT id, project_count FROM storages
                             WHERE workspace_id = $1 AND id = $2",
                    postgres: "SELECT id, project_count FROM storages
                               WHERE workspace_id = $1 AND id = $2 FOR UPDATE",
                },
                values![workspace.as_str(), id.as_str()],
            )
            .await?;
        let Some(row) = row else {
            return Ok(StorageDeletion::NotFound);
        };
        let projects = Record::new("storages", row)?.int("project_count")?;
        if projects != 0 {
            return Ok(StorageDeletion::InUse(projects));
        }
        let is_default = tx
            .fetch_optional(
                "SELECT storage_id AS id FROM default_storages
                 WHERE workspace_id = $1 AND storage_id = $2",
                values![workspace.as_str(), id.as_str()],
            )
            .await?
            .is_some();
        match next {
            None if is_default => return Ok(StorageDeletion::IsDefault),
            Some(StorageRef::Own(next)) if is_default => {
                let moved = tx
                    .execute(
                        "UPDATE default_storages SET storage_id = $2
                         WHERE workspace_id = $1 AND storage_id <> $2 AND EXISTS
                             (SELECT 1 FROM storages WHERE workspace_id = $1 AND id = $2)",
                        values![workspace.as_str(), next.as_str()],
                    )
                    .await?;
                if moved != 1 {
                    return Ok(StorageDeletion::NoSuchDefault);
                }
            }
            None | Some(StorageRef::BuiltIn | StorageRef::Own(_)) => {}
        }
        jobs::delete_of(&mut tx, id.as_str()).await?;
        // Its checks, its pending change, and its being the default, go with it.
        tx.execute(
            "DELETE FROM storages WHERE workspace_id = $1 AND id = $2",
            values![workspace.as_str(), id.as_str()],
        )
        .await?;
        let deleted = NewEvent {
            kind: EventType::StorageDeleted,
            workspace,
            subject: on_behalf_of.map(SubjectId::as_str),
            about: vec![("storage_id", id.as_str())],
        };
        events::write(&mut tx, &[deleted]).await?;
        tx.commit().await?;
        Ok(StorageDeletion::Deleted)
    }
}

/// Inserts the storage that `setup` became, with its first scheduled check.
pub(super) async fn insert(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    setup: &SetupId,
    storage: &Storage,
) -> StoreResult<()> {
    let first_check_at = storage.created_at + FIRST_CHECK_AFTER;
    let health = &storage.health;
    let id = |check: &'_ Option<CheckId>| check.as_ref().map(|id| id.as_str().to_owned());
    let mut row: Named = vec![
        ("id", storage.id.as_str().into()),
        ("workspace_id", workspace.as_str().into()),
        ("setup_id", setup.as_str().into()),
        ("display_name", storage.display_name.as_str().into()),
        ("revision", storage.revision.into()),
        ("verified_revision", storage.verified_revision.into()),
        ("health", health.state.as_str().into()),
        ("health_since", health.since.into()),
        ("health_code", health.code.as_deref().into()),
        ("last_check_id", id(&health.last_check).into()),
        ("health_as_of", health.reports.as_of.into()),
        ("last_good_check_id", id(&health.reports.last_good).into()),
        ("first_bad_check_id", id(&health.reports.first_bad).into()),
        ("health_check_id", id(&health.reports.present).into()),
        ("access_key_set_at", storage.access_key_set_at.into()),
        ("created_at", storage.created_at.into()),
        ("next_check_at", first_check_at.into()),
    ];
    row.extend(connection_columns(&storage.connection)?);
    let (sql, values) = statement::insert("storages", row);
    tx.execute(sql, values).await?;
    let first_check = NewJob {
        kind: SCHEDULED_CHECK,
        workspace: workspace.clone(),
        subject: storage.id.to_string(),
        payload: String::new(),
        cursor: None,
        due: first_check_at,
    };
    jobs::insert(tx, &first_check).await
}

fn storage(record: &Record) -> StoreResult<Storage> {
    Ok(Storage {
        id: record.parse("id", StorageId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        setup: record.parse("setup_id", SetupId::parse)?,
        display_name: record.parse("display_name", stored_name)?,
        connection: connection(record)?,
        revision: record.int("revision")?,
        verified_revision: record.int("verified_revision")?,
        health: health(record)?,
        quarantine: quarantine(record)?,
        access_key_set_at: record.time_opt("access_key_set_at")?,
        project_count: record.int("project_count")?,
        created_at: record.time("created_at")?,
    })
}

pub(super) fn health(record: &Record) -> StoreResult<Health> {
    Ok(Health {
        state: record.parse("health", HealthState::parse)?,
        since: record.time("health_since")?,
        code: record.text_opt("health_code")?,
        last_check: record.parse_opt("last_check_id", CheckId::parse)?,
        reports: HealthReports {
            last_good: record.parse_opt("last_good_check_id", CheckId::parse)?,
            first_bad: record.parse_opt("first_bad_check_id", CheckId::parse)?,
            present: record.parse_opt("health_check_id", CheckId::parse)?,
            as_of: record.time_opt("health_as_of")?,
        },
    })
}

/// The columns have all of it or nothing. A row with a part of it is damaged: it must not pass for one that
/// may be used.
fn quarantine(record: &Record) -> StoreResult<Option<Quarantine>> {
    let since = record.time_opt("quarantined_at")?;
    let check = record.parse_opt("quarantine_check_id", CheckId::parse)?;
    let code = record.text_opt("quarantine_code")?;
    match (since, check, code) {
        (None, None, None) => Ok(None),
        (Some(since), Some(check), Some(code)) => Ok(Some(Quarantine { since, check, code })),
        _ => Err(record.damaged("quarantined_at", "a part of the quarantine is absent")),
    }
}

/// Reads what [`connection_columns`] wrote.
pub(super) fn connection(record: &Record) -> StoreResult<Connection> {
    Ok(Connection {
        bucket: record.parse("bucket", BucketName::parse)?,
        settings: connections::settings(record)?,
        credentials: credentials(record)?,
    })
}

fn credentials(record: &Record) -> StoreResult<Credentials> {
    let DraftSignIn {
        by,
        role_arn,
        customer: _,
        role_path: _,
        access_key,
    } = connections::sign_in(record)?;
    Ok(match by {
        Auth::Role => Credentials::Role {
            role_arn: record.present("role_arn", role_arn)?,
            external_id: record.parse("external_id", ExternalId::from_record)?,
        },
        Auth::AccessKey => Credentials::AccessKey {
            access_key_id: record.present("access_key_id", access_key.id)?,
            secret: record.present("secret", access_key.secret)?,
            sealed_for: record.text("sealed_for")?,
            endpoint: access_key.endpoint,
        },
    })
}
