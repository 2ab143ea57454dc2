//! The schema, embedded, and how it is brought to the present version.
//!
//! A database may have migrations that this release does not know: a newer release has applied them, and
//! replicas of this one go on running, or are started again, during its rollout or after it was taken back.
//! Migrations only add, so that works. The migration that ends this, by removing what older releases use,
//! stores the oldest migration that a release must know under the name [`OLDEST_COMPATIBLE`].

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Pool, Sql, Take, values};
use crate::database::record::Record;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlStr, SqliteConnection};
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

/// The longest that bringing the schema up to date may take; after it, the next call tries again.
pub(super) const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The name in `remembered` of the smallest migration number that a release must know to use this database,
/// in decimal digits. Absent: any release can use it.
pub(super) const OLDEST_COMPATIBLE: &str = "oldest_compatible_migration";

const SQLITE: &[(i64, &str, &str)] = &[
    (
        1,
        "initial",
        include_str!("../../migrations/sqlite/0001_initial.sql"),
    ),
    (
        2,
        "sign_in",
        include_str!("../../migrations/sqlite/0002_sign_in.sql"),
    ),
    (
        3,
        "bucket_account",
        include_str!("../../migrations/sqlite/0003_bucket_account.sql"),
    ),
    (
        4,
        "jobs",
        include_str!("../../migrations/sqlite/0004_jobs.sql"),
    ),
    (
        5,
        "quarantine",
        include_str!("../../migrations/sqlite/0005_quarantine.sql"),
    ),
    (
        6,
        "browser_access_and_pending",
        include_str!("../../migrations/sqlite/0006_browser_access_and_pending.sql"),
    ),
    (
        7,
        "idempotent_effects",
        include_str!("../../migrations/sqlite/0007_idempotent_effects.sql"),
    ),
    (
        8,
        "retention_and_lanes",
        include_str!("../../migrations/sqlite/0008_retention_and_lanes.sql"),
    ),
    (
        9,
        "audit_detail",
        include_str!("../../migrations/sqlite/0009_audit_detail.sql"),
    ),
    (
        10,
        "file_metadata",
        include_str!("../../migrations/sqlite/0010_file_metadata.sql"),
    ),
    (
        11,
        "archived_files",
        include_str!("../../migrations/sqlite/0011_archived_files.sql"),
    ),
    (
        12,
        "health_over_time",
        include_str!("../../migrations/sqlite/0012_health_over_time.sql"),
    ),
    (
        13,
        "import_causes",
        include_str!("../../migrations/sqlite/0013_import_causes.sql"),
    ),
    (
        14,
        "grants",
        include_str!("../../migrations/sqlite/0014_grants.sql"),
    ),
    (
        15,
        "waiting_for_roles",
        include_str!("../../migrations/sqlite/0015_waiting_for_roles.sql"),
    ),
    (
        16,
        "links_and_keys",
        include_str!("../../migrations/sqlite/0016_links_and_keys.sql"),
    ),
    (
        17,
        "audit_filters",
        include_str!("../../migrations/sqlite/0017_audit_filters.sql"),
    ),
    (
        18,
        "setup_authors",
        include_str!("../../migrations/sqlite/0018_setup_authors.sql"),
    ),
    (
        19,
        "sign_in_arrivals",
        include_str!("../../migrations/sqlite/0019_sign_in_arrivals.sql"),
    ),
    (
        20,
        "skipped_reasons",
        include_str!("../../migrations/sqlite/0020_skipped_reasons.sql"),
    ),
    (
        21,
        "workspace_ids",
        include_str!("../../migrations/sqlite/0021_workspace_ids.sql"),
    ),
    (
        22,
        "events",
        include_str!("../../migrations/sqlite/0022_events.sql"),
    ),
    (
        23,
        "product_keys",
        include_str!("../../migrations/sqlite/0023_product_keys.sql"),
    ),
    (
        24,
        "workspace_origins",
        include_str!("../../migrations/sqlite/0024_workspace_origins.sql"),
    ),
    (
        25,
        "working_folders",
        include_str!("../../migrations/sqlite/0025_working_folders.sql"),
    ),
    (
        28,
        "day_two",
        include_str!("../../migrations/sqlite/0028_day_two.sql"),
    ),
    (
        31,
        "signing_in",
        include_str!("../../migrations/sqlite/0031_signing_in.sql"),
    ),
    (
        32,
        "changes",
        include_str!("../../migrations/sqlite/0032_changes.sql"),
    ),
    (
        33,
        "scale",
        include_str!("../../migrations/sqlite/0033_scale.sql"),
    ),
    (
        35,
        "moved_parts",
        include_str!("../../migrations/sqlite/0035_moved_parts.sql"),
    ),
    (
        37,
        "session_links",
        include_str!("../../migrations/sqlite/0037_session_links.sql"),
    ),
    (
        38,
        "job_lines",
        include_str!("../../migrations/sqlite/0038_job_lines.sql"),
    ),
];

