//! What is wrong with a step, on what evidence, and what to change.

use crate::domain::aws_code;
use crate::domain::aws_failure::{AwsFailure, DenialReason, PolicyEffect, PolicyKind};
use crate::domain::cause::entry::{Bearing, Candidate, Certainty, Side};
use crate::domain::check::patch::{self, Patch};
use crate::domain::check::step::{AwsCall, StepName};
use serde::{Deserialize, Serialize};

/// What is wrong, why, and what to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProblem {
    /// Stable, `snake_case`.
    pub code: String,
    pub title: String,
    pub explanation: String,
    pub remedy: String,
    /// Whose it is. `None`: a report from before this was kept; the same for `certainty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certainty: Option<Certainty>,
    /// What may be behind it, the likeliest first, where AWS does not say which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Candidate>,
    /// The answers that it was found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The other steps that it explains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_explains: Vec<StepName>,
    /// The permissions whose lack explains the failure. Only where AWS says that no policy allows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingPermission>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "patch::of_report"
    )]
    pub patch: Option<Patch>,
    /// Where AWS describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_more: Option<String>,
    /// Kept with the report, and not shown: what it means is in the words.
    #[serde(default)]
    pub bearing: Bearing,
}

#[cfg(test)]
impl StepProblem {
    /// A problem with nothing but a code and what it means.
    pub fn with(code: &str, bearing: Bearing) -> Self {
        Self {
            code: code.to_owned(),
            title: String::new(),
            explanation: String::new(),
            remedy: String::new(),
            side: None,
            certainty: None,
            causes: Vec::new(),
            evidence: Vec::new(),
            also_explains: Vec::new(),
            missing: Vec::new(),
            patch: None,
            learn_more: None,
            bearing,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPermission {
    pub action: String,
    pub resource: String,
}

/// One answer of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    #[serde(flatten)]
    pub call: AwsCall,
    /// What AWS said of a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<Denied>,
}

/// What AWS said of a denial, as far as it said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// Like `s3:GetObject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The ARN of what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The kind of policy that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<DecidedBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<DeniedEffect>,
    /// The policy, where AWS names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_arn: Option<String>,
}

/// The kind of policy that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    IdentityPolicy,
    ResourcePolicy,
    TrustPolicy,
    SessionPolicy,
    PermissionsBoundary,
    ServiceControlPolicy,
    ResourceControlPolicy,
    VpcEndpointPolicy,
    /// A multi-factor device was asked for.
    Mfa,
}

impl DecidedBy {
    /// As in the API and in stored reports: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdentityPolicy => "identity_policy",
            Self::ResourcePolicy => "resource_policy",
            Self::TrustPolicy => "trust_policy",
            Self::SessionPolicy => "session_policy",
            Self::PermissionsBoundary => "permissions_boundary",
            Self::ServiceControlPolicy => "service_control_policy",
            Self::ResourceControlPolicy => "resource_control_policy",
            Self::VpcEndpointPolicy => "vpc_endpoint_policy",
            Self::Mfa => "mfa",
        }
    }
}

/// How it decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeniedEffect {
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

impl DeniedEffect {
    /// As in the API and in stored reports: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
        }
    }
}

impl Evidence {
    /// What AWS answered, as it said it: a resource in it may be anybody's.
    pub fn of(failure: &AwsFailure) -> Self {
        Self {
            call: AwsCall {
                operation: failure.operation.to_owned(),
                http_status: failure.http_status,
                error_code: failure.sent_code().and_then(aws_code::plain),
                request_id: failure.request_id.clone(),
            },
            denied: Denied::of(failure),
        }
    }

    pub fn of_call(call: AwsCall) -> Self {
        Self { call, denied: None }
    }
}

impl Denied {
    fn of(failure: &AwsFailure) -> Option<Self> {
        let denial = failure.denial.as_deref()?;
        let (by, effect) = match denial.reason {
            DenialReason::By(kind, effect) => (Some(kind.into()), Some(effect.into())),
            DenialReason::Mfa => (Some(DecidedBy::Mfa), None),
            DenialReason::NotGiven | DenialReason::Unrecognised => (None, None),
        };
        let denied = Self {
            action: denial.action.clone(),
            resource: denial.resource.clone(),
            by,
            effect,
            policy_arn: denial.policy_arn.clone(),
        };
        let says_nothing = denied.action.is_none() && denied.resource.is_none() && by.is_none();
        (!says_nothing).then_some(denied)
    }
}

impl From<PolicyKind> for DecidedBy {
    fn from(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Identity => Self::IdentityPolicy,
            PolicyKind::Resource => Self::ResourcePolicy,
            PolicyKind::RoleTrust => Self::TrustPolicy,
            PolicyKind::Session => Self::SessionPolicy,
            PolicyKind::PermissionsBoundary => Self::PermissionsBoundary,
            PolicyKind::ServiceControl => Self::ServiceControlPolicy,
            PolicyKind::ResourceControl => Self::ResourceControlPolicy,
            PolicyKind::VpcEndpoint => Self::VpcEndpointPolicy,
        }
    }
}

impl From<PolicyEffect> for DeniedEffect {
    fn from(effect: PolicyEffect) -> Self {
        match effect {
            PolicyEffect::ExplicitDeny => Self::ExplicitDeny,
            PolicyEffect::NoAllow => Self::ImplicitDeny,
        }
    }
}
