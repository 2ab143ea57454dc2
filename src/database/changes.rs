//! The table `changes`, which triggers write: what was changed of the rows that are kept in memory.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Pool, Row, Sql, Take, values};
use crate::database::memory::watch::Look;
use crate::database::memory::{Change, MOST_CHANGES, Memory, Reading};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// The channel on which PostgreSQL announces each scope that was changed, when the change is committed.
pub(super) const CHANNEL: &str = "sallyport_changes";

/// `$1` is the mark from which on changes are read, `$2` how many. There is always a row, for the horizon. `server` is
/// when PostgreSQL was started: another one takes its place by a start, or by one that it made before.
///
/// Marks are transactions on PostgreSQL: one that began early may commit late, so whatever is not below the oldest
/// running one is read again. SQLite has one writer at a time, and the ID says the order.
const READ: Sql = Sql::Each {
    sqlite: "SELECT 0 AS server, s.horizon AS horizon, c.id AS id, c.id AS mark, c.scope AS scope
             FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) + 1
                       AS horizon) s
             LEFT JOIN (SELECT id, scope FROM changes WHERE id >= $1 ORDER BY id LIMIT $2) c
                 ON 1 = 1",
    postgres: "SELECT s.server AS server, s.horizon AS horizon, c.id AS id, c.mark AS mark,
                   c.scope AS scope
               FROM (SELECT CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)
                         AS server,
                     CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)
                         AS horizon) s
               LEFT JOIN (SELECT id, xid AS mark, scope FROM changes WHERE xid >= $1 LIMIT $2) c
                   ON 1 = 1",
};

/// Reads what has changed since the last time, and has the memory heed it.
pub(super) async fn read(pool: &Pool, memory: &Memory) -> StoreResult<()> {
    let from = memory.next_mark();
    // One more says that there are too many.
    let most = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX - 1) + 1;
    let asked = values![from.unwrap_or(i64::MAX), most];
    let rows = pool.read(READ, asked, Take::All).await?;
    memory.heed(from, reading(&rows)?);
    Ok(())
}

fn reading(rows: &[Row]) -> StoreResult<Reading> {
    let number = |row: &Row, column: &str| row.int(column).map_err(StoreError::from);
    let (server, horizon) = match rows.first() {
        Some(row) => (number(row, "server")?, number(row, "horizon")?),
        None => (None, None),
    };
    let absent = || StoreError::Failed("the changes have no horizon".to_owned());
    let mut changes = Vec::new();
    for row in rows {
        let scope = row.text("scope").map_err(StoreError::from)?;
        if let (Some(id), Some(mark), Some(scope)) =
            (number(row, "id")?, number(row, "mark")?, scope)
        {
            changes.push(Change { id, mark, scope });
        }
    }
    Ok(Reading {
        server: server.ok_or_else(absent)?,
        horizon: horizon.ok_or_else(absent)?,
        changes,
    })
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
