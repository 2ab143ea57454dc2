//! Collects the steps, each exactly once, and sends each to a listener as it finishes.

use crate::application::bucket::probe::Answered;
use crate::application::diagnosis::finding::Finding;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::cause::Cause;
use crate::domain::check::{AwsCall, Step, StepName, StepStatus, Steps};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;

/// The steps so far. A step that is recorded twice keeps its first result; one that never was is
/// skipped at the end, so a report is always whole.
pub struct Recorder {
    recorded: Mutex<Recorded>,
    listener: Option<UnboundedSender<Step>>,
}

#[derive(Default)]
struct Recorded {
    steps: Vec<Step>,
    /// Of the steps that failed.
    causes: Vec<Cause>,
}

/// A value, and how long it took to get.
pub struct Timed<T> {
    pub value: T,
    pub duration_ms: u64,
}

impl Recorder {
    pub fn new() -> Self {
        Self::listened_by(None)
    }

    /// Sends each step to `listener` as it finishes. A listener that has gone is no error.
    pub fn listened_by(listener: Option<UnboundedSender<Step>>) -> Self {
        Self {
            recorded: Mutex::default(),
            listener,
        }
    }

    pub(crate) async fn time<T>(&self, work: impl Future<Output = T>) -> Timed<T> {
        let start = Instant::now();
        let value = work.await;
        Timed {
            value,
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn pass<T, V>(&self, name: StepName, timed: &Timed<T>, answer: &Answered<V>) {
        self.put(
            name,
            StepStatus::Passed,
            timed.duration_ms,
            Some(call_of(answer)),
            None,
        );
    }

    /// Passed by another step's answer.
    pub(crate) fn pass_silently<T>(&self, name: StepName, timed: &Timed<T>) {
        self.put(name, StepStatus::Passed, timed.duration_ms, None, None);
    }

    /// Passed because AWS refused, as it should.
    pub(crate) fn pass_by_refusal<T>(
        &self,
        name: StepName,
        timed: &Timed<T>,
        refusal: &AwsFailure,
    ) {
        let call = Some(call_of_failure(refusal));
        self.put(name, StepStatus::Passed, timed.duration_ms, call, None);
    }

    pub(crate) fn warn<T>(&self, name: StepName, timed: &Timed<T>, call: &AwsCall, why: Finding) {
        let call = Some(call.clone());
        self.put(
            name,
            StepStatus::Warning,
            timed.duration_ms,
            call,
            Some(why),
        );
    }

    pub(crate) fn fail<T>(
        &self,
        name: StepName,
        timed: &Timed<T>,
        failure: &AwsFailure,
        why: Finding,
    ) {
        log(name, failure);
        let call = Some(call_of_failure(failure));
        self.put(name, StepStatus::Failed, timed.duration_ms, call, Some(why));
    }

    pub(crate) fn fail_with(&self, name: StepName, failure: &AwsFailure, why: Finding) {
        let at_once = Timed {
            value: (),
            duration_ms: 0,
        };
        self.fail(name, &at_once, failure, why);
    }

    /// Failed although AWS did what was asked: it should have refused, or allowed more.
    pub(crate) fn fail_although_answered<T, V>(
        &self,
        name: StepName,
        timed: &Timed<T>,
        answer: &Answered<V>,
        why: Finding,
    ) {
        let call = Some(call_of(answer));
        self.put(name, StepStatus::Failed, timed.duration_ms, call, Some(why));
    }

    pub(crate) fn skip(&self, name: StepName, because: &str) {
        self.add(Step {
            name,
            status: StepStatus::Skipped,
            duration_ms: 0,
            aws: None,
            problem: None,
            skipped_because: Some(because.to_owned()),
        });
    }

    /// Skips every step that has no result yet.
    pub(crate) fn skip_rest(&self, because: &str) {
        for name in StepName::ALL {
            self.skip(*name, because);
        }
    }

    /// The whole report, and the causes of the steps that failed.
    pub(crate) fn finish(&self) -> (Steps, Vec<Cause>) {
        self.skip_rest("The step was not reached.");
        let recorded = std::mem::take(&mut *self.recorded());
        // `add` keeps each name once and the line above adds what was missing.
        let steps = Steps::try_from(recorded.steps)
            .unwrap_or_else(|_| unreachable!("each step is recorded once"));
        (steps, recorded.causes)
    }

    fn put(
        &self,
        name: StepName,
        status: StepStatus,
        duration_ms: u64,
        aws: Option<AwsCall>,
        why: Option<Finding>,
    ) {
        let cause = why.as_ref().map(|finding| finding.cause.clone());
        let added = self.add(Step {
            name,
            status,
            duration_ms,
            aws,
            problem: why.map(|finding| finding.problem),
            skipped_because: None,
        });
        if added && status == StepStatus::Failed {
            self.recorded().causes.extend(cause);
        }
    }

    /// False when the step has a result already.
    fn add(&self, step: Step) -> bool {
        let mut recorded = self.recorded();
        if recorded.steps.iter().any(|known| known.name == step.name) {
            return false;
        }
        if let Some(listener) = &self.listener {
            let _ = listener.send(step.clone());
        }
        recorded.steps.push(step);
        true
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

fn call(
    operation: &str,
    http_status: Option<u16>,
    error_code: Option<&str>,
    request_id: Option<&str>,
) -> AwsCall {
    AwsCall {
        operation: operation.to_owned(),
        http_status,
        error_code: error_code.map(str::to_owned),
        request_id: request_id.map(str::to_owned),
    }
}

pub(crate) fn call_of<T>(answer: &Answered<T>) -> AwsCall {
    call(
        answer.operation,
        answer.http_status,
        None,
        answer.request_id.as_deref(),
    )
}

pub(crate) fn call_of_failure(failure: &AwsFailure) -> AwsCall {
    call(
        failure.operation,
        failure.http_status,
        failure.error_code.as_deref(),
        failure.request_id.as_deref(),
    )
}

/// AWS's own text goes to the operator's log and nowhere else.
fn log(name: StepName, failure: &AwsFailure) {
    tracing::info!(
        step = name.as_str(),
        operation = failure.operation,
        kind = ?failure.kind,
        http_status = failure.http_status,
        error_code = failure.error_code,
        aws_request_id = failure.request_id,
        message = failure.message,
        "a step of a connection check failed"
    );
}
