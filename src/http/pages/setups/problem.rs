//! What is wrong with a step, for people: in words, with everything that can be copied.

use crate::domain::cause::entry::{Candidate, Certainty, Side};
use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::check::problem::{DecidedBy, DeniedEffect, Evidence, StepProblem};
use crate::domain::check::{Step, StepName, StepStatus};
use crate::http::pages::setups::setting_words::{Apply, SettingWords, label, value};
use serde_json::Value;

/// What is wrong, and what to change.
pub struct ProblemView {
    pub title: String,
    pub explanation: String,
    pub remedy: String,
    /// Where it is to be changed. `None`: a report from before this was kept; the same for `certainty`.
    pub side: Option<&'static str>,
    pub certainty: Option<&'static str>,
    /// The likeliest first.
    pub causes: Vec<Candidate>,
    /// Names and titles of the other steps that it explains.
    pub also_explains: Vec<(&'static str, &'static str)>,
    /// Actions and what they are needed on.
    pub missing: Vec<(String, String)>,
    pub patch: Option<PatchView>,
    pub learn_more: Option<String>,
}

/// A change, ready to be copied or taken over.
pub struct PatchView {
    /// What to do with it.
    pub heading: String,
    pub change: Change,
    pub cli: Option<String>,
    pub console: Option<String>,
}

/// What is changed.
pub enum Change {
    /// A document, as indented JSON.
    Document(String),
    Settings {
        rows: Vec<SettingRow>,
        /// `None`: the report is not of the present settings.
        apply: Option<Apply>,
    },
}

/// A setting and its better value.
pub struct SettingRow {
    /// As in the form.
    pub field: String,
    pub value: String,
    pub label: String,
    pub words: SettingWords,
}

/// One answer of AWS or of a store, as rows of names and values.
pub struct AnswerView {
    pub operation: String,
    pub rows: Vec<(&'static str, String)>,
    pub request_id: Option<String>,
}

impl ProblemView {
    pub fn of(problem: &StepProblem, apply: Option<&Apply>) -> Self {
        let missing = problem.missing.iter();
        Self {
            title: problem.title.clone(),
            explanation: problem.explanation.clone(),
            remedy: problem.remedy.clone(),
            side: problem.side.map(place_of),
            certainty: problem.certainty.map(how_sure),
            causes: problem.causes.clone(),
            also_explains: problem.also_explains.iter().map(named).collect(),
            missing: missing
                .map(|one| (one.action.clone(), one.resource.clone()))
                .collect(),
            patch: problem
                .patch
                .as_ref()
                .map(|patch| PatchView::of(patch, apply)),
            // Ours are constants of the catalogue; a link of a stored report must not become anything else.
            learn_more: problem
                .learn_more
                .clone()
                .filter(|url| url.starts_with("https://")),
        }
    }
}

fn named(step: &StepName) -> (&'static str, &'static str) {
    (step.as_str(), step.title())
}

/// Where a cause is to be changed.
fn place_of(side: Side) -> &'static str {
    match side {
        Side::CustomerAccount => "In the customer’s account",
        Side::CustomerOrganization => "In the customer’s AWS organization",
        Side::Service => "In this service: ask its operator",
        Side::Settings => "In these settings",
        Side::Aws => "At AWS or the store",
        Side::Network => "On the network",
    }
}

/// How sure a cause is.
fn how_sure(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proved => "Proved by the answers",
        Certainty::Likely => "Most likely",
        Certainty::OneOf => "One of several causes",
    }
}

impl PatchView {
    /// What is copied.
    pub fn document(&self) -> Option<&str> {
        match &self.change {
            Change::Document(text) => Some(text),
            Change::Settings { .. } => None,
        }
    }

    /// Better values, and where they are sent to.
    pub fn settings(&self) -> Option<(&[SettingRow], Option<&Apply>)> {
        match &self.change {
            Change::Document(_) => None,
            Change::Settings { rows, apply } => Some((rows, apply.as_ref())),
        }
    }

    fn of(patch: &Patch, apply: Option<&Apply>) -> Self {
        Self {
            heading: heading(patch.target, patch.operation),
            change: Change::of(patch, apply),
            cli: patch.cli.clone(),
            console: patch.console.clone(),
        }
    }
}

