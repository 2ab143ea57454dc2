//! How connections are made, on both engines.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::Pool;
use crate::database::lane::{Greet, Lane, Prepared, Rules};
use crate::database::pooler::Pooler;
use crate::database::url::DatabaseUrl;
use crate::database::{errors, lock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row, Sqlite};
use std::path::Path;
use std::time::Duration;

/// How long a connection to a server may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long calls wait for a connection while none comes free.
const STALL_LIMIT: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process that writes.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// After this PostgreSQL ends a statement, so one that nobody waits for any more does not run on.
const STATEMENT_TIMEOUT: &str = "25s";
/// Each is a thread. Readers do not wait for each other or for the writer.
const SQLITE_READERS: u32 = 7;
const POSTGRES_CONNECTIONS: u32 = 16;
/// How many calls wait for each kind of connection before further ones are refused: several times as many as a service
/// has requests at the same time on a busy day, and few enough that the last of them is still served in time. A call
/// that waits takes about a kilobyte.
pub(super) const MOST_WAITING: usize = 4_096;
/// Networks forget connections that are idle for longer: load balancers and gateways of AWS after 350 seconds.
const POSTGRES_IDLE: Duration = Duration::from_secs(3 * 60);
/// After this a connection is made anew, so that all of them reach a server that has taken another's place.
const POSTGRES_LIFE: Duration = Duration::from_secs(30 * 60);
/// A thread that nobody used for so long ends.
const SQLITE_IDLE: Duration = Duration::from_secs(10 * 60);

pub(super) async fn open(url: &DatabaseUrl, pooler: Pooler) -> StoreResult<Pool> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite(path, None).await,
        DatabaseUrl::Postgres(options) => Ok(postgres(options, pooler)),
    }
}

fn sqlite_rules(connections: u32, idle_limit: Option<Duration>) -> Rules<Sqlite> {
    Rules {
        connections,
        waiting: MOST_WAITING,
        connect_limit: BUSY_LIMIT,
        stall_limit: STALL_LIMIT,
        idle_limit,
        life_limit: None,
        // A file does not hang up.
        is_remote: false,
        is_irreplaceable: false,
        prepared: Prepared::Constant,
        greet: None,
    }
}

/// A SQLite database that is in no file.
pub(super) async fn in_memory() -> StoreResult<Pool> {
    let options = SqliteConnectOptions::new()
        .in_memory(true)
        .foreign_keys(true);
    // The database is its connection's: there is one, and it stays.
    let only = Lane::new(
        options,
        Rules {
            is_irreplaceable: true,
            ..sqlite_rules(1, None)
        },
    );
    let failed = |error: sqlx::Error| StoreError::Failed(error.to_string());
    only.connect_first().await.map_err(failed)?;
    Ok(Pool::Sqlite {
        writer: only.clone(),
        readers: only,
    })
}

