//! Checks again while a fault may pass, or IAM may still be spreading a change.

use crate::application::checks::checker::{ConnectionChecker, Findings};
use crate::application::checks::recorder::Recorder;
use crate::domain::check::Step;
use crate::domain::connection::ConnectedBucket;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// A new role or policy works after seconds, at times a minute.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// Runs the check until it passes, or something fails that waiting cannot fix, or `wait` is over.
/// Returns the last findings and how often it ran.
pub async fn check_until_passed(
    checker: &ConnectionChecker,
    bucket: &ConnectedBucket,
    wait: Duration,
    listener: Option<UnboundedSender<Step>>,
) -> (Findings, u32) {
    let end = Instant::now() + wait;
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
            Some(pause) if may_pass_later(&findings) => tokio::time::sleep(pause).await,
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

/// Whether a failed check failed only by what may pass.
fn may_pass_later(findings: &Findings) -> bool {
    !findings.causes.is_empty()
        && findings
            .causes
            .iter()
            .all(|cause| cause.facts().may_pass_later)
}

#[cfg(test)]
mod tests {
    use super::*;

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