const POSTGRES: &[(i64, &str, &str)] = &[
    (
        1,
        "initial",
        include_str!("../../migrations/postgres/0001_initial.sql"),
    ),
    (
        2,
        "sign_in",
        include_str!("../../migrations/postgres/0002_sign_in.sql"),
    ),
    (
        3,
        "bucket_account",
        include_str!("../../migrations/postgres/0003_bucket_account.sql"),
    ),
    (
        4,
        "jobs",
        include_str!("../../migrations/postgres/0004_jobs.sql"),
    ),
    (
        5,
        "quarantine",
        include_str!("../../migrations/postgres/0005_quarantine.sql"),
    ),
    (
        6,
        "browser_access_and_pending",
        include_str!("../../migrations/postgres/0006_browser_access_and_pending.sql"),
    ),
    (
        7,
        "idempotent_effects",
        include_str!("../../migrations/postgres/0007_idempotent_effects.sql"),
    ),
    (
        8,
        "retention_and_lanes",
        include_str!("../../migrations/postgres/0008_retention_and_lanes.sql"),
    ),
    (
        9,
        "audit_detail",
        include_str!("../../migrations/postgres/0009_audit_detail.sql"),
    ),
    (
        10,
        "file_metadata",
        include_str!("../../migrations/postgres/0010_file_metadata.sql"),
    ),
    (
        11,
        "archived_files",
        include_str!("../../migrations/postgres/0011_archived_files.sql"),
    ),
    (
        12,
        "health_over_time",
        include_str!("../../migrations/postgres/0012_health_over_time.sql"),
    ),
    (
        13,
        "import_causes",
        include_str!("../../migrations/postgres/0013_import_causes.sql"),
    ),
    (
        14,
        "grants",
        include_str!("../../migrations/postgres/0014_grants.sql"),
    ),
    (
        15,
        "waiting_for_roles",
        include_str!("../../migrations/postgres/0015_waiting_for_roles.sql"),
    ),
    (
        16,
        "links_and_keys",
        include_str!("../../migrations/postgres/0016_links_and_keys.sql"),
    ),
    (
        17,
        "audit_filters",
        include_str!("../../migrations/postgres/0017_audit_filters.sql"),
    ),
    (
        18,
        "setup_authors",
        include_str!("../../migrations/postgres/0018_setup_authors.sql"),
    ),
    (
        19,
        "sign_in_arrivals",
        include_str!("../../migrations/postgres/0019_sign_in_arrivals.sql"),
    ),
    (
        20,
        "skipped_reasons",
        include_str!("../../migrations/postgres/0020_skipped_reasons.sql"),
    ),
    (
        21,
        "workspace_ids",
        include_str!("../../migrations/postgres/0021_workspace_ids.sql"),
    ),
    (
        22,
        "events",
        include_str!("../../migrations/postgres/0022_events.sql"),
    ),
    (
        23,
        "product_keys",
        include_str!("../../migrations/postgres/0023_product_keys.sql"),
    ),
    (
        24,
        "workspace_origins",
        include_str!("../../migrations/postgres/0024_workspace_origins.sql"),
    ),
    (
        25,
        "working_folders",
        include_str!("../../migrations/postgres/0025_working_folders.sql"),
    ),
    (
        28,
        "day_two",
        include_str!("../../migrations/postgres/0028_day_two.sql"),
    ),
    (
        31,
        "signing_in",
        include_str!("../../migrations/postgres/0031_signing_in.sql"),
    ),
    (
        32,
        "changes",
        include_str!("../../migrations/postgres/0032_changes.sql"),
    ),
    (
        33,
        "scale",
        include_str!("../../migrations/postgres/0033_scale.sql"),
    ),
    (
        35,
        "moved_parts",
        include_str!("../../migrations/postgres/0035_moved_parts.sql"),
    ),
    (
        37,
        "session_links",
        include_str!("../../migrations/postgres/0037_session_links.sql"),
    ),
    (
        38,
        "job_lines",
        include_str!("../../migrations/postgres/0038_job_lines.sql"),
    ),
];

