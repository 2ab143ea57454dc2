//! The connection check: a report of steps, each exactly once, in a fixed order.

pub mod change;
pub mod patch;
pub mod problem;
mod step;
#[cfg(test)]
pub mod testing;

pub use step::{AwsCall, StepName, StepStatus};

use crate::domain::Invalid;
use crate::domain::cause::entry::{Bearing, Certainty, Side};
use crate::domain::check::problem::StepProblem;
use crate::domain::connection::region::Region;
use crate::domain::ids::CheckId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A step's result. Serialised as it is stored and as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub name: StepName,
    pub status: StepStatus,
    pub duration_ms: u64,
    /// The call that decided the step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aws: Option<AwsCall>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<StepProblem>,
    /// Why the step was not made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skipped_because: Option<String>,
    /// How many files the step's listing had: at least so many are below the prefix. Only where the step lists
    /// files, and could.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub listed_files: Option<u64>,
}

/// What a whole check means for what was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Works,
    /// Works, with a warning.
    WorksWithWarnings,
    /// The files can be used, and browsers cannot use the bucket as they were to.
    WorksInPart,
    /// The role lets others in: the code of the problem.
    OpenToOthers(String),
    /// The role does not let us in.
    RefusesUs,
    /// It does not work, for another reason.
    Broken,
    /// The check could not find out, and the next one will not either.
    Undecided,
    /// The service's own side failed, as where its credentials are refused. It says nothing about the connection,
    /// and nobody but the operator can change it.
    OwnSide,
    /// The check proved nothing: only faults that pass.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    PassedWithWarnings,
    Failed,
}

impl Outcome {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "passed" => Ok(Self::Passed),
            "passed_with_warnings" => Ok(Self::PassedWithWarnings),
            "failed" => Ok(Self::Failed),
            _ => Err(Invalid::new("unknown_outcome", "Not an outcome.")),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::PassedWithWarnings => "passed_with_warnings",
            Self::Failed => "failed",
        }
    }

    /// Whether the connection may be used.
    pub fn is_pass(self) -> bool {
        self != Self::Failed
    }
}

/// The steps of one check. Invariant: each name once, in the order of [`StepName::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredSteps", into = "Vec<Step>")]
pub struct Steps(Vec<Step>);

impl Steps {
    pub fn as_slice(&self) -> &[Step] {
        &self.0
    }

    pub fn get(&self, name: StepName) -> &Step {
        // The constructor has put every step at the place of its name.
        &self.0[name as usize]
    }

    /// Failed if any step failed; with warnings if any warns.
    pub fn outcome(&self) -> Outcome {
        let has = |status| self.0.iter().any(|step| step.status == status);
        if has(StepStatus::Failed) {
            Outcome::Failed
        } else if has(StepStatus::Warning) {
            Outcome::PassedWithWarnings
        } else {
            Outcome::Passed
        }
    }
}

/// The steps of a stored report, which may be older than some of the steps of today.
#[derive(Deserialize)]
struct StoredSteps(Vec<Step>);

impl TryFrom<StoredSteps> for Steps {
    type Error = Invalid;

    fn try_from(StoredSteps(mut steps): StoredSteps) -> Result<Self, Invalid> {
        if steps.is_empty() {
            // No report was ever without steps: this one is damaged.
            return Self::try_from(steps);
        }
        for name in StepName::ALL {
            if !steps.iter().any(|step| step.name == *name) {
                steps.push(Step {
                    name: *name,
                    status: StepStatus::Skipped,
                    duration_ms: 0,
                    aws: None,
                    problem: None,
                    skipped_because: Some("This check is older than the step.".to_owned()),
                    listed_files: None,
                });
            }
        }
        Self::try_from(steps)
    }
}

impl TryFrom<Vec<Step>> for Steps {
    type Error = Invalid;

    fn try_from(mut steps: Vec<Step>) -> Result<Self, Invalid> {
        steps.sort_by_key(|step| step.name);
        if steps
            .iter()
            .map(|step| step.name)
            .eq(StepName::ALL.iter().copied())
        {
            Ok(Self(steps))
        } else {
            Err(Invalid::new(
                "incomplete_report",
                "A check report has every step exactly once.",
            ))
        }
    }
}

impl From<Steps> for Vec<Step> {
    fn from(steps: Steps) -> Self {
        steps.0
    }
}

