//! Check reports, as setups and storages answer with them.

use crate::application::checks::LONGEST_WAIT;
use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::domain::Invalid;
use crate::domain::cause::entry::{Candidate, Certainty, Side};
use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::check::problem::{
    DecidedBy, Denied, DeniedEffect, Evidence, MissingPermission, StepProblem,
};
use crate::domain::check::{AwsCall, CheckReport, Step, StepName, StepStatus};
use crate::http::context::AuditedAs;
use crate::http::problem::{AwsCallBody, MissingPermissionBody};
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
    #[serde(with = "time::serde::rfc3339")]
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
}

/// What is wrong, why, and what to change.
#[derive(Serialize, ToSchema)]
#[schema(as = StepProblem)]
struct StepProblemBody {
    /// Stable.
    #[schema(example = "role_refused")]
    code: String,
    title: String,
    explanation: String,
    remedy: String,
    /// The permissions whose lack explains the failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<MissingPermissionBody>,
    /// Whose it is. Absent in reports of earlier releases, as is `certainty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::ProblemSide>)]
    side: Option<Side>,
    /// How sure it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::ProblemCertainty>)]
    certainty: Option<Certainty>,
    /// What may be behind it, the likeliest first, where AWS does not say which.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<CandidateBody>,
    /// The answers that it was found by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<EvidenceBody>,
    /// Names of the other steps that it explains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<closed_sets::CheckStepName>)]
    also_explains: Vec<StepName>,
    /// What to change. Applied as it is, it removes the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<PatchBody>,
    /// Where AWS describes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    learn_more: Option<String>,
}

/// One of several causes that give the same answers.
#[derive(Serialize, ToSchema)]
#[schema(as = CauseCandidate)]
pub struct CandidateBody {
    /// Stable.
    #[schema(example = "external_id_differs")]
    code: String,
    text: String,
    /// How to find out whether it is this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    decide: Option<DecideBody>,
}

/// The look that decides.
#[derive(Serialize, ToSchema)]
#[schema(as = CauseDecision)]
pub struct DecideBody {
    /// Where in the AWS console.
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<String>,
    /// By which command of the AWS CLI.
    #[serde(skip_serializing_if = "Option::is_none")]
    cli: Option<String>,
}

/// One answer of AWS.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckEvidence)]
pub struct EvidenceBody {
    #[schema(example = "GetObject")]
    operation: String,
    http_status: Option<u16>,
    error_code: Option<String>,
    /// What AWS support asks for.
    request_id: Option<String>,
    /// What AWS said of a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<DeniedBody>,
}

/// What AWS said of a denial, as far as it said something.
#[derive(Serialize, ToSchema)]
#[schema(as = DeniedByAws)]
pub struct DeniedBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// The kind of policy that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::DecidedBy>)]
    by: Option<DecidedBy>,
    /// Whether a statement denies it, or none allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::DeniedEffect>)]
    effect: Option<DeniedEffect>,
    /// The policy, where AWS names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arn: Option<String>,
}

/// One change of one document.
#[derive(Serialize, ToSchema)]
#[schema(as = Patch)]
pub struct PatchBody {
    #[schema(value_type = closed_sets::PatchTarget)]
    target: PatchTarget,
    /// `add_statement`: the document is one statement for the list of statements. `replace`: it takes the place of
    /// what is there. `set`: it is the body of a PATCH of the setup or storage.
    #[schema(value_type = closed_sets::PatchOperation)]
    operation: PatchOperation,
    document: serde_json::Value,
    /// Commands of the AWS CLI that make the change and keep what others have in the same document.
    #[serde(skip_serializing_if = "Option::is_none")]
    cli: Option<String>,
    /// Where in the AWS console.
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<String>,
}

impl CheckReportBody {
    /// The report as JSON, under this name in the audit log.
    pub fn audited_as(report: CheckReport, action: &'static str) -> HttpResponse {
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
        }
    }
}

impl From<AwsCall> for AwsCallBody {
    fn from(call: AwsCall) -> Self {
        Self {
            operation: call.operation,
            http_status: call.http_status,
            error_code: call.error_code,
            request_id: call.request_id,
        }
    }
}

impl From<StepProblem> for StepProblemBody {
    fn from(problem: StepProblem) -> Self {
        let missing = |m: MissingPermission| MissingPermissionBody {
            action: m.action,
            resource: m.resource,
        };
        Self {
            code: problem.code,
            title: problem.title,
            explanation: problem.explanation,
            remedy: problem.remedy,
            missing: problem.missing.into_iter().map(missing).collect(),
            side: problem.side,
            certainty: problem.certainty,
            causes: problem.causes.into_iter().map(Into::into).collect(),
            evidence: problem.evidence.into_iter().map(Into::into).collect(),
            also_explains: problem.also_explains,
            patch: problem.patch.map(Into::into),
            learn_more: problem.learn_more,
        }
    }
}

impl From<Candidate> for CandidateBody {
    fn from(candidate: Candidate) -> Self {
        let decide = candidate.decide;
        Self {
            code: candidate.code,
            text: candidate.text,
            decide: (!decide.is_empty()).then_some(DecideBody {
                console: decide.console,
                cli: decide.cli,
            }),
        }
    }
}

impl From<Evidence> for EvidenceBody {
    fn from(Evidence { call, denied }: Evidence) -> Self {
        Self {
            operation: call.operation,
            http_status: call.http_status,
            error_code: call.error_code,
            request_id: call.request_id,
            denied: denied.map(Into::into),
        }
    }
}

impl From<Denied> for DeniedBody {
    fn from(denied: Denied) -> Self {
        Self {
            action: denied.action,
            resource: denied.resource,
            by: denied.by,
            effect: denied.effect,
            policy_arn: denied.policy_arn,
        }
    }
}

impl From<Patch> for PatchBody {
    fn from(patch: Patch) -> Self {
        Self {
            target: patch.target,
            operation: patch.operation,
            document: patch.document,
            cli: patch.cli,
            console: patch.console,
        }
    }
}