fn migrator(files: &'static [(i64, &'static str, &'static str)]) -> Migrator {
    let mut migrator = Migrator::with_migrations(
        files
            .iter()
            .map(|(version, description, sql)| {
                Migration::new(
                    *version,
                    Cow::Borrowed(*description),
                    MigrationType::Simple,
                    SqlStr::from_static(sql),
                    false,
                )
            })
            .collect(),
    );
    migrator.set_ignore_missing(true);
    migrator
}

/// Whether a process may change the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaChanges {
    /// It brings an older schema up to date. The database's role has to own the tables then.
    Made,
    /// It does not use a schema that is older than its release. To read and to write rows is enough then.
    Refused,
}

/// Finds the schema up to date, or makes it so. Nothing is created where nothing is missing, so that a role which
/// may only read and write rows is enough.
pub(super) async fn run(pool: &Pool, changes: SchemaChanges) -> StoreResult<()> {
    tokio::time::timeout(LIMIT, prepare(pool, changes))
        .await
        .unwrap_or_else(|_| {
            Err(StoreError::Unavailable(
                "bringing the schema up to date took too long".into(),
            ))
        })
}

async fn prepare(pool: &Pool, changes: SchemaChanges) -> StoreResult<()> {
    let missing = missing(pool).await?;
    if !missing.is_empty() {
        match changes {
            SchemaChanges::Made => apply(pool).await.map_err(explained)?,
            SchemaChanges::Refused => {
                let all = SQLITE.len();
                return Err(StoreError::Failed(format!(
                    "{BEHIND}: {} of its {all} migrations are missing, the first of them number {}. Run `sallyport migrate` with a database role that owns the tables, and start again; or set SALLYPORT_MIGRATE to `on`. Nothing was changed",
                    missing.len(),
                    missing[0]
                )));
            }
        }
    }
    refuse_incompatible(pool).await
}

/// What the error begins with where a schema is too old to be used.
const BEHIND: &str = "the schema of the database is older than this release";

/// Adds what to do where the role may not change the schema. The driver knows it by the text only, once it is one
/// of ours.
fn explained(error: StoreError) -> StoreError {
    match error {
        StoreError::Failed(text)
            if text.contains("permission denied") || text.contains("must be owner") =>
        {
            StoreError::Failed(format!(
                "{BEHIND}, and this role may not change it: {text}. Run `sallyport migrate` with a database role that owns the tables"
            ))
        }
        other => other,
    }
}

/// The numbers of this release's migrations that the database does not have, in their order. Fails where one was
/// broken off or differs from this release's.
pub(super) async fn missing(pool: &Pool) -> StoreResult<Vec<i64>> {
    let table = pool
        .read(
            Sql::Each {
                sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'",
                postgres: "SELECT CAST(name AS TEXT) AS name FROM (SELECT to_regclass('_sqlx_migrations') AS name) found WHERE name IS NOT NULL",
            },
            values![],
            Take::All,
        )
        .await?;
    let files = match pool {
        Pool::Sqlite { .. } => SQLITE,
        Pool::Postgres { .. } => POSTGRES,
    };
    if table.is_empty() {
        return Ok(files.iter().map(|(version, _, _)| *version).collect());
    }
    let rows = pool
        .read(
            "SELECT version, checksum, CAST(CASE WHEN success THEN 1 ELSE 0 END AS BIGINT) AS whole
             FROM _sqlx_migrations",
            values![],
            Take::All,
        )
        .await?;
    let mut applied = HashMap::new();
    for row in rows {
        let record = Record::named("_sqlx_migrations".to_owned(), row);
        let version = record.int("version")?;
        if record.int("whole")? == 0 {
            return Err(StoreError::Failed(format!(
                "migration {version} was broken off and has to be repaired by hand"
            )));
        }
        applied.insert(version, record.bytes("checksum")?);
    }
    let mut missing = Vec::new();
    for migration in migrator(files).iter() {
        match applied.get(&migration.version) {
            None => missing.push(migration.version),
            Some(checksum) if *checksum == *migration.checksum => {}
            Some(_) => {
                return Err(StoreError::Failed(format!(
                    "migration {} of the database is not the one of this release",
                    migration.version
                )));
            }
        }
    }
    Ok(missing)
}

