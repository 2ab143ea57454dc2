//! What the users of a lane share: the connections that are idle, the queue, and how connections are made and ended.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::errors;
use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions, Connection};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// The longest that a call waits for a connection, also in a queue that moves.
const WAIT_LIMIT: Duration = Duration::from_secs(20);
/// How long a connection may take to come to rest before it is closed instead.
const REST_LIMIT: Duration = Duration::from_secs(3);
/// How long a close may take that says goodbye to the other side.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// A connection that was heard of within this time is used without a test. Under load none is tested; with little to
/// do, another round trip costs nobody anything.
const TRUST: Duration = Duration::from_millis(500);
/// How often connections that nobody used for long are looked for.
const TEND_EVERY: Duration = Duration::from_secs(30);

/// How to reach the database.
pub type Options<DB> = <<DB as sqlx::Database>::Connection as Connection>::Options;

/// What is done on a new connection before anything else.
pub type Greet<DB> = for<'c> fn(
    &'c mut <DB as sqlx::Database>::Connection,
) -> BoxFuture<'c, Result<(), sqlx::Error>>;

/// An engine of which connections can be kept.
pub trait Driver: sqlx::Database {
    /// Runs a statement without values, for what it does.
    fn run<'c>(
        connection: &'c mut Self::Connection,
        sql: &'static str,
    ) -> BoxFuture<'c, Result<(), sqlx::Error>>;
}

/// Which statements are kept prepared on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// Those of constant text: the others are worth little, because they seldom come again.
    Constant,
    /// All of them. Between here and PostgreSQL is a pooler that follows statements by their names.
    All,
    /// None.
    Nothing,
}

/// How connections are kept.
pub struct Rules<DB: Driver> {
    /// How many there are at most.
    pub connections: u32,
    /// How many calls may wait for one.
    pub waiting: usize,
    /// How long a new one may take.
    pub connect_limit: Duration,
    /// How long calls wait while none comes free.
    pub stall_limit: Duration,
    /// One that nobody used for so long is closed.
    pub idle_limit: Option<Duration>,
    /// One that is so old is closed.
    pub life_limit: Option<Duration>,
    /// Whether one can be gone without a sign of it on this side.
    pub is_remote: bool,
    /// Whether what it is connected to ends with it.
    pub is_irreplaceable: bool,
    pub prepared: Prepared,
    pub greet: Option<Greet<DB>>,
}

pub struct Shared<DB: Driver> {
    pub options: RwLock<Arc<Options<DB>>>,
    pub rules: Rules<DB>,
    /// Gives them out in the order of asking.
    pub permits: Arc<Semaphore>,
    pub waiting: AtomicUsize,
    /// Counts the connections that came back.
    pub moved: AtomicU64,
    /// Counts the answers of the other side, on any connection. Lanes to the same database share it.
    pub heard: Arc<AtomicU64>,
    pub is_closed: AtomicBool,
    pub idle: Mutex<Idle<DB>>,
}

pub struct Idle<DB: Driver> {
    /// The one that was used last is last, and is used next: the others may come to their end.
    pub kept: Vec<Kept<DB>>,
    /// One that was not heard of since is taken for gone.
    pub lost_at: Option<Instant>,
    /// One that was not heard of since is tested before it is used.
    pub doubted_at: Option<Instant>,
}

/// What was taken from the idle connections.
pub struct Taken<DB: Driver> {
    /// With whether it is to be tested.
    pub found: Option<(Kept<DB>, bool)>,
    pub past: Vec<Kept<DB>>,
}

pub struct Kept<DB: Driver> {
    pub connection: DB::Connection,
    pub made_at: Instant,
    /// When the other side answered last.
    pub heard_at: Instant,
}

