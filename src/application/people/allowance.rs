//! Whether a workspace is let in: it is not suspended, and does not do more than it may.
//!
//! Whoever finds a caller of a workspace asks once for each request, with how the workspace stands as this process
//! knows it then. Limits are counted in this process: each replica allows as much.

use crate::application::error::{Error, Kind, Result};
use crate::application::people::counted::{Counted, Counts};
use crate::domain::ids::WorkspaceId;
use crate::domain::people::standing::{Standing, WorkspaceLimits};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// More workspaces than this are not remembered. Each takes about 300 bytes.
const MOST_REMEMBERED: usize = 50_000;
/// A workspace that has asked nothing for so long has its whole minute again.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// When it makes sense to try again where a transfer has to end first.
const AFTER_A_TRANSFER: Duration = Duration::from_secs(2);

/// What workspaces with limits have done of late.
#[derive(Default)]
pub struct Allowances {
    workspaces: Mutex<HashMap<WorkspaceId, Allowance>>,
    /// Files on their way through the service, also of workspaces without a limit: they may get one.
    transfers: Counts<WorkspaceId>,
}

struct Allowance {
    /// The limit, and what counts it.
    requests: Option<(NonZeroU32, DefaultDirectRateLimiter)>,
    most_transfers: Option<u32>,
    asked_at: Instant,
}

impl Allowance {
    fn new() -> Self {
        Self {
            requests: None,
            most_transfers: None,
            asked_at: Instant::now(),
        }
    }

    /// Takes the limits as they are now. A limit that is as it was goes on counting.
    fn take(&mut self, limits: &WorkspaceLimits) {
        self.asked_at = Instant::now();
        self.most_transfers = limits.transfers;
        let most = limits.requests_per_minute.and_then(NonZeroU32::new);
        self.requests = match (most, self.requests.take()) {
            (None, _) => None,
            (Some(most), Some((before, counted))) if before == most => Some((most, counted)),
            (Some(most), _) => {
                let quota = Quota::per_minute(most);
                Some((most, DefaultDirectRateLimiter::direct(quota)))
            }
        };
    }
}

impl Allowances {
    /// Lets one request of the workspace in: 403 `workspace_suspended`, 429 `too_many_requests`.
    pub fn enter(&self, workspace: &WorkspaceId, standing: &Standing) -> Result<()> {
        refuse_suspended(standing)?;
        let limits = &standing.limits;
        let mut workspaces = self.lock();
        if limits.requests_per_minute.is_none() && limits.transfers.is_none() {
            workspaces.remove(workspace);
            return Ok(());
        }
        if workspaces.len() > MOST_REMEMBERED {
            workspaces.retain(|_, own| own.asked_at.elapsed() < FORGET_AFTER);
        }
        let own = workspaces
            .entry(workspace.clone())
            .or_insert_with(Allowance::new);
        own.take(limits);
        let Some((most, counted)) = &own.requests else {
            return Ok(());
        };
        counted.check().map_err(|not_until| {
            Error::new(
                Kind::TooMany,
                "too_many_requests",
                format!("This workspace may make {most} requests a minute, and has made them."),
            )
            .remedy("Wait as long as `Retry-After` says. The operator sets the limit.")
            .retry_after(not_until.wait_time_from(DefaultClock::default().now()))
        })
    }

    /// Begins to pass a file through for the workspace, until the guard is dropped: 429 `too_many_transfers`.
    pub fn transfer(&self, workspace: &WorkspaceId) -> Result<Transfer> {
        let most = self
            .lock()
            .get(workspace)
            .and_then(|own| own.most_transfers);
        self.transfers.begin(workspace, most).map_err(|most| {
            Error::new(
                Kind::TooMany,
                "too_many_transfers",
                format!("This workspace may have {most} transfers of files under way, and has them."),
            )
            .remedy("Wait for one to end, or use signed URLs, which do not pass through the service. The operator sets the limit.")
            .retry_after(AFTER_A_TRANSFER)
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Allowance>> {
        self.workspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file on its way through the service. It counts until this is dropped.
pub type Transfer = Counted<WorkspaceId>;

/// 403 `workspace_suspended` for what is of a suspended workspace. The reason is for operators, and not in it.
pub fn refuse_suspended(standing: &Standing) -> Result<()> {
    match standing.suspension {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Kind::Forbidden,
            "workspace_suspended",
            "This workspace is suspended: nothing of it can be used at the moment. Nothing was deleted.",
        )
        .remedy("Ask the operator, who can make it active again.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::people::standing::Suspension;
    use time::OffsetDateTime;

    fn limited(requests: Option<u32>, transfers: Option<u32>) -> Standing {
        Standing {
            suspension: None,
            limits: WorkspaceLimits {
                storages: None,
                requests_per_minute: requests,
                transfers,
            },
        }
    }

    #[test]
    fn a_suspended_workspace_is_refused_and_comes_back() {
        let (all, workspace) = (Allowances::default(), WorkspaceId::generate());
        let suspended = Standing {
            suspension: Some(Suspension {
                since: OffsetDateTime::UNIX_EPOCH,
                reason: None,
            }),
            ..Standing::default()
        };
        let refused = all.enter(&workspace, &suspended).unwrap_err();
        assert_eq!(
            (refused.kind, refused.code),
            (Kind::Forbidden, "workspace_suspended")
        );
        assert!(all.enter(&workspace, &Standing::default()).is_ok());
        assert!(all.lock().is_empty(), "nothing has to be remembered");
    }

    #[test]
    fn requests_beyond_the_limit_of_a_minute_are_told_when_to_come_back() {
        let all = Allowances::default();
        let (noisy, quiet) = (WorkspaceId::generate(), WorkspaceId::generate());
        let standing = limited(Some(3), None);
        for _ in 0..3 {
            all.enter(&noisy, &standing).unwrap();
        }
        let refused = all.enter(&noisy, &standing).unwrap_err();
        assert_eq!(
            (refused.kind, refused.code),
            (Kind::TooMany, "too_many_requests")
        );
        let wait = refused.retry_after.unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(20));
        assert!(all.enter(&quiet, &standing).is_ok());
        // Another limit counts from its beginning, and none lets everything in.
        assert!(all.enter(&noisy, &limited(Some(4), None)).is_ok());
        assert!(all.enter(&noisy, &Standing::default()).is_ok());
        let remembered: Vec<WorkspaceId> = all.lock().keys().cloned().collect();
        assert_eq!(remembered, [quiet]);
    }

    #[test]
    fn transfers_beyond_the_limit_wait_for_one_to_end() {
        let all = Allowances::default();
        let (mine, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        all.enter(&mine, &limited(None, Some(2))).unwrap();
        let first = all.transfer(&mine).unwrap();
        let second = all.transfer(&mine).unwrap();
        let refused = all.transfer(&mine).err().unwrap();
        assert_eq!(
            (refused.kind, refused.code),
            (Kind::TooMany, "too_many_transfers")
        );
        let others = [all.transfer(&other).unwrap(), all.transfer(&other).unwrap()];
        drop(first);
        let third = all.transfer(&mine).unwrap();
        // Those under way go on when the limit is lowered.
        all.enter(&mine, &limited(None, Some(0))).unwrap();
        drop((second, third));
        assert!(all.transfer(&mine).is_err());
        all.enter(&mine, &Standing::default()).unwrap();
        drop(others);
        assert!(all.lock().is_empty() && all.transfers.is_empty());
    }
}