/// What to do with a change, as a heading.
fn heading(target: PatchTarget, operation: PatchOperation) -> String {
    let what = match target {
        PatchTarget::RolePermissionPolicy => "permission policy",
        PatchTarget::TrustPolicy => "role’s trust policy",
        PatchTarget::BucketPolicy => "bucket policy",
        PatchTarget::KeyPolicy => "KMS key’s policy",
        PatchTarget::Cors => "bucket’s CORS rule",
        PatchTarget::Lifecycle => "bucket’s lifecycle rule",
        PatchTarget::Settings => return "Change this setting".to_owned(),
    };
    match (operation, target) {
        // The rules of others stay beside it.
        (_, PatchTarget::Cors | PatchTarget::Lifecycle) => format!("Set the {what}"),
        (PatchOperation::AddStatement, _) => format!("Add this statement to the {what}"),
        (PatchOperation::Replace, _) => format!("Replace the {what} with"),
        (PatchOperation::Set, _) => format!("Set this in the {what}"),
    }
}

impl Change {
    fn of(patch: &Patch, apply: Option<&Apply>) -> Self {
        match (patch.target, &patch.document) {
            (PatchTarget::Settings, Value::Object(fields)) => Self::Settings {
                rows: fields.iter().map(SettingRow::of).collect(),
                apply: apply.cloned(),
            },
            (_, document) => Self::Document(format!("{document:#}")),
        }
    }
}

impl SettingRow {
    fn of((field, new): (&String, &Value)) -> Self {
        let text = match new {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Self {
            words: value(field, Some(text.as_str()).filter(|text| !text.is_empty())),
            label: label(field).to_owned(),
            field: field.clone(),
            value: text,
        }
    }
}

impl AnswerView {
    /// The answers that a step was decided by. A step that passed has nothing to be looked up.
    pub fn all(step: &Step) -> Vec<Self> {
        match step.status {
            StepStatus::Passed | StepStatus::Skipped => return Vec::new(),
            StepStatus::Failed | StepStatus::Warning => {}
        }
        let evidence = step.problem.as_ref().map(|problem| &problem.evidence);
        match evidence {
            Some(evidence) if !evidence.is_empty() => evidence.iter().map(Self::of).collect(),
            _ => {
                let call = step.aws.clone().map(Evidence::of_call);
                call.iter().map(Self::of).collect()
            }
        }
    }

    fn of(evidence: &Evidence) -> Self {
        let call = &evidence.call;
        let mut rows = Vec::new();
        let mut row = |name, text: Option<String>| rows.extend(text.map(|text| (name, text)));
        row("HTTP status", call.http_status.map(|code| code.to_string()));
        row("Error code", call.error_code.clone());
        if let Some(denied) = &evidence.denied {
            row("Denied action", denied.action.clone());
            row("On", denied.resource.clone());
            let by = denied.by.map(|by| decided(by, denied.effect));
            row("Decided by", by);
            row("Policy", denied.policy_arn.clone());
        }
        Self {
            operation: call.operation.clone(),
            rows,
            request_id: call.request_id.clone(),
        }
    }
}

/// Which kind of policy decided, and how.
fn decided(by: DecidedBy, effect: Option<DeniedEffect>) -> String {
    let policy = match by {
        DecidedBy::IdentityPolicy => "identity-based policy",
        DecidedBy::ResourcePolicy => "resource-based policy",
        DecidedBy::TrustPolicy => "role trust policy",
        DecidedBy::SessionPolicy => "session policy",
        DecidedBy::PermissionsBoundary => "permissions boundary",
        DecidedBy::ServiceControlPolicy => "service control policy",
        DecidedBy::ResourceControlPolicy => "resource control policy",
        DecidedBy::VpcEndpointPolicy => "VPC endpoint policy",
        DecidedBy::Mfa => return "A condition on multi-factor authentication".to_owned(),
    };
    match effect {
        Some(DeniedEffect::ExplicitDeny) => format!("Explicit deny: {policy}"),
        Some(DeniedEffect::ImplicitDeny) => format!("No {policy} allows it"),
        None => format!("By kind: {policy}"),
    }
}
