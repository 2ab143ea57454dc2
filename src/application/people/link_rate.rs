//! How many links a workspace makes.

use crate::application::error::{Error, Kind, Result};
use crate::domain::ids::WorkspaceId;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::num::NonZeroU32;

/// After how many workspaces those are forgotten that have made no link lately.
const MOST_REMEMBERED: usize = 50_000;

/// How many links a workspace makes in a minute.
pub struct LinkRate {
    limiter: DefaultKeyedRateLimiter<WorkspaceId>,
    per_minute: NonZeroU32,
}

impl LinkRate {
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self {
            limiter: DefaultKeyedRateLimiter::keyed(Quota::per_minute(per_minute)),
            per_minute,
        }
    }

    /// Counts a link that is about to be made, and refuses one too many with `too_many_links`.
    pub fn enter(&self, workspace: &WorkspaceId) -> Result<()> {
        if self.limiter.len() > MOST_REMEMBERED {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(workspace).map_err(|not_until| {
            let detail = format!(
                "This workspace makes more than {} links a minute.",
                self.per_minute
            );
            Error::new(Kind::TooMany, "too_many_links", detail)
                .remedy("Wait a moment, then make the link again.")
                .retry_after(not_until.wait_time_from(DefaultClock::default().now()))
        })
    }
}

impl Default for LinkRate {
    /// Sixty.
    fn default() -> Self {
        Self::new(const { NonZeroU32::new(60).unwrap() })
    }
}
