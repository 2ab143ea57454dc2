//! Bytes that many requests share: a bound on the whole, and a share of it for each workspace, so one
//! customer's requests never take the room of another's. A part of it may be used to go ahead of what a request
//! needs: half of a workspace's share and a quarter of the whole at most, and nothing while a request waits for room
//! that it would take: one of the same workspace, or one for which the whole has none left.
//!
//! Nobody waits to go ahead, so without a further bound the first two workspaces would have all of that part for as
//! long as they use it. One workspace may have half of what the others leave ([`bound_ahead`]): whoever comes next
//! finds as much as the last one got, and who has more gives it back in time ([`ByteBudget::must_give_back`]).

use crate::application::error::{Error, Kind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is counted, in bytes: everything is rounded up to it.
const BLOCK: u64 = 4 << 10;
/// One workspace may have this part of the whole.
const SHARES: u64 = 4;
/// This part of the whole may be used to go ahead, and half of that by one workspace.
const AHEAD: u64 = 4;
/// How long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests wait for room in one share. One more is refused at once.
const QUEUE: usize = 256;
/// How many requests wait for room in all shares together.
const WHOLE_QUEUE: usize = 2_048;
/// What the server has read of a body before anybody asks for it, in bytes at most: 128 KiB, in a buffer that grows by
/// doubling. It has no setting for it.
const READ_BEFORE: u64 = 256 << 10;
/// So much may be read of bodies that wait for room, as a part of the whole, besides the whole.
const WAITING_BODIES: u64 = 4;
/// Above so many shares, those that nobody uses are forgotten.
const MOST_IDLE: usize = 1_024;

/// The room, all of it.
pub struct ByteBudget {
    whole: Arc<Semaphore>,
    /// How much one share has, in blocks.
    share: u32,
    /// What of the whole may be used to go ahead.
    ahead: Arc<Semaphore>,
    /// How much that is, in blocks.
    whole_ahead: u32,
    /// What was read of bodies that wait.
    bodies: Semaphore,
    waiting: AtomicUsize,
    /// Those of them that have the room in their share, and wait for it in the whole.
    waiting_for_whole: AtomicUsize,
    shares: Mutex<HashMap<String, Weak<Share>>>,
    patience: Duration,
}

struct Share {
    blocks: Arc<Semaphore>,
    ahead: Arc<Semaphore>,
    bodies: Semaphore,
    waiting: AtomicUsize,
}

/// Room that was taken; given back when it is dropped.
pub struct Reserved {
    of_share: OwnedSemaphorePermit,
    of_whole: OwnedSemaphorePermit,
    /// Of what may be used to go ahead, where it is that: the share's and the whole's.
    _ahead: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    /// The next request of the same workspace must find this share, not another one.
    _share: Arc<Share>,
}

/// There was no room, for as long as a request waits, or too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

impl ByteBudget {
    pub fn new(bytes: u64) -> Self {
        Self::with_patience(bytes, PATIENCE)
    }

    pub fn with_patience(bytes: u64, patience: Duration) -> Self {
        let whole = blocks(bytes).max(SHARES as u32);
        let ahead = whole / AHEAD as u32;
        Self {
            whole: Arc::new(Semaphore::new(whole as usize)),
            share: whole / SHARES as u32,
            ahead: Arc::new(Semaphore::new(ahead as usize)),
            whole_ahead: ahead,
            bodies: Semaphore::new(of_waiting_bodies(whole)),
            waiting: AtomicUsize::new(0),
            waiting_for_whole: AtomicUsize::new(0),
            shares: Mutex::default(),
            patience,
        }
    }

    /// Waits for so many bytes. A request for more than a share gets the whole share.
    pub async fn take(&self, who: &str, bytes: u64) -> Result<Reserved, NoRoom> {
        let wanted = blocks(bytes).min(self.share);
        let share = self.share_of(who);
        match self.at_once(&share, wanted) {
            Some(reserved) => Ok(reserved),
            None => self.wait(&share, wanted).await,
        }
    }

    /// The same for a body that its client sends meanwhile. What is read of it before there is room counts besides
    /// the whole, with a bound of its own: beyond that, the body is refused at once.
    pub async fn take_for_body(&self, who: &str, bytes: u64) -> Result<Reserved, NoRoom> {
        let wanted = blocks(bytes).min(self.share);
        let share = self.share_of(who);
        if let Some(reserved) = self.at_once(&share, wanted) {
            return Ok(reserved);
        }
        let read = blocks(bytes.min(READ_BEFORE));
        let _read = (
            share.bodies.try_acquire_many(read).map_err(|_| NoRoom)?,
            self.bodies.try_acquire_many(read).map_err(|_| NoRoom)?,
        );
        self.wait(&share, wanted).await
    }

    async fn wait(&self, share: &Arc<Share>, wanted: u32) -> Result<Reserved, NoRoom> {
        let _turn = (
            Turn::of(&share.waiting, QUEUE)?,
            Turn::of(&self.waiting, WHOLE_QUEUE)?,
        );
        let taking = async {
            // First of the own share: whoever waits there holds nothing that others need.
            let of_share = share.blocks.clone().acquire_many_owned(wanted).await.ok()?;
            let _turn = Turn::of(&self.waiting_for_whole, WHOLE_QUEUE).ok()?;
            let of_whole = self.whole.clone().acquire_many_owned(wanted).await.ok()?;
            Some(Reserved {
                of_share,
                of_whole,
                _ahead: None,
                _share: share.clone(),
            })
        };
        match tokio::time::timeout(self.patience, taking).await {
            Ok(Some(reserved)) => Ok(reserved),
            Ok(None) | Err(_) => Err(NoRoom),
        }
    }

    /// The same without waiting. `None` also for more than a share.
    pub fn try_take(&self, who: &str, bytes: u64) -> Option<Reserved> {
        let wanted = blocks(bytes);
        let share = self.share_of(who);
        (wanted <= self.share).then(|| self.at_once(&share, wanted))?
    }

    /// Takes so many bytes to go ahead of what a request needs: at once, out of a part that is kept small, only
    /// while no request waits for that room, and no more than half of what other workspaces leave of that part.
    pub fn try_take_ahead(&self, who: &str, bytes: u64) -> Option<Reserved> {
        let wanted = blocks(bytes);
        let share = self.share_of(who);
        if self.is_wanted(&share) || wanted > bound_ahead(self.whole_ahead, 0) {
            return None;
        }
        let of_share = share.ahead.clone().try_acquire_many_owned(wanted).ok()?;
        let of_whole = self.ahead.clone().try_acquire_many_owned(wanted).ok()?;
        // Looked at with what is wanted already taken: of two that come together, one at least sees both.
        if self.has_too_much_ahead(&share) {
            return None;
        }
        let mut reserved = self.at_once(&share, wanted)?;
        reserved._ahead = Some((of_share, of_whole));
        Some(reserved)
    }

    /// Whether a workspace that has more than one place ahead is to give one back: a request waits for its room, or
    /// others have come meanwhile, and it has more than half of what they leave.
    pub fn must_give_back(&self, who: &str) -> bool {
        let share = self.share_of(who);
        self.is_wanted(&share) || self.has_too_much_ahead(&share)
    }

    /// Whether a request waits for room of this share. Those of another workspace that has used up its own share do
    /// not: nothing that is given back here would help them.
    fn is_wanted(&self, share: &Share) -> bool {
        let waiting = |queue: &AtomicUsize| queue.load(Ordering::Relaxed) > 0;
        waiting(&share.waiting) || waiting(&self.waiting_for_whole)
    }

    fn has_too_much_ahead(&self, share: &Share) -> bool {
        let taken =
            |of: &Semaphore, all: u32| (all as usize).saturating_sub(of.available_permits());
        let own = taken(&share.ahead, bound_ahead(self.whole_ahead, 0));
        let all = taken(&self.ahead, self.whole_ahead);
        own > bound_ahead(self.whole_ahead, all.saturating_sub(own) as u32) as usize
    }

    fn at_once(&self, share: &Arc<Share>, wanted: u32) -> Option<Reserved> {
        Some(Reserved {
            of_share: share.blocks.clone().try_acquire_many_owned(wanted).ok()?,
            of_whole: self.whole.clone().try_acquire_many_owned(wanted).ok()?,
            _ahead: None,
            _share: share.clone(),
        })
    }

    /// How many bytes are taken now.
    #[cfg(test)]
    pub fn taken(&self) -> u64 {
        let whole = u64::from(self.share) * SHARES;
        whole.saturating_sub(self.whole.available_permits() as u64) * BLOCK
    }

    fn share_of(&self, who: &str) -> Arc<Share> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(who).and_then(Weak::upgrade) {
            return share;
        }
        if shares.len() >= MOST_IDLE {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Share {
            blocks: Arc::new(Semaphore::new(self.share as usize)),
            ahead: Arc::new(Semaphore::new(bound_ahead(self.whole_ahead, 0) as usize)),
            bodies: Semaphore::new(of_waiting_bodies(self.share)),
            waiting: AtomicUsize::new(0),
        });
        shares.insert(who.to_owned(), Arc::downgrade(&share));
        share
    }
}