/// A finished check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    pub id: CheckId,
    /// The ID of the setup or the storage that was checked.
    pub target: String,
    /// The target's revision that was checked.
    pub revision: i64,
    pub started_at: OffsetDateTime,
    pub duration_ms: u64,
    /// The bucket's Region, where S3 said so.
    pub region: Option<Region>,
    pub steps: Steps,
    /// How often the steps were tried before the time to wait was up; the report is the last try's.
    pub attempts: u32,
}

impl CheckReport {
    pub fn outcome(&self) -> Outcome {
        self.steps.outcome()
    }

    /// When the check ended.
    pub fn ended_at(&self) -> OffsetDateTime {
        let took = i64::try_from(self.duration_ms).unwrap_or(i64::MAX);
        self.started_at
            .saturating_add(time::Duration::milliseconds(took))
    }

    /// The worst finding decides.
    pub fn verdict(&self) -> Verdict {
        let Some((weight, step)) = self.deciding() else {
            return Verdict::Works;
        };
        match weight {
            Weight::OpenToOthers => {
                let problem = step.problem.as_ref();
                let code = problem.map(|problem| problem.code.clone());
                Verdict::OpenToOthers(code.unwrap_or_default())
            }
            Weight::RefusesUs => Verdict::RefusesUs,
            Weight::Broken => Verdict::Broken,
            Weight::Undecided => Verdict::Undecided,
            Weight::OwnSide => Verdict::OwnSide,
            Weight::Passing => Verdict::Nothing,
            Weight::InPart => Verdict::WorksInPart,
            Weight::Warning => Verdict::WorksWithWarnings,
            Weight::Harmless => Verdict::Works,
        }
    }

    /// The code of the problem that decided the verdict; `None` where nothing is wrong.
    pub fn problem_code(&self) -> Option<&str> {
        match self.deciding()? {
            (Weight::Harmless, _) => None,
            (
                Weight::OpenToOthers
                | Weight::RefusesUs
                | Weight::Broken
                | Weight::Undecided
                | Weight::OwnSide
                | Weight::Passing
                | Weight::InPart
                | Weight::Warning,
                step,
            ) => step.problem.as_ref().map(|problem| problem.code.as_str()),
        }
    }

    /// The step that decides: the first of those that weigh most.
    fn deciding(&self) -> Option<(Weight, &Step)> {
        let steps = self.steps.as_slice().iter();
        steps
            .filter_map(|step| Some((step.weight()?, step)))
            .min_by_key(|(weight, _)| *weight)
    }
}

/// What a step says of the connection, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    OpenToOthers,
    RefusesUs,
    Broken,
    /// It could not be found out.
    Undecided,
    /// The service itself could not ask, or its own side refused. Nothing less can be said of the whole.
    OwnSide,
    /// A fault that passes. Whether this step works is not known, so nothing less can be said of the whole.
    Passing,
    /// Browsers cannot use the bucket; the service can.
    InPart,
    Warning,
    Harmless,
}

impl Step {
    /// Whether the service's own side made it fail: its credentials, its clock, a policy of its account. A reason that
    /// this service does not know is the operator's to look at, and may be anybody's.
    fn is_of_own_side(&self) -> bool {
        self.problem.as_ref().is_some_and(|problem| {
            let is_own = problem.side == Some(Side::Service);
            is_own
                && match problem.bearing {
                    Bearing::Undecided | Bearing::Passing => true,
                    Bearing::Definite => problem.certainty != Some(Certainty::OneOf),
                    Bearing::OpenToOthers | Bearing::RefusesUs | Bearing::Harmless => false,
                }
        })
    }

