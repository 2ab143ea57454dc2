//! SQLite and PostgreSQL behind the application's traits.
//!
//! One SQL text serves both engines wherever they agree; a file for each aggregate. Architecture
//! invariants: no driver type reaches a use case; every row is parsed, never trusted; whatever takes a
//! workspace has it in its WHERE clause.

mod audit;
mod backup;
mod changes;
mod checks;
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
mod pooler;
mod product_keys;
mod project_files;
mod projects;
mod reach;
mod record;
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

use crate::application::kept::store::{Store, StoreError, StoreResult, Window};
use async_trait::async_trait;
use changes::Looks;
use engine::{Conn, Pool, Row, Sql, Take, Tx, Value, values};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use memory::watch::Watch;
use memory::{Memory, Scope};
use reach::Reach;
use record::Record;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a call waits that asks only whether the database is there.
const PING_LIMIT: Duration = Duration::from_secs(3);
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
    /// Opens the database and brings its schema up to date, unless `changes` forbids it.
    ///
    /// A PostgreSQL server that cannot be reached is no error: the calls fail with
    /// [`StoreError::Unavailable`] until it can, and the first that reaches it brings the schema up to
    /// date. A SQLite file is made when it is absent, and its folder too.
    pub async fn connect_with(url: &DatabaseUrl, changes: SchemaChanges) -> StoreResult<Self> {
        Self::connect_through(url, Pooler::None, changes).await
    }

    /// The same, by way of a pooler. The schema cannot be changed through one that shares sessions.
    pub async fn connect_through(
        url: &DatabaseUrl,
        pooler: Pooler,
        changes: SchemaChanges,
    ) -> StoreResult<Self> {
        Self::refuse_absent(url, changes)?;
        Self::over(open::open(url, pooler).await?, url, changes).await
    }

    /// Fails where a SQLite file would have to be made and `changes` forbids it. Makes nothing itself.
    pub fn refuse_absent(url: &DatabaseUrl, changes: SchemaChanges) -> StoreResult<()> {
        match (url, changes) {
            (DatabaseUrl::Sqlite(path), SchemaChanges::Refused) if !path.exists() => {
                Err(StoreError::Failed(format!(
                    "the SQLite database `{}` does not exist, and SALLYPORT_MIGRATE is `off`. Look at SALLYPORT_DATA_DIR and SALLYPORT_DATABASE_URL. `sallyport migrate` makes a new one. Nothing was made",
                    path.display()
                )))
            }
            (DatabaseUrl::Sqlite(_) | DatabaseUrl::Postgres(_), _) => Ok(()),
        }
    }

    /// The same, and the schema may be changed.
    #[cfg(test)]
    pub async fn connect(url: &DatabaseUrl) -> StoreResult<Self> {
        Self::connect_with(url, SchemaChanges::Made).await
    }

    /// Brings the schema up to date, and gives the numbers of the migrations that were missing. A server that
    /// cannot be reached is an error here.
    pub async fn migrate(url: &DatabaseUrl) -> StoreResult<Vec<i64>> {
        let pool = open::open(url, Pooler::None).await?;
        let reach = Reach::of(&pool);
        let missing = reach.guard(migrations::missing(&pool)).await?;
        let done = migrations::run(&pool, SchemaChanges::Made).await;
        pool.close().await;
        done.map(|()| missing)
    }

    /// A SQLite database that is in no file and ends with this value.
    pub async fn in_memory() -> StoreResult<Self> {
        let pool = open::in_memory().await?;
        let url = DatabaseUrl::sqlite_file(std::path::Path::new(":memory:"));
        Self::over(pool, &url, SchemaChanges::Made).await
    }

    /// A SQLite file of so many pages at most, as on a disk that is full.
    #[cfg(test)]
    pub async fn connect_within(path: &std::path::Path, pages: u32) -> StoreResult<Self> {
        let pool = open::sqlite(path, Some(pages)).await?;
        let url = DatabaseUrl::sqlite_file(path);
        Self::over(pool, &url, SchemaChanges::Made).await
    }

    async fn over(pool: Pool, url: &DatabaseUrl, changes: SchemaChanges) -> StoreResult<Self> {
        let memory = Memory::default();
        let looks = open::apart(&pool);
        let database = Self {
            reach: Reach::of(&pool),
            watch: Watch::new(&memory, Arc::new(Looks::by(&looks, &memory))),
            looks,
            memory,
            pool,
            changes,
            schema: Arc::default(),
            is_ready: Arc::default(),
            swept_setups: Arc::default(),
        };
        // A file has nobody else to wait for: a start waits for as long as its schema takes.
        let limit = match url {
            DatabaseUrl::Sqlite(_) => migrations::LIMIT,
            DatabaseUrl::Postgres(_) => READY_LIMIT,
        };
        match (database.ready_within(limit).await, url) {
            // No wait helps: the settings, those of a pooler, or the server's certificate must change.
            (Err(StoreError::Unavailable(why)), _) if errors::is_lasting(&why) => {
                return Err(StoreError::Failed(why));
            }
            (Err(error @ StoreError::Unavailable(_)), DatabaseUrl::Postgres(_)) => {
                tracing::warn!(%error, database = %url, "starting without the database");
            }
            (result, _) => result?,
        }
        Ok(database)
    }

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

    /// Ends the connections after what runs on them.
    pub async fn close(&self) {
        self.looks.close().await;
        self.pool.close().await;
    }

    /// Has new connections made with what this URL says: another user or password, or another file with
    /// authorities. Connections that are open stay.
    pub fn sign_in_with(&self, url: &DatabaseUrl) -> Result<(), AnotherDatabase> {
        match (&self.pool, url) {
            // A file has nobody who signs in.
            (Pool::Sqlite { .. }, DatabaseUrl::Sqlite(_)) => Ok(()),
            (Pool::Postgres { lane, pooler }, DatabaseUrl::Postgres(options)) => {
                let present = lane.options();
                if present.get_host() != options.get_host()
                    || present.get_port() != options.get_port()
                    || present.get_socket() != options.get_socket()
                    || present.get_database() != options.get_database()
                {
                    return Err(AnotherDatabase);
                }
                lane.set_options(open::tuned(options, *pooler));
                if let Pool::Postgres { lane, .. } = &self.looks {
                    lane.set_options(open::tuned(options, *pooler));
                }
                Ok(())
            }
            (Pool::Sqlite { .. }, DatabaseUrl::Postgres(_))
            | (Pool::Postgres { .. }, DatabaseUrl::Sqlite(_)) => Err(AnotherDatabase),
        }
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

#[async_trait]
impl Store for Database {
    async fn ping(&self) -> StoreResult<()> {
        let asked = self.fetch_all("SELECT 1", values![]);
        wait(PING_LIMIT, "no answer", asked).await.map(drop)
    }

    async fn remember(&self, name: &str, value: &[u8]) -> StoreResult<Vec<u8>> {
        self.execute(
            "INSERT INTO remembered (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            values![name, value],
        )
        .await?;
        let rows = self
            .fetch_all(
                "SELECT value FROM remembered WHERE name = $1",
                values![name],
            )
            .await?;
        match rows.into_iter().next() {
            Some(row) => Record::named(format!("remembered/{name}"), row).bytes("value"),
            None => Err(StoreError::Failed(format!("`{name}` was not remembered"))),
        }
    }

    async fn remembered(&self, name: &str) -> StoreResult<Vec<(String, Vec<u8>)>> {
        // Names are constants of ours, so nothing in them needs escaping.
        let below = format!("{name}/%");
        let rows = self
            .fetch_all(
                "SELECT name, value FROM remembered WHERE name = $1 OR name LIKE $2 ORDER BY name",
                values![name, below],
            )
            .await?;
        rows.into_iter()
            .map(|row| {
                let record = Record::named(format!("remembered/{name}"), row);
                Ok((record.text("name")?, record.bytes("value")?))
            })
            .collect()
    }

    async fn known_remembered(&self, name: &str) -> StoreResult<Vec<(String, Vec<u8>)>> {
        let room = &self.memory.rooms().remembered;
        let key = name.to_owned();
        let read = || async { self.remembered(name).await.map(Some) };
        let found = self.memory.of(room, &key, Scope::Product, read).await?;
        Ok(found.unwrap_or_default())
    }

    async fn replace_remembered(&self, name: &str, value: &[u8]) -> StoreResult<()> {
        self.execute(
            "INSERT INTO remembered (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            values![name, value],
        )
        .await
        .map(drop)
    }

    async fn forget_remembered(&self, name: &str) -> StoreResult<()> {
        self.execute("DELETE FROM remembered WHERE name = $1", values![name])
            .await
            .map(drop)
    }
}
