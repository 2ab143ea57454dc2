//! One way to run SQL on both engines.
//!
//! Everything that is stored is text, an integer or bytes, in columns of the same names on both, so a
//! statement, its values and its rows need no type of either driver outside of this file.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::errors;
use crate::database::lane::{
    Answer, Begun, Driver, Held, Lane, Lost, NotBegun, STATEMENT_LIMIT, within,
};
use crate::database::memory::watch::{Watch, may_change};
use crate::database::placeholders::without_numbers;
use crate::database::pooler::Pooler;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite, SqliteConnection,
};
use time::OffsetDateTime;

/// The connections.
#[derive(Clone)]
pub(super) enum Pool {
    /// One that writes, with a queue of its own, and others that only read: so nobody who reads waits for one who
    /// writes. In memory both are the same one.
    Sqlite {
        writer: Lane<Sqlite>,
        readers: Lane<Sqlite>,
    },
    Postgres {
        lane: Lane<Postgres>,
        pooler: Pooler,
    },
}

/// A connection of the pool.
pub(super) enum Conn {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

/// A transaction that may write. It is rolled back when dropped. What it changes of the rows that are kept in memory
/// is heeded when it is committed.
pub(super) struct Tx {
    open: OpenTx,
    watch: Watch,
    /// Whether it may have changed such rows.
    may_change: bool,
}

/// The driver's transaction.
pub(super) enum OpenTx {
    Sqlite(Begun<Sqlite>),
    Postgres(Begun<Postgres>),
}

impl Driver for Sqlite {
    fn run<'c>(
        connection: &'c mut SqliteConnection,
        sql: &'static str,
    ) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        async move { sqlx::query(sql).execute(connection).await.map(drop) }.boxed()
    }
}

impl Driver for Postgres {
    /// Sent as text, in one message.
    fn run<'c>(
        connection: &'c mut PgConnection,
        sql: &'static str,
    ) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        async move { sqlx::raw_sql(sql).execute(connection).await.map(drop) }.boxed()
    }
}

/// How many rows a read takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    All,
    /// At most one.
    One,
}

/// A statement with `$1` placeholders.
#[derive(Clone)]
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
    fn for_sqlite(self, values: Vec<Value>) -> (SqlStr, Vec<Value>) {
        match self {
            Self::Both(sql) | Self::Each { sqlite: sql, .. } => (sql.into_sql_str(), values),
            Self::Built(sql) => {
                let (sql, values) = without_numbers(sql, values);
                (AssertSqlSafe(sql).into_sql_str(), values)
            }
        }
    }

    fn for_postgres(self, values: Vec<Value>) -> (SqlStr, Vec<Value>) {
        let sql = match self {
            Self::Both(sql) | Self::Each { postgres: sql, .. } => sql.into_sql_str(),
            Self::Built(sql) => AssertSqlSafe(sql).into_sql_str(),
        };
        (sql, values)
    }

    /// Whether it may change a row that is kept in memory.
    pub fn may_change(&self) -> bool {
        match self {
            Self::Both(sql) => may_change(sql),
            Self::Each { sqlite, postgres } => may_change(sqlite) || may_change(postgres),
            Self::Built(sql) => may_change(sql),
        }
    }
}

/// A value for a placeholder.
#[derive(Clone)]
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

