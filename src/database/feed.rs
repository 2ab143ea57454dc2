//! Reads, for as long as the service runs, what any process changes of the rows that are kept in memory.
//!
//! The changes are polled, on a connection of its own: while every other one is busy, what is in memory goes on being
//! used. On PostgreSQL they are announced as well, which is sooner. Nothing depends on that, and by way of a pooler
//! that shares connections nothing is announced. A SQLite file is polled too: `sallyport rekey` and
//! `sallyport operator-token` write beside the service.

use crate::application::kept::store::StoreResult;
use crate::database::changes::{self, CHANNEL};
use crate::database::engine::{Conn, Pool};
use crate::database::{ACQUIRE_LIMIT, Database, announce, wait};
use futures_util::FutureExt;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the changes are polled: twice within the second for which they may be unknown.
const POLL_EVERY: Duration = Duration::from_millis(400);
/// How long a poll may take. One that takes longer is of little use.
const POLL_LIMIT: Duration = Duration::from_millis(900);
/// How long it may take to connect, and how long the schema is waited for.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How often it is tried to listen where that has ended.
const LISTEN_EVERY: Duration = Duration::from_secs(5);

/// A connection for nothing else.
struct Line {
    connection: Conn,
    /// On PostgreSQL, where it is beside the pool that all others use.
    own: Option<Pool>,
}

impl Line {
    async fn close(self) {
        drop(self.connection);
        if let Some(own) = self.own {
            // A server that is away keeps nobody from stopping.
            let _ = tokio::time::timeout(POLL_LIMIT, own.close()).await;
        }
    }
}

impl Database {
    /// Reads the changes until `stop`. Only from the first reading on, and for a second after each one, rows are
    /// answered from memory; without this every call asks the database. On SQLite it holds one of the connections,
    /// so it is not for a database that has only one.
    pub async fn follow_changes(self, stop: CancellationToken) {
        self.memory.begin_feed();
        tokio::join!(self.poll(&stop), self.listen(&stop));
    }

    async fn poll(&self, stop: &CancellationToken) {
        let (mut line, mut was_read) = (None, true);
        while !stop.is_cancelled() {
            match self.poll_once(&mut line).await {
                Ok(begun) => {
                    self.memory.end_reading(begun);
                    was_read = true;
                }
                Err(error) => {
                    if was_read {
                        tracing::info!(%error, "what other processes change is not known: nothing is answered from memory until it is");
                    }
                    was_read = false;
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
        }
        if let Some(line) = line {
            line.close().await;
        }
    }

    /// Says when the reading began. A connection on which it fails is not used again.
    async fn poll_once(&self, line: &mut Option<Line>) -> StoreResult<Instant> {
        let mut own = match line.take() {
            Some(own) => own,
            None => wait(CONNECT_LIMIT, "there is no connection", self.line()).await?,
        };
        self.memory.begin_reading();
        let begun = Instant::now();
        let read = changes::read(&mut own.connection, &self.memory);
        wait(POLL_LIMIT, "the changes were not read in time", read).await?;
        *line = Some(own);
        Ok(begun)
    }

    async fn line(&self) -> StoreResult<Line> {
        self.reach.check()?;
        self.ready().await?;
        let own = self.reach.options().map(|now| Pool::Postgres(apart(&now)));
        let connection = match &own {
            Some(own) => own.acquire().await?,
            None => self.pool.acquire().await?,
        };
        Ok(Line { connection, own })
    }

    /// Heeds what PostgreSQL announces.
    async fn listen(&self, stop: &CancellationToken) {
        let mut is_said = false;
        while let Some(options) = self.reach.options() {
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.hear(&options) => ended,
            };
            if let Err(error) = ended
                && !is_said
            {
                tracing::info!(%error, "changes of other replicas are polled for, and not announced at the moment");
                is_said = true;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LISTEN_EVERY) => {}
            }
        }
    }

    /// Until the connection is lost.
    async fn hear(&self, options: &PgConnectOptions) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&apart(options)).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        while let Some(heard) = listener.try_recv().await? {
            self.memory.heed_scope(heard.payload());
        }
        Ok(())
    }
}

#[cfg(test)]
impl Database {
    /// The statements whose rows are kept in memory.
    pub(crate) fn kept_statements() -> [&'static str; 7] {
        use crate::database::{origins, product_keys, sign_in, storages, workspaces};
        [
            workspaces::BY_ID,
            workspaces::BY_EXTERNAL_ID,
            workspaces::HELD_BY_HASH,
            product_keys::BY_HASH,
            sign_in::SESSION_BY_HASH,
            *storages::ONE,
            origins::OF_WORKSPACE,
        ]
    }
}

/// One connection, made when it is needed.
fn apart(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_LIMIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| announce(connection).boxed())
        .connect_lazy_with(options.clone())
}
