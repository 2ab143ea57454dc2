//! Waiting for a role that the customer has yet to make.

use crate::domain::Invalid;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::{SetupId, WorkspaceId};
use time::{Duration, OffsetDateTime};

/// How long after a try the next one is made while somebody watches.
pub const WATCHED: Duration = Duration::seconds(3);
/// The same while nobody does: at first, and at most.
const UNWATCHED: Duration = Duration::seconds(30);
const LONGEST: Duration = Duration::minutes(15);

/// What a setup waits for, and how far that is. At most one for each setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleWait {
    pub workspace: WorkspaceId,
    pub setup: SetupId,
    /// The role that is tried. A setup whose role is another one by now begins again.
    pub role_arn: RoleArn,
    pub since: OffsetDateTime,
    /// When it is tried next. `None`: it is not tried any more.
    pub due: Option<OffsetDateTime>,
    pub tries: u32,
    /// How many tries in a row came while nobody watched.
    pub unwatched_tries: u32,
    pub last_tried_at: Option<OffsetDateTime>,
    /// `None` before the first try.
    pub outcome: Option<TryOutcome>,
    /// Until when somebody watches, unless they say so again.
    pub watched_until: Option<OffsetDateTime>,
    /// When the role let the service in. That says nothing about who else it lets in.
    pub appeared_at: Option<OffsetDateTime>,
}

impl RoleWait {
    pub fn is_watched(&self, now: OffsetDateTime) -> bool {
        self.watched_until.is_some_and(|until| now < until)
    }
}

/// What a try has shown. It does not show whether the role is absent or refuses: AWS answers the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TryOutcome {
    /// The role is not there, or refuses the service.
    NotYet,
    /// The try says nothing about the role: AWS did not answer, or the service itself may not ask.
    Undecided,
    /// The role let the service in.
    Appeared,
}

impl TryOutcome {
    pub const ALL: [Self; 3] = [Self::NotYet, Self::Undecided, Self::Appeared];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "not_yet" => Ok(Self::NotYet),
            "undecided" => Ok(Self::Undecided),
            "appeared" => Ok(Self::Appeared),
            _ => Err(Invalid::new(
                "unknown_try_outcome",
                "Not what a try to use a role can show.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotYet => "not_yet",
            Self::Undecided => "undecided",
            Self::Appeared => "appeared",
        }
    }
}

/// How long after a try the next one is made: every three seconds while somebody watches, else after half a
/// minute, then twice as long each time, up to a quarter of an hour.
pub fn pause(is_watched: bool, unwatched_tries: u32) -> Duration {
    match is_watched {
        true => WATCHED,
        false => (UNWATCHED * 2_i32.pow(unwatched_tries.min(5))).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_that_nobody_watches_become_rare() {
        let pauses: Vec<i64> = (0..7)
            .map(|tries| pause(false, tries).whole_seconds())
            .collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(pause(false, u32::MAX), LONGEST);
        assert_eq!(pause(true, 100).whole_seconds(), 3);
    }
}
