//! Checks again while IAM may still be spreading a change.

use crate::application::checks::checker::{ConnectionChecker, Findings};
use crate::application::checks::recorder::Recorder;
use crate::domain::check::{Step, StepName, StepStatus};
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

/// Runs the check until it passes, or something fails that waiting does not mend, or `wait` is over.
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

/// Whether a failed check failed only by denials that a change under way explains. A role that accepts
/// others, a missing bucket or a missing CORS rule does not mend itself.
fn may_pass_later(findings: &Findings) -> bool {
    let mut failed = findings
        .steps
        .as_slice()
        .iter()
        .filter(|step| step.status == StepStatus::Failed)
        .peekable();
    failed.peek().is_some() && failed.all(is_denial)
}

fn is_denial(step: &Step) -> bool {
    let code = step.problem.as_ref().map(|problem| problem.code.as_str());
    match step.name {
        StepName::AssumeRole => code == Some("role_refused"),
        StepName::ListBucket
        | StepName::GetObject
        | StepName::PutObject
        | StepName::DeleteObject => {
            matches!(code, Some("permission_missing" | "kms_permission_missing"))
        }
        _ => false,
    }
}