impl<DB: Driver> Shared<DB> {
    /// Waits for this call's turn: at most behind so many, and for so long.
    pub async fn turn(&self) -> StoreResult<OwnedSemaphorePermit> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        // A permit is free only while nobody waits for it.
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.place()?;
        let mut turn = pin!(Arc::clone(&self.permits).acquire_owned());
        let since = Instant::now();
        let mut moved = self.moved.load(Ordering::Relaxed);
        loop {
            match timeout(self.rules.stall_limit, turn.as_mut()).await {
                Ok(Ok(permit)) => return Ok(permit),
                Ok(Err(_)) => return Err(closed()),
                Err(_) => {
                    let now = self.moved.load(Ordering::Relaxed);
                    if now == moved || since.elapsed() >= WAIT_LIMIT {
                        return Err(self.none_came_free(since.elapsed()));
                    }
                    moved = now;
                }
            }
        }
    }

    /// Why there was no turn. A file does not go away: somebody of this process has it, for longer than is waited.
    fn none_came_free(&self, waited: Duration) -> StoreError {
        let why = format!("no connection came free in {} seconds", waited.as_secs());
        match self.rules.is_remote {
            true => StoreError::Unavailable(why),
            false => StoreError::Busy(why),
        }
    }

    /// A place in the queue.
    fn place(&self) -> StoreResult<Place<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let place = Place(&self.waiting);
        match before < self.rules.waiting {
            true => Ok(place),
            false => Err(StoreError::Busy(format!(
                "{before} calls wait for a connection"
            ))),
        }
    }

    /// The idle connection that was used last, and those above it that are past their time.
    pub fn take(&self) -> Taken<DB> {
        let mut past = Vec::new();
        let mut idle = self.idle();
        while let Some(kept) = idle.kept.pop() {
            if self.is_past(&kept, idle.lost_at) {
                past.push(kept);
                continue;
            }
            let heard_at = kept.heard_at;
            let is_doubted = idle.doubted_at.is_some_and(|at| heard_at <= at);
            let test = self.rules.is_remote && (is_doubted || heard_at.elapsed() > TRUST);
            return Taken {
                found: Some((kept, test)),
                past,
            };
        }
        Taken { found: None, past }
    }

    /// Whether a connection is not to be used any more.
    fn is_past(&self, kept: &Kept<DB>, lost_at: Option<Instant>) -> bool {
        if self.rules.is_irreplaceable {
            return false;
        }
        let beyond = |limit: Option<Duration>, since: Instant| {
            limit.is_some_and(|limit| since.elapsed() > limit)
        };
        lost_at.is_some_and(|at| kept.heard_at <= at)
            || beyond(self.rules.idle_limit, kept.heard_at)
            || beyond(self.rules.life_limit, kept.made_at)
    }

    /// The idle connections that are past their time.
    fn take_past(&self) -> Vec<Kept<DB>> {
        let mut idle = self.idle();
        let lost_at = idle.lost_at;
        let all = std::mem::take(&mut idle.kept);
        let (past, kept) = all
            .into_iter()
            .partition(|kept| self.is_past(kept, lost_at));
        idle.kept = kept;
        past
    }

    /// A new connection. A server that refuses connections for a moment, as while it starts, is asked again.
    pub async fn connect(&self) -> Result<Kept<DB>, sqlx::Error> {
        let deadline = Instant::now() + self.rules.connect_limit;
        let mut pause = Duration::from_millis(10);
        loop {
            let options = self.options();
            let why = match timeout_at(deadline, self.connect_once(&options)).await {
                Ok(Ok(connection)) => {
                    let now = Instant::now();
                    self.note_heard();
                    return Ok(Kept {
                        connection,
                        made_at: now,
                        heard_at: now,
                    });
                }
                Ok(Err(Refused::ForNow(why))) => why,
                Ok(Err(Refused::ForGood(why))) => return Err(why),
                Err(_) => return Err(timed_out()),
            };
            if Instant::now() + pause >= deadline {
                return Err(why);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.rules.connect_limit / 5);
        }
    }

    async fn connect_once(&self, options: &Options<DB>) -> Result<DB::Connection, Refused> {
        let connected = options.connect().await;
        let mut connection = connected.map_err(|why| match errors::may_pass_soon(&why) {
            true => Refused::ForNow(why),
            false => Refused::ForGood(why),
        })?;
        if let Some(greet) = self.rules.greet {
            greet(&mut connection).await.map_err(Refused::ForNow)?;
        }
        Ok(connection)
    }

    /// Gives a connection that is at rest to the next one.
    pub fn put_back(&self, kept: Kept<DB>, permit: OwnedSemaphorePermit) {
        self.idle().kept.push(kept);
        self.moved.fetch_add(1, Ordering::Relaxed);
        drop(permit);
    }

    /// Ends a connection to which nothing can be said any more.
    pub fn give_up(&self, kept: Kept<DB>, permit: OwnedSemaphorePermit) {
        drop(kept);
        self.moved.fetch_add(1, Ordering::Relaxed);
        drop(permit);
    }

    /// Whether the server was away since the connection was heard of.
    pub fn is_lost(&self, kept: &Kept<DB>) -> bool {
        let lost_at = self.idle().lost_at;
        !self.rules.is_irreplaceable && lost_at.is_some_and(|at| kept.heard_at <= at)
    }

    /// Brings a connection to rest that was left in the middle of something. Where that fails, another one is made when
    /// one is wanted.
    pub async fn bring_to_rest(
        self: Arc<Self>,
        mut kept: Kept<DB>,
        permit: OwnedSemaphorePermit,
        (is_busy, in_transaction): (bool, bool),
    ) {
        let resting = rests::<DB>(&mut kept.connection, is_busy, in_transaction);
        let rests = timeout(REST_LIMIT, resting).await.unwrap_or(false);
        if rests {
            self.note_heard();
        }
        if rests || self.rules.is_irreplaceable {
            kept.heard_at = Instant::now();
            self.put_back(kept, permit);
        } else {
            self.moved.fetch_add(1, Ordering::Relaxed);
            say_goodbye(kept).await;
            drop(permit);
        }
    }

    /// The other side has answered.
    pub fn note_heard(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    pub fn options(&self) -> Arc<Options<DB>> {
        let options = self.options.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&options)
    }

    pub fn idle(&self) -> MutexGuard<'_, Idle<DB>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no new connection.
