//! How many links a workspace makes.

use crate::application::error::{Error, Kind, Result};
use crate::application::rate::Rate;
use crate::domain::ids::WorkspaceId;
use std::num::NonZeroU32;

/// How many links a workspace makes in a minute.
pub struct LinkRate {
    rate: Rate<WorkspaceId>,
    per_minute: NonZeroU32,
}

impl LinkRate {
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self {
            rate: Rate::per_minute(per_minute),
            per_minute,
        }
    }

    /// Counts a link that is about to be made, and refuses one too many with `too_many_links`.
    pub fn enter(&self, workspace: &WorkspaceId) -> Result<()> {
        self.rate.enter(workspace).map_err(|wait| {
            let detail = format!(
                "This workspace makes more than {} links a minute.",
                self.per_minute
            );
            Error::new(Kind::TooMany, "too_many_links", detail)
                .remedy("Wait a moment, then make the link again.")
                .retry_after(wait)
        })
    }
}

impl Default for LinkRate {
    /// Sixty.
    fn default() -> Self {
        Self::new(const { NonZeroU32::new(60).unwrap() })
    }
}
