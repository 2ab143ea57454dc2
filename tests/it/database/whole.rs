//! Whole databases: copied into another one, backed up while they are in use, and looked at.

use crate::application::kept::master_key;
use crate::application::kept::store::{Store, WorkspaceStore};
use crate::application::kept::upkeep::{Inspection, Schema};
use crate::application::kept::vault::{MasterKey, Vault};
use crate::database::copy::copy_database;
use crate::database::{Database, DatabaseLock, DatabaseUrl, back_up, inspect};
use crate::it::database::contract::samples::workspace;
use crate::it::support::database::{TestDb, drop_postgres, empty_postgres};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Every table of ours on SQLite whose rows are copied: what was changed of late means something to one database.
const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table'
    AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT IN ('_sqlx_migrations', 'changes')
    ORDER BY name";

/// The first column of a statement, on a connection of its own.
async fn column(url: &DatabaseUrl, sql: &str) -> Result<Vec<String>, sqlx::Error> {
    let sql = AssertSqlSafe(sql.to_owned());
    match url {
        DatabaseUrl::Sqlite(path) => {
            let options = SqliteConnectOptions::new().filename(path);
            let mut raw = options.connect().await?;
            let rows = sqlx::query(sql).fetch_all(&mut raw).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        }
        DatabaseUrl::Postgres(options) => {
            let mut raw = options.connect().await?;
            let rows = sqlx::query(sql).fetch_all(&mut raw).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        }
    }
}

fn file_of(db: &TestDb) -> PathBuf {
    match &db.url {
        DatabaseUrl::Sqlite(path) => path.clone(),
        DatabaseUrl::Postgres(_) => panic!("SQLite"),
    }
}

/// Puts a row into every table, with a value in every column. A table of the newest migration gets one too.
async fn fill(db: &TestDb) {
    let mut sql = String::new();
    for table in db.texts(TABLES, "name").await {
        let columns = format!("SELECT name || ' ' || type FROM pragma_table_info('{table}')");
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for declared in column(&db.url, &columns).await.unwrap() {
            let (name, kind) = declared.split_once(' ').unwrap();
            names.push(format!("\"{name}\""));
            values.push(match (table.as_str(), name, kind) {
                // A check is of one of the two.
                ("checks", "storage_id", _) => "NULL",
                (_, _, "TEXT") => "'x'",
                (_, _, "INTEGER") => "1",
                (_, _, "BLOB") => "x'01ff00'",
                other => panic!("{other:?}"),
            });
        }
        let (names, values) = (names.join(", "), values.join(", "));
        sql += &format!("INSERT INTO {table} ({names}) VALUES ({values});\n");
    }
    db.tamper(&sql).await.unwrap();
}

/// Everything in a SQLite database, a line for each row.
async fn dump(url: &DatabaseUrl) -> Vec<String> {
    let mut lines = Vec::new();
    for table in column(url, TABLES).await.unwrap() {
        let columns =
            format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
        let row = column(url, &columns).await.unwrap().join(" || ' ' || ");
        let rows = format!("SELECT {row} FROM {table} ORDER BY 1");
        for line in column(url, &rows).await.unwrap() {
            lines.push(format!("{table}: {line}"));
        }
    }
    lines
}

