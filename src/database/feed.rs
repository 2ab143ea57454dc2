//! Reads, for as long as the service runs, what any process changes of the rows that are kept in memory.
//!
//! The changes are polled, on a connection of its own: while every other one is busy, what is in memory goes on being
//! used. On PostgreSQL they are announced as well, which is sooner. Nothing depends on that, and by way of a pooler
//! that shares connections nothing is announced. A SQLite file is polled too: `sallyport rekey` and
//! `sallyport operator-token` write beside the service.

use crate::application::kept::store::StoreResult;
use crate::database::changes::{self, CHANNEL};
use crate::database::engine::Pool;
use crate::database::open::announce;
use crate::database::{Database, open, wait};
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

impl Database {
    /// Reads the changes until `stop`. Only from the first reading on, and for a second after each one, rows are
    /// answered from memory; without this every call asks the database. It is not for a database
    /// in memory, which has only one connection.
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
            // A server that is away keeps nobody from stopping.
            let _ = tokio::time::timeout(POLL_LIMIT, line.close()).await;
        }
    }

    /// Says when the reading began. A line on which it fails is not used again.
    async fn poll_once(&self, line: &mut Option<Pool>) -> StoreResult<Instant> {
        let own = match line.take() {
            Some(own) => own,
            None => wait(CONNECT_LIMIT, "there is no connection", self.line()).await?,
        };
        self.memory.begin_reading();
        let begun = Instant::now();
        let read = changes::read(&own, &self.memory);
        wait(POLL_LIMIT, "the changes were not read in time", read).await?;
        *line = Some(own);
        Ok(begun)
    }

    /// A connection for nothing else, once it may be used.
    async fn line(&self) -> StoreResult<Pool> {
        self.reach.check()?;
        self.ready().await?;
        Ok(open::apart(&self.pool))
    }

    /// Heeds what PostgreSQL announces.
    async fn listen(&self, stop: &CancellationToken) {
        let mut is_said = false;
        let lane = match &self.pool {
            Pool::Postgres { lane, pooler } if !pooler.shares_sessions() => lane,
            // Nothing is announced.
            Pool::Postgres { .. } | Pool::Sqlite { .. } => return,
        };
        loop {
            let options = lane.options();
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
        let alone = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECT_LIMIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|connection, _| announce(connection))
            .connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&alone).await?;
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