enum Refused {
    ForNow(sqlx::Error),
    ForGood(sqlx::Error),
}

/// A place in the queue, until it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Closes connections that are past their time, now and then, for as long as the lane is there.
pub fn tend<DB: Driver>(shared: &Arc<Shared<DB>>) {
    if shared.rules.idle_limit.is_none() && shared.rules.life_limit.is_none() {
        return;
    }
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TEND_EVERY).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            close_later(shared.take_past());
        }
    });
}

pub fn close_later<DB: Driver>(past: Vec<Kept<DB>>) {
    if past.is_empty() {
        return;
    }
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            for kept in past {
                say_goodbye(kept).await;
            }
        });
    }
}

pub async fn say_goodbye<DB: Driver>(kept: Kept<DB>) {
    // Where it fails, there is nobody to say it to.
    let _ = timeout(CLOSE_LIMIT, kept.connection.close()).await;
}

pub fn closed() -> StoreError {
    StoreError::Unavailable("the database was closed".to_owned())
}

fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

/// Whether a connection comes to rest: with the answers to all that was sent read, and no transaction open.
async fn rests<DB: Driver>(
    connection: &mut DB::Connection,
    is_busy: bool,
    in_transaction: bool,
) -> bool {
    // Each error that the engine answered to what was sent before ends one of them.
    let mut left = 3;
    if is_busy {
        loop {
            match connection.ping().await {
                Ok(()) => break,
                Err(error) if errors::hung_up(&error) || left == 0 => return false,
                Err(_) => left -= 1,
            }
        }
    }
    if !in_transaction {
        return true;
    }
    match DB::run(connection, "ROLLBACK").await {
        Ok(()) => true,
        Err(error) if errors::hung_up(&error) => false,
        // Where no transaction was open, as when SQLite had ended it by itself, another one can be begun.
        Err(_) => {
            DB::run(connection, "BEGIN").await.is_ok()
                && DB::run(connection, "ROLLBACK").await.is_ok()
        }
    }
}
