//! The table `changes`, which triggers write: what was changed of the rows that are kept in memory.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Pool, Row, Take, values};
use crate::database::memory::watch::Look;
use crate::database::memory::{MOST_CHANGES, Memory, Reading, Seen};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// The channel on which PostgreSQL announces each scope that was changed, when the change is committed.
pub(super) const CHANNEL: &str = "sallyport_changes";

/// `$1` is the mark from which on changes are read, `$2` how many. There is always a row, for what was to be seen.
/// SQLite has one writer at a time, and the ID says the order.
const OF_SQLITE: &str = "SELECT 0 AS server, s.next AS next, '' AS running, c.scope AS scope
    FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) + 1 AS next) s
    LEFT JOIN (SELECT scope FROM changes WHERE id >= $1 ORDER BY id LIMIT $2) c ON 1 = 1";

/// The same, and `$3` are further marks. Marks are transactions: one that began early may commit late, so those that
/// were running are asked for again by themselves. What is between stays read, however long one of them runs, also one
/// in another database of the server.
///
/// `server` is when the server was started: another one takes its place by a start, or had one of its own.
const OF_POSTGRES: &str = "SELECT s.server AS server, s.next AS next, s.running AS running,
        c.scope AS scope
    FROM (SELECT CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS BIGINT) AS server,
            CAST(CAST(pg_snapshot_xmax(now.snapshot) AS TEXT) AS BIGINT) AS next,
            (SELECT string_agg(CAST(r.xid AS TEXT), ',')
                 FROM pg_snapshot_xip(now.snapshot) AS r (xid)) AS running
        FROM (SELECT pg_current_snapshot() AS snapshot) now) s
    LEFT JOIN (SELECT scope FROM changes
        WHERE xid >= $1 OR xid = ANY (CAST(string_to_array($3, ',') AS BIGINT[])) LIMIT $2) c
        ON 1 = 1";

/// Reads what has changed since the last time, and has the memory heed it.
pub(super) async fn read(pool: &Pool, memory: &Memory) -> StoreResult<()> {
    let from = memory.reached();
    let (next, running) = match &from {
        Some(seen) => (seen.next, seen.running.as_str()),
        None => (i64::MAX, ""),
    };
    // One more says that there are too many.
    let most = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX - 1) + 1;
    let (sql, asked) = match pool {
        Pool::Sqlite { .. } => (OF_SQLITE, values![next, most]),
        Pool::Postgres { .. } => (OF_POSTGRES, values![next, most, running]),
    };
    let rows = pool.read(sql, asked, Take::All).await?;
    memory.heed(from.as_ref(), reading(&rows)?);
    Ok(())
}

fn reading(rows: &[Row]) -> StoreResult<Reading> {
    let absent = || StoreError::Failed("the changes do not say what was to be seen".to_owned());
    let first = rows.first().ok_or_else(absent)?;
    let seen = Seen {
        server: first.int("server")?.ok_or_else(absent)?,
        next: first.int("next")?.ok_or_else(absent)?,
        running: first.text("running")?.unwrap_or_default(),
    };
    let mut scopes = Vec::new();
    for row in rows {
        scopes.extend(row.text("scope")?);
    }
    Ok(Reading { seen, scopes })
}

/// Reads them by a connection of this pool. It is a pool for nothing else: a change that waited here behind everybody
/// who waits for the database would have everything read again, and so more wait for it.
pub(super) struct Looks {
    pool: Pool,
    memory: Memory,
}

impl Looks {
    pub fn by(pool: &Pool, memory: &Memory) -> Self {
        Self {
            pool: pool.clone(),
            memory: memory.clone(),
        }
    }
}

impl Look for Looks {
    fn look(&self) -> BoxFuture<'_, StoreResult<()>> {
        read(&self.pool, &self.memory).boxed()
    }
}
