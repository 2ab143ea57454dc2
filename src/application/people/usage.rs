//! What workspaces use, counted in memory and written down once a minute; and which tokens and keys were used.
//!
//! No request waits for it, and none asks the database for it. What a process has counted since the last time is lost
//! when it is killed: at most a minute's.

use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::kept::store::{Store, StoreError};
use crate::application::outage;
use crate::application::people::workspaces::Workspaces;
use crate::domain::Invalid;
use crate::domain::ids::{KeyId, TokenId, WorkspaceId};
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::usage::{DayUsage, UsageDay, Used};
use crate::domain::people::workspace::ApiToken;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// How often what was counted is written down.
const FLUSH_EVERY: Duration = Duration::from_secs(60);
/// The use of a token or key is written down this often at most.
const NOTE_EVERY: Duration = Duration::from_secs(10 * 60);
/// How many tokens and keys are remembered as used until the next writing, and as written down. Each takes about 100
/// bytes.
const MOST_NOTED: usize = 50_000;
/// How many days one request reads at most: a year, and the leap day.
pub const MOST_DAYS: u16 = 366;
/// How many days are read where the request says nothing.
const DEFAULT_DAYS: u16 = 30;

/// Counts what is used.
pub struct UsageMeter {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    counted: Mutex<Counted>,
    noted: Mutex<Noted>,
}

type Counted = HashMap<UsageDay, HashMap<WorkspaceId, Used>>;

/// Tokens and keys that were used.
#[derive(Default)]
struct Noted {
    tokens: NotedOf<TokenId>,
    keys: NotedOf<KeyId>,
}

/// Those of one kind.
struct NotedOf<I> {
    /// Used since the last writing.
    used: HashSet<I>,
    /// When the use was last written down by this process. What the store knows from memory does not say so at once.
    written: HashMap<I, OffsetDateTime>,
}

impl<I> Default for NotedOf<I> {
    fn default() -> Self {
        Self {
            used: HashSet::new(),
            written: HashMap::new(),
        }
    }
}

impl<I: Clone + Eq + Hash + Ord> NotedOf<I> {
    fn note(&mut self, id: &I, now: OffsetDateTime) {
        let is_written = |at: &OffsetDateTime| now - *at < NOTE_EVERY;
        if self.used.len() < MOST_NOTED && !self.written.get(id).is_some_and(is_written) {
            self.used.insert(id.clone());
        }
    }

    /// In one order: replicas that write at the same time do not wait for each other in a circle.
    fn take(&mut self) -> Vec<I> {
        let mut used: Vec<I> = std::mem::take(&mut self.used).into_iter().collect();
        used.sort_unstable();
        used
    }

    fn wrote(&mut self, ids: Vec<I>, now: OffsetDateTime) {
        self.written.retain(|_, at| now - *at < NOTE_EVERY);
        let room = MOST_NOTED.saturating_sub(self.written.len());
        self.written
            .extend(ids.into_iter().take(room).map(|id| (id, now)));
    }
}

