//! Check reports, as setups and storages answer with them.

use crate::application::checks::LONGEST_WAIT;
use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::domain::Invalid;
use crate::domain::check::{CheckReport, Step, StepStatus};
use crate::domain::people::audit_action::AuditAction;
use crate::http::context::AuditedAs;
use crate::http::step_problem::{AwsCallBody, StepProblemBody};
use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

/// How long a check may go on trying.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CheckQuery {
    /// Seconds, at most 120: while only AssumeRole or a permission fails, as right after a role was made or
    /// changed, or a fault of AWS came in that passes, the check is tried again until it passes or the time
    /// is up.
    #[param(default = 0, maximum = 120)]
    wait: Option<u64>,
}

impl CheckQuery {
    pub fn wait(&self) -> Result<Duration> {
        waiting(self.wait)
    }
}

/// How a storage is checked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StorageCheckQuery {
    /// Seconds, at most 120: while only AssumeRole or a permission fails, as right after a role was
    /// made, the check is tried again until it passes or the time is up.
    #[param(default = 0, maximum = 120)]
    wait: Option<u64>,
    /// `true`: checks the change that waits for its check, and uses it when the check passes.
    #[serde(default)]
    #[param(default = false)]
    pub pending: bool,
}

impl StorageCheckQuery {
    pub fn wait(&self) -> Result<Duration> {
        waiting(self.wait)
    }
}

fn waiting(seconds: Option<u64>) -> Result<Duration> {
    let wait = Duration::from_secs(seconds.unwrap_or(0));
    if wait > LONGEST_WAIT {
        return Err(Error::field(
            "wait",
            Invalid::new(
                "wait_too_long",
                format!("A check waits {} seconds at most.", LONGEST_WAIT.as_secs()),
            ),
        ));
    }
    Ok(wait)
}

/// What a check found: each step once, in a fixed order. A failed check is a report too.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckReport)]
pub struct CheckReportBody {
    #[schema(example = "chk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    /// The setup or storage that was checked.
    #[schema(example = "set_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    target: String,
    #[schema(value_type = closed_sets::CheckOutcome)]
    outcome: &'static str,
    #[serde(with = "crate::domain::rfc3339")]
    started_at: OffsetDateTime,
    duration_ms: u64,
    /// Where the bucket is, if S3 said so.
    #[schema(example = "eu-west-1")]
    region: Option<String>,
    /// How often the steps were run; the report is the last time's.
    attempts: u32,
    steps: Vec<StepBody>,
}

/// One step of a check.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckStep)]
struct StepBody {
    #[schema(value_type = closed_sets::CheckStepName)]
    name: String,
    #[schema(value_type = closed_sets::CheckStepStatus)]
    status: StepStatus,
    duration_ms: u64,
    /// AWS's answer to the call that decided the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    aws: Option<AwsCallBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<StepProblemBody>,
    /// Why the step was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped_because: Option<String>,
    /// How many files the step's listing had: at least so many are below the prefix. Only in `list_bucket`,
    /// which reads the beginning of the listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 20)]
    listed_files: Option<u64>,
}

impl CheckReportBody {
    /// The report as JSON, under this name in the audit log.
    pub fn audited_as(report: CheckReport, action: AuditAction) -> HttpResponse {
        let mut response = HttpResponse::Ok().json(Self::from(report));
        response.extensions_mut().insert(AuditedAs(action));
        response
    }
}

impl From<CheckReport> for CheckReportBody {
    fn from(report: CheckReport) -> Self {
        Self {
            outcome: report.outcome().as_str(),
            id: report.id.to_string(),
            target: report.target,
            started_at: report.started_at,
            duration_ms: report.duration_ms,
            region: report.region.map(|region| region.to_string()),
            attempts: report.attempts,
            steps: Vec::from(report.steps)
                .into_iter()
                .map(Into::into)
                .collect(),
        }
    }
}

impl From<Step> for StepBody {
    fn from(step: Step) -> Self {
        Self {
            name: step.name.as_str().to_owned(),
            status: step.status,
            duration_ms: step.duration_ms,
            aws: step.aws.map(Into::into),
            problem: step.problem.map(Into::into),
            skipped_because: step.skipped_because,
            listed_files: step.listed_files,
        }
    }
}
