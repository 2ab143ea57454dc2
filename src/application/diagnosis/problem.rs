//! What a report says of a finding.

use crate::application::diagnosis::finding::Finding;
use crate::application::diagnosis::subject::Subject;
use crate::domain::cause::Cause;
use crate::domain::cause::entry::Side;
use crate::domain::cause::fix::Fix;
use crate::domain::check::problem::{Evidence, MissingPermission, StepProblem};
use crate::domain::connection::kms_key_arn::KmsKeyArn;

/// What to name where a key's action is missing and nothing says which key it is.
const UNKNOWN_KEY: &str = "the ARN of the bucket's KMS key";

/// What to say with every denial.
const ONE_REASON_AT_A_TIME: &str = "AWS names one reason at a time: check again after the change.";

impl Subject<'_> {
    /// The problem of the first step that the finding explains.
    pub(crate) fn problem(&self, finding: &Finding) -> StepProblem {
        let mut problem = self.problem_of(&finding.cause);
        if let Some(also) = &finding.also {
            problem.explanation.push(' ');
            problem.explanation.push_str(also);
        }
        let evidence = finding.steps.iter().flat_map(|(_, evidence)| evidence);
        problem.evidence = self.shown(evidence);
        let others = finding.steps.iter().skip(1);
        problem.also_explains = others.map(|(step, _)| *step).collect();
        problem
    }

    /// The problem of a further step that it explains: the same words, and its own answers. What is to be changed is
    /// said once.
    pub(crate) fn also_problem(&self, first: &StepProblem, evidence: &[Evidence]) -> StepProblem {
        StepProblem {
            evidence: self.shown(evidence),
            also_explains: Vec::new(),
            missing: Vec::new(),
            patch: None,
            ..first.clone()
        }
    }

    /// What is said of a cause, wherever it was found.
    pub(crate) fn problem_of(&self, cause: &Cause) -> StepProblem {
        let (facts, words, fix) = (cause.facts(), cause.words(), cause.fix());
        let patch = fix.as_ref().and_then(|fix| self.patch(fix));
        let remedy = match is_denial(&fix) {
            true => format!("{} {ONE_REASON_AT_A_TIME}", words.remedy),
            false => words.remedy,
        };
        StepProblem {
            code: facts.code.to_owned(),
            title: words.title,
            explanation: words.explanation,
            remedy,
            side: Some(self.side(cause)),
            certainty: Some(facts.certainty),
            causes: cause.candidates(),
            evidence: Vec::new(),
            also_explains: Vec::new(),
            missing: fix.map(|fix| self.missing(&fix)).unwrap_or_default(),
            patch,
            learn_more: facts.learn_more.map(str::to_owned),
            bearing: facts.bearing,
        }
    }

    /// Who can remove the cause: of what is the customer's elsewhere, the operator in the built-in storage.
    pub(crate) fn side(&self, cause: &Cause) -> Side {
        match cause.facts().side {
            Side::CustomerAccount | Side::CustomerOrganization | Side::Settings
                if self.is_built_in() =>
            {
                Side::Service
            }
            side => side,
        }
    }

    /// The answers, with nothing of what others own.
    pub(crate) fn shown<'a>(
        &self,
        evidence: impl IntoIterator<Item = &'a Evidence>,
    ) -> Vec<Evidence> {
        let mut shown: Vec<Evidence> = evidence.into_iter().cloned().collect();
        for one in &mut shown {
            let Some(denied) = &mut one.denied else {
                continue;
            };
            // Of a role that refuses, the sentence differs by whether the role exists. That is nobody's to know.
            let is_bare = denied.by.is_none() && denied.action.as_deref() == Some("sts:AssumeRole");
            if one.call.operation == "AssumeRole" && is_bare {
                one.denied = None;
                continue;
            }
            denied.resource = denied.resource.take().filter(|arn| self.is_own(arn));
        }
        shown
    }

    /// Whether a resource of AWS's sentence is the connection's: its bucket, a file of that, its role, or a KMS key,
    /// which is the bucket's.
    fn is_own(&self, arn: &str) -> bool {
        if arn.len() > 2_048 {
            return false;
        }
        let of_bucket = || {
            let mut parts = arn.splitn(6, ':');
            let is_s3 = parts.next() == Some("arn") && parts.nth(1) == Some("s3");
            let name = parts.nth(2).unwrap_or_default();
            let bucket = self.connection.bucket.as_str();
            is_s3
                && name
                    .strip_prefix(bucket)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        of_bucket() || arn == self.role().arn || KmsKeyArn::parse(arn).is_ok()
    }

    /// The permissions that a change adds: only what AWS says that no policy allows.
    fn missing(&self, fix: &Fix) -> Vec<MissingPermission> {
        match fix {
            Fix::AllowActions { actions, key } => actions
                .iter()
                .map(|action| self.missing_action(action, key.as_ref()))
                .collect(),
            Fix::UseKey { action, key } => vec![self.missing_action(action, key.as_ref())],
            Fix::AllowOnProbes { action, folder } => {
                let objects = self.resource_for("s3:GetObject").unwrap_or_default();
                let below = objects.strip_suffix('*').unwrap_or(&objects);
                vec![MissingPermission {
                    action: action.clone(),
                    resource: format!("{below}{folder}sallyport-check-*"),
                }]
            }
            Fix::PermissionPolicy
            | Fix::TrustPolicy
            | Fix::BucketPolicy
            | Fix::KeyPolicy { .. }
            | Fix::Cors
            | Fix::Setting(_) => Vec::new(),
        }
    }

    fn missing_action(&self, action: &str, key: Option<&KmsKeyArn>) -> MissingPermission {
        MissingPermission {
            action: action.to_owned(),
            resource: key
                .filter(|_| action.starts_with("kms:"))
                .map(|key| key.as_str().to_owned())
                .or_else(|| self.resource_for(action))
                .unwrap_or_else(|| UNKNOWN_KEY.to_owned()),
        }
    }
}

fn is_denial(fix: &Option<Fix>) -> bool {
    matches!(
        fix,
        Some(
            Fix::AllowActions { .. }
                | Fix::UseKey { .. }
                | Fix::PermissionPolicy
                | Fix::BucketPolicy
                | Fix::KeyPolicy { .. }
        )
    )
}
