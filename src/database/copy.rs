//! Copies a whole database into another one, also of the other engine.
//!
//! Everything is written in one transaction of the target: it has all rows, or none. The source is read in one
//! transaction too, and nothing is changed in it. Tables and columns are those of the schema itself
//! ([`tables`](super::tables)).

use crate::application::kept::store::{StoreError, StoreResult};
use crate::application::kept::upkeep::{Copied, TableCount};
use crate::database::engine::Value;
use crate::database::lock::{DatabaseLock, InUse};
use crate::database::placeholders;
use crate::database::side::{Opened, Side, quoted};
use crate::database::tables::{Table, of_this_release};
use crate::database::url::DatabaseUrl;
use crate::database::{Database, SchemaChanges, migrations};
use futures_util::StreamExt;

/// How many rows, and how many values, one statement writes at most. SQLite takes 32,766 values, PostgreSQL 65,535.
const MOST_ROWS: usize = 200;
const MOST_VALUES: usize = 5_000;
/// How the command names itself to whoever is refused meanwhile.
const COMMAND: &str = "copy-database";

/// Why nothing was copied. The target has no row of it.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("the source and the target are the same database")]
    Same,
    #[error(transparent)]
    InUse(#[from] InUse),
    #[error("there is no SQLite database `{0}`")]
    NoSource(String),
    #[error(
        "the schema of the source is not the one of this release: its last migration is {last}, and this release has {known}. Start this release on the source once, which brings the schema up to date, or use the release that belongs to it. Nothing was copied"
    )]
    OtherSchema { last: i64, known: i64 },
    #[error(
        "the target is not empty: its table {table} has rows. Nothing was copied. Use a new database"
    )]
    NotEmpty { table: String },
    #[error(
        "the table {table} has {source_rows} rows in the source, and {target_rows} were stored in the target. Nothing was kept there"
    )]
    CountsDiffer {
        table: String,
        source_rows: u64,
        target_rows: u64,
    },
    #[error("{0}. The target has nothing of the source")]
    Failed(#[from] StoreError),
}

/// Copies all that is in `source` into `target`, which is empty: without tables, or with those of this release and no
/// row. Nobody else uses either meanwhile.
pub async fn copy_database(
    source: &DatabaseUrl,
    target: &DatabaseUrl,
) -> Result<Copied, CopyError> {
    if is_same(source, target) {
        return Err(CopyError::Same);
    }
    if let DatabaseUrl::Sqlite(path) = source
        && !path.exists()
    {
        return Err(CopyError::NoSource(path.display().to_string()));
    }
    let _source_is_ours = DatabaseLock::alone(source, COMMAND).await?;
    let tables = of_this_release().await?;
    let mut from = Side::open(source, Opened::ToWrite).await?;
    refuse_other_schema(&mut from).await?;
    let mut target_is_ours = DatabaseLock::alone(target, COMMAND).await?;
    refuse_rows(target, &tables).await?;
    // The schema is made by connections like the service's own.
    target_is_ours.let_own_connections_in().await;
    Database::connect_with(target, SchemaChanges::Made)
        .await?
        .close()
        .await;
    let _target_is_ours = match target {
        DatabaseUrl::Sqlite(_) => target_is_ours,
        DatabaseUrl::Postgres(_) => DatabaseLock::alone(target, COMMAND).await?,
    };
    let mut to = Side::open(target, Opened::ToWrite).await?;
    begin(&mut from, &mut to).await?;
    // What fails ends the connection, and its transaction with it.
    let copied = copy_all(&mut from, &mut to, &tables).await?;
    to.run("COMMIT".to_owned()).await?;
    to.close().await?;
    from.run("ROLLBACK".to_owned()).await?;
    from.close().await?;
    Ok(Copied { tables: copied })
}

fn is_same(one: &DatabaseUrl, other: &DatabaseUrl) -> bool {
    match (one, other) {
        (DatabaseUrl::Sqlite(one), DatabaseUrl::Sqlite(other)) => {
            one == other
                || match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
                    (Ok(one), Ok(other)) => one == other,
                    (Err(_), Ok(_) | Err(_)) | (Ok(_), Err(_)) => false,
                }
        }
        (DatabaseUrl::Postgres(_), DatabaseUrl::Postgres(_)) => {
            one.to_string() == other.to_string()
        }
        (DatabaseUrl::Sqlite(_), DatabaseUrl::Postgres(_))
        | (DatabaseUrl::Postgres(_), DatabaseUrl::Sqlite(_)) => false,
    }
}

async fn refuse_other_schema(source: &mut Side) -> Result<(), CopyError> {
    let applied = source.migrations().await?;
    if applied.iter().copied().eq(migrations::known()) {
        return Ok(());
    }
    Err(CopyError::OtherSchema {
        last: applied.last().copied().unwrap_or(0),
        known: migrations::known().last().unwrap_or(0),
    })
}

/// Refuses a target in which a table of ours has rows, before anything is made there.
async fn refuse_rows(target: &DatabaseUrl, tables: &[Table]) -> Result<(), CopyError> {
    if let DatabaseUrl::Sqlite(path) = target
        && !path.exists()
    {
        return Ok(());
    }
    let mut side = Side::open(target, Opened::ToWrite).await?;
    let there = side.table_names().await?;
    for table in tables.iter().filter(|table| there.contains(&table.name)) {
        refuse_rows_of(&mut side, &table.name).await?;
    }
    side.close().await?;
    Ok(())
}

async fn refuse_rows_of(target: &mut Side, table: &str) -> Result<(), CopyError> {
    match target.count(table).await? {
        0 => Ok(()),
        _ => Err(CopyError::NotEmpty {
            table: table.to_owned(),
        }),
    }
}

