//! SQLite and PostgreSQL behind the application's traits.
//!
//! One SQL text serves both engines wherever they agree; a file for each aggregate. Architecture
//! invariants: no driver type reaches a use case; every row is parsed, never trusted; whatever takes a
//! workspace has it in its WHERE clause.

mod audit;
mod backup;
mod checks;
mod connections;
pub mod copy;
mod deliveries;
mod engine;
mod erasure;
mod errors;
mod events;
mod health;
mod idempotency;
mod imports;
mod jobs;
mod lock;
mod lost_key;
mod migrations;
mod moving;
mod origins;
mod pending;
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
pub use migrations::SchemaChanges;
pub use url::{DatabaseTls, DatabaseUrl};

use crate::application::kept::store::{Store, StoreError, StoreResult, Window};
use async_trait::async_trait;
use engine::{Conn, Pool, Row, Sql, Tx, Value, values};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reach::Reach;
use record::Record;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a call waits for a connection, also to a server that cannot be reached.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// How long a connection of the pool may take to answer before it is used.
const TEST_LIMIT: Duration = Duration::from_millis(700);
/// How long a call waits for the schema; longer than one failed attempt.
const READY_LIMIT: Duration = Duration::from_secs(4);
/// How long SQLite waits for another writer.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// After this PostgreSQL ends a statement, so one that nobody waits for any more does not run on.
const STATEMENT_TIMEOUT: &str = "25s";
/// Each connection to SQLite is a thread; readers do not wait for each other or for the writer.
const SQLITE_CONNECTIONS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;

