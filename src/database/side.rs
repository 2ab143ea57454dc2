//! A single connection to a whole database, for commands that read or write all of it. No pool, no limits of time,
//! and no schema that is brought up to date.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Row, Value};
use crate::database::url::DatabaseUrl;
use futures_util::TryStreamExt;
use futures_util::stream::{BoxStream, StreamExt};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};
use std::path::Path;

/// How a SQLite file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    ToWrite,
    /// Somebody else may write it meanwhile.
    ToRead,
    /// Nobody writes it, and nothing is made beside it.
    AsItLies,
}

pub(super) enum Side {
    Sqlite(Box<SqliteConnection>),
    Postgres(PgConnection),
}

impl Side {
    /// Connects to what is there. A SQLite file that is absent is an error.
    pub async fn open(url: &DatabaseUrl, opened: Opened) -> StoreResult<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::open_file(path, opened).await,
            DatabaseUrl::Postgres(options) => {
                let options = options
                    .clone()
                    .application_name("sallyport, copying")
                    .disable_statement_logging();
                Ok(Self::Postgres(options.connect().await?))
            }
        }
    }

    pub async fn open_file(path: &Path, opened: Opened) -> StoreResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .disable_statement_logging();
        let options = match opened {
            Opened::ToWrite => options,
            Opened::ToRead => options.read_only(true),
            Opened::AsItLies => options.read_only(true).immutable(true),
        };
        let connected = options.connect().await;
        let connection = connected.map_err(|error| {
            StoreError::Failed(format!("cannot open `{}`: {error}", path.display()))
        })?;
        Ok(Self::Sqlite(Box::new(connection)))
    }

    pub fn is_postgres(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(_) => true,
        }
    }

    /// Runs a statement for what it does.
    pub async fn run(&mut self, sql: String) -> StoreResult<()> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(connection) => sql.execute(&mut **connection).await.map(drop),
            Self::Postgres(connection) => sql.execute(connection).await.map(drop),
        }
        .map_err(StoreError::from)
    }

    /// Runs a statement with values, for what it does.
    pub async fn write(&mut self, sql: String, values: Vec<Value>) -> StoreResult<()> {
        macro_rules! bound {
            () => {{
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for value in values {
                    query = match value {
                        Value::Text(text) => query.bind(text),
                        Value::Int(number) => query.bind(number),
                        Value::Bytes(bytes) => query.bind(bytes),
                    };
                }
                query
            }};
        }
        match self {
            Self::Sqlite(connection) => bound!().execute(&mut **connection).await.map(drop),
            Self::Postgres(connection) => bound!().execute(connection).await.map(drop),
        }
        .map_err(StoreError::from)
    }

    /// Every row, one after the other.
    pub fn stream(&mut self, sql: String) -> BoxStream<'_, Result<Row, sqlx::Error>> {
        let query = AssertSqlSafe(sql);
        match self {
            Self::Sqlite(connection) => sqlx::query(query)
                .fetch(&mut **connection)
                .map_ok(Row::Sqlite)
                .boxed(),
            Self::Postgres(connection) => sqlx::query(query)
                .fetch(connection)
                .map_ok(Row::Postgres)
                .boxed(),
        }
    }

    /// The same at once, for few rows.
    pub async fn rows(&mut self, sql: impl Into<String>) -> StoreResult<Vec<Row>> {
        let rows: Result<Vec<Row>, sqlx::Error> = self.stream(sql.into()).try_collect().await;
        rows.map_err(StoreError::from)
    }

    /// A text column of few rows. NULL is left out.
    pub async fn texts(
        &mut self,
        sql: impl Into<String>,
        column: &str,
    ) -> StoreResult<Vec<String>> {
        let mut texts = Vec::new();
        for row in self.rows(sql).await? {
            texts.extend(row.text(column)?);
        }
        Ok(texts)
    }

    /// A column of numbers of few rows. NULL is left out.
    pub async fn numbers(&mut self, sql: impl Into<String>, column: &str) -> StoreResult<Vec<i64>> {
        let mut numbers = Vec::new();
        for row in self.rows(sql).await? {
            numbers.extend(row.int(column)?);
        }
        Ok(numbers)
    }

    /// The names of the tables, without those of the engine and of the migrations.
    pub async fn table_names(&mut self) -> StoreResult<Vec<String>> {
        let sql = match self {
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            }
            Self::Postgres(_) => {
                "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
            }
        };
        let mut names = self.texts(sql, "name").await?;
        names.retain(|name| name != MIGRATIONS);
        names.sort();
        Ok(names)
    }

    /// The numbers of the migrations that were applied, in their order.
    pub async fn migrations(&mut self) -> StoreResult<Vec<i64>> {
        let there = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE name = '_sqlx_migrations'",
            Self::Postgres(_) => {
                "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations'"
            }
        };
        if self.texts(there, "name").await?.is_empty() {
            return Ok(Vec::new());
        }
        let applied = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
        self.numbers(applied, "version").await
    }

    pub async fn count(&mut self, table: &str) -> StoreResult<u64> {
        let sql = format!("SELECT COUNT(*) AS number FROM {}", quoted(table));
        let counted = self.numbers(sql, "number").await?;
        let number = counted.first().copied().unwrap_or(0);
        Ok(u64::try_from(number).unwrap_or(0))
    }

    pub async fn close(self) -> StoreResult<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
        .map_err(StoreError::from)
    }
}

/// The table of the migrations, which is the driver's own.
const MIGRATIONS: &str = "_sqlx_migrations";

/// A name of the schema in a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
