//! Whether the server can be reached, so that calls fail at once while it is known to be away.
//!
//! A call that waits for long, or that failed for want of a connection, only raises a doubt: calls still try. Then
//! somebody looks. The server is taken to be away when two looks in a row found nothing and no connection had an answer
//! meanwhile: a connection that works proves more than a new one that could not be made.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::Pool;
use crate::database::errors;
use crate::database::lane::Lane;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Postgres};
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// How long a call waits before somebody looks whether the server is there.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the server may take to accept a connection and to answer on it, while it is doubted. Two of these and a call
/// has still waited for less than a connection may take.
const DOUBT_LIMIT: Duration = Duration::from_millis(1_200);
/// The same while it is away. Nobody waits for it then.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// How soon after a look that found nothing another one is to confirm it.
const CONFIRM_AFTER: Duration = Duration::from_millis(100);
/// How many looks in a row must find nothing.
const MOST_DOUBTS: u32 = 2;
/// How often a server that is away is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, PartialEq, Eq)]
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
            loop {
                tokio::time::sleep(PATIENCE).await;
                server.doubt();
                if let Some(why) = server.found_away().await {
                    return why;
                }
            }
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
            let lane = self.lane.clone();
            // The network may have swallowed what was sent on them, and will go on to do so.
            lane.doubt_idle();
            let state = Arc::downgrade(&self.state);
            tokio::spawn(async move {
                let probed = |limit| {
                    let options = lane.options();
                    async move { probe(&options, limit).await }
                };
                // A server that comes back may be another one.
                look(state, || lane.heard(), probed, || lane.lose_idle()).await;
            });
        }
    }

    /// Waits until the server is no longer doubted. `Some` is why it is away.
    async fn found_away(&self) -> Option<String> {
        let mut state = self.state.subscribe();
        loop {
            let known = state.borrow_and_update().clone();
            match known {
                State::Away(why) => return Some(why),
                State::There => return None,
                State::Doubted => {}
            }
            if state.changed().await.is_err() {
                // Its sender is `self`'s own, so this is never reached.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Looks for a server that is doubted until it is there, or nobody uses the database any more.
///
/// `heard` counts the answers on all connections. `probe` asks the server on another one, for so long at most; `Some`
/// is why it is away. `lose` is called whenever the server is found to be away.
async fn look<P: Future<Output = Option<String>>>(
    state: Weak<watch::Sender<State>>,
    heard: impl Fn() -> u64,
    probe: impl Fn(Duration) -> P,
    lose: impl Fn(),
) {
    let heard_before = heard();
    let mut failed = 0;
    loop {
        let limit = match failed < MOST_DOUBTS {
            true => DOUBT_LIMIT,
            false => PROBE_LIMIT,
        };
        let Some(why) = probe(limit).await else {
            break;
        };
        if heard() != heard_before {
            tracing::debug!(
                cause = why,
                "no other connection to the database could be made, and those that there are work"
            );
            break;
        }
        failed = MOST_DOUBTS.min(failed + 1);
        if failed < MOST_DOUBTS {
            tokio::time::sleep(CONFIRM_AFTER).await;
            continue;
        }
        lose();
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
}

/// Asks the server on a connection of its own. `Some` is why it is away. One that answers with a refusal is
/// there: the calls find out what it refuses.
async fn probe(options: &PgConnectOptions, limit: Duration) -> Option<String> {
    let asked = async {
        let mut connection = PgConnection::connect_with(options).await?;
        connection.ping().await?;
        connection.close().await
    };
    match tokio::time::timeout(limit, asked).await {
        Err(_) => Some("no answer".to_owned()),
        Ok(Ok(())) => None,
        Ok(Err(error)) if errors::has_no_room(&error) => None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::open;
    use crate::database::pooler::Pooler;
    use crate::database::url::{DatabaseTls, DatabaseUrl};
    use std::cell::{Cell, RefCell};

    /// What a look finds, and how many answers came on other connections until then.
    type Found = (Option<&'static str>, u64);

    const NO_ANSWER: Option<&str> = Some("no answer");
    const THERE: Option<&str> = None;

    fn away() -> State {
        State::Away("no answer".to_owned())
    }

    /// Looks that find this, one after the other: the state in which each began, the one at the end, and how often the
    /// idle connections were given up.
    async fn states(found: &[Found]) -> (Vec<State>, u32) {
        let state = Arc::new(watch::Sender::new(State::Doubted));
        let (seen, heard, lost) = (RefCell::new(Vec::new()), Cell::new(7), Cell::new(0));
        let probe = |_: Duration| {
            let (found, heard_by_then) = found[seen.borrow().len()];
            seen.borrow_mut().push(state.borrow().clone());
            heard.set(7 + heard_by_then);
            std::future::ready(found.map(str::to_owned))
        };
        look(
            Arc::downgrade(&state),
            || heard.get(),
            probe,
            || lost.set(lost.get() + 1),
        )
        .await;
        let mut seen = seen.into_inner();
        assert_eq!(seen.len(), found.len(), "not every look was taken");
        seen.push(state.borrow().clone());
        (seen, lost.get())
    }

    #[tokio::test]
    async fn one_look_that_finds_nothing_refuses_nobody() {
        let (seen, lost) = states(&[(NO_ANSWER, 0), (THERE, 0)]).await;
        assert_eq!(seen, [State::Doubted, State::Doubted, State::There]);
        assert_eq!(lost, 0);
    }

    #[tokio::test]
    async fn two_looks_that_find_nothing_do_until_one_finds_it() {
        let found = [(NO_ANSWER, 0), (NO_ANSWER, 0), (NO_ANSWER, 0), (THERE, 0)];
        let (seen, lost) = states(&found).await;
        let expected = [State::Doubted, State::Doubted, away(), away(), State::There];
        assert_eq!(seen, expected);
        assert_eq!(lost, 2);
    }

    #[tokio::test]
    async fn a_connection_that_works_is_better_evidence_than_a_look() {
        // Before the first look has ended, and between both.
        let (seen, lost) = states(&[(NO_ANSWER, 1)]).await;
        assert_eq!((seen, lost), (vec![State::Doubted, State::There], 0));
        let (seen, lost) = states(&[(NO_ANSWER, 0), (NO_ANSWER, 1)]).await;
        let expected = vec![State::Doubted, State::Doubted, State::There];
        assert_eq!((seen, lost), (expected, 0));
        // It ends what was confirmed, too.
        let found = [(NO_ANSWER, 0), (NO_ANSWER, 0), (NO_ANSWER, 1)];
        let (seen, _) = states(&found).await;
        let expected = [State::Doubted, State::Doubted, away(), State::There];
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn a_doubt_refuses_no_call() {
        let url = "postgres://me:hush@127.0.0.1:1/none";
        let url = DatabaseUrl::parse(url, DatabaseTls::Verified).unwrap();
        let reach = Reach::of(&open::open(&url, Pooler::None).await.unwrap());
        let state = reach.0.as_ref().unwrap().state.clone();
        assert_eq!(reach.check(), Ok(()));
        state.send_replace(State::Doubted);
        assert_eq!(reach.check(), Ok(()));
        assert_eq!(reach.guard(async { Ok(1) }).await, Ok(1));
        state.send_replace(away());
        assert!(matches!(reach.check(), Err(StoreError::Unavailable(_))));
    }
}
