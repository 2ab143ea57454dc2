//! A check's report on a page: the same on setups and storages.

use crate::domain::check::{CheckReport, Outcome, Step, StepName, StepStatus};
use crate::domain::ids::SetupId;
use crate::http::pages::shell::moment::Moment;
use askama::Template;

/// The steps and their results.
pub struct ReportView {
    pub steps: Vec<StepView>,
    /// `None` before the first check.
    pub summary: Option<Summary>,
}

/// What a whole check said.
pub struct Summary {
    pub kind: &'static str,
    pub word: &'static str,
    pub title: &'static str,
    /// What the IDs of its steps begin with, where several reports are on a page.
    pub prefix: String,
    pub at: Moment,
    pub took: String,
    pub region: Option<String>,
    pub attempts: u32,
    /// Whether it was made before there was a storage.
    pub is_of_setup: bool,
    /// Titles of the steps that failed.
    pub failed: Vec<&'static str>,
}

/// One step.
pub struct StepView {
    pub name: &'static str,
    pub title: &'static str,
    pub kind: &'static str,
    pub word: &'static str,
    pub took: Option<String>,
    pub problem: Option<ProblemView>,
    pub skipped_because: Option<String>,
    pub call: Option<CallView>,
}

pub struct ProblemView {
    pub title: String,
    pub explanation: String,
    pub remedy: String,
    pub missing: Vec<(String, String)>,
    /// What to paste, as indented JSON.
    pub patch: Option<String>,
}

pub struct CallView {
    pub operation: String,
    pub error_code: Option<String>,
    pub request_id: Option<String>,
}

impl ReportView {
    pub fn waiting() -> Self {
        Self {
            steps: StepName::ALL
                .iter()
                .copied()
                .map(StepView::waiting)
                .collect(),
            summary: None,
        }
    }

    pub fn of(report: Option<&CheckReport>) -> Self {
        match report {
            Some(report) => Self {
                steps: report.steps.as_slice().iter().map(StepView::from).collect(),
                summary: Some(report.into()),
            },
            None => Self::waiting(),
        }
    }
}

impl From<&CheckReport> for Summary {
    fn from(report: &CheckReport) -> Self {
        let (kind, word, title) = match report.outcome() {
            Outcome::Passed => ("good", "Passed", "The connection works."),
            Outcome::PassedWithWarnings => {
                ("warn", "Warning", "The connection works, with a warning.")
            }
            Outcome::Failed => ("bad", "Failed", "The connection does not work."),
        };
        Self {
            kind,
            word,
            title,
            prefix: format!("{}-", report.id),
            at: Moment(report.started_at),
            took: took(report.duration_ms),
            region: report.region.map(|region| region.to_string()),
            attempts: report.attempts,
            is_of_setup: report.target.starts_with(SetupId::PREFIX),
            failed: report
                .steps
                .as_slice()
                .iter()
                .filter(|step| step.status == StepStatus::Failed)
                .map(|step| step.name.title())
                .collect(),
        }
    }
}

impl StepView {
    /// Whether it failed or warns.
    pub fn needs_attention(&self) -> bool {
        matches!(self.kind, "bad" | "warn")
    }

    fn waiting(name: StepName) -> Self {
        Self {
            name: name.as_str(),
            title: name.title(),
            kind: "none",
            word: "Waiting",
            took: None,
            problem: None,
            skipped_because: None,
            call: None,
        }
    }
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        let (kind, word) = match step.status {
            StepStatus::Passed => ("good", "Passed"),
            StepStatus::Failed => ("bad", "Failed"),
            StepStatus::Warning => ("warn", "Warning"),
            StepStatus::Skipped => ("none", "Skipped"),
        };
        Self {
            kind,
            word,
            took: (step.status != StepStatus::Skipped).then(|| took(step.duration_ms)),
            problem: step.problem.as_ref().map(|problem| ProblemView {
                title: problem.title.clone(),
                explanation: problem.explanation.clone(),
                remedy: problem.remedy.clone(),
                missing: problem
                    .missing
                    .iter()
                    .map(|m| (m.action.clone(), m.resource.clone()))
                    .collect(),
                patch: problem
                    .patch
                    .as_ref()
                    .and_then(|patch| serde_json::to_string_pretty(&patch.document).ok()),
            }),
            skipped_because: step.skipped_because.clone(),
            call: step.aws.as_ref().map(|call| CallView {
                operation: call.operation.clone(),
                error_code: call.error_code.clone(),
                request_id: call.request_id.clone(),
            }),
            ..Self::waiting(step.name)
        }
    }
}

/// One step alone, as it is sent while the check runs.
#[derive(Template)]
#[template(path = "pages/setup/step_event.html")]
pub struct StepEvent {
    pub step: StepView,
}

/// What can be done after a check.
#[derive(Template)]
#[template(path = "pages/setup/outcome_event.html")]
pub struct OutcomeEvent {
    pub outcome: OutcomeView,
}

/// The end of a check: what it said, and what is possible now.
pub struct OutcomeView {
    pub summary: Option<Summary>,
    /// Whether it is of the present settings.
    pub is_current: bool,
    /// Settings without which there is nothing to check, with the steps that they are on.
    pub missing: Vec<(&'static str, &'static str)>,
    /// `None` for a storage, which is one already.
    pub add: Option<Add>,
    pub csrf: String,
}

/// How a setup becomes a storage.
pub struct Add {
    pub setup: String,
    pub can_add: bool,
    /// The check has passed for these settings, and too long ago.
    pub is_stale: bool,
    /// Whether browsers will use the bucket, so that trying it from this one says something.
    pub offers_probe: bool,
    /// Whether this page may talk to the bucket: the probe in the browser starts at once.
    pub probe_now: bool,
}

fn took(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}
