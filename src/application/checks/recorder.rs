//! Collects the steps, each exactly once, and sends each to a listener as it finishes.

use crate::application::bucket::probe::Answered;
use crate::application::diagnosis::evidence::Gathered;
use crate::application::diagnosis::fault::{Fault, What};
use crate::application::diagnosis::subject::Subject;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::cause::Cause;
use crate::domain::check::problem::Evidence;
use crate::domain::check::{AwsCall, Step, StepName, StepStatus, Steps};
use crate::domain::connection::region::Region;
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
    /// What the diagnosis reads.
    gathered: Gathered,
    /// The Region that the store wanted calls to be signed for, where it refused another.
    signing_region: Option<Region>,
    /// How many files the listing had.
    listed_files: Option<u64>,
}

/// A whole report, and what was found.
pub struct Diagnosed {
    pub steps: Steps,
    /// The causes of the steps that failed, in the order of the report.
    pub causes: Vec<Cause>,
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

    pub(crate) fn warn<T>(&self, name: StepName, timed: &Timed<T>, seen: Seen, what: What) {
        self.put(
            name,
            StepStatus::Warning,
            timed.duration_ms,
            Some(seen.call()),
            Some((what, vec![seen.evidence])),
        );
    }

    pub(crate) fn fail<T>(
        &self,
        name: StepName,
        timed: &Timed<T>,
        failure: &AwsFailure,
        what: What,
    ) {
        log(name, failure);
        let seen = Seen::of(failure);
        self.put(
            name,
            StepStatus::Failed,
            timed.duration_ms,
            Some(seen.call()),
            Some((what, vec![seen.evidence])),
        );
    }

    pub(crate) fn fail_with(&self, name: StepName, failure: &AwsFailure, what: What) {
        let at_once = Timed {
            value: (),
            duration_ms: 0,
        };
        self.fail(name, &at_once, failure, what);
    }

    /// Failed although AWS did what was asked: it should have refused, or allowed more.
    pub(crate) fn fail_although_answered<T, V>(
        &self,
        name: StepName,
        timed: &Timed<T>,
        answer: &Answered<V>,
        what: What,
    ) {
        let seen = Seen::answered(answer);
        self.put(
            name,
            StepStatus::Failed,
            timed.duration_ms,
            Some(seen.call()),
            Some((what, vec![seen.evidence])),
        );
    }

    pub(crate) fn skip(&self, name: StepName, because: &str) {
        self.add(Step {
            name,
            status: StepStatus::Skipped,
            duration_ms: 0,
            aws: None,
            problem: None,
            skipped_because: Some(because.to_owned()),
            listed_files: None,
        });
    }

    /// Skips every step that has no result yet.
    pub(crate) fn skip_rest(&self, because: &str) {
        for name in StepName::ALL {
            self.skip(*name, because);
        }
    }

    /// What was gathered so far.
    pub(crate) fn gathered(&self) -> Gathered {
        self.recorded().gathered.clone()
    }

    /// The whole report: what was gathered is diagnosed, and each problem goes to its step. The listener gets the
    /// steps with problems once more.
    pub(crate) fn finish(&self, subject: &Subject<'_>, gathered: &Gathered) -> Diagnosed {
        self.skip_rest("The step was not reached.");
        let mut recorded = std::mem::take(&mut *self.recorded());
        let mut causes = Vec::new();
        for finding in subject.diagnose(gathered) {
            let mut has_failed = false;
            let problem = subject.problem(&finding);
            for (place, (name, evidence)) in finding.steps.iter().enumerate() {
                let step = recorded.steps.iter_mut().find(|step| step.name == *name);
                if let Some(step) = step {
                    has_failed |= step.status == StepStatus::Failed;
                    step.problem = Some(match place {
                        0 => problem.clone(),
                        _ => subject.also_problem(&problem, evidence),
                    });
                    if let Some(listener) = &self.listener {
                        let _ = listener.send(step.clone());
                    }
                }
            }
            if has_failed {
                causes.push(finding.cause);
            }
        }
        // `add` keeps each name once and the line above adds what was missing.
        let steps = Steps::try_from(recorded.steps)
            .unwrap_or_else(|_| unreachable!("each step is recorded once"));
        Diagnosed { steps, causes }
    }

    fn put(
        &self,
        name: StepName,
        status: StepStatus,
        duration_ms: u64,
        aws: Option<AwsCall>,
        fault: Option<(What, Vec<Evidence>)>,
    ) {
        let listed_files = self.recorded().listed_files;
        let listed_files = listed_files.filter(|_| name == StepName::ListBucket);
        let added = self.add(Step {
            name,
            status,
            duration_ms,
            aws,
            problem: None,
            skipped_because: None,
            listed_files,
        });
        if !added {
            return;
        }
        let gathered = &mut self.recorded().gathered;
        match fault {
            Some((what, evidence)) => gathered.faults.push(Fault {
                step: name,
                status,
                what,
                evidence,
            }),
            None => {
                gathered.passed.insert(name);
            }
        }
    }

    /// An action that was denied, and that the connection works without.
    pub(crate) fn lacks_optional(&self, action: &'static str, failure: &AwsFailure) {
        let optional = &mut self.recorded().gathered.optional;
        optional.push((action, failure.clone()));
    }

    /// The store refused another Region, and takes calls that are signed for this one.
    pub(crate) fn signs_for(&self, region: Region) {
        self.recorded().signing_region = Some(region);
    }

    pub(crate) fn signing_region(&self) -> Option<Region> {
        self.recorded().signing_region
    }

    /// The key of the listed file that is read.
    pub(crate) fn reads_listed(&self, key: &str) {
        self.recorded().gathered.listed_key = Some(key.to_owned());
    }

    /// How many files the listing had. Noted before the step of the listing is recorded.
    pub(crate) fn lists(&self, files: u64) {
        self.recorded().listed_files = Some(files);
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

/// An answer that a step was decided by.
pub(crate) struct Seen {
    evidence: Evidence,
}

impl Seen {
    pub fn of(failure: &AwsFailure) -> Self {
        Self {
            evidence: Evidence::of(failure),
        }
    }

    pub fn answered<T>(answer: &Answered<T>) -> Self {
        Self {
            evidence: Evidence::of_call(call_of(answer)),
        }
    }

    fn call(&self) -> AwsCall {
        self.evidence.call.clone()
    }
}

fn call_of<T>(answer: &Answered<T>) -> AwsCall {
    AwsCall {
        operation: answer.operation.to_owned(),
        http_status: answer.http_status,
        error_code: None,
        request_id: answer.request_id.clone(),
    }
}

fn call_of_failure(failure: &AwsFailure) -> AwsCall {
    Evidence::of(failure).call
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
