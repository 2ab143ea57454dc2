//! One way to run SQL on both engines.
//!
//! Everything that is stored is text, an integer or bytes, in columns of the same names on both, so a
//! statement, its values and its rows need no type of either driver outside of this file.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::errors;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{
    AssertSqlSafe, PgPool, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite, SqlitePool, Transaction,
};
use std::future::Future;
use std::time::Duration;
use time::OffsetDateTime;

/// The longest that one statement may take. Far longer than any should: this bounds the wait when the
/// network drops packets, which causes no error. PostgreSQL ends a statement by itself before this.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A connection of the pool.
pub(super) enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A transaction. It is rolled back when dropped.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A statement with `$1` placeholders.
pub(super) enum Sql {
    Both(&'static str),
    Each {
        sqlite: &'static str,
        postgres: &'static str,
    },
    /// Put together from constant pieces and placeholders, never from values.
    Built(String),
}

impl From<&'static str> for Sql {
    fn from(sql: &'static str) -> Self {
        Self::Both(sql)
    }
}

impl Sql {
    fn for_sqlite(self) -> SqlStr {
        match self {
            Self::Both(sql) | Self::Each { sqlite: sql, .. } => sql.into_sql_str(),
            Self::Built(sql) => AssertSqlSafe(sql).into_sql_str(),
        }
    }

    fn for_postgres(self) -> SqlStr {
        match self {
            Self::Both(sql) | Self::Each { postgres: sql, .. } => sql.into_sql_str(),
            Self::Built(sql) => AssertSqlSafe(sql).into_sql_str(),
        }
    }
}

/// A value for a placeholder.
pub(super) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(Some(number.into()))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Some(bytes.to_owned()))
    }
}

impl From<Option<&[u8]>> for Value {
    fn from(bytes: Option<&[u8]>) -> Self {
        Self::Bytes(bytes.map(<[u8]>::to_owned))
    }
}

impl From<OffsetDateTime> for Value {
    fn from(at: OffsetDateTime) -> Self {
        Self::Int(Some(micros(at)))
    }
}

impl From<Option<OffsetDateTime>> for Value {
    fn from(at: Option<OffsetDateTime>) -> Self {
        Self::Int(at.map(micros))
    }
}

/// Whole microseconds since 1970, rounded down. The years that [`OffsetDateTime`] knows fit many times.
fn micros(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1_000_000 + i64::from(at.microsecond())
}

/// The values of a statement, in the order of its placeholders.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::database::engine::Value::from($value)),*]
    };
}
pub(super) use values;

/// A row of a result; columns are read by name.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    pub fn int(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    pub fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