    /// `None`: nothing is wrong with it.
    fn weight(&self) -> Option<Weight> {
        let problem = self.problem.as_ref();
        let bearing = problem.map(|problem| problem.bearing).unwrap_or_default();
        match (self.status, bearing) {
            (StepStatus::Passed | StepStatus::Skipped, _) => None,
            (StepStatus::Warning, Bearing::Harmless) => Some(Weight::Harmless),
            (
                StepStatus::Warning,
                Bearing::Definite
                | Bearing::OpenToOthers
                | Bearing::RefusesUs
                | Bearing::Passing
                | Bearing::Undecided,
            ) => Some(Weight::Warning),
            (StepStatus::Failed, _) if self.is_of_own_side() => Some(Weight::OwnSide),
            (StepStatus::Failed, Bearing::OpenToOthers) => Some(Weight::OpenToOthers),
            (StepStatus::Failed, Bearing::RefusesUs) => Some(Weight::RefusesUs),
            (StepStatus::Failed, Bearing::Undecided) => Some(Weight::Undecided),
            (StepStatus::Failed, Bearing::Passing | Bearing::Harmless) => Some(Weight::Passing),
            // By the step and not by a bearing of its own, so that reports of every release count alike.
            (StepStatus::Failed, Bearing::Definite) => Some(match self.name {
                StepName::Cors => Weight::InPart,
                StepName::AssumeRole
                | StepName::RefusesMissingExternalId
                | StepName::RefusesWrongExternalId
                | StepName::GetBucketLocation
                | StepName::BucketOwner
                | StepName::ListBucket
                | StepName::GetObject
                | StepName::PutObject
                | StepName::DeleteObject => Weight::Broken,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: StepName, status: StepStatus) -> Step {
        Step {
            name,
            status,
            duration_ms: 1,
            aws: None,
            problem: None,
            skipped_because: None,
            listed_files: None,
        }
    }

    #[test]
    fn every_step_once_and_in_order() {
        let all: Vec<Step> = StepName::ALL
            .iter()
            .rev()
            .map(|name| step(*name, StepStatus::Passed))
            .collect();
        let steps = Steps::try_from(all.clone()).unwrap();
        assert!(
            steps
                .as_slice()
                .iter()
                .map(|s| s.name)
                .eq(StepName::ALL.iter().copied())
        );
        for name in StepName::ALL {
            assert_eq!(steps.get(*name).name, *name);
        }
        assert!(Steps::try_from(all[1..].to_vec()).is_err());
        let mut twice = all;
        twice.push(step(StepName::Cors, StepStatus::Passed));
        assert!(Steps::try_from(twice).is_err());
    }

    #[test]
    fn one_failure_decides_and_a_warning_shows() {
        let outcome = |odd: StepStatus| {
            let steps: Vec<Step> = StepName::ALL
                .iter()
                .map(|name| {
                    step(
                        *name,
                        if *name == StepName::Cors {
                            odd
                        } else {
                            StepStatus::Passed
                        },
                    )
                })
                .collect();
            Steps::try_from(steps).unwrap().outcome()
        };
        assert_eq!(outcome(StepStatus::Passed), Outcome::Passed);
        assert_eq!(outcome(StepStatus::Skipped), Outcome::Passed);
        assert_eq!(outcome(StepStatus::Warning), Outcome::PassedWithWarnings);
        assert_eq!(outcome(StepStatus::Failed), Outcome::Failed);
    }

    /// A report whose first steps failed with these bearings.
    fn failed(bearings: &[Bearing]) -> CheckReport {
        let mut steps: Vec<Step> = StepName::ALL
            .iter()
            .map(|name| step(*name, StepStatus::Passed))
            .collect();
        for (at, bearing) in bearings.iter().enumerate() {
            steps[at].status = StepStatus::Failed;
            steps[at].problem = Some(StepProblem::with(&format!("code_{at}"), *bearing));
        }
        CheckReport {
            id: CheckId::generate(),
            target: String::new(),
            revision: 1,
            started_at: OffsetDateTime::UNIX_EPOCH,
            duration_ms: 1_500,
            region: None,
            steps: Steps::try_from(steps).unwrap(),
            attempts: 1,
        }
    }

    #[test]
    fn only_definite_findings_break_and_the_worst_decides() {
        use Bearing::{Definite, OpenToOthers, Passing, RefusesUs, Undecided};
        for (bearings, verdict) in [
            (&[][..], Verdict::Works),
            (&[Passing], Verdict::Nothing),
            (&[Passing, Undecided], Verdict::Undecided),
            (&[Undecided, Passing, Definite], Verdict::Broken),
            (&[Definite, RefusesUs], Verdict::RefusesUs),
            (
                &[RefusesUs, Passing, OpenToOthers],
                Verdict::OpenToOthers("code_2".into()),
            ),
        ] {
            assert_eq!(failed(bearings).verdict(), verdict, "{bearings:?}");
        }
        let report = failed(&[Passing, Definite, Definite]);
        assert_eq!(report.problem_code(), Some("code_1"));
        assert_eq!(failed(&[]).problem_code(), None);
        let end = OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(1_500);
        assert_eq!(report.ended_at(), end);
    }

    #[test]
    fn what_the_services_own_side_lacks_says_nothing_of_the_connection() {
        let own = |mut report: CheckReport, at: usize, certainty| {
            let mut steps = Vec::from(report.steps);
            let problem = steps[at].problem.as_mut().unwrap();
            (problem.side, problem.certainty) = (Some(Side::Service), Some(certainty));
            report.steps = Steps::try_from(steps).unwrap();
            report
        };
        use Bearing::{Definite, OpenToOthers, Passing, Undecided};
        let proved = Certainty::Proved;
        for (bearings, certainty, verdict) in [
            (&[Undecided][..], proved, Verdict::OwnSide),
            (&[Undecided, Passing], proved, Verdict::OwnSide),
            (&[Definite], proved, Verdict::OwnSide),
            // It may be anybody's.
            (&[Definite], Certainty::OneOf, Verdict::Broken),
            // Something definite of the customer's side beside it.
            (&[Undecided, Definite], proved, Verdict::Broken),
            (
                &[Undecided, OpenToOthers],
                proved,
                Verdict::OpenToOthers("code_1".into()),
            ),
        ] {
            let report = own(failed(bearings), 0, certainty);
            assert_eq!(report.verdict(), verdict, "{bearings:?}");
        }
        let report = own(failed(&[Undecided]), 0, proved);
        assert_eq!(report.problem_code(), Some("code_0"));
    }

    #[test]
    fn what_browsers_lack_never_breaks_and_never_hides_another_cause() {
        use StepStatus::{Failed, Warning};
        let now = OffsetDateTime::UNIX_EPOCH;
        let cors = |report| {
            testing::with(
                report,
                StepName::Cors,
                Failed,
                "cors_none",
                Bearing::Definite,
            )
        };
        let alone = cors(testing::report(now));
        assert_eq!(alone.verdict(), Verdict::WorksInPart);
        assert_eq!(alone.outcome(), Outcome::Failed);
        assert_eq!(alone.problem_code(), Some("cors_none"));
        for (step, status, bearing, verdict, code) in [
            (
                StepName::AssumeRole,
                Failed,
                Bearing::RefusesUs,
                Verdict::RefusesUs,
                "other",
            ),
            (
                StepName::DeleteObject,
                Failed,
                Bearing::Definite,
                Verdict::Broken,
                "other",
            ),
            (
                StepName::AssumeRole,
                Failed,
                Bearing::Undecided,
                Verdict::Undecided,
                "other",
            ),
            (
                StepName::GetObject,
                Failed,
                Bearing::Passing,
                Verdict::Nothing,
                "other",
            ),
            (
                StepName::GetObject,
                Warning,
                Bearing::Definite,
                Verdict::WorksInPart,
                "cors_none",
            ),
            (
                StepName::GetObject,
                Warning,
                Bearing::Harmless,
                Verdict::WorksInPart,
                "cors_none",
            ),
        ] {
            let both = cors(testing::with(
                testing::report(now),
                step,
                status,
                "other",
                bearing,
            ));
            assert_eq!((both.verdict(), both.problem_code()), (verdict, Some(code)));
        }
        // A hint is no problem.
        let hint = testing::with(
            testing::report(now),
            StepName::GetObject,
            Warning,
            "nothing_below_prefix",
            Bearing::Harmless,
        );
        assert_eq!(
            (hint.verdict(), hint.problem_code()),
            (Verdict::Works, None)
        );
    }

    #[test]
    fn a_report_that_is_older_than_a_step_says_so() {
        let known: Vec<Step> = StepName::ALL[1..]
            .iter()
            .map(|name| step(*name, StepStatus::Passed))
            .collect();
        let stored = serde_json::to_string(&known).unwrap();
        let steps: Steps = serde_json::from_str(&stored).unwrap();
        let first = &steps.as_slice()[0];
        assert_eq!(
            (first.name, first.status),
            (StepName::AssumeRole, StepStatus::Skipped)
        );
        assert!(first.skipped_because.is_some());
        assert_eq!(steps.outcome(), Outcome::Passed);
        assert!(
            serde_json::from_str::<Steps>(
                r#"[{"name":"other","status":"passed","duration_ms":1}]"#
            )
            .is_err()
        );
    }
}