/// `pages`: how many the file may have at most.
pub(super) async fn sqlite(path: &Path, pages: Option<u32>) -> StoreResult<Pool> {
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Failed(format!("cannot open `{}`: {error}", path.display()))
    };
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|error| failed(&error))?;
    }
    make_private(path).map_err(|error| failed(&error))?;
    let file = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_LIMIT);
    let mut writing = file
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged is on the disk: with `NORMAL`, a power cut could take the last transactions.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is overwritten: the file's free space has nothing of it.
        .pragma("secure_delete", "ON");
    if let Some(pages) = pages {
        writing = writing.pragma("max_page_count", pages.to_string());
    }
    // A statement that writes is refused on them.
    let reading = file.create_if_missing(false).pragma("query_only", "ON");
    let writer = Lane::new(writing, sqlite_rules(1, None));
    let deadline = tokio::time::Instant::now() + BUSY_LIMIT;
    loop {
        match writer.connect_first().await {
            Ok(()) => break,
            // The switch to WAL is refused, without the usual wait, while another process makes it.
            Err(error) if errors::is_busy(&error) && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(Pool::Sqlite {
        writer,
        readers: Lane::new(reading, sqlite_rules(SQLITE_READERS, Some(SQLITE_IDLE))),
    })
}

/// Makes an absent file, for this user alone: it has hashes of tokens, and who did what. SQLite gives the
/// files beside it the same rights. The rights of a file that is there are the operator's choice.
#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
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
fn make_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The options of each connection: what the URL says, and our own limits.
pub(super) fn tuned(options: &PgConnectOptions, pooler: Pooler) -> PgConnectOptions {
    let mut options = options.clone();
    options = match pooler.shares_sessions() {
        // A pooler refuses what it does not know at the beginning of a connection.
        true => options.extra_float_digits(None::<i8>),
        false => options.options([
            // What a replica that vanished in a transaction has locked is free again after this.
            ("idle_in_transaction_session_timeout", "60s"),
            ("lock_timeout", "5s"),
            ("statement_timeout", STATEMENT_TIMEOUT),
        ]),
    };
    if options.get_application_name().is_none() {
        options = options.application_name("sallyport");
    }
    options
}

fn postgres(options: &PgConnectOptions, pooler: Pooler) -> Pool {
    let rules = postgres_rules(POSTGRES_CONNECTIONS, pooler);
    Pool::Postgres {
        lane: Lane::new(tuned(options, pooler), rules),
        pooler,
    }
}

/// One connection to the same database that reads, beside all others and with a queue of its own. It is made when it is
/// wanted.
pub(super) fn apart(pool: &Pool) -> Pool {
    match pool {
        Pool::Sqlite { readers, .. } => {
            let only = readers.beside(sqlite_rules(1, None));
            Pool::Sqlite {
                writer: only.clone(),
                readers: only,
            }
        }
        Pool::Postgres { lane, pooler } => Pool::Postgres {
            lane: lane.beside(postgres_rules(1, *pooler)),
            pooler: *pooler,
        },
    }
}

fn postgres_rules(connections: u32, pooler: Pooler) -> Rules<Postgres> {
    let prepared = match pooler {
        Pooler::None => Prepared::Constant,
        Pooler::Transaction => Prepared::All,
        Pooler::Unprepared => Prepared::Nothing,
    };
    let greet: Greet<Postgres> = match pooler.shares_sessions() {
        false => announce,
        true => look_for_others,
    };
    Rules {
        connections,
        waiting: MOST_WAITING,
        connect_limit: CONNECT_LIMIT,
        stall_limit: STALL_LIMIT,
        idle_limit: Some(POSTGRES_IDLE),
        life_limit: Some(POSTGRES_LIFE),
        is_remote: true,
        is_irreplaceable: false,
        prepared,
        greet: Some(greet),
    }
}

/// Says that somebody uses the database, for as long as the connection is there. Whoever copies the whole database lets
/// nobody in meanwhile.
pub(super) fn announce(connection: &mut PgConnection) -> BoxFuture<'_, Result<(), sqlx::Error>> {
    async move {
        let asked = sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock_shared($1)")
            .bind(lock::ADVISORY)
            .fetch_one(connection);
        let answered = tokio::time::timeout(CONNECT_LIMIT, asked).await;
        refuse_where_taken(answered.unwrap_or_else(|_| Err(no_answer()))?)
    }
    .boxed()
}

/// The same through a pooler that shares sessions. A lock would stay with a session that is another's the next moment,
/// so it is only looked whether nobody has the database for itself now.
fn look_for_others(connection: &mut PgConnection) -> BoxFuture<'_, Result<(), sqlx::Error>> {
    async move {
        // In one message: two may reach two sessions.
        let sql = format!(
            "SELECT pg_try_advisory_xact_lock_shared({})",
            lock::ADVISORY
        );
        let asked = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection);
        let answered = tokio::time::timeout(CONNECT_LIMIT, asked).await;
        let row = answered.unwrap_or_else(|_| Err(no_answer()))?;
        refuse_where_taken(row.try_get::<bool, _>(0)?)
    }
    .boxed()
}

fn refuse_where_taken(is_free: bool) -> Result<(), sqlx::Error> {
    match is_free {
        true => Ok(()),
        false => Err(sqlx::Error::Protocol(
            "a command of Sallyport has the database for itself, like `sallyport copy-database`"
                .to_owned(),
        )),
    }
}

fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}