async fn begin(from: &mut Side, to: &mut Side) -> StoreResult<()> {
    let read = match from.is_postgres() {
        true => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        false => "BEGIN",
    };
    from.run(read.to_owned()).await?;
    let write = match to.is_postgres() {
        true => "BEGIN",
        false => "BEGIN IMMEDIATE",
    };
    to.run(write.to_owned()).await
}

async fn copy_all(
    from: &mut Side,
    to: &mut Side,
    tables: &[Table],
) -> Result<Vec<TableCount>, CopyError> {
    for table in tables {
        refuse_rows_of(to, &table.name).await?;
    }
    // Triggers make rows of their own, which the source has already.
    let triggers = take_triggers(to, tables).await?;
    let mut counts = Vec::new();
    for table in tables {
        copy_table(from, to, table).await?;
        if let Some(counter) = &table.counter {
            let last = last_number(from, &table.name, counter).await?;
            go_on_from(to, &table.name, counter, last).await?;
        }
    }
    put_triggers(to, tables, triggers).await?;
    for table in tables {
        let (source_rows, target_rows) =
            (from.count(&table.name).await?, to.count(&table.name).await?);
        if source_rows != target_rows {
            return Err(CopyError::CountsDiffer {
                table: table.name.clone(),
                source_rows,
                target_rows,
            });
        }
        counts.push(TableCount {
            table: table.name.clone(),
            rows: target_rows,
        });
    }
    Ok(counts)
}

async fn copy_table(from: &mut Side, to: &mut Side, table: &Table) -> StoreResult<()> {
    let most = (MOST_VALUES / table.columns.len().max(1)).clamp(1, MOST_ROWS);
    let select = format!(
        "SELECT {} FROM {}",
        table.column_list(),
        quoted(&table.name)
    );
    let mut rows = from.stream(select);
    let (mut values, mut waiting) = (Vec::new(), 0);
    while let Some(row) = rows.next().await {
        let row = row?;
        for column in &table.columns {
            values.push(column.value(&row)?);
        }
        waiting += 1;
        if waiting == most {
            insert(to, table, waiting, std::mem::take(&mut values)).await?;
            waiting = 0;
        }
    }
    match waiting {
        0 => Ok(()),
        _ => insert(to, table, waiting, values).await,
    }
}

async fn insert(to: &mut Side, table: &Table, rows: usize, values: Vec<Value>) -> StoreResult<()> {
    let columns = table.columns.len();
    // The numbers of the source, and not those that the database would give out.
    let given = match to.is_postgres() {
        true => "OVERRIDING SYSTEM VALUE",
        false => "",
    };
    let sql = format!(
        "INSERT INTO {} ({}) {given} VALUES {}",
        quoted(&table.name),
        table.column_list(),
        placeholders::rows(rows, columns)
    );
    to.write(sql, values).await
}

/// The last number that the database has given out in this column, also of rows that are gone. 0: none.
async fn last_number(side: &mut Side, table: &str, column: &str) -> StoreResult<i64> {
    let numbers = match side {
        Side::Sqlite(_) => {
            let sql = format!("SELECT seq FROM sqlite_sequence WHERE name = '{table}'");
            side.numbers(sql, "seq").await?
        }
        Side::Postgres(_) => {
            let named = format!("SELECT pg_get_serial_sequence('{table}', '{column}') AS name");
            let names = side.texts(named, "name").await?;
            let Some(sequence) = names.first() else {
                return Err(StoreError::Failed(format!(
                    "{table}.{column} has no sequence"
                )));
            };
            let sql = format!(
                "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS last FROM {sequence}"
            );
            side.numbers(sql, "last").await?
        }
    };
    Ok(numbers.first().copied().unwrap_or(0))
}

/// The database gives out no number up to this one any more.
async fn go_on_from(to: &mut Side, table: &str, column: &str, last: i64) -> StoreResult<()> {
    if last <= 0 {
        return Ok(());
    }
    match to {
        Side::Sqlite(_) => {
            to.run(format!(
                "DELETE FROM sqlite_sequence WHERE name = '{table}';
                 INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {last})"
            ))
            .await
        }
        Side::Postgres(_) => {
            to.run(format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {last}, true)"
            ))
            .await
        }
    }
}

/// Switches the triggers off, in the transaction. On SQLite they are taken away; the statements make them again.
async fn take_triggers(to: &mut Side, tables: &[Table]) -> StoreResult<Vec<String>> {
    match to {
        Side::Sqlite(_) => {
            let all = "FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid";
            let names = to.texts(format!("SELECT name {all}"), "name").await?;
            let statements = to.texts(format!("SELECT sql {all}"), "sql").await?;
            for name in names {
                to.run(format!("DROP TRIGGER {}", quoted(&name))).await?;
            }
            Ok(statements)
        }
        Side::Postgres(_) => {
            switch_triggers(to, tables, "DISABLE").await?;
            Ok(Vec::new())
        }
    }
}

async fn put_triggers(to: &mut Side, tables: &[Table], statements: Vec<String>) -> StoreResult<()> {
    match to {
        Side::Sqlite(_) => {
            for statement in statements {
                to.run(statement).await?;
            }
            Ok(())
        }
        Side::Postgres(_) => switch_triggers(to, tables, "ENABLE").await,
    }
}

/// Only those of the schema: what the database itself checks, like references, goes on.
async fn switch_triggers(to: &mut Side, tables: &[Table], how: &str) -> StoreResult<()> {
    for table in tables {
        let name = quoted(&table.name);
        to.run(format!("ALTER TABLE {name} {how} TRIGGER USER"))
            .await?;
    }
    Ok(())
}