/// A new SQLite database in this folder.
fn new_in(folder: &tempfile::TempDir) -> DatabaseUrl {
    let name = format!("{}.db", uuid::Uuid::new_v4().simple());
    DatabaseUrl::sqlite_file(&folder.path().join(name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_from_postgresql_as_it_was() {
    let source = TestDb::sqlite().await;
    fill(&source).await;
    // Events of before are gone, and their numbers are not given out again.
    source
        .tamper("UPDATE sqlite_sequence SET seq = 50 WHERE name = 'events'")
        .await
        .unwrap();
    let postgres = empty_postgres().await;
    let there = copy_database(&source.url, &postgres).await.unwrap();
    let mut named: Vec<&str> = there.tables.iter().map(|c| c.table.as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, source.texts(TABLES, "name").await);
    for count in &there.tables {
        // What is put there becomes a job at once.
        assert!(count.rows > 0 || count.table == "imports", "{count:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let back = new_in(&folder);
    assert_eq!(copy_database(&postgres, &back).await.unwrap(), there);
    let (before, after) = (dump(&source.url).await, dump(&back).await);
    assert!(before.len() >= named.len(), "{before:#?}");
    assert_eq!(before, after);

    for url in [&postgres, &back] {
        // What protects the audit log is there, and what an older replica makes becomes a job.
        for refused in [
            "UPDATE audit_log SET actor = 'y'",
            "DELETE FROM external_ids",
            "UPDATE audit_exports SET entries = 2",
        ] {
            assert!(column(url, refused).await.is_err(), "{url}: {refused}");
        }
        let imported = "INSERT INTO imports (project_id, source) VALUES ('x', 'y')";
        column(url, imported).await.unwrap();
        let jobs = "SELECT subject_id FROM jobs WHERE kind = 'import'";
        assert_eq!(column(url, jobs).await.unwrap(), ["x"], "{url}");
        let next = "INSERT INTO events (id, type, workspace_id, data, created_at)
             VALUES ('y', 'x', 'x', '{}', 1) RETURNING CAST(seq AS TEXT)";
        assert_eq!(column(url, next).await.unwrap(), ["51"], "{url}");
    }
    drop_postgres(&postgres).await;
}

async fn refused(from: &DatabaseUrl, to: &DatabaseUrl) -> String {
    copy_database(from, to).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_use_or_not_empty_is_not_copied() {
    let source = TestDb::sqlite().await;
    workspace(&source.database).await;
    let folder = tempfile::tempdir().unwrap();
    let target = new_in(&folder);

    let same = refused(&source.url, &source.url).await;
    assert!(same.contains("the same database"), "{same}");
    let absent = refused(&target, &source.url).await;
    assert!(absent.contains("there is no SQLite database"), "{absent}");

    let running = DatabaseLock::of_service(&source.url).await.unwrap();
    let in_use = refused(&source.url, &target).await;
    let own = format!("the process {}, `sallyport serve`", std::process::id());
    assert!(in_use.contains(&own), "{in_use}");
    let into = refused(&target_with_rows(&folder).await, &source.url).await;
    assert!(into.contains(&own), "{into}");
    drop(running);

    let other = target_with_rows(&folder).await;
    let full = refused(&source.url, &other).await;
    assert!(full.contains("its table workspaces has rows"), "{full}");
    let names = "SELECT id FROM workspaces";
    assert_eq!(column(&other, names).await.unwrap().len(), 1);

    // The tables of this release without a row are as good as none.
    let migrated = new_in(&folder);
    Database::connect(&migrated).await.unwrap().close().await;
    copy_database(&source.url, &migrated).await.unwrap();

    source
        .tamper(
            "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)",
        )
        .await
        .unwrap();
    let older = refused(&source.url, &target).await;
    assert!(older.contains("the schema of the source"), "{older}");
}

async fn target_with_rows(folder: &tempfile::TempDir) -> DatabaseUrl {
    let url = new_in(folder);
    let database = Database::connect(&url).await.unwrap();
    workspace(&database).await;
    database.close().await;
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_database_with_a_service_on_it_is_not_copied() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        workspace(&db.database).await;
        let folder = tempfile::tempdir().unwrap();
        let target = new_in(&folder);
        let in_use = refused(&db.url, &target).await;
        assert!(in_use.contains("Stop every replica first"), "{in_use}");

        db.database.close().await;
        let copied = copy_database(&db.url, &target).await.unwrap();
        let workspaces = copied.tables.iter().find(|c| c.table == "workspaces");
        assert_eq!(workspaces.unwrap().rows, 1);

        // While a command has it for itself, no service gets in; afterwards it does.
        let alone = DatabaseLock::alone(&db.url, "copy-database").await.unwrap();
        let service = Database::connect(&db.url).await.unwrap();
        assert!(service.ping().await.is_err());
        drop(alone);
        let mut tries = 0;
        while service.ping().await.is_err() {
            tries += 1;
            assert!(tries < 100);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        service.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_has_what_was_stored_before_it_while_others_write() {
    let db = TestDb::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    let mut before = Vec::new();
    for _ in 0..20 {
        before.push(workspace(&db.database).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (database, stop) = (db.database.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                workspace(&database).await;
            }
        })
    };
    let made = back_up(&file_of(&db), &file).await.unwrap();
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert!(made.size > 10_000);
    // Neither a draft nor anything else is beside it.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let again = back_up(&file_of(&db), &file).await.unwrap_err();
    assert!(again.to_string().contains("is there already"), "{again}");
    let nothing = back_up(&folder.path().join("none.db"), &folder.path().join("x")).await;
    assert!(nothing.is_err());

    let copy = Database::connect(&DatabaseUrl::sqlite_file(&file))
        .await
        .unwrap();
    for one in before {
        assert_eq!(copy.workspace(&one.id).await, Ok(Some(one)));
    }
    copy.close().await;
}

fn vault() -> Vault {
    Vault::new(&MasterKey::generate().unwrap().0).unwrap()
}

async fn looked_at(path: &Path) -> Inspection {
    inspect(&DatabaseUrl::sqlite_file(path)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_says_what_is_in_it_and_what_is_wrong_with_it() {
    let db = TestDb::sqlite().await;
    let own = vault();
    assert!(master_key::is_right(&db.database, &own).await.unwrap());
    workspace(&db.database).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    back_up(&file_of(&db), &file).await.unwrap();

    let bytes = std::fs::read(&file).unwrap();
    let found = looked_at(&file).await;
    assert_eq!(found.damage, Vec::<String>::new());
    let Schema::At { last, known } = found.schema else {
        panic!("{:?}", found.schema);
    };
    assert_eq!(last, known);
    let workspaces = found.tables.iter().find(|c| c.table == "workspaces");
    assert_eq!(workspaces.unwrap().rows, 1);
    assert_eq!(master_key::opens_all(&own, &found.key_checks), Some(true));
    let other = master_key::opens_all(&vault(), &found.key_checks);
    assert_eq!(other, Some(false));
    // It is as it was.
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let mut damaged = bytes.clone();
    damaged[3 * 4096..4 * 4096].fill(0x5a);
    std::fs::write(&file, damaged).unwrap();
    assert!(!looked_at(&file).await.damage.is_empty());

    std::fs::write(&file, "PGDMP and more").unwrap();
    let refused = inspect(&DatabaseUrl::sqlite_file(&file)).await.unwrap_err();
    assert!(refused.to_string().contains("pg_restore"), "{refused}");
    std::fs::write(&file, "no database").unwrap();
    let refused = inspect(&DatabaseUrl::sqlite_file(&file)).await.unwrap_err();
    assert!(
        refused.to_string().contains("sallyport backup"),
        "{refused}"
    );

    // A file of SQLite's in which nothing of ours is.
    let empty = folder.path().join("empty.db");
    let options = SqliteConnectOptions::new()
        .filename(&empty)
        .create_if_missing(true);
    let mut raw = options.connect().await.unwrap();
    sqlx::query("CREATE TABLE other (id TEXT)")
        .execute(&mut raw)
        .await
        .unwrap();
    drop(raw);
    assert_eq!(looked_at(&empty).await.schema, Schema::Absent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_postgresql_database_is_looked_at_too() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let own = vault();
        assert!(master_key::is_right(&db.database, &own).await.unwrap());
        workspace(&db.database).await;
        let found = inspect(&db.url).await.unwrap();
        assert!(matches!(found.schema, Schema::At { .. }));
        let workspaces = found.tables.iter().find(|c| c.table == "workspaces");
        assert_eq!(workspaces.unwrap().rows, 1);
        assert_eq!(master_key::opens_all(&own, &found.key_checks), Some(true));
    })
    .await;
}