impl UsageMeter {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            counted: Mutex::default(),
            noted: Mutex::default(),
        }
    }

    /// Counts what the workspace has used just now.
    pub fn add(&self, workspace: &WorkspaceId, used: &Used) {
        self.add_on(UsageDay::of(self.clock.now()), workspace, used);
    }

    /// Counts signed URLs that were given out.
    pub fn signed(&self, workspace: &WorkspaceId, urls: usize) {
        let used = Used {
            urls_signed: urls as u64,
            ..Used::default()
        };
        self.add(workspace, &used);
    }

    /// Counts a connection check.
    pub fn checked(&self, workspace: &WorkspaceId) {
        let used = Used {
            checks: 1,
            ..Used::default()
        };
        self.add(workspace, &used);
    }

    fn add_on(&self, day: UsageDay, workspace: &WorkspaceId, used: &Used) {
        let mut counted = lock(&self.counted);
        let of_day = counted.entry(day).or_default();
        match of_day.get_mut(workspace) {
            Some(own) => own.add(used),
            None => {
                of_day.insert(workspace.clone(), *used);
            }
        }
    }

    /// Notes that the token was used.
    pub fn used_token(&self, token: &ApiToken) {
        if !self.is_to_note(token.last_used_at) {
            return;
        }
        let now = self.clock.now();
        lock(&self.noted).tokens.note(&token.id, now);
    }

    /// The same for a key.
    pub fn used_key(&self, key: &ProductKey) {
        if !self.is_to_note(key.last_used_at) {
            return;
        }
        let now = self.clock.now();
        lock(&self.noted).keys.note(&key.id, now);
    }

    fn is_to_note(&self, last: Option<OffsetDateTime>) -> bool {
        last.is_none_or(|at| self.clock.now() - at >= NOTE_EVERY)
    }

    /// Writes down what was counted so far. What cannot be written is counted on.
    pub async fn flush(&self) -> Result<()> {
        let counted = std::mem::take(&mut *lock(&self.counted));
        let mut uses: Vec<(WorkspaceId, DayUsage)> = counted
            .into_iter()
            .flat_map(|(day, of_day)| {
                let of_day = of_day.into_iter();
                of_day.map(move |(workspace, used)| (workspace, DayUsage { day, used }))
            })
            .collect();
        uses.sort_by(|(one, _), (other, _)| one.cmp(other));
        let stored = self.store.add_usage(&uses).await;
        match &stored {
            // Perhaps it is stored: nothing is ever counted twice.
            Ok(()) | Err(StoreError::OutcomeUnknown(_)) => {}
            Err(_) => {
                for (workspace, of_day) in &uses {
                    self.add_on(of_day.day, workspace, &of_day.used);
                }
            }
        }
        Ok(stored?)
    }

    /// Writes down which tokens and keys were used. A use that cannot be written is noted at the next one.
    pub async fn flush_uses(&self) -> Result<()> {
        let (tokens, keys) = {
            let mut noted = lock(&self.noted);
            (noted.tokens.take(), noted.keys.take())
        };
        if tokens.is_empty() && keys.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.store.note_uses(&tokens, &keys, now).await?;
        let mut noted = lock(&self.noted);
        noted.tokens.wrote(tokens, now);
        noted.keys.wrote(keys, now);
        Ok(())
    }

    /// Writes down once a minute, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                // The last writing comes when the last request has ended.
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FLUSH_EVERY) => {}
            }
            self.write_down().await;
        }
    }

    /// Writes everything down. What fails is in the log.
    pub async fn write_down(&self) {
        for flushed in [self.flush().await, self.flush_uses().await] {
            if let Err(error) = flushed {
                outage::failed(&error, "what workspaces use was not written down");
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What workspaces have used, for the operator.
pub struct Usage {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub meter: Arc<UsageMeter>,
    pub workspaces: Arc<Workspaces>,
}

/// What a workspace used in some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    pub from: UsageDay,
    pub to: UsageDay,
    /// Days without any use are left out.
    pub days: Vec<DayUsage>,
    pub total: Used,
}

impl Usage {
    /// From one day to another, both included; without them the last 30 days. What this process has counted is in it;
    /// what other replicas have, up to the minute before.
    pub async fn read(
        &self,
        workspace: &WorkspaceId,
        from: Option<UsageDay>,
        to: Option<UsageDay>,
    ) -> Result<UsageReport> {
        let to = to.unwrap_or_else(|| UsageDay::of(self.clock.now()));
        let from = from.unwrap_or_else(|| to.back(DEFAULT_DAYS - 1));
        let days = to.days_since(from) + 1;
        if !(1..=i64::from(MOST_DAYS)).contains(&days) {
            let detail = format!(
                "`from` is a day before `to` or the same one, and from one to the other are at most {MOST_DAYS} days."
            );
            return Err(Error::field("from", Invalid::new("invalid_period", detail)));
        }
        self.workspaces.get(workspace).await?;
        self.meter.flush().await?;
        let days = self.store.usage(workspace, from, to).await?;
        let mut total = Used::default();
        for of_day in &days {
            total.add(&of_day.used);
        }
        Ok(UsageReport {
            from,
            to,
            days,
            total,
        })
    }
}