/// A query with its values. Only statements of constant text are worth keeping prepared.
macro_rules! query {
    ($sql:expr, $dialect:ident, $values:expr) => {{
        let sql: Sql = $sql;
        let keep = !matches!(sql, Sql::Built(_));
        let mut query = sqlx::query(sql.$dialect()).persistent(keep);
        for value in $values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Int(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// `$self` is a [`Conn`] or a [`Tx`]; `$on` turns what is inside into the driver's connection. `$limit`
/// bounds the wait, and says what an error means.
macro_rules! run {
    ($self:ident, $on:expr, $limit:ident, $sql:ident, $values:ident, $method:ident, $sqlite:expr, $postgres:expr) => {
        match $self {
            Self::Sqlite(inner) => {
                let query = query!($sql.into(), for_sqlite, $values);
                $limit(query.$method($on(inner))).await.map($sqlite)
            }
            Self::Postgres(inner) => {
                let query = query!($sql.into(), for_postgres, $values);
                $limit(query.$method($on(inner))).await.map($postgres)
            }
        }
    };
}

impl Conn {
    pub async fn fetch_all(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> StoreResult<Vec<Row>> {
        run!(
            self,
            pooled,
            bounded,
            sql,
            values,
            fetch_all,
            rows(Row::Sqlite),
            rows(Row::Postgres)
        )
    }

    pub async fn fetch_optional(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> StoreResult<Option<Row>> {
        run!(
            self,
            pooled,
            bounded,
            sql,
            values,
            fetch_optional,
            row(Row::Sqlite),
            row(Row::Postgres)
        )
    }

    /// How many rows the statement wrote. It commits by itself.
    pub async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> StoreResult<u64> {
        run!(
            self,
            pooled,
            ending,
            sql,
            values,
            execute,
            |done| done.rows_affected(),
            |done| done.rows_affected()
        )
    }
}

impl Pool {
    pub async fn acquire(&self) -> StoreResult<Conn> {
        match self {
            Self::Sqlite(pool) => bounded(pool.acquire()).await.map(Conn::Sqlite),
            Self::Postgres(pool) => bounded(pool.acquire()).await.map(Conn::Postgres),
        }
    }

    /// Ends the connections after what runs on them.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// On SQLite the write lock is taken at once: a transaction that reads first and writes later would
    /// fail, without waiting, where another one wrote in between.
    pub async fn begin(&self) -> StoreResult<Tx> {
        match self {
            Self::Sqlite(pool) => bounded(pool.begin_with("BEGIN IMMEDIATE"))
                .await
                .map(Tx::Sqlite),
            Self::Postgres(pool) => bounded(pool.begin()).await.map(Tx::Postgres),
        }
    }

    /// A transaction that only reads, and reads everything as it was at its first statement. Nobody who writes waits
    /// for it.
    pub async fn begin_reading(&self) -> StoreResult<Tx> {
        match self {
            Self::Sqlite(pool) => bounded(pool.begin_with("BEGIN")).await.map(Tx::Sqlite),
            Self::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                bounded(pool.begin_with(begin)).await.map(Tx::Postgres)
            }
        }
    }
}

impl Tx {
    pub async fn fetch_all(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> StoreResult<Vec<Row>> {
        run!(
            self,
            connection,
            bounded,
            sql,
            values,
            fetch_all,
            rows(Row::Sqlite),
            rows(Row::Postgres)
        )
    }

    pub async fn fetch_optional(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> StoreResult<Option<Row>> {
        run!(
            self,
            connection,
            bounded,
            sql,
            values,
            fetch_optional,
            row(Row::Sqlite),
            row(Row::Postgres)
        )
    }

    /// How many rows the statement wrote.
    pub async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> StoreResult<u64> {
        run!(
            self,
            connection,
            bounded,
            sql,
            values,
            execute,
            |done| done.rows_affected(),
            |done| done.rows_affected()
        )
    }

    pub async fn commit(self) -> StoreResult<()> {
        match self {
            Self::Sqlite(tx) => ending(tx.commit()).await,
            Self::Postgres(tx) => ending(tx.commit()).await,
        }
    }
}

fn pooled<DB: sqlx::Database>(connection: &mut PoolConnection<DB>) -> &mut DB::Connection {
    connection
}

fn connection<'a, DB: sqlx::Database>(
    tx: &'a mut Transaction<'static, DB>,
) -> &'a mut DB::Connection {
    tx
}

fn rows<R>(wrap: impl Fn(R) -> Row) -> impl FnOnce(Vec<R>) -> Vec<Row> {
    move |rows| rows.into_iter().map(wrap).collect()
}

fn row<R>(wrap: impl Fn(R) -> Row) -> impl FnOnce(Option<R>) -> Option<Row> {
    move |row| row.map(wrap)
}

/// Bounds what reads, or is committed later: when it fails, nothing was changed.
async fn bounded<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> StoreResult<T> {
    match tokio::time::timeout(STATEMENT_LIMIT, work).await {
        Ok(result) => result.map_err(StoreError::from),
        Err(_) => Err(StoreError::Unavailable(no_answer())),
    }
}

/// Bounds what ends a change: when its answer is lost, the outcome is unknown.
async fn ending<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> StoreResult<T> {
    match tokio::time::timeout(STATEMENT_LIMIT, work).await {
        Ok(result) => result.map_err(errors::of_ending),
        Err(_) => Err(StoreError::OutcomeUnknown(no_answer())),
    }
}

fn no_answer() -> String {
    format!("no answer in {} seconds", STATEMENT_LIMIT.as_secs())
}
