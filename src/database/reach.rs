//! Whether the server can be reached, so that calls fail at once while it is known to be away.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::Pool;
use crate::database::lane::Lane;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Postgres};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a call waits before somebody looks whether the server is there.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the server may take to accept a connection and to answer on it.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// How often a server that is away is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

#[derive(Debug, Clone)]
enum State {
    /// As far as anybody knows.
    There,
    /// Somebody looks. Calls still try.
    Doubted,
    Away(String),
}

/// What is known about the way to a PostgreSQL server. A SQLite file is always there.
#[derive(Clone)]
pub(super) struct Reach(Option<Server>);

#[derive(Clone)]
struct Server {
    lane: Lane<Postgres>,
    state: Arc<watch::Sender<State>>,
}

impl Reach {
    pub fn of(pool: &Pool) -> Self {
        match pool {
            Pool::Sqlite { .. } => Self(None),
            Pool::Postgres { lane, .. } => Self(Some(Server {
                lane: lane.clone(),
                state: Arc::new(watch::Sender::new(State::There)),
            })),
        }
    }

    /// Fails at once while the server is known to be away.
    pub fn check(&self) -> StoreResult<()> {
        match &self.0 {
            None => Ok(()),
            Some(server) => match &*server.state.borrow() {
                State::There | State::Doubted => Ok(()),
                State::Away(why) => Err(away(why)),
            },
        }
    }

    /// Does work that changes nothing unless it succeeds, and breaks it off when the server turns out to
    /// be away.
    pub async fn guard<T>(&self, work: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        let Some(server) = &self.0 else {
            return work.await;
        };
        let lost = async {
            tokio::time::sleep(PATIENCE).await;
            server.doubt();
            server.lost().await
        };
        let done = tokio::select! {
            biased;
            done = work => done,
            why = lost => Err(away(&why)),
        };
        if let Err(StoreError::Unavailable(_)) = &done {
            server.doubt();
        }
        done
    }
}

impl Server {
    /// Has somebody look for the server, unless somebody does.
    fn doubt(&self) {
        let begun = self.state.send_if_modified(|state| match state {
            State::There => {
                *state = State::Doubted;
                true
            }
            State::Doubted | State::Away(_) => false,
        });
        if begun {
            let state = Arc::downgrade(&self.state);
            let lane = self.lane.clone();
            // The network may have swallowed what was sent on them, and will go on to do so.
            lane.doubt_idle();
            tokio::spawn(async move {
                // Until the server is there, or nobody uses the database any more.
                while let Some(why) = probe(&lane.options()).await {
                    // A server that comes back may be another one.
                    lane.lose_idle();
                    let Some(state) = state.upgrade() else {
                        return;
                    };
                    state.send_if_modified(|state| {
                        let first = !matches!(state, State::Away(_));
                        if first {
                            tracing::warn!(cause = why, "the database is away");
                        }
                        *state = State::Away(why);
                        first
                    });
                    drop(state);
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                if let Some(state) = state.upgrade() {
                    let before = state.send_replace(State::There);
                    if matches!(before, State::Away(_)) {
                        tracing::info!("the database is back");
                    }
                }
            });
        }
    }

    /// Waits until the server is known to be away; then says why.
    async fn lost(&self) -> String {
        let mut state = self.state.subscribe();
        loop {
            let known = state.borrow_and_update().clone();
            if let State::Away(why) = known {
                return why;
            }
            if state.changed().await.is_err() {
                // Its sender is `self`'s own, so this is never reached.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Asks the server on a connection of its own. `Some` is why it is away. One that answers with a refusal is
/// there: the calls find out what it refuses.
async fn probe(options: &PgConnectOptions) -> Option<String> {
    let asked = async {
        let mut connection = PgConnection::connect_with(options).await?;
        connection.ping().await?;
        connection.close().await
    };
    match tokio::time::timeout(PROBE_LIMIT, asked).await {
        Err(_) => Some("no answer".to_owned()),
        Ok(Ok(())) => None,
        Ok(Err(error)) => match StoreError::from(error) {
            StoreError::Unavailable(why) => Some(why),
            StoreError::OutcomeUnknown(_)
            | StoreError::Busy(_)
            | StoreError::Full(_)
            | StoreError::ReadOnly(_)
            | StoreError::Conflict(_)
            | StoreError::KeyLost
            | StoreError::Damaged { .. }
            | StoreError::Failed(_) => None,
        },
    }
}

fn away(why: &str) -> StoreError {
    StoreError::Unavailable(format!("the server is away: {why}"))
}
