//! How many requests of a workspace are in progress at once, so that one workspace cannot fill the queue in front of
//! the database for all of them.
//!
//! A request counts until its response begins. Whose it is takes a look into the database, so requests with the same
//! secret count together before that: of the requests of one caller only so many get that far.
//!
//! Counted in this process: each replica allows as much.

use crate::application::error::{Error, Kind, Result};
use crate::application::kept::vault::sha256;
use crate::application::people::counted::{Counted, Counts};
use crate::domain::ids::WorkspaceId;
use std::num::NonZeroU32;
use std::time::Duration;

/// How many requests of a workspace may be in progress, unless the operator says otherwise.
pub const DEFAULT_MOST: NonZeroU32 = NonZeroU32::new(2_000).unwrap();
/// When it makes sense to try again. Most requests take far less.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The requests that are in progress.
pub struct InProgress {
    most: NonZeroU32,
    counts: Counts<Whose>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Whose {
    Workspace(WorkspaceId),
    /// By its hash, with that of the workspace which the request names: a product's key acts in many.
    Caller([u8; 32]),
}

/// A request in progress.
#[must_use = "the request counts until this is dropped"]
pub struct Running {
    _counted: Counted<Whose>,
}

impl InProgress {
    pub fn new(most: NonZeroU32) -> Self {
        Self {
            most,
            counts: Counts::default(),
        }
    }

    /// Lets a request of the workspace begin, until the guard is dropped: 429 `too_many_in_progress`.
    pub fn of_workspace(&self, workspace: &WorkspaceId) -> Result<Running> {
        self.begin(&Whose::Workspace(workspace.clone()))
    }

    /// The same for whoever has this secret, in the workspace that the request names.
    pub fn of_caller(&self, secret: &str, workspace: Option<&str>) -> Result<Running> {
        let named = workspace.unwrap_or_default();
        let text = [secret.as_bytes(), b"\n", named.as_bytes()].concat();
        self.begin(&Whose::Caller(sha256(&text)))
    }

    fn begin(&self, whose: &Whose) -> Result<Running> {
        let counted = self.counts.begin(whose, Some(self.most.get()));
        let counted = counted.map_err(|most| {
            Error::new(
                Kind::TooMany,
                "too_many_in_progress",
                format!(
                    "This workspace has {most} requests in progress, and may have no more at the same time."
                ),
            )
            .remedy("Wait for the responses to some of them. The operator sets the limit.")
            .retry_after(TRY_AGAIN)
        })?;
        Ok(Running { _counted: counted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_most(most: u32) -> InProgress {
        InProgress::new(NonZeroU32::new(most).unwrap())
    }

    #[test]
    fn one_workspace_may_have_so_many_and_takes_nothing_from_another() {
        let all = at_most(2);
        let (noisy, quiet) = (WorkspaceId::generate(), WorkspaceId::generate());
        let first = all.of_workspace(&noisy).unwrap();
        let _second = all.of_workspace(&noisy).unwrap();
        let refused = all.of_workspace(&noisy).err().unwrap();
        assert_eq!(
            (refused.kind, refused.code),
            (Kind::TooMany, "too_many_in_progress")
        );
        assert_eq!(refused.retry_after, Some(TRY_AGAIN));
        let _other = all.of_workspace(&quiet).unwrap();
        drop(first);
        assert!(all.of_workspace(&noisy).is_ok());
    }

    #[test]
    fn a_secret_counts_apart_in_each_workspace_that_it_is_used_in() {
        let all = at_most(1);
        let _first = all.of_caller("secret", Some("ws_1")).unwrap();
        assert!(all.of_caller("secret", Some("ws_1")).is_err());
        assert!(all.of_caller("secret", Some("ws_2")).is_ok());
        assert!(all.of_caller("secret", None).is_ok());
        assert!(all.of_caller("another", Some("ws_1")).is_ok());
    }

    #[test]
    fn nothing_is_remembered_of_those_who_are_done() {
        let all = at_most(1);
        drop(all.of_caller("secret", None).unwrap());
        drop(all.of_workspace(&WorkspaceId::generate()).unwrap());
        assert!(all.counts.is_empty());
    }
}
