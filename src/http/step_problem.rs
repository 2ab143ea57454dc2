//! What is wrong and what to change, as reports and problems say it.

use crate::application::closed_sets;
use crate::domain::cause::entry::{Candidate, Certainty, Side};
use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::check::problem::{
    DecidedBy, Denied, DeniedEffect, Evidence, MissingPermission, StepProblem,
};
use crate::domain::check::{AwsCall, StepName};
use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong, why, and what to change.
#[derive(Serialize, ToSchema)]
#[schema(as = StepProblem)]
pub struct StepProblemBody {
    /// Stable.
    #[schema(value_type = closed_sets::AnyCauseCode)]
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
    #[schema(value_type = closed_sets::AnyCandidateCode)]
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

/// A call to AWS and its answer.
#[derive(Serialize, ToSchema)]
#[schema(as = AwsCall)]
pub struct AwsCallBody {
    #[schema(example = "AssumeRole")]
    pub operation: String,
    pub http_status: Option<u16>,
    pub error_code: Option<String>,
    /// What AWS support asks for.
    pub request_id: Option<String>,
}

/// A permission that is missing.
#[derive(Serialize, ToSchema)]
#[schema(as = MissingPermission)]
pub struct MissingPermissionBody {
    #[schema(example = "s3:ListBucket")]
    pub action: String,
    #[schema(example = "arn:aws:s3:::acme-data")]
    pub resource: String,
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
        Self {
            code: problem.code,
            title: problem.title,
            explanation: problem.explanation,
            remedy: problem.remedy,
            missing: problem.missing.into_iter().map(Into::into).collect(),
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

impl From<MissingPermission> for MissingPermissionBody {
    fn from(missing: MissingPermission) -> Self {
        Self {
            action: missing.action,
            resource: missing.resource,
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
