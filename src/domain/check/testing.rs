//! Reports for tests.

use crate::domain::cause::entry::Bearing;
use crate::domain::check::problem::StepProblem;
use crate::domain::check::{CheckReport, Step, StepName, StepStatus, Steps};
use crate::domain::ids::CheckId;
use time::OffsetDateTime;

/// A report in which every step passed.
pub fn report(started_at: OffsetDateTime) -> CheckReport {
    let steps: Vec<Step> = StepName::ALL
        .iter()
        .map(|name| Step {
            name: *name,
            status: StepStatus::Passed,
            duration_ms: 1,
            aws: None,
            problem: None,
            skipped_because: None,
            listed_files: None,
        })
        .collect();
    CheckReport {
        id: CheckId::generate(),
        target: "sto_1".to_owned(),
        revision: 1,
        started_at,
        duration_ms: 1,
        region: None,
        steps: Steps::try_from(steps).unwrap(),
        attempts: 1,
    }
}

/// The same with another result of a step.
pub fn with(
    report: CheckReport,
    step: StepName,
    status: StepStatus,
    code: &str,
    bearing: Bearing,
) -> CheckReport {
    let mut problem = StepProblem::with(code, bearing);
    problem.title = format!("Words of {code}");
    edit(report, step, |step| {
        step.status = status;
        step.problem = Some(problem);
    })
}

/// The same with a step changed.
pub fn edit(
    mut report: CheckReport,
    name: StepName,
    change: impl FnOnce(&mut Step),
) -> CheckReport {
    let mut steps = Vec::from(report.steps);
    if let Some(step) = steps.iter_mut().find(|step| step.name == name) {
        change(step);
    }
    report.steps = Steps::try_from(steps).unwrap();
    report
}
