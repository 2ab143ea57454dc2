//! Checks again while IAM may still be spreading a change.

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
        let findings = checker.check(bucket, &recorder).await;
        let pause = PAUSES[(attempts as usize).min(PAUSES.len() - 1)];
        attempts += 1;
        if !may_pass_later(&findings) || Instant::now() + pause > end {
            return (findings, attempts);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Whether a failed check failed only by denials that a change under way explains.
fn may_pass_later(findings: &Findings) -> bool {
    !findings.causes.is_empty() && findings.causes.iter().all(|cause| cause.may_pass_later())
}
