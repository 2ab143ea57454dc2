//! How many sessions are made, and how many requests wait for one.
//!
//! STS takes about 600 calls a second from an account in a Region (IAM user guide, "IAM and AWS STS
//! quotas"). All customers share that, so no workspace may use it up.

use crate::aws::failure::local;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::ids::WorkspaceId;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::future::Cache;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// AssumeRole calls of one workspace in a second, and at once after a pause.
const OF_WORKSPACE: (NonZeroU32, NonZeroU32) = (nonzero(10), nonzero(100));
/// The same of the whole process. Less than STS takes, because other replicas use the same account.
const OF_ALL: (NonZeroU32, NonZeroU32) = (nonzero(250), nonzero(500));
/// How long a call waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests of one workspace, and of all, that wait for sessions at the same time.
const WAITING_IN_WORKSPACE: usize = 2_048;
const WAITING: usize = 8_192;
/// A workspace that nobody uses needs no entry.
const UNUSED: Duration = Duration::from_secs(3_600);
/// After so many calls, the rates of workspaces that are full again are dropped.
const SWEEP: u32 = 1_024;
/// The code of a request that got no session in time, because too many were wanted.
pub(crate) const SESSIONS_BUSY: &str = "RoleSessionsBusy";

const fn nonzero(value: u32) -> NonZeroU32 {
    match NonZeroU32::new(value) {
        Some(value) => value,
        None => NonZeroU32::MIN,
    }
}

pub(crate) struct SessionLimits {
    of_workspace: DefaultKeyedRateLimiter<WorkspaceId>,
    of_all: DefaultDirectRateLimiter,
    calls: AtomicU32,
    waiting_in_workspace: Cache<WorkspaceId, Arc<Semaphore>>,
    waiting: Arc<Semaphore>,
}

/// A place among the requests that wait for a session.
pub(crate) struct Waiting {
    _places: [OwnedSemaphorePermit; 2],
}

impl Default for SessionLimits {
    fn default() -> Self {
        let quota = |(rate, burst)| Quota::per_second(rate).allow_burst(burst);
        Self {
            of_workspace: RateLimiter::keyed(quota(OF_WORKSPACE)),
            of_all: RateLimiter::direct(quota(OF_ALL)),
            calls: AtomicU32::default(),
            waiting_in_workspace: Cache::builder().time_to_idle(UNUSED).build(),
            waiting: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

impl SessionLimits {
    /// A place to wait in; refused at once where too many wait already.
    pub async fn wait(&self, workspace: &WorkspaceId) -> Result<Waiting, AwsFailure> {
        let new = async { Arc::new(Semaphore::new(WAITING_IN_WORKSPACE)) };
        let own = self
            .waiting_in_workspace
            .get_with_by_ref(workspace, new)
            .await;
        let place = |places: Arc<Semaphore>| {
            places
                .try_acquire_owned()
                .map_err(|_| busy("too many requests wait for a session"))
        };
        Ok(Waiting {
            _places: [place(own)?, place(self.waiting.clone())?],
        })
    }

    /// Waits until the workspace may call AssumeRole; refused where that takes too long.
    pub async fn turn(&self, workspace: &WorkspaceId) -> Result<(), AwsFailure> {
        if self.calls.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.of_workspace.retain_recent();
        }
        let clock = DefaultClock::default();
        let end = Instant::now() + PATIENCE;
        until(end, || {
            let checked = self.of_workspace.check_key(workspace);
            checked.map_err(|not_until| not_until.wait_time_from(clock.now()))
        })
        .await?;
        until(end, || {
            let checked = self.of_all.check();
            checked.map_err(|not_until| not_until.wait_time_from(clock.now()))
        })
        .await
    }
}

/// Asks until it is permitted, after the wait that each refusal names.
async fn until(
    end: Instant,
    mut ask: impl FnMut() -> Result<(), Duration>,
) -> Result<(), AwsFailure> {
    while let Err(wait) = ask() {
        if Instant::now() + wait > end {
            return Err(busy("too many sessions are made"));
        }
        tokio::time::sleep(wait).await;
    }
    Ok(())
}

fn busy(why: &str) -> AwsFailure {
    AwsFailure {
        error_code: Some(SESSIONS_BUSY.to_owned()),
        ..local("AssumeRole", FailureKind::Throttled, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    #[tokio::test]
    async fn a_workspace_that_wants_many_sessions_leaves_the_others_theirs() {
        let limits = SessionLimits::default();
        let (greedy, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let begun = Instant::now();
        let crowd = join_all((0..400).map(|_| limits.turn(&greedy)));
        let one = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let asked = Instant::now();
            limits.turn(&other).await.unwrap();
            asked.elapsed()
        };
        let (crowd, waited) = tokio::join!(crowd, one);
        assert!(waited < Duration::from_millis(500), "{waited:?}");
        // The burst, and what comes in the time that they wait.
        let served = crowd.iter().filter(|turn| turn.is_ok()).count();
        assert!((100..=170).contains(&served), "{served}");
        assert!(begun.elapsed() < PATIENCE + Duration::from_secs(2));
        let refused = crowd.into_iter().find_map(Result::err).unwrap();
        assert_eq!(refused.error_code.as_deref(), Some(SESSIONS_BUSY));
    }

    #[tokio::test]
    async fn places_to_wait_in_are_bounded_for_each_workspace() {
        let limits = SessionLimits::default();
        let (greedy, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let mut held = Vec::new();
        for _ in 0..WAITING_IN_WORKSPACE {
            held.push(limits.wait(&greedy).await.unwrap());
        }
        assert!(limits.wait(&greedy).await.is_err());
        assert!(limits.wait(&other).await.is_ok());
        held.pop();
        assert!(limits.wait(&greedy).await.is_ok());
    }
}