impl Reserved {
    /// Gives back what is above so many bytes.
    pub fn shrink_to(&mut self, bytes: u64) {
        let kept = blocks(bytes) as usize;
        for permit in [&mut self.of_share, &mut self.of_whole] {
            let spare = permit.num_permits().saturating_sub(kept);
            drop(permit.split(spare));
        }
    }
}

/// A place in a queue.
struct Turn<'a>(&'a AtomicUsize);

impl<'a> Turn<'a> {
    fn of(queue: &'a AtomicUsize, most: usize) -> Result<Self, NoRoom> {
        let turn = Self(queue);
        match queue.fetch_add(1, Ordering::Relaxed) < most {
            true => Ok(turn),
            false => Err(NoRoom),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How much one workspace may have of what is there to go ahead, where the others have so much of it: half of the
/// rest. With `n` workspaces that want all they can get, each has `1 / (n + 1)` in the end, and so much is left for
/// the next one.
fn bound_ahead(all: u32, of_others: u32) -> u32 {
    all.saturating_sub(of_others) / 2
}

/// Of all blocks or of a share's, how many are for what was read of bodies that wait: one body at least.
fn of_waiting_bodies(of: u32) -> usize {
    (of / WAITING_BODIES as u32).max(blocks(READ_BEFORE)) as usize
}

fn blocks(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(BLOCK))
        .unwrap_or(u32::MAX)
        .max(1)
}

impl From<NoRoom> for Error {
    fn from(NoRoom: NoRoom) -> Self {
        Self::new(
            Kind::Unavailable,
            "service_busy",
            "Too many bodies of this workspace are on their way, so this one was not begun.",
        )
        .remedy("Try again in a moment, with fewer or smaller requests at once.")
        .retry_after(Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_workspace_has_its_share_and_no_more() {
        let budget = ByteBudget::with_patience(16 * BLOCK, SOON);
        let held: Vec<_> = futures_util::future::join_all((0..4).map(|_| budget.take("a", BLOCK)))
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(budget.take("a", 1).await.err(), Some(NoRoom));
        assert!(budget.try_take("a", 1).is_none());
        let other = budget.take("b", 3 * BLOCK).await.unwrap();
        assert!(budget.try_take("b", 2 * BLOCK).is_none());
        drop((held, other));
        assert!(budget.take("a", 1).await.is_ok());
        assert!(budget.try_take("b", 4 * BLOCK).is_some());
        assert!(budget.try_take("b", 5 * BLOCK).is_none());
        // More than a share is the share.
        assert!(budget.take("b", 500 * BLOCK).await.is_ok());
    }

    #[tokio::test]
    async fn all_together_have_the_whole_and_no_more() {
        let budget = ByteBudget::with_patience(16 * BLOCK, SOON);
        let mut held = Vec::new();
        for who in ["a", "b", "c", "d"] {
            held.push(budget.take(who, 4 * BLOCK).await.unwrap());
        }
        assert_eq!(budget.take("e", BLOCK).await.err(), Some(NoRoom));
        held[0].shrink_to(3 * BLOCK);
        assert!(budget.take("e", BLOCK).await.is_ok());
        assert!(budget.take("a", BLOCK).await.is_ok());
    }

    #[tokio::test]
    async fn beyond_the_queue_the_refusal_comes_at_once() {
        let budget = ByteBudget::with_patience(4 * BLOCK, Duration::from_secs(60));
        let held = budget.take("a", BLOCK).await.unwrap();
        let waiting: Vec<_> = (0..QUEUE).map(|_| Box::pin(budget.take("a", 1))).collect();
        let mut waiting = futures_util::future::join_all(waiting);
        let soon = tokio::time::timeout(SOON, &mut waiting).await;
        assert!(soon.is_err(), "they wait");
        assert_eq!(budget.take("a", 1).await.err(), Some(NoRoom));
        assert!(budget.take("b", 1).await.is_ok());
        drop((waiting, held));
        assert!(budget.take("a", 1).await.is_ok());
    }

    #[tokio::test]
    async fn few_bodies_are_read_while_they_wait() {
        // 16 MiB: a share has 4, of which 1 MiB more may be read of bodies that wait.
        let budget = ByteBudget::with_patience(16 << 20, Duration::from_secs(60));
        let held = budget.take_for_body("a", 4 << 20).await.unwrap();
        let waiting: Vec<_> = (0..4)
            .map(|_| Box::pin(budget.take_for_body("a", 1 << 20)))
            .collect();
        let mut waiting = futures_util::future::join_all(waiting);
        let soon = tokio::time::timeout(SOON, &mut waiting).await;
        assert!(soon.is_err(), "they wait");
        assert_eq!(budget.take_for_body("a", 1 << 20).await.err(), Some(NoRoom));
        // Whoever sends nothing waits, and another workspace has room.
        let reader = tokio::time::timeout(SOON, budget.take("a", 1)).await;
        assert!(reader.is_err());
        assert!(budget.take_for_body("b", 1 << 20).await.is_ok());
        drop((waiting, held));
        assert!(budget.take_for_body("a", 1 << 20).await.is_ok());
    }

    #[tokio::test]
    async fn going_ahead_leaves_room_for_requests() {
        let budget = ByteBudget::with_patience(64 * BLOCK, SOON);
        // A quarter of the whole, and half of that for one workspace.
        let own: Vec<_> = (0..9)
            .map_while(|_| budget.try_take_ahead("a", BLOCK))
            .collect();
        assert_eq!(own.len(), 8);
        assert_eq!(budget.taken(), 8 * BLOCK);
        // The workspace's requests have the other half of its share.
        let request = budget.take("a", 8 * BLOCK).await.unwrap();
        assert_eq!(budget.take("a", BLOCK).await.err(), Some(NoRoom));
        drop((own, request));
        assert_eq!(budget.taken(), 0);
        // While a request waits for all of its share, its workspace does not go ahead. Others do.
        let most = budget.take("a", 10 * BLOCK).await.unwrap();
        let mut waiting = Box::pin(budget.take("a", 8 * BLOCK));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert!(budget.try_take_ahead("a", BLOCK).is_none());
        assert!(budget.try_take_ahead("b", BLOCK).is_some());
        drop((waiting, most));
        assert!(budget.try_take_ahead("a", BLOCK).is_some());
    }

    #[test]
    fn half_of_what_others_leave_is_the_bound() {
        for (all, of_others, bound) in [
            (16, 0, 8),
            (16, 8, 4),
            (16, 12, 2),
            (16, 15, 0),
            (16, 16, 0),
            (16, 17, 0),
            (0, 0, 0),
        ] {
            assert_eq!(bound_ahead(all, of_others), bound, "{all} {of_others}");
        }
    }

    #[test]
    fn whoever_comes_next_finds_room_to_go_ahead() {
        let budget = ByteBudget::new(64 * BLOCK);
        let take = |who: &str| budget.try_take_ahead(who, BLOCK);
        let mut held: Vec<Vec<Reserved>> = Vec::new();
        for (who, part) in [("a", 8), ("b", 4), ("c", 2), ("d", 1)] {
            held.push((0..16).map_while(|_| take(who)).collect());
            assert_eq!(held.last().map(Vec::len), Some(part), "{who}");
        }
        // One block is left, and it is the half of nothing.
        assert!(take("e").is_none());
        assert_eq!(budget.taken(), 15 * BLOCK);
        // Those that came first have too much now, and give back until they have not.
        for _ in 0..16 {
            for (who, own) in ["a", "b", "c", "d"].into_iter().zip(&mut held) {
                if own.len() > 1 && budget.must_give_back(who) {
                    own.pop();
                } else if let Some(more) = take(who) {
                    own.push(more);
                }
            }
        }
        let shares: Vec<usize> = held.iter().map(Vec::len).collect();
        assert!(shares.iter().all(|own| (2..=4).contains(own)), "{shares:?}");
        assert!(take("e").is_some(), "{shares:?}");
        // Alone again, one has what it had.
        held.truncate(1);
        let own = &mut held[0];
        own.extend((0..16).map_while(|_| take("a")));
        assert_eq!(own.len(), 8);
    }

    #[tokio::test]
    async fn who_goes_ahead_gives_back_while_a_request_waits() {
        let budget = ByteBudget::with_patience(64 * BLOCK, SOON);
        let _ahead = budget.try_take_ahead("a", BLOCK).unwrap();
        assert!(!budget.must_give_back("a"));
        let mut held = Vec::new();
        for who in ["b", "c", "d"] {
            held.push(budget.take(who, 16 * BLOCK).await.unwrap());
        }
        // It waits for its own share, and nobody else can help.
        let mut waiting = Box::pin(budget.take("b", BLOCK));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert!(budget.must_give_back("b") && !budget.must_give_back("a"));
        drop(waiting);
        // It waits for the whole.
        let mut waiting = Box::pin(budget.take("e", 16 * BLOCK));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert!(budget.must_give_back("a"));
        assert!(budget.try_take_ahead("a", BLOCK).is_none());
        drop((waiting, held));
        assert!(!budget.must_give_back("a"));
    }

    #[tokio::test]
    async fn shares_that_nobody_uses_are_forgotten() {
        let budget = ByteBudget::new(1 << 20);
        for who in 0..3 * MOST_IDLE {
            budget.take(&who.to_string(), 1).await.unwrap();
        }
        assert!(budget.shares.lock().unwrap().len() <= MOST_IDLE);
    }
}
