//! The tables of the schema, read from a database that the migrations have just made. So what copies a whole database
//! knows every table and column that there is, also those of the newest migration.

use crate::application::kept::store::{Cell, StoreError, StoreResult};
use crate::database::engine::{Row, Value};
use crate::database::migrations;
use crate::database::side::{Side, quoted};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// A table of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// The column whose numbers the database gives out, and never twice.
    pub counter: Option<String>,
    /// The tables that must have their rows before this one.
    refers_to: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    kind: Kind,
}

/// What is in a column, on both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Int,
    Bytes,
}

impl Kind {
    fn of(table: &str, column: &str, declared: &str) -> StoreResult<Self> {
        match declared {
            "TEXT" => Ok(Self::Text),
            "INTEGER" => Ok(Self::Int),
            "BLOB" => Ok(Self::Bytes),
            other => Err(StoreError::Failed(format!(
                "the column {table}.{column} has the type {other}, which cannot be copied"
            ))),
        }
    }
}

impl Column {
    /// The column's value in a row.
    pub fn value(&self, row: &Row) -> Result<Value, sqlx::Error> {
        Ok(match self.kind {
            Kind::Text => row.text(&self.name)?.into(),
            Kind::Int => row.int(&self.name)?.into(),
            Kind::Bytes => Value::Bytes(row.bytes(&self.name)?),
        })
    }

    /// The same outside of this layer.
    pub fn cell(&self, row: &Row) -> Result<Cell, sqlx::Error> {
        Ok(match self.kind {
            Kind::Text => row.text(&self.name)?.map_or(Cell::Null, Cell::Text),
            Kind::Int => row.int(&self.name)?.map_or(Cell::Null, Cell::Int),
            Kind::Bytes => row.bytes(&self.name)?.map_or(Cell::Null, Cell::Bytes),
        })
    }

    /// A value for the column. `None`: it is of another kind.
    pub fn bind(&self, cell: Cell) -> Option<Value> {
        match (self.kind, cell) {
            (Kind::Text, Cell::Null) => Some(Value::Text(None)),
            (Kind::Text, Cell::Text(text)) => Some(Value::Text(Some(text))),
            (Kind::Int, Cell::Null) => Some(Value::Int(None)),
            (Kind::Int, Cell::Int(number)) => Some(Value::Int(Some(number))),
            (Kind::Bytes, Cell::Null) => Some(Value::Bytes(None)),
            (Kind::Bytes, Cell::Bytes(bytes)) => Some(Value::Bytes(Some(bytes))),
            (Kind::Text, Cell::Int(_) | Cell::Bytes(_))
            | (Kind::Int, Cell::Text(_) | Cell::Bytes(_))
            | (Kind::Bytes, Cell::Int(_) | Cell::Text(_)) => None,
        }
    }

    /// What sorts before every value of ours. Bytes are no key of any table that is read by keys.
    pub fn before_all(&self) -> Cell {
        match self.kind {
            Kind::Text => Cell::Text(String::new()),
            Kind::Int => Cell::Int(i64::MIN),
            Kind::Bytes => Cell::Bytes(Vec::new()),
        }
    }
}

impl Table {
    /// The columns, for a statement.
    pub fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|c| quoted(&c.name)).collect();
        names.join(", ")
    }
}

/// Tables whose rows mean something to one database alone.
const NOT_COPIED: &[&str] = &["changes"];

/// Every table of this release's schema whose rows are copied with it, each after those that it refers to.
pub(super) async fn of_this_release() -> StoreResult<Vec<Table>> {
    let options = SqliteConnectOptions::new()
        .in_memory(true)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    migrations::run_on_new(&mut connection).await?;
    let mut side = Side::Sqlite(Box::new(connection));
    let mut tables = Vec::new();
    for name in side.table_names().await? {
        if !NOT_COPIED.contains(&name.as_str()) {
            tables.push(table(&mut side, name).await?);
        }
    }
    side.close().await?;
    in_order(tables)
}

async fn table(side: &mut Side, name: String) -> StoreResult<Table> {
    // Names of this schema are constants of ours, so nothing in them needs escaping.
    let columns = format!("SELECT name, type FROM pragma_table_info('{name}') ORDER BY cid");
    let mut found = Vec::new();
    for row in side.rows(columns).await? {
        let column = row.text("name")?.unwrap_or_default();
        let declared = row.text("type")?.unwrap_or_default();
        found.push(Column {
            kind: Kind::of(&name, &column, &declared)?,
            name: column,
        });
    }
    let others =
        format!("SELECT DISTINCT \"table\" AS other FROM pragma_foreign_key_list('{name}')");
    let mut refers_to = side.texts(others, "other").await?;
    refers_to.retain(|other| *other != name);
    let counted = format!(
        "SELECT c.name AS name FROM sqlite_schema s, pragma_table_info(s.name) c
         WHERE s.name = '{name}' AND s.type = 'table' AND s.sql LIKE '%AUTOINCREMENT%' AND c.pk = 1"
    );
    let counter = side.texts(counted, "name").await?.into_iter().next();
    Ok(Table {
        name,
        columns: found,
        counter,
        refers_to,
    })
}

/// Each table after those that it refers to; otherwise in the order of their names.
fn in_order(mut left: Vec<Table>) -> StoreResult<Vec<Table>> {
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let is_ready = |table: &Table| {
            let mut others = table.refers_to.iter();
            others.all(|other| ordered.iter().any(|done| done.name == *other))
        };
        let (ready, waiting): (Vec<Table>, Vec<Table>) = left.into_iter().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<&str> = waiting.iter().map(|table| table.name.as_str()).collect();
            return Err(StoreError::Failed(format!(
                "the tables {} refer to each other in a circle",
                names.join(", ")
            )));
        }
        ordered.extend(ready);
        left = waiting;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_table_comes_after_those_that_it_refers_to() {
        let tables = of_this_release().await.unwrap();
        let at = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
        for (before, after) in [
            ("workspaces", "api_tokens"),
            ("external_ids", "setups"),
            ("setups", "storages"),
            ("storages", "default_storages"),
            ("projects", "project_files"),
            ("events", "webhook_deliveries"),
        ] {
            assert!(at(before) < at(after), "{before} {after}");
        }
        let events = &tables[at("events")];
        assert_eq!(events.counter.as_deref(), Some("seq"));
        let counted = tables.iter().filter(|table| table.counter.is_some());
        assert_eq!(counted.count(), 1);
        assert!(!tables.iter().any(|table| table.name.starts_with('_')));
    }

    #[test]
    fn a_circle_is_an_error() {
        let table = |name: &str, other: &str| Table {
            name: name.to_owned(),
            columns: Vec::new(),
            counter: None,
            refers_to: vec![other.to_owned()],
        };
        let circle = in_order(vec![table("a", "b"), table("b", "a")]);
        assert!(matches!(circle, Err(StoreError::Failed(_))));
    }
}
