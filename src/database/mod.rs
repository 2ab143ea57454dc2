//! SQLite and PostgreSQL behind the application's traits.
//!
//! One SQL text serves both engines wherever they agree; a file for each aggregate. Architecture
//! invariants: no driver type reaches a use case; every row is parsed, never trusted; whatever takes a
//! workspace has it in its WHERE clause.

mod audit;
mod backup;
mod changes;
mod checks;
mod commits;
mod connect;
mod connections;
pub mod copy;
mod deliveries;
mod engine;
mod erasure;
mod errors;
mod events;
mod feed;
mod health;
mod idempotency;
mod imports;
mod job_lines;
mod jobs;
mod lane;
mod lock;
mod lost_key;
mod memory;
mod migrations;
mod moving;
mod open;
mod origins;
mod pending;
mod placeholders;
mod pooler;
mod product_keys;
mod project_files;
mod projects;
#[cfg(test)]
mod query_plan;
mod reach;
mod record;
mod remembered;
mod retention;
mod role_waits;
mod sealed;
mod setups;
mod side;
mod sign_in;
mod standing;
mod statement;
mod storages;
mod tables;
mod together;
mod url;
mod usage;
mod webhook_rows;
mod webhooks;
mod workspaces;

pub use backup::{back_up, inspect};
pub use lock::{DatabaseLock, InUse};
pub use memory::MemoryCounts;
pub use migrations::SchemaChanges;
pub use pooler::Pooler;
pub use url::{DatabaseTls, DatabaseUrl};

use crate::application::kept::store::{StoreError, StoreResult, Window};
use engine::{Conn, Pool, Row, Sql, Take, Tx, Value};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use memory::Memory;
use memory::watch::Watch;
use reach::Reach;
use record::Record;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use together::Together;

/// How long a call waits for the schema; longer than one failed attempt.
const READY_LIMIT: Duration = Duration::from_secs(4);

/// The database of the service. Clones share their connections.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    reach: Reach,
    changes: SchemaChanges,
    schema: Arc<Mutex<Option<SchemaAttempt>>>,
    memory: Memory,
    watch: Watch,
    together: Together,
    /// The connection by which `watch` reads.
    looks: Pool,
    /// Whether the schema is known to be up to date.
    is_ready: Arc<AtomicBool>,
    /// Where the next round goes on with setups that are past their time: at this end of theirs, in microseconds.
    swept_setups: Arc<AtomicI64>,
}

/// Why the address of the database cannot be changed while the service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "another database cannot be used without a restart: user, password and TLS may change, and host, port and database name may not"
)]
pub struct AnotherDatabase;

/// How many connections there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    pub used: u64,
    pub idle: u64,
    pub limit: u64,
}

/// An attempt to bring the schema up to date, shared by all who wait for it.
type SchemaAttempt = Shared<BoxFuture<'static, StoreResult<()>>>;

impl Database {
    /// The connections, for metrics.
    pub fn connections(&self) -> Connections {
        match &self.pool {
            Pool::Sqlite { writer, readers } => Connections {
                used: writer.used() + readers.used(),
                idle: writer.idle() + readers.idle(),
                limit: writer.limit() + readers.limit(),
            },
            Pool::Postgres { lane, .. } => Connections {
                used: lane.used(),
                idle: lane.idle(),
                limit: lane.limit(),
            },
        }
    }

    /// What is answered from memory, for metrics.
    pub fn memory_counts(&self) -> MemoryCounts {
        self.memory.counts()
    }

    /// Waits until the schema is known to be up to date. An attempt goes on when whoever waits for it
    /// gives up, so no impatient client can break a long one off.
    async fn ready(&self) -> StoreResult<()> {
        self.ready_within(READY_LIMIT).await
    }

    async fn ready_within(&self, limit: Duration) -> StoreResult<()> {
        if self.is_ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let attempt = {
            let mut slot = self.schema.lock().unwrap_or_else(PoisonError::into_inner);
            match slot.as_ref() {
                Some(attempt) if !matches!(attempt.peek(), Some(Err(_))) => attempt.clone(),
                _ => {
                    let (pool, changes) = (self.pool.clone(), self.changes);
                    let task = tokio::spawn(async move { migrations::run(&pool, changes).await });
                    let attempt = async move {
                        task.await
                            .unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
                    };
                    slot.insert(attempt.boxed().shared()).clone()
                }
            }
        };
        let ready = wait(limit, "the schema is being brought up to date", attempt);
        self.reach.guard(ready).await?;
        self.is_ready.store(true, Ordering::Release);
        Ok(())
    }

