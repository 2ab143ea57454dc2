//! A connection in use, and a transaction on it.

use super::shared::{Driver, Kept, Prepared, Shared};
use crate::database::errors;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

/// The longest that one statement may take. Far longer than any should: this bounds the wait when the network drops
/// packets, which causes no error. PostgreSQL ends a statement by itself before this.
pub const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

/// What came of a statement.
pub type Answer<T> = Result<T, Lost>;

/// Why a statement has no result.
#[derive(Debug)]
pub enum Lost {
    Failed(sqlx::Error),
    /// It took longer than [`STATEMENT_LIMIT`].
    NoAnswer,
}

/// Bounds a statement.
pub async fn within<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Answer<T> {
    match timeout(STATEMENT_LIMIT, work).await {
        Ok(result) => result.map_err(Lost::Failed),
        Err(_) => Err(Lost::NoAnswer),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Every answer was read.
    AtRest,
    /// Something is under way.
    Busy,
    /// The other side has ended it.
    Gone,
}

/// A connection in use.
pub struct Held<DB: Driver> {
    /// Until it is dropped.
    inner: Option<(Kept<DB>, OwnedSemaphorePermit)>,
    of: Arc<Shared<DB>>,
    state: State,
    /// Whether a transaction is open, or may be.
    in_transaction: bool,
    /// Whether it was made for this use.
    is_new: bool,
}

impl<DB: Driver> Held<DB> {
    pub fn new(
        of: &Arc<Shared<DB>>,
        kept: Kept<DB>,
        permit: OwnedSemaphorePermit,
        is_new: bool,
    ) -> Self {
        Self {
            inner: Some((kept, permit)),
            of: Arc::clone(of),
            state: State::AtRest,
            in_transaction: false,
            is_new,
        }
    }

    pub fn connection(&mut self) -> &mut DB::Connection {
        match &mut self.inner {
            Some((kept, _)) => &mut kept.connection,
            None => unreachable!("it is given away only when it is dropped"),
        }
    }

    /// Takes the connection away, for a use of its own. Another one may be made in its place.
    pub fn take_away(mut self) -> Option<DB::Connection> {
        self.inner.take().map(|(kept, _)| kept.connection)
    }

    /// Something is about to be sent. Until its answer was heard, the connection is not at rest.
    pub fn sent(&mut self) {
        self.state = State::Busy;
    }

    /// What came of what was sent.
    pub fn heard<T>(&mut self, answer: &Answer<T>) {
        let is_read_to_its_end = match answer {
            Ok(_) => true,
            Err(Lost::Failed(error)) if errors::hung_up(error) => {
                self.state = State::Gone;
                return;
            }
            // An engine that refuses a statement says nothing more of it.
            Err(Lost::Failed(error)) => error.as_database_error().is_some(),
            Err(Lost::NoAnswer) => false,
        };
        if is_read_to_its_end {
            if let Some((kept, _)) = &mut self.inner {
                kept.heard_at = Instant::now();
            }
            self.of.note_heard();
            self.state = State::AtRest;
        }
    }

    /// Whether the other side had ended the connection, most likely before this use.
    pub fn was_gone(&self) -> bool {
        self.state == State::Gone && !self.is_new
    }

    /// Whether a statement is kept prepared on it.
    pub fn keeps(&self, is_constant: bool) -> bool {
        match self.of.rules.prepared {
            Prepared::Constant => is_constant,
            Prepared::All => true,
            Prepared::Nothing => false,
        }
    }
}

impl<DB: Driver> Drop for Held<DB> {
    fn drop(&mut self) {
        let Some((kept, permit)) = self.inner.take() else {
            return;
        };
        match self.state {
            State::AtRest if !self.in_transaction => self.of.put_back(kept, permit),
            // Nobody says goodbye to one who is gone.
            State::Gone if !self.of.rules.is_irreplaceable => self.of.give_up(kept, permit),
            State::Busy if self.of.is_lost(&kept) => self.of.give_up(kept, permit),
            State::AtRest | State::Busy | State::Gone => {
                let left = (self.state != State::AtRest, self.in_transaction);
                // Without a runtime everything ends.
                if let Ok(runtime) = Handle::try_current() {
                    runtime.spawn(Arc::clone(&self.of).bring_to_rest(kept, permit, left));
                }
            }
        }
    }
}

/// A transaction. It is rolled back when dropped.
pub struct Begun<DB: Driver> {
    pub held: Held<DB>,
}

/// Why no transaction was begun. Nothing was changed.
pub struct NotBegun {
    pub why: Lost,
    /// See [`Held::was_gone`].
    pub was_gone: bool,
}

impl<DB: Driver> Begun<DB> {
    /// `statement` begins it.
    pub async fn begin(mut held: Held<DB>, statement: &'static str) -> Result<Self, NotBegun> {
        held.sent();
        held.in_transaction = true;
        let answer = within(DB::run(held.connection(), statement)).await;
        held.heard(&answer);
        match answer {
            Ok(()) => Ok(Self { held }),
            Err(why) => Err(NotBegun {
                why,
                was_gone: held.was_gone(),
            }),
        }
    }

    pub async fn commit(mut self) -> Answer<()> {
        self.held.sent();
        let answer = within(DB::run(self.held.connection(), "COMMIT")).await;
        if answer.is_ok() {
            self.held.in_transaction = false;
        }
        self.held.heard(&answer);
        answer
    }
}
