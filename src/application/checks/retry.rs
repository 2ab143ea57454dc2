//! Checks again while a fault may pass, or IAM may still be spreading a change.

use crate::application::checks::checker::{ConnectionChecker, Findings};
use crate::application::checks::recorder::Recorder;
use crate::domain::cause::Cause;
use crate::domain::cause::entry::Bearing;
use crate::domain::check::Step;
use crate::domain::connection::ConnectedBucket;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// The longest that a check goes on.
pub const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// A new role or policy works after seconds, at times a minute.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// How long a check goes on while it fails by what may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Somebody has changed something and waits until it works. That a role is closed to others spreads like any
    /// other change.
    Change(Duration),
    /// A role has just appeared. It was not open to anybody a moment ago, so what it lets in now is let in by its
    /// policy, and is found at once.
    NewRole(Duration),
}

impl Patience {
    fn time(self) -> Duration {
        let (Self::Change(time) | Self::NewRole(time)) = self;
        time.min(LONGEST_WAIT)
    }

    /// Whether waiting may change what these causes are about.
    fn may_pass_later(self, causes: &[Cause]) -> bool {
        let may_pass = |cause: &Cause| {
            let facts = cause.facts();
            let is_found = match self {
                Self::Change(_) => false,
                Self::NewRole(_) => facts.bearing == Bearing::OpenToOthers,
            };
            facts.may_pass_later && !is_found
        };
        !causes.is_empty() && causes.iter().all(may_pass)
    }
}

/// Runs the check until it passes, or something fails that waiting cannot fix, or the time is over.
/// Returns the last findings and how often it ran.
pub async fn check_until_passed(
    checker: &ConnectionChecker,
    bucket: &ConnectedBucket,
    patience: Patience,
    listener: Option<UnboundedSender<Step>>,
) -> (Findings, u32) {
    let end = Instant::now() + patience.time();
    let mut attempts = 0;
    loop {
        let recorder = Recorder::listened_by(listener.clone());
        let begin = Instant::now();
        let findings = checker.check(bucket, &recorder).await;
        let now = Instant::now();
        let left = end.saturating_duration_since(now);
        let pause = pause(attempts, left, now - begin);
        attempts += 1;
        match pause {
            Some(pause) if patience.may_pass_later(&findings.causes) => {
                tokio::time::sleep(pause).await;
            }
            Some(_) | None => return (findings, attempts),
        }
    }
}

/// How long to wait before the next try. `None`: there is no time for one. The last try begins so late
/// that it ends about when the time does, if it takes as long as this one `took`.
fn pause(attempt: u32, left: Duration, took: Duration) -> Option<Duration> {
    let at = usize::try_from(attempt).map_or(PAUSES.len() - 1, |at| at.min(PAUSES.len() - 1));
    let before_last = left.saturating_sub(took);
    (!before_last.is_zero()).then(|| PAUSES[at].min(before_last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::bucket::bucket_not_found::BucketNotFound;
    use crate::domain::cause::entry::CauseEntry;
    use crate::domain::cause::signing_in::role_accepts_missing_external_id::RoleAcceptsMissingExternalId;
    use crate::domain::cause::signing_in::role_refused::RoleRefused;

    /// When each try begins, of tries that take as long as this.
    fn tries(wait: u64, took: Duration) -> Vec<Duration> {
        let (wait, mut at) = (Duration::from_secs(wait), Duration::ZERO);
        let mut begun = vec![at];
        for attempt in 0.. {
            let now = at + took;
            match pause(attempt, wait.saturating_sub(now), took) {
                Some(pause) => at = now + pause,
                None => break,
            }
            begun.push(at);
        }
        begun
    }

    #[test]
    fn what_a_new_role_lets_in_is_not_waited_for() {
        let wait = Duration::from_secs(30);
        let (change, new_role) = (Patience::Change(wait), Patience::NewRole(wait));
        let refused = Cause::from(RoleRefused::examples().remove(0));
        let open = Cause::from(RoleAcceptsMissingExternalId::examples().remove(0));
        let definite = Cause::from(BucketNotFound::examples().remove(0));
        for (causes, of_change, of_new_role) in [
            (vec![], false, false),
            (vec![refused.clone()], true, true),
            (vec![open.clone()], true, false),
            (vec![refused.clone(), open], true, false),
            (vec![refused, definite], false, false),
        ] {
            assert_eq!(change.may_pass_later(&causes), of_change, "{causes:?}");
            assert_eq!(new_role.may_pass_later(&causes), of_new_role, "{causes:?}");
        }
    }

    #[test]
    fn the_time_that_was_given_is_used() {
        let took = Duration::from_millis(300);
        for wait in [1, 2, 6, 20, 60, 120] {
            let last = *tries(wait, took).last().unwrap();
            assert_eq!(last + took, Duration::from_secs(wait), "{wait}");
        }
        assert_eq!(tries(0, took).len(), 1);
        // A try that takes longer than there is time for another is the last.
        assert_eq!(tries(6, Duration::from_secs(4)).len(), 1);
        assert!(tries(120, took).len() < 30);
    }
}