    /// A connection for a statement that writes and commits by itself.
    async fn writer(&self) -> StoreResult<Conn> {
        self.note_taken();
        self.reach.check()?;
        self.ready().await?;
        self.reach.guard(self.pool.writer()).await
    }

    async fn read(
        &self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
        take: Take,
    ) -> StoreResult<Vec<Row>> {
        self.note_taken();
        self.reach.check()?;
        self.ready().await?;
        self.reach.guard(self.pool.read(sql, values, take)).await
    }

    /// Of a statement that only reads. One that writes and gives rows is run in a transaction.
    async fn fetch_all(&self, sql: impl Into<Sql>, values: Vec<Value>) -> StoreResult<Vec<Row>> {
        self.read(sql, values, Take::All).await
    }

    /// Reads at most one row of `table`, and turns it into what it stands for.
    async fn fetch_record<T>(
        &self,
        table: &'static str,
        sql: impl Into<Sql>,
        values: Vec<Value>,
        parse: impl FnOnce(&Record) -> StoreResult<T>,
    ) -> StoreResult<Option<T>> {
        let rows = self.read(sql, values, Take::One).await?;
        match rows.into_iter().next() {
            Some(row) => parse(&Record::new(table, row)?).map(Some),
            None => Ok(None),
        }
    }

    /// The same for a list.
    async fn fetch_records<T>(
        &self,
        table: &'static str,
        sql: impl Into<Sql>,
        values: Vec<Value>,
        parse: impl Fn(&Record) -> StoreResult<T>,
    ) -> StoreResult<Vec<T>> {
        let rows = self.fetch_all(sql, values).await?;
        rows.into_iter()
            .map(|row| parse(&Record::new(table, row)?))
            .collect()
    }

    /// How many rows the statement wrote. What it changes of the rows that are kept in memory is heeded.
    async fn execute(&self, sql: impl Into<Sql>, values: Vec<Value>) -> StoreResult<u64> {
        let sql = sql.into();
        if self.pool.wraps_statements() {
            let mut tx = self.begin().await?;
            let written = tx.execute(sql, values).await?;
            tx.commit().await?;
            return Ok(written);
        }
        let may_change = sql.may_change();
        let mut connection = self.writer().await?;
        let armed = match may_change {
            true => self.watch.arm(),
            false => None,
        };
        let done = connection.execute(sql, values).await;
        // What has changed is read on another one.
        drop(connection);
        self.watch.settle(armed, &done).await;
        done
    }

    /// Rows of a statement that needs the connection which writes, like a checkpoint of SQLite's log, and changes no
    /// row. One that changes rows and gives some is run in a transaction.
    async fn fetch_by_writer(
        &self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> StoreResult<Vec<Row>> {
        if self.pool.wraps_statements() {
            let mut tx = self.begin().await?;
            let rows = tx.fetch_all(sql, values).await?;
            tx.commit().await?;
            return Ok(rows);
        }
        self.writer().await?.fetch_all(sql, values).await
    }

    async fn begin(&self) -> StoreResult<Tx> {
        self.note_taken();
        self.reach.check()?;
        self.ready().await?;
        let open = self.reach.guard(self.pool.begin()).await?;
        Ok(Tx::new(open, &self.watch))
    }

    /// Counted, and said at `debug` within the request that asks.
    fn note_taken(&self) {
        self.memory.note_taken();
        tracing::debug!("takes a connection to the database");
    }

    /// A transaction that only reads, and reads one state.
    async fn begin_reading(&self) -> StoreResult<Tx> {
        self.note_taken();
        self.reach.check()?;
        self.ready().await?;
        let open = self.reach.guard(self.pool.begin_reading()).await?;
        Ok(Tx::new(open, &self.watch))
    }
}

/// The pattern of texts that have this one in them.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Where an ascending list begins: everything sorts after the empty text.
fn after(window: &Window) -> &str {
    window.after.as_deref().unwrap_or("")
}

/// Where a descending list begins: every ID sorts before a tilde.
fn before(window: &Window) -> &str {
    window.after.as_deref().unwrap_or("~")
}

async fn wait<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = StoreResult<T>>,
) -> StoreResult<T> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable(what.to_owned())))
}