/// A query with its values.
macro_rules! query {
    ($held:ident, $sql:expr, $dialect:ident, $values:expr) => {{
        let sql: Sql = $sql;
        let keep = $held.keeps(!matches!(sql, Sql::Built(_)));
        let (sql, values) = sql.$dialect($values);
        let mut query = sqlx::query(sql).persistent(keep);
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

/// `$self` is a [`Conn`] or a [`Tx`]; `$on` turns what is inside into the held connection. `$limit` says what an
/// error means.
macro_rules! run {
    ($self:ident, $on:expr, $limit:ident, $sql:ident, $values:ident, $method:ident, $sqlite:expr, $postgres:expr) => {
        match $self {
            Self::Sqlite(inner) => {
                let held = $on(inner);
                let query = query!(held, $sql.into(), for_sqlite, $values);
                held.sent();
                let answer = within(query.$method(held.connection())).await;
                held.heard(&answer);
                $limit(answer).map($sqlite)
            }
            Self::Postgres(inner) => {
                let held = $on(inner);
                let query = query!(held, $sql.into(), for_postgres, $values);
                held.sent();
                let answer = within(query.$method(held.connection())).await;
                held.heard(&answer);
                $limit(answer).map($postgres)
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

impl Conn {
    async fn read(&mut self, sql: Sql, values: Vec<Value>, take: Take) -> StoreResult<Vec<Row>> {
        match take {
            Take::All => self.fetch_all(sql, values).await,
            Take::One => {
                let row = self.fetch_optional(sql, values).await?;
                Ok(row.into_iter().collect())
            }
        }
    }

    /// See [`Held::was_gone`].
    fn was_gone(&self) -> bool {
        match self {
            Self::Sqlite(held) => held.was_gone(),
            Self::Postgres(held) => held.was_gone(),
        }
    }
}

impl Pool {
    /// Runs a statement that only reads. On SQLite no other can be run like this.
    ///
    /// Where PostgreSQL had ended the connection before, as when it was restarted, it is run on another one.
    pub async fn read(
        &self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
        take: Take,
    ) -> StoreResult<Vec<Row>> {
        let sql = sql.into();
        match self {
            Self::Sqlite { readers, .. } => {
                let mut reader = readers.acquire().await.map(Conn::Sqlite)?;
                reader.read(sql, values, take).await
            }
            Self::Postgres { pooler, .. } if pooler.takes_single_statements() => {
                let mut tx = self.begin().await?;
                match take {
                    Take::All => tx.fetch_all(sql, values).await,
                    Take::One => {
                        let row = tx.fetch_optional(sql, values).await?;
                        Ok(row.into_iter().collect())
                    }
                }
            }
            Self::Postgres { lane, .. } => {
                let again = (sql.clone(), values.clone());
                let mut reader = lane.acquire().await.map(Conn::Postgres)?;
                let done = reader.read(sql, values, take).await;
                if done.is_ok() || !reader.was_gone() {
                    return done;
                }
                drop(reader);
                lane.lose_idle();
                let mut reader = lane.acquire().await.map(Conn::Postgres)?;
                reader.read(again.0, again.1, take).await
            }
        }
    }

    /// A connection for one statement that writes and commits by itself.
    pub async fn writer(&self) -> StoreResult<Conn> {
        match self {
            Self::Sqlite { writer, .. } => writer.acquire().await.map(Conn::Sqlite),
            Self::Postgres { lane, .. } => lane.acquire().await.map(Conn::Postgres),
        }
    }

    /// Whether a statement that writes needs a transaction although it is alone in it.
    pub fn wraps_statements(&self) -> bool {
        match self {
            Self::Sqlite { .. } => false,
            Self::Postgres { pooler, .. } => pooler.takes_single_statements(),
        }
    }

    /// Ends the connections after what runs on them.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { lane, .. } => lane.close().await,
        }
    }

    /// On SQLite the write lock is taken at once: a transaction that reads first and writes later would
    /// fail, without waiting, where another one wrote in between.
    ///
    /// Where PostgreSQL had ended the connection before, another one is begun on another connection: nothing was done
    /// on the first.
    pub async fn begin(&self) -> StoreResult<OpenTx> {
        match self {
            Self::Sqlite { writer, .. } => begin_in_file(writer.acquire().await?).await,
            Self::Postgres { lane, pooler } => begin_on(lane, pooler.begin()).await,
        }
    }

    /// The same on a connection that the caller has already.
    pub async fn begin_on(&self, writer: Conn) -> StoreResult<OpenTx> {
        match (self, writer) {
            (_, Conn::Sqlite(held)) => begin_in_file(held).await,
            (Self::Postgres { pooler, .. }, Conn::Postgres(held)) => {
                let begun = Begun::begin(held, pooler.begin()).await;
                begun.map(OpenTx::Postgres).map_err(not_begun)
            }
            (Self::Sqlite { .. }, Conn::Postgres(_)) => {
                let why = "a connection of another database";
                Err(StoreError::Failed(why.to_owned()))
            }
        }
    }

    /// A transaction that only reads, and reads everything as it was at its first statement. Nobody who writes waits
    /// for it.
    pub async fn begin_reading(&self) -> StoreResult<OpenTx> {
        match self {
            Self::Sqlite { readers, .. } => {
                let begun = Begun::begin(readers.acquire().await?, "BEGIN").await;
                begun.map(OpenTx::Sqlite).map_err(not_begun)
            }
            Self::Postgres { lane, pooler } => begin_on(lane, pooler.begin_reading()).await,
        }
    }
}

async fn begin_in_file(held: Held<Sqlite>) -> StoreResult<OpenTx> {
    let begun = Begun::begin(held, "BEGIN IMMEDIATE").await;
    begun.map(OpenTx::Sqlite).map_err(not_begun)
}

/// Begins a transaction, on another connection where PostgreSQL had ended the first before.
async fn begin_on(lane: &Lane<Postgres>, statement: &'static str) -> StoreResult<OpenTx> {
    match Begun::begin(lane.acquire().await?, statement).await {
        Ok(begun) => Ok(OpenTx::Postgres(begun)),
        Err(failed) if failed.was_gone => {
            lane.lose_idle();
            let begun = Begun::begin(lane.acquire().await?, statement).await;
            begun.map(OpenTx::Postgres).map_err(not_begun)
        }
        Err(failed) => Err(not_begun(failed)),
    }
}

impl Tx {
    /// For a statement that the engines take in different forms.
    pub fn is_postgres(&self) -> bool {
        match &self.open {
            OpenTx::Sqlite(_) => false,
            OpenTx::Postgres(_) => true,
        }
    }

    pub fn new(open: OpenTx, watch: &Watch) -> Self {
        Self {
            open,
            watch: watch.clone(),
            may_change: false,
        }
    }

    pub async fn fetch_all(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> StoreResult<Vec<Row>> {
        let sql = self.noted(sql);
        self.open.fetch_all(sql, values).await
    }

    pub async fn fetch_optional(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> StoreResult<Option<Row>> {
        let sql = self.noted(sql);
        self.open.fetch_optional(sql, values).await
    }

    /// How many rows the statement wrote.
    pub async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> StoreResult<u64> {
        let sql = self.noted(sql);
        self.open.execute(sql, values).await
    }

    pub async fn commit(self) -> StoreResult<()> {
        let Self {
            open,
            watch,
            may_change,
        } = self;
        let armed = match may_change {
            true => watch.arm(),
            false => None,
        };
        let done = open.commit().await;
        watch.settle(armed, &done).await;
        done
    }

    fn noted(&mut self, sql: impl Into<Sql>) -> Sql {
        let sql = sql.into();
        self.may_change = self.may_change || sql.may_change();
        sql
    }
}

impl OpenTx {
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
            Self::Sqlite(tx) => ending(tx.commit().await),
            Self::Postgres(tx) => ending(tx.commit().await),
        }
    }
}

fn pooled<DB: Driver>(held: &mut Held<DB>) -> &mut Held<DB> {
    held
}

fn connection<DB: Driver>(tx: &mut Begun<DB>) -> &mut Held<DB> {
    &mut tx.held
}

fn rows<R>(wrap: impl Fn(R) -> Row) -> impl FnOnce(Vec<R>) -> Vec<Row> {
    move |rows| rows.into_iter().map(wrap).collect()
}

fn row<R>(wrap: impl Fn(R) -> Row) -> impl FnOnce(Option<R>) -> Option<Row> {
    move |row| row.map(wrap)
}

/// What came of what reads, or is committed later: when it failed, nothing was changed.
fn bounded<T>(answer: Answer<T>) -> StoreResult<T> {
    answer.map_err(definite)
}

/// What came of what ends a change: when its answer was lost, the outcome is unknown.
fn ending<T>(answer: Answer<T>) -> StoreResult<T> {
    answer.map_err(|lost| match lost {
        Lost::Failed(error) => errors::of_ending(error),
        Lost::NoAnswer => StoreError::OutcomeUnknown(no_answer()),
    })
}

fn not_begun(failed: NotBegun) -> StoreError {
    definite(failed.why)
}

/// Nothing was changed.
fn definite(lost: Lost) -> StoreError {
    match lost {
        Lost::Failed(error) => error.into(),
        Lost::NoAnswer => StoreError::Unavailable(no_answer()),
    }
}

fn no_answer() -> String {
    format!("no answer in {} seconds", STATEMENT_LIMIT.as_secs())
}
