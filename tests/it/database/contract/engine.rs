//! What concerns the database as a whole: starts, indexes, and the schema.

use crate::application::kept::store::{Store, StoreError, WorkspaceStore};
use crate::database::{Database, DatabaseUrl};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, drop_postgres, empty_postgres, on_both_engines};

on_both_engines!(
    a_second_start_finds_everything,
    a_newer_schema_is_used_by_an_older_release,
    a_schema_that_only_newer_releases_can_use_is_left_alone,
    lists_and_lookups_use_an_index,
    both_engines_have_the_same_columns,
);

async fn starts_at_once(url: &DatabaseUrl) {
    let mut starts = Vec::new();
    for _ in 0..4 {
        let url = url.clone();
        starts.push(tokio::spawn(async move { Database::connect(&url).await }));
    }
    for start in starts {
        let database = start.await.unwrap().unwrap();
        workspace(&database).await;
        database.close().await;
    }
    let database = Database::connect(url).await.unwrap();
    assert_eq!(database.list_workspaces(&all()).await.unwrap().len(), 4);
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_replicas_start_at_once_on_an_empty_postgres() {
    let url = empty_postgres().await;
    starts_at_once(&url).await;
    drop_postgres(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_processes_start_at_once_on_a_new_sqlite_file() {
    for _ in 0..5 {
        let folder = tempfile::TempDir::new().unwrap();
        starts_at_once(&DatabaseUrl::sqlite_file(&folder.path().join("a/b/new.db"))).await;
    }
}

#[tokio::test]
async fn a_sqlite_file_that_cannot_be_is_refused_at_once() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(
        &file,
        "This is no database at all, but it is long enough to be read.",
    )
    .unwrap();
    for path in [file.join("below/x.db"), folder.path().to_owned(), file] {
        let start = Database::connect(&DatabaseUrl::sqlite_file(&path)).await;
        assert!(matches!(start, Err(StoreError::Failed(_))), "{path:?}");
    }
}

#[tokio::test]
async fn a_postgres_that_refuses_us_stops_the_start() {
    let url = empty_postgres().await;
    drop_postgres(&url).await;
    let start = Database::connect(&url).await;
    assert!(matches!(start, Err(StoreError::Failed(_))));
}

async fn a_second_start_finds_everything(db: TestDb) {
    let made = workspace(&db.database).await;
    let again = Database::connect(&db.url).await.unwrap();
    assert_eq!(again.ping().await, Ok(()));
    assert_eq!(again.workspace(&made.id).await, Ok(Some(made)));
    again.close().await;
}

async fn a_newer_schema_is_used_by_an_older_release(db: TestDb) {
    let made = workspace(&db.database).await;
    db.tamper(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1;
         ALTER TABLE workspaces ADD COLUMN later TEXT NOT NULL DEFAULT 'x'",
    )
    .await
    .unwrap();
    // What was running goes on, and a start finds everything and can write.
    workspace(&db.database).await;
    let older = Database::connect(&db.url).await.unwrap();
    assert_eq!(older.workspace(&made.id).await, Ok(Some(made)));
    workspace(&older).await;
    older.close().await;
}

async fn a_schema_that_only_newer_releases_can_use_is_left_alone(db: TestDb) {
    let oldest = async |number: &str| {
        let value = if db.is_postgres() {
            format!("'{number}'::bytea")
        } else {
            format!("CAST('{number}' AS BLOB)")
        };
        db.tamper(&format!(
            "DELETE FROM remembered WHERE name = 'oldest_compatible_migration';
             INSERT INTO remembered (name, value) VALUES ('oldest_compatible_migration', {value})"
        ))
        .await
        .unwrap();
        Database::connect(&db.url).await
    };
    oldest("4").await.unwrap().close().await;
    for number in ["9999", "soon"] {
        let start = oldest(number).await;
        let Err(StoreError::Failed(why)) = start else {
            panic!("{number}");
        };
        assert!(
            why.contains(if number == "9999" {
                "newer release"
            } else {
                "not a number"
            }),
            "{why}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_sqlite_file_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let db = TestDb::sqlite().await;
    workspace(&db.database).await;
    let DatabaseUrl::Sqlite(path) = &db.url else {
        panic!("SQLite");
    };
    let mut found = 0;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
        found += 1;
    }
    assert!(found >= 2, "the database and its write-ahead log");
}

/// The statements of the lists and look-ups, with plain values in the places of the placeholders.
const READS: &[&str] = &[
    "SELECT * FROM workspaces WHERE id > 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM workspace_origins WHERE workspace_id = 'x' ORDER BY position",
    "SELECT workspace_id FROM workspace_origins WHERE origin IN ('x', 'y') LIMIT 1",
    "SELECT * FROM api_tokens WHERE hash = NULL",
    "SELECT * FROM api_tokens WHERE workspace_id = 'x' AND id > 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM setups WHERE workspace_id = 'x' AND id = 'x'",
    "SELECT * FROM setups WHERE workspace_id = 'x' AND id > 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM storages WHERE workspace_id = 'x' AND id = 'x'",
    "SELECT * FROM storages WHERE workspace_id = 'x' AND id > 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM pending_connections WHERE workspace_id = 'x' AND storage_id = 'x'",
    "SELECT * FROM pending_connections WHERE workspace_id = 'x' AND storage_id > 'x' ORDER BY storage_id LIMIT 100",
    "SELECT * FROM storages WHERE next_check_at <= 5 ORDER BY next_check_at LIMIT 100",
    "SELECT * FROM checks WHERE workspace_id = 'x' AND id = 'x'",
    "SELECT * FROM checks WHERE workspace_id = 'x' AND storage_id = 'x' AND id < 'x' ORDER BY id DESC LIMIT 100",
    "SELECT * FROM projects WHERE workspace_id = 'x' AND id = 'x'",
    "SELECT * FROM projects WHERE workspace_id = 'x' AND id < 'x' ORDER BY id DESC LIMIT 100",
    "SELECT * FROM projects WHERE workspace_id = 'x' AND storage_id = 'x'",
    "SELECT * FROM audit_log WHERE action = 'use_pending_change' AND target = 'x' AND occurred_at > 5 ORDER BY occurred_at LIMIT 4",
    "SELECT * FROM project_files WHERE project_id = 'x' AND position > 5 ORDER BY position LIMIT 100",
    "SELECT * FROM project_files WHERE project_id = 'x' AND path IN ('x', 'y')",
    "SELECT * FROM audit_log WHERE id < 'x' ORDER BY id DESC LIMIT 100",
    "SELECT * FROM audit_log WHERE workspace_id = 'x' AND id < 'x' ORDER BY id DESC LIMIT 100",
    "SELECT DISTINCT entry_id FROM audit_files WHERE file_key = 'x' AND workspace_id = 'x' AND entry_id < 'x' ORDER BY entry_id DESC LIMIT 100",
    "SELECT * FROM audit_files WHERE entry_id = 'x' AND position > 5 ORDER BY position LIMIT 100",
    "SELECT * FROM audit_intents WHERE seen_at < 5 ORDER BY seen_at LIMIT 100",
    "SELECT * FROM idempotency_keys WHERE started_at < 5 ORDER BY started_at LIMIT 4",
    "SELECT * FROM jobs WHERE kind = 'x' AND lease_until >= 5",
    "SELECT id FROM setups WHERE secret IS NOT NULL AND status = 'open' AND expires_at < 5 LIMIT 4",
    "SELECT id FROM setups WHERE expires_at < 5 ORDER BY expires_at LIMIT 4",
    "SELECT id FROM instruction_links WHERE expires_at < 5 LIMIT 4",
    "SELECT id, steps FROM checks WHERE storage_id = 'x' AND started_at < 5 AND id > 'x' ORDER BY id LIMIT 4",
    "SELECT id FROM audit_log WHERE occurred_at < 5 ORDER BY occurred_at LIMIT 4",
    "SELECT * FROM events WHERE seq > 5 ORDER BY seq LIMIT 100",
    "SELECT * FROM events WHERE workspace_id = 'x' AND seq > 5 ORDER BY seq LIMIT 100",
    "SELECT seq FROM events WHERE created_at < 5 ORDER BY created_at LIMIT 4",
    "SELECT id FROM setups WHERE status = 'open' AND expiry_noted = 0 AND expires_at <= 5 ORDER BY expires_at LIMIT 4",
    "SELECT id FROM webhook_deliveries WHERE status = 'pending' AND due_at <= 5 ORDER BY due_at LIMIT 4",
    "SELECT * FROM webhook_deliveries WHERE webhook_id = 'x' AND id < 'x' ORDER BY id DESC LIMIT 100",
    "SELECT hash FROM used_tokens WHERE expires_at < 5",
    "SELECT id FROM sessions WHERE issuer = 'x' AND issuer_subject = 'x'",
    "SELECT id FROM sessions WHERE issuer = 'x' AND issuer_session = 'x'",
    "SELECT * FROM usage_days WHERE workspace_id = 'x' AND day >= 5 AND day <= 9 ORDER BY day LIMIT 100",
    "SELECT * FROM sessions WHERE made_by_token = 'x'",
    "SELECT * FROM audit_log WHERE id > 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM audit_log WHERE workspace_id = 'x' AND id > 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM storages WHERE id > 'x' AND workspace_id = 'x' AND bucket = 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM storages WHERE id > 'x' AND health = 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM storages WHERE id > 'x' AND external_id = 'x' ORDER BY id LIMIT 100",
    "SELECT * FROM jobs WHERE kind = 'x' AND slow = 0 AND due_at <= 5 ORDER BY due_at LIMIT 1",
    "SELECT MAX(turn) FROM job_turns WHERE kind = 'x'",
    "SELECT MAX(turn) FROM job_lines WHERE kind = 'x' AND slow = 0 AND is_waiting = 1",
    "SELECT * FROM job_lines WHERE kind = 'x' AND slow = 0 AND is_waiting = 0 AND due_at <= 5 ORDER BY due_at LIMIT 4",
    "SELECT * FROM jobs WHERE kind = 'x' AND slow = 0 AND workspace_id = 'x' AND +lease_until < 5 ORDER BY due_at, subject_id LIMIT 2",
    "SELECT * FROM jobs WHERE kind = 'x' AND slow = 0 AND workspace_id = 'x' AND due_at <= 5 AND +lease_until < 5 ORDER BY due_at, subject_id LIMIT 1",
    "SELECT COUNT(*) FROM jobs WHERE kind = 'x' AND slow = 0 AND workspace_id = 'x' AND lease_until > 0 AND lease_until >= 5",
    "SELECT COUNT(*) FROM jobs WHERE kind = 'x' AND slow = 0 AND due_at <= 5",
    "SELECT MIN(webhook_id) FROM webhook_deliveries WHERE status = 'pending' AND webhook_id > 'x'",
    "SELECT id FROM webhook_deliveries WHERE status = 'pending' AND webhook_id = 'x' AND due_at <= 5 AND +lease_until < 5 ORDER BY due_at, event_seq, id LIMIT 1",
    "SELECT id FROM setups WHERE dialog_open_at < 5 AND status = 'open' AND revision = 1 ORDER BY dialog_open_at LIMIT 4",
    "SELECT id, expires_at FROM setups WHERE expires_at >= 4 AND expires_at < 5 ORDER BY expires_at LIMIT 100",
    "SELECT hash FROM sign_in_links WHERE workspace_id = 'x'",
    "SELECT hash FROM instruction_links WHERE workspace_id = 'x'",
    "SELECT subject_id FROM jobs WHERE workspace_id = 'x'",
];

async fn lists_and_lookups_use_an_index(db: TestDb) {
    for sql in READS {
        let plan = if db.is_postgres() {
            // Empty tables would be scanned whatever indexes there are.
            let explain =
                format!("SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN {sql}");
            let column = db.raw_texts(&explain, "QUERY PLAN").await;
            column.join("\n")
        } else {
            db.texts(&format!("EXPLAIN QUERY PLAN {sql}"), "detail")
                .await
                .join("\n")
        };
        let (scan, sort) = if db.is_postgres() {
            ("Seq Scan", "Sort")
        } else {
            ("SCAN", "TEMP B-TREE")
        };
        assert!(
            !plan.contains(scan) && !plan.contains(sort),
            "{sql}\n{plan}"
        );
    }
}

/// Tables and columns, read from each engine's own catalogue, as one list.
async fn both_engines_have_the_same_columns(db: TestDb) {
    let columns = if db.is_postgres() {
        "SELECT table_name || '.' || column_name AS name FROM information_schema.columns
         WHERE table_schema = 'public' ORDER BY 1"
    } else {
        "SELECT m.name || '.' || c.name AS name FROM sqlite_schema m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1"
    };
    let mut found = db.texts(columns, "name").await;
    found.retain(|name| !name.starts_with("_sqlx"));
    found.sort();
    let expected = concat!(
        include_str!("../../../../migrations/sqlite/0001_initial.sql"),
        include_str!("../../../../migrations/sqlite/0002_sign_in.sql"),
        include_str!("../../../../migrations/sqlite/0003_bucket_account.sql"),
        include_str!("../../../../migrations/sqlite/0004_jobs.sql"),
        include_str!("../../../../migrations/sqlite/0005_quarantine.sql"),
        include_str!("../../../../migrations/sqlite/0006_browser_access_and_pending.sql"),
        include_str!("../../../../migrations/sqlite/0007_idempotent_effects.sql"),
        include_str!("../../../../migrations/sqlite/0008_retention_and_lanes.sql"),
        include_str!("../../../../migrations/sqlite/0009_audit_detail.sql"),
        include_str!("../../../../migrations/sqlite/0010_file_metadata.sql"),
        include_str!("../../../../migrations/sqlite/0011_archived_files.sql"),
        include_str!("../../../../migrations/sqlite/0012_health_over_time.sql"),
        include_str!("../../../../migrations/sqlite/0013_import_causes.sql"),
        include_str!("../../../../migrations/sqlite/0014_grants.sql"),
        include_str!("../../../../migrations/sqlite/0015_waiting_for_roles.sql"),
        include_str!("../../../../migrations/sqlite/0016_links_and_keys.sql"),
        include_str!("../../../../migrations/sqlite/0018_setup_authors.sql"),
        include_str!("../../../../migrations/sqlite/0019_sign_in_arrivals.sql"),
        include_str!("../../../../migrations/sqlite/0020_skipped_reasons.sql"),
        include_str!("../../../../migrations/sqlite/0021_workspace_ids.sql"),
        include_str!("../../../../migrations/sqlite/0022_events.sql"),
        include_str!("../../../../migrations/sqlite/0023_product_keys.sql"),
        include_str!("../../../../migrations/sqlite/0024_workspace_origins.sql"),
        include_str!("../../../../migrations/sqlite/0025_working_folders.sql"),
        include_str!("../../../../migrations/sqlite/0028_day_two.sql"),
        include_str!("../../../../migrations/sqlite/0031_signing_in.sql"),
        include_str!("../../../../migrations/sqlite/0032_changes.sql"),
        include_str!("../../../../migrations/sqlite/0033_scale.sql"),
        include_str!("../../../../migrations/sqlite/0035_moved_parts.sql"),
        include_str!("../../../../migrations/sqlite/0037_session_links.sql"),
        include_str!("../../../../migrations/sqlite/0038_job_lines.sql"),
    );
    let mut table = "";
    let mut names = Vec::new();
    for line in expected.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = rest.trim_end_matches(" (");
        } else if line.starts_with(')') {
            // What follows may be a trigger, whose lines look alike.
            table = "";
        } else if let Some((changed, rest)) = line
            .strip_prefix("ALTER TABLE ")
            .and_then(|rest| rest.split_once(" ADD COLUMN "))
        {
            let word = rest.split(' ').next().unwrap_or_default();
            names.push(format!("{changed}.{word}"));
        } else if let Some(rest) = line.strip_prefix("    ")
            && !table.is_empty()
        {
            let word = rest.split(' ').next().unwrap_or_default();
            if word.starts_with(|c: char| c.is_ascii_lowercase()) {
                names.push(format!("{table}.{word}"));
            }
        }
    }
    names.sort();
    assert_eq!(found, names);
}
