//! Connections that stay open, and the queue in front of them.
//!
//! The driver's own pool asks a connection whether it is there each time that it is given back, and lets any number of
//! calls wait. Here nothing is sent but what the callers send, as long as a connection was heard of lately. Calls are
//! served in the order in which they came, and one that would wait behind too many is refused at once.
//!
//! What is known of a connection decides what becomes of it when its user is done: a connection whose answers were
//! all read is used again at once. One that was left in the middle of a statement or of a transaction is brought to
//! rest in the background first. One that the other side has ended is closed.

mod held;
mod shared;

pub(super) use held::{Answer, Begun, Held, Lost, NotBegun, STATEMENT_LIMIT, within};
pub(super) use shared::{Driver, Greet, Prepared, Rules};

use crate::application::kept::store::StoreResult;
use shared::{Idle, Options, Shared, Taken, close_later, closed, say_goodbye, tend};
use sqlx::Connection;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// How long a connection that was idle may take to answer before it is used.
const TEST_LIMIT: Duration = Duration::from_millis(700);

/// Connections to one database. Clones share them.
pub(super) struct Lane<DB: Driver>(Arc<Shared<DB>>);

impl<DB: Driver> Clone for Lane<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Driver> Lane<DB> {
    /// Connects when a connection is wanted. In a runtime.
    pub fn new(options: Options<DB>, rules: Rules<DB>) -> Self {
        Self::counting(options, rules, Arc::default())
    }

    /// Another lane to the same database, with a queue of its own. What one of them hears counts for both.
    pub fn beside(&self, rules: Rules<DB>) -> Self {
        let options = (*self.options()).clone();
        Self::counting(options, rules, Arc::clone(&self.0.heard))
    }

    fn counting(options: Options<DB>, rules: Rules<DB>, heard: Arc<AtomicU64>) -> Self {
        let shared = Arc::new(Shared {
            options: RwLock::new(Arc::new(options)),
            permits: Arc::new(Semaphore::new(rules.connections as usize)),
            waiting: AtomicUsize::new(0),
            moved: AtomicU64::new(0),
            heard,
            is_closed: AtomicBool::new(false),
            idle: Mutex::new(Idle {
                kept: Vec::new(),
                lost_at: None,
                doubted_at: None,
            }),
            rules,
        });
        tend(&shared);
        Self(shared)
    }

    /// Makes the first connection, so that what cannot be used is known at once.
    pub async fn connect_first(&self) -> Result<(), sqlx::Error> {
        let kept = self.0.connect().await?;
        self.0.idle().kept.push(kept);
        Ok(())
    }

    /// A connection, once it is this call's turn.
    pub async fn acquire(&self) -> StoreResult<Held<DB>> {
        let shared = &self.0;
        let permit = shared.turn().await?;
        // Whoever closes waits for those who have a connection, and not for those who were waiting for one.
        if shared.is_closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let Taken { found, past } = shared.take();
        close_later(past);
        match found {
            Some((kept, false)) => return Ok(Held::new(shared, kept, permit, false)),
            Some((mut kept, true)) => {
                let tested = timeout(TEST_LIMIT, kept.connection.ping()).await;
                match tested {
                    Ok(Ok(())) => {
                        kept.heard_at = Instant::now();
                        shared.note_heard();
                        return Ok(Held::new(shared, kept, permit, false));
                    }
                    Ok(Err(_)) | Err(_) => {
                        // What has ended this one has probably ended the others too.
                        shared.idle().lost_at = Some(Instant::now());
                        close_later(vec![kept]);
                    }
                }
            }
            None => {}
        }
        let kept = shared.connect().await?;
        Ok(Held::new(shared, kept, permit, true))
    }

    /// Connections that were not heard of since now are not used any more.
    pub fn lose_idle(&self) {
        self.0.idle().lost_at = Some(Instant::now());
    }

    /// Connections that were not heard of since now are tested before they are used.
    pub fn doubt_idle(&self) {
        self.0.idle().doubted_at = Some(Instant::now());
    }

    /// How many answers came so far, on any connection. A number that grew is proof that the other side was there.
    pub fn heard(&self) -> u64 {
        self.0.heard.load(Ordering::Relaxed)
    }

    pub fn options(&self) -> Arc<Options<DB>> {
        self.0.options()
    }

    /// New connections are made like this.
    pub fn set_options(&self, options: Options<DB>) {
        *self
            .0
            .options
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(options);
    }

    /// How many are in use, or being made.
    pub fn used(&self) -> u64 {
        let free = self.0.permits.available_permits() as u64;
        u64::from(self.0.rules.connections).saturating_sub(free)
    }

    pub fn idle(&self) -> u64 {
        self.0.idle().kept.len() as u64
    }

    pub fn limit(&self) -> u64 {
        self.0.rules.connections.into()
    }

    /// Lets nobody have a connection any more, and ends them after what runs on them.
    pub async fn close(&self) {
        let shared = &self.0;
        shared.is_closed.store(true, Ordering::Release);
        let _all = shared.permits.acquire_many(shared.rules.connections).await;
        let idle = std::mem::take(&mut shared.idle().kept);
        for kept in idle {
            say_goodbye(kept).await;
        }
    }
}

#[cfg(test)]
mod tests;
