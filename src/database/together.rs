//! Changes that wait to be committed together ([`commits`](super::commits)), and whose turn it is.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Sql, Value};
use crate::database::open::MOST_WAITING;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How many statements one transaction has, unless a change has more: those that wait meanwhile are to wait for a
/// moment only.
const MOST_AT_ONCE: usize = 200;

/// A statement with its values.
pub(super) type Statement = (Sql, Vec<Value>);

/// The changes that wait. Clones share them.
#[derive(Clone)]
pub(super) struct Together {
    waiting: Arc<Mutex<Waiting>>,
    /// Where they are committed. The runtime of a request may end before those of others.
    runtime: Handle,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Change>,
    /// Whether somebody commits what waits, until nothing does.
    is_worked_on: bool,
}

/// All of its statements take effect, or none.
pub(super) struct Change {
    pub statements: Vec<Statement>,
    pub answer: oneshot::Sender<StoreResult<()>>,
}

impl Together {
    /// In the runtime that commits what waits.
    pub fn new() -> Self {
        Self {
            waiting: Arc::default(),
            runtime: Handle::current(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where what waits is committed.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Adds a change; gives a turn where nobody works on those that wait.
    pub fn add(&self, change: Change) -> StoreResult<Option<Turn>> {
        let mut waiting = self.waiting();
        let before = waiting.changes.len();
        if before >= MOST_WAITING {
            let why = format!("{before} changes wait to be committed");
            return Err(StoreError::Busy(why));
        }
        waiting.changes.push_back(change);
        let is_free = !std::mem::replace(&mut waiting.is_worked_on, true);
        Ok(is_free.then(|| Turn {
            of: self.clone(),
            is_over: false,
        }))
    }
}

/// Who works on those that wait.
pub(super) struct Turn {
    of: Together,
    /// Whether nothing waited any more. Somebody else may have a turn since.
    is_over: bool,
}

impl Turn {
    /// Whether something waits. Where nothing does, the turn is over.
    pub fn has_more(&mut self) -> bool {
        let mut waiting = self.of.waiting();
        self.is_over = waiting.changes.is_empty();
        waiting.is_worked_on = !self.is_over;
        !self.is_over
    }

    /// At least one of those that wait.
    pub fn next(&self) -> Vec<Change> {
        let changes = &mut self.of.waiting().changes;
        let mut taken = Vec::new();
        let mut statements = 0;
        while let Some(change) = changes.pop_front() {
            statements += change.statements.len();
            if !taken.is_empty() && statements > MOST_AT_ONCE {
                changes.push_front(change);
                break;
            }
            taken.push(change);
        }
        taken
    }
}

impl Drop for Turn {
    /// If the work was stopped early, as at the end of the runtime, those that wait get an error at once.
    fn drop(&mut self) {
        if !self.is_over {
            let mut waiting = self.of.waiting();
            waiting.is_worked_on = false;
            waiting.changes.clear();
        }
    }
}
