//! A check's report on a page: the same on setups and storages.

use crate::domain::check::{CheckReport, Outcome, Step, StepName, StepStatus};
use crate::domain::ids::SetupId;
use crate::http::pages::setups::problem::{AnswerView, ProblemView};
use crate::http::pages::setups::setting_words::Apply;
use crate::http::pages::setups::wait::WaitView;
use crate::http::pages::shell::filters;
use crate::http::pages::shell::moment::Moment;
use askama::Template;
use std::collections::BTreeMap;

/// The steps and their results. Those that ask a role are left out where the connection has none.
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
    /// Of those, the ones that no other step's problem explains.
    pub reasons: usize,
    /// What is wrong, where one problem explains all that failed.
    pub problem: Option<String>,
    /// How many steps are shown.
    pub shown: usize,
    /// How many steps were tried, and how many of them passed or warn.
    pub tried: usize,
    pub warned: usize,
}

/// One step.
pub struct StepView {
    pub name: &'static str,
    pub title: &'static str,
    pub kind: &'static str,
    pub word: &'static str,
    pub took: Option<String>,
    pub problem: Option<ProblemView>,
    /// The step whose problem explains this one. Then `problem` is not shown again.
    pub explained_by: Option<ExplainedBy>,
    pub skipped_because: Option<String>,
    /// The answers that it was decided by, where it did not pass.
    pub answers: Vec<AnswerView>,
    /// Whether it did not pass while the check still runs, so that its cause is not known yet.
    pub waits_for_cause: bool,
}

/// Where the problem of a step is told.
#[derive(Clone)]
pub struct ExplainedBy {
    pub step: &'static str,
    pub title: String,
}

/// Which steps are explained by another one's problem, as far as is known.
#[derive(Default)]
pub struct Explained(BTreeMap<StepName, ExplainedBy>);

impl Explained {
    /// Takes what a step says of others. One without a problem is tried again, and nothing explains it yet.
    pub fn note(&mut self, step: &Step) {
        let Some(problem) = &step.problem else {
            self.0.remove(&step.name);
            return;
        };
        let by = ExplainedBy {
            step: step.name.as_str(),
            title: problem.title.clone(),
        };
        for other in &problem.also_explains {
            self.0.insert(*other, by.clone());
        }
    }

    fn of(report: &CheckReport) -> Self {
        let mut explained = Self::default();
        report
            .steps
            .as_slice()
            .iter()
            .for_each(|step| explained.note(step));
        explained
    }

    fn by(&self, name: StepName) -> Option<&ExplainedBy> {
        self.0.get(&name)
    }
}

impl ReportView {
    /// Before the first check. `has_role`: the connection signs in by a role.
    pub fn waiting(has_role: bool) -> Self {
        Self {
            steps: StepName::ALL
                .iter()
                .copied()
                .filter(|step| step.asked().is_for(has_role))
                .map(StepView::waiting)
                .collect(),
            summary: None,
        }
    }

    /// With `apply`, a better value of a setting can be taken over.
    pub fn of(report: &CheckReport, apply: Option<&Apply>) -> Self {
        let explained = Explained::of(report);
        Self {
            steps: shown(report)
                .map(|step| StepView::of(step, &explained, apply))
                .collect(),
            summary: Some(report.into()),
        }
    }
}

/// The steps of a report that are shown. A connection by a role has always tried to assume it.
fn shown(report: &CheckReport) -> impl Iterator<Item = &Step> {
    let has_role = report.steps.get(StepName::AssumeRole).status != StepStatus::Skipped;
    let steps = report.steps.as_slice().iter();
    steps.filter(move |step| step.name.asked().is_for(has_role))
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
        let explained = Explained::of(report);
        let failed = || {
            let steps = report.steps.as_slice().iter();
            steps.filter(|step| step.status == StepStatus::Failed)
        };
        let count = |status| {
            let steps = report.steps.as_slice().iter();
            steps.filter(|step| step.status == status).count()
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
            problem: {
                let mut told = failed()
                    .filter(|step| explained.by(step.name).is_none())
                    .filter_map(|step| step.problem.as_ref());
                match (told.next(), told.next()) {
                    (Some(problem), None) => Some(problem.title.trim_end_matches('.').to_owned()),
                    _ => None,
                }
            },
            shown: shown(report).count(),
            tried: count(StepStatus::Passed)
                + count(StepStatus::Warning)
                + count(StepStatus::Failed),
            warned: count(StepStatus::Warning),
            failed: failed().map(|step| step.name.title()).collect(),
            reasons: failed()
                .filter(|step| explained.by(step.name).is_none())
                .count(),
        }
    }
}

impl Summary {
    /// The verdict, for a head.
    pub fn verdict(&self) -> &str {
        match (self.kind, &self.problem) {
            ("bad", Some(problem)) => problem,
            ("bad", None) => "The connection does not work",
            ("warn", _) => "Connected, with a warning",
            _ => "Connected",
        }
    }

    /// How many checks did what: `2 of 10 checks failed`.
    pub fn counted(&self) -> String {
        let tried = self.tried;
        match (self.failed.len(), self.warned) {
            (0, 0) => format!("All {tried} checks passed"),
            (0, 1) => format!("{} of {tried} checks passed, one has a warning", tried - 1),
            (0, warned) => format!(
                "{} of {tried} checks passed, {warned} have warnings",
                tried - warned
            ),
            (failed, _) => format!("{failed} of {} checks failed", self.shown),
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
            explained_by: None,
            skipped_because: None,
            answers: Vec::new(),
            waits_for_cause: false,
        }
    }

    fn of(step: &Step, explained: &Explained, apply: Option<&Apply>) -> Self {
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
            problem: step
                .problem
                .as_ref()
                .map(|problem| ProblemView::of(problem, apply)),
            explained_by: explained.by(step.name).cloned(),
            skipped_because: step.skipped_because.clone(),
            answers: AnswerView::all(step),
            ..Self::waiting(step.name)
        }
    }

    /// A step of a check that still runs.
    pub fn of_running(step: &Step, explained: &Explained, apply: Option<&Apply>) -> Self {
        let mut view = Self::of(step, explained, apply);
        view.waits_for_cause = view.needs_attention() && view.problem.is_none();
        view
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
    /// Where the check is sent to, on a page whose card has the verdict in its head.
    pub check_action: Option<String>,
}

/// The end of a check: what it said, and what is possible now.
pub struct OutcomeView {
    pub summary: Option<Summary>,
    /// Whether it is of the present settings.
    pub is_current: bool,
    /// Settings without which there is nothing to check, with the steps that they are on.
    pub missing: Vec<(&'static str, &'static str)>,
    /// `None` for a storage, which is one already, and for whoever may not add one.
    pub add: Option<Add>,
    /// Whether it is shown to the customer's administrator, who has a link.
    pub is_of_link: bool,
    /// Whether the connection signs in by a role.
    pub has_role: bool,
    /// The role that the page waits for, before its first check.
    pub waiting: Option<WaitView>,
    pub csrf: String,
}

impl OutcomeView {
    /// The summary of a check of the present settings.
    pub fn current(&self) -> Option<&Summary> {
        self.summary.as_ref().filter(|_| self.is_current)
    }

    /// Whether it has passed for the present settings.
    pub fn has_passed(&self) -> bool {
        self.current().is_some_and(|summary| summary.kind != "bad")
    }
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
