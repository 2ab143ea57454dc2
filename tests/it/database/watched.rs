//! The triggers that note changes look at every column of the rows that are kept in memory.

use crate::database::Database;
use crate::it::support::database::{TestDb, on_both_engines};

on_both_engines!(
    every_column_is_watched_or_said_not_to_be,
    every_table_is_watched_whatever_is_done_to_it,
);

/// The tables, with the columns whose changes are not noted: nobody reads them from what is kept, or, like
/// `last_used_at`, they need not be as they are now. A new column belongs into the triggers, by a migration that makes
/// them again, or else into this list.
const TABLES: [(&str, &[&str]); 8] = [
    ("api_tokens", &["last_used_at"]),
    ("default_storages", &[]),
    ("product_keys", &["last_used_at"]),
    ("remembered", &[]),
    ("sessions", &["issuer", "issuer_session", "issuer_subject"]),
    ("storages", &["last_pending_revision", "next_check_at"]),
    ("workspace_origins", &[]),
    ("workspaces", &[]),
];

async fn columns(db: &TestDb, table: &str) -> Vec<String> {
    let sql = match db.is_postgres() {
        false => format!("SELECT name FROM pragma_table_info('{table}')"),
        true => format!(
            "SELECT CAST(column_name AS TEXT) AS name FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
    };
    db.texts(&sql, "name").await
}

/// Those whose changes fire a trigger.
async fn watched(db: &TestDb, table: &str) -> Vec<String> {
    if db.is_postgres() {
        let sql = format!(
            "SELECT CAST(event_object_column AS TEXT) AS name
             FROM information_schema.triggered_update_columns
             WHERE event_object_table = '{table}' AND trigger_name = '{table}_changed'"
        );
        return db.texts(&sql, "name").await;
    }
    let sql = format!(
        "SELECT sql AS name FROM sqlite_schema WHERE type = 'trigger' AND name = '{table}_updated'"
    );
    let texts = db.texts(&sql, "name").await;
    let (_, of) = texts[0].split_once("UPDATE OF").unwrap();
    let (of, _) = of.split_once("\nON ").unwrap();
    of.split(',').map(|name| name.trim().to_owned()).collect()
}

async fn every_column_is_watched_or_said_not_to_be(db: TestDb) {
    let statements = Database::kept_statements();
    let words = |sql: &str| -> Vec<String> {
        let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words = words.filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    for (table, left_out) in TABLES {
        let mut every = columns(&db, table).await;
        let mut known = watched(&db, table).await;
        known.extend(left_out.iter().map(|name| (*name).to_owned()));
        every.sort();
        known.sort();
        assert_eq!(every, known, "{table}");
        let reads = statements
            .iter()
            .filter(|sql| words(sql).iter().any(|word| word == table));
        for sql in reads {
            let read = left_out.iter().find(|name| {
                **name != "last_used_at" && words(sql).iter().any(|word| word == *name)
            });
            assert_eq!(read, None, "{sql}");
        }
    }
    // They read no other table.
    for sql in statements {
        let words = words(sql);
        let tables = words
            .windows(2)
            .filter(|two| two[0] == "FROM" || two[0] == "JOIN");
        for two in tables {
            assert!(TABLES.iter().any(|(table, _)| *table == two[1]), "{sql}");
        }
    }
}

async fn every_table_is_watched_whatever_is_done_to_it(db: TestDb) {
    for (table, _) in TABLES {
        let (sql, expected): (String, &[&str]) = match db.is_postgres() {
            true => (
                format!(
                    "SELECT CAST(event_manipulation AS TEXT) AS name FROM information_schema.triggers
                     WHERE event_object_table = '{table}' AND trigger_name = '{table}_changed'
                     ORDER BY 1"
                ),
                &["DELETE", "INSERT", "UPDATE"],
            ),
            false => (
                format!(
                    "SELECT SUBSTR(name, LENGTH('{table}_') + 1) AS name FROM sqlite_schema
                     WHERE type = 'trigger' AND tbl_name = '{table}'
                         AND name IN ('{table}_deleted', '{table}_inserted', '{table}_updated')
                     ORDER BY 1"
                ),
                &["deleted", "inserted", "updated"],
            ),
        };
        assert_eq!(db.texts(&sql, "name").await, expected, "{table}");
    }
}