/// Applies what is missing. One process at a time: the others wait and find it done.
async fn apply(pool: &Pool) -> StoreResult<()> {
    match pool {
        Pool::Sqlite { writer, .. } => {
            let mut held = writer.acquire().await?;
            // What is left open by a failure is closed when the connection is given back.
            held.sent();
            // The driver has no lock of its own for SQLite; the write lock does as well.
            let mut tx = held.connection().begin_with("BEGIN IMMEDIATE").await?;
            migrator(SQLITE).run_direct(None, &mut *tx, false).await?;
            tx.commit().await?;
        }
        Pool::Postgres { pooler, .. } if pooler.shares_sessions() => {
            return Err(StoreError::Failed(format!(
                "{BEHIND}, and cannot be changed through a pooler that shares sessions. Run `sallyport migrate` with the URL of the server itself"
            )));
        }
        Pool::Postgres { lane, .. } => {
            // Under the driver's advisory lock, which belongs to the session. Taken from the others,
            // so that a session which fails here is closed, and the lock freed with it.
            let held = lane.acquire().await?;
            let Some(mut connection) = held.take_away() else {
                return Err(StoreError::Failed("a connection was lost".to_owned()));
            };
            // Bounded as a whole, by the limit above.
            sqlx::query("SET statement_timeout = 0")
                .execute(&mut connection)
                .await?;
            migrator(POSTGRES)
                .run_direct(None, &mut connection, false)
                .await?;
            connection.close().await?;
        }
    }
    Ok(())
}

/// Makes the whole schema in a SQLite database that is new and nobody else's.
pub(super) async fn run_on_new(connection: &mut SqliteConnection) -> StoreResult<()> {
    migrator(SQLITE).run_direct(None, connection, false).await?;
    Ok(())
}

/// The numbers of this release's migrations, in their order.
pub(super) fn known() -> impl Iterator<Item = i64> {
    SQLITE.iter().map(|(version, _, _)| *version)
}

/// Stops a release that is too old for the schema.
async fn refuse_incompatible(pool: &Pool) -> StoreResult<()> {
    let rows = pool
        .read(
            "SELECT value FROM remembered WHERE name = $1",
            values![OLDEST_COMPATIBLE],
            Take::All,
        )
        .await?;
    let Some(row) = rows.into_iter().next() else {
        return Ok(());
    };
    let value = Record::named(format!("remembered/{OLDEST_COMPATIBLE}"), row).bytes("value")?;
    let needed = std::str::from_utf8(&value)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    let known = known().last().unwrap_or(0);
    match needed {
        Some(needed) if needed <= known => Ok(()),
        Some(needed) => Err(StoreError::Failed(format!(
            "the database was upgraded by a newer release, and no release without migration {needed} can use \
             it. This release knows migrations up to {known}. Start a newer release; nothing was changed"
        ))),
        None => Err(StoreError::Failed(format!(
            "`remembered/{OLDEST_COMPATIBLE}` in the database is not a number"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_versions_in_order() {
        let versions = |files: &[(i64, &str, &str)]| files.iter().map(|f| f.0).collect::<Vec<_>>();
        assert_eq!(versions(SQLITE), versions(POSTGRES));
        assert!(versions(SQLITE).is_sorted());
    }
}