/// The database of the service. Clones share their connections.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    reach: Reach,
    changes: SchemaChanges,
    schema: Arc<Mutex<Option<SchemaAttempt>>>,
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
        Self::over(open(url).await?, url, changes).await
    }

    /// The same, and the schema may be changed.
    #[cfg(test)]
    pub async fn connect(url: &DatabaseUrl) -> StoreResult<Self> {
        Self::connect_with(url, SchemaChanges::Made).await
    }

    /// Brings the schema up to date, and gives the numbers of the migrations that were missing. A server that
    /// cannot be reached is an error here.
    pub async fn migrate(url: &DatabaseUrl) -> StoreResult<Vec<i64>> {
        let pool = open(url).await?;
        let reach = Reach::of(&pool);
        let missing = reach.guard(migrations::missing(&pool)).await?;
        let done = migrations::run(&pool, SchemaChanges::Made).await;
        pool.close().await;
        done.map(|()| missing)
    }

    /// A SQLite database that is in no file and ends with this value.
    pub async fn in_memory() -> StoreResult<Self> {
        let failed = |error: sqlx::Error| StoreError::Failed(error.to_string());
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            .foreign_keys(true);
        // The database is its connection's: there is one, and it stays.
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(BUSY_LIMIT)
            .connect_with(options)
            .await
            .map_err(failed)?;
        let url = DatabaseUrl::sqlite_file(std::path::Path::new(":memory:"));
        Self::over(Pool::Sqlite(pool), &url, SchemaChanges::Made).await
    }

    /// A SQLite file of so many pages at most, as on a disk that is full.
    #[cfg(test)]
    pub async fn connect_within(path: &std::path::Path, pages: u32) -> StoreResult<Self> {
        let pool = open_sqlite(path, Some(pages)).await?;
        let url = DatabaseUrl::sqlite_file(path);
        Self::over(pool, &url, SchemaChanges::Made).await
    }

    async fn over(pool: Pool, url: &DatabaseUrl, changes: SchemaChanges) -> StoreResult<Self> {
        let database = Self {
            reach: Reach::of(&pool),
            pool,
            changes,
            schema: Arc::default(),
        };
        match (database.ready().await, url) {
            // No wait helps: the settings or the server's certificate must change.
            (Err(StoreError::Unavailable(why)), _) if errors::is_untrusted(&why) => {
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
        let (all, idle, limit) = match &self.pool {
            Pool::Sqlite(pool) => (pool.size(), pool.num_idle(), SQLITE_CONNECTIONS),
            Pool::Postgres(pool) => (pool.size(), pool.num_idle(), POSTGRES_CONNECTIONS),
        };
        let idle = idle as u64;
        Connections {
            used: u64::from(all).saturating_sub(idle),
            idle,
            limit: limit.into(),
        }
    }

    /// Ends the connections after what runs on them.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Has new connections made with what this URL says: another user or password, or another file with
    /// authorities. Connections that are open stay.
    pub fn sign_in_with(&self, url: &DatabaseUrl) -> Result<(), AnotherDatabase> {
        match (&self.pool, url) {
            // A file has nobody who signs in.
            (Pool::Sqlite(_), DatabaseUrl::Sqlite(_)) => Ok(()),
            (Pool::Postgres(pool), DatabaseUrl::Postgres(options)) => {
                let present = pool.connect_options();
                if present.get_host() != options.get_host()
                    || present.get_port() != options.get_port()
                    || present.get_socket() != options.get_socket()
                    || present.get_database() != options.get_database()
                {
                    return Err(AnotherDatabase);
                }
                pool.set_connect_options(tuned(options));
                self.reach.sign_in_with(pool.connect_options());
                Ok(())
            }
            (Pool::Sqlite(_), DatabaseUrl::Postgres(_))
            | (Pool::Postgres(_), DatabaseUrl::Sqlite(_)) => Err(AnotherDatabase),
        }
    }

    /// Waits until the schema is known to be up to date. An attempt goes on when whoever waits for it
    /// gives up, so no impatient client can break a long one off.
    async fn ready(&self) -> StoreResult<()> {
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
        let ready = wait(
            READY_LIMIT,
            "the schema is being brought up to date",
            attempt,
        );
        self.reach.guard(ready).await
    }

    async fn connection(&self) -> StoreResult<Conn> {
        self.reach.check()?;
        self.ready().await?;
        self.reach.guard(self.pool.acquire()).await
    }

    async fn fetch_all(&self, sql: impl Into<Sql>, values: Vec<Value>) -> StoreResult<Vec<Row>> {
        let mut connection = self.connection().await?;
        self.reach.guard(connection.fetch_all(sql, values)).await
    }

    /// Reads at most one row of `table`, and turns it into what it stands for.
    async fn fetch_record<T>(
        &self,
        table: &'static str,
        sql: impl Into<Sql>,
        values: Vec<Value>,
        parse: impl FnOnce(&Record) -> StoreResult<T>,
    ) -> StoreResult<Option<T>> {
        let mut connection = self.connection().await?;
        let row = self.reach.guard(connection.fetch_optional(sql, values));
        match row.await? {
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

    /// How many rows the statement wrote.
    async fn execute(&self, sql: impl Into<Sql>, values: Vec<Value>) -> StoreResult<u64> {
        self.connection().await?.execute(sql, values).await
    }

    async fn begin(&self) -> StoreResult<Tx> {
        self.reach.check()?;
        self.ready().await?;
        self.reach.guard(self.pool.begin()).await
    }

    /// A transaction that only reads, and reads one state.
    async fn begin_reading(&self) -> StoreResult<Tx> {
        self.reach.check()?;
        self.ready().await?;
        self.reach.guard(self.pool.begin_reading()).await
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

async fn open(url: &DatabaseUrl) -> StoreResult<Pool> {
    match url {
        DatabaseUrl::Sqlite(path) => open_sqlite(path, None).await,
        DatabaseUrl::Postgres(options) => Ok(open_postgres(options)),
    }
}

/// `pages`: how many the file may have at most.
async fn open_sqlite(path: &std::path::Path, pages: Option<u32>) -> StoreResult<Pool> {
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Failed(format!("cannot open `{}`: {error}", path.display()))
    };
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|error| failed(&error))?;
    }
    make_private(path).map_err(|error| failed(&error))?;
    let mut options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With WAL, `NORMAL` can lose the last transactions in a power cut, but breaks nothing.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        // What is deleted is overwritten: the file's free space has nothing of it.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_LIMIT);
    if let Some(pages) = pages {
        options = options.pragma("max_page_count", pages.to_string());
    }
    let pools = SqlitePoolOptions::new()
        .max_connections(SQLITE_CONNECTIONS)
        // Also waits behind other writers for a connection.
        .acquire_timeout(BUSY_LIMIT)
        // A file does not hang up.
        .test_before_acquire(false)
        .before_acquire(|connection, _| is_usable(connection).boxed());
    let deadline = tokio::time::Instant::now() + BUSY_LIMIT;
    let pool = loop {
        match pools.clone().connect_with(options.clone()).await {
            Ok(pool) => break pool,
            // The switch to WAL is refused, without the usual wait, while another process makes it.
            Err(error) if errors::is_busy(&error) && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(failed(&error)),
        }
    };
    Ok(Pool::Sqlite(pool))
}

/// Makes an absent file, for this user alone: it has hashes of tokens, and who did what. SQLite gives the
/// files beside it the same rights. The rights of a file that is there are the operator's choice.
#[cfg(unix)]
fn make_private(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mode = std::fs::metadata(path)?.permissions().mode();
            if mode & 0o077 != 0 {
                tracing::warn!(
                    file = %path.display(),
                    mode = format!("{:o}", mode & 0o777),
                    "other users of this machine can read the database; `chmod 600` stops that"
                );
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn make_private(_: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}

/// The options of each connection: what the URL says, and our own limits.
fn tuned(options: &PgConnectOptions) -> PgConnectOptions {
    let mut options = options.clone().options([
        // What a replica that vanished in a transaction has locked is free again after this.
        ("idle_in_transaction_session_timeout", "60s"),
        ("lock_timeout", "5s"),
        ("statement_timeout", STATEMENT_TIMEOUT),
    ]);
    if options.get_application_name().is_none() {
        options = options.application_name("sallyport");
    }
    options
}

fn open_postgres(options: &PgConnectOptions) -> Pool {
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_LIMIT)
        // The pool's own test has no limit, so one dead connection could take a call's whole time.
        .test_before_acquire(false)
        .after_connect(|connection, _| announce(connection).boxed())
        .before_acquire(|connection, _| test(connection, TEST_LIMIT).boxed())
        .after_release(|connection, _| test(connection, ACQUIRE_LIMIT).boxed())
        .connect_lazy_with(tuned(options));
    Pool::Postgres(pool)
}

/// Says that somebody uses the database, for as long as the connection is there. Whoever copies the whole database lets
/// nobody in meanwhile.
async fn announce(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let asked = sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock_shared($1)")
        .bind(lock::ADVISORY)
        .fetch_one(connection);
    match tokio::time::timeout(ACQUIRE_LIMIT, asked).await {
        Ok(answer) => match answer? {
            true => Ok(()),
            false => Err(sqlx::Error::Protocol(
                "a command of Sallyport has the database for itself, like `sallyport copy-database`".to_owned(),
            )),
        },
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// False where a transaction is left on the connection. SQLite rolls one back by itself after some errors, as on
/// a full disk; then the driver's own rollback fails, and it refuses every later transaction.
async fn is_usable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A rollback may be on its way: this waits for it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Closes a connection that does not answer any more. Without a limit, a network which swallows packets would
/// keep its place in the pool taken for many minutes.
async fn test(connection: &mut PgConnection, limit: Duration) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(limit, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

#[async_trait]
impl Store for Database {
    async fn ping(&self) -> StoreResult<()> {
        let asked = self.fetch_all("SELECT 1", values![]);
        wait(ACQUIRE_LIMIT, "no answer", asked).await.map(drop)
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
