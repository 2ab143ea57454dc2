//! Causes in policies.

pub mod acl_permission_missing;
pub mod bucket_policy_denies_all;
pub mod bucket_policy_missing;
pub mod bucket_policy_needs_encryption;
pub mod denied_by_bucket_policy;
pub mod denied_by_identity_policy;
pub mod denied_by_permissions_boundary;
pub mod denied_by_resource_control_policy;
pub mod denied_by_service_control_policy;
pub mod denied_by_session_policy;
pub mod denied_by_vpc_endpoint_policy;
pub mod denied_for_unknown_reason;
pub mod denied_without_reason;
pub mod folders_not_listed;
pub mod list_condition_or_arn_wrong;
pub mod mfa_required;
pub mod object_arn_or_prefix_wrong;
pub mod permission_missing;
pub mod policy_absent_or_elsewhere;
pub mod version_permission_missing;

use crate::domain::aws_failure::{DenialReason, PolicyEffect, PolicyKind};
use crate::domain::cause::caller::Caller;
use crate::domain::cause::entry::{Candidate, Side};
use crate::domain::policy_document::escape;

/// "Troubleshoot access denied (403 Forbidden) errors in Amazon S3".
const S3_PAGE: &str =
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html";

/// "Troubleshoot access denied error messages" of the IAM user guide.
const IAM_PAGE: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html";

/// What AWS says of a Deny in a bucket policy.
#[cfg(test)]
const EXPLICIT: DenialReason = DenialReason::By(PolicyKind::Resource, PolicyEffect::ExplicitDeny);

/// A denied action, and as whom it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Like `s3:GetObject`.
    pub action: String,
    /// Further actions that were denied for the same reason, in other steps.
    pub others: Vec<String>,
    pub caller: Caller,
    pub bucket: String,
    /// The ARN that the action needs to be granted on. Empty where it is not known.
    pub resource: String,
    /// The policy that denied, where AWS names it.
    pub policy_arn: Option<String>,
    pub reason: DenialReason,
}

impl Denied {
    /// AWS says that no policy of the caller allows it: only then a statement that does lifts the denial.
    fn is_implicit(&self) -> bool {
        self.reason == DenialReason::By(PolicyKind::Identity, PolicyEffect::NoAllow)
    }

    /// The policy that AWS names, to follow a clause.
    fn named(&self) -> String {
        match &self.policy_arn {
            Some(arn) => format!(" (`{arn}`)"),
            None => String::new(),
        }
    }

    /// Adds an action that was denied for the same reason.
    pub fn and(&mut self, action: &str) {
        if self.action != action && !self.others.iter().any(|known| known == action) {
            self.others.push(action.to_owned());
        }
    }

    /// All of them, like "s3:GetObject and s3:PutObject".
    fn actions(&self) -> String {
        match self.others.split_last() {
            None => self.action.clone(),
            Some((last, others)) => {
                let mut first = vec![self.action.as_str()];
                first.extend(others.iter().map(String::as_str));
                format!("{} and {last}", first.join(", "))
            }
        }
    }

    /// Like "AWS refused s3:GetObject".
    fn refused(&self) -> String {
        format!("{} refused {}", self.caller.answerer(), self.actions())
    }

    /// Why it was denied, to follow [`Denied::refused`]: what AWS said, and nothing more.
    fn because(&self) -> String {
        use PolicyEffect::{ExplicitDeny, NoAllow};
        use PolicyKind as Policy;
        let whose = self.caller.object();
        let why = match self.reason {
            DenialReason::By(Policy::Identity, NoAllow) => {
                format!(" because no policy of {whose} allows it")
            }
            DenialReason::By(Policy::Identity, ExplicitDeny) => {
                format!(" because a policy of {whose} denies it explicitly")
            }
            DenialReason::By(Policy::Resource, NoAllow) => {
                " because no bucket policy allows it".to_owned()
            }
            DenialReason::By(Policy::Resource, ExplicitDeny) => {
                " because a statement of the bucket policy denies it".to_owned()
            }
            DenialReason::By(Policy::Session, NoAllow | ExplicitDeny) => {
                " because the session policy that the service limits itself with does not allow it"
                    .to_owned()
            }
            DenialReason::By(Policy::PermissionsBoundary, NoAllow | ExplicitDeny) => {
                format!(" because the permissions boundary of {whose} does not allow it")
            }
            DenialReason::By(Policy::ServiceControl, NoAllow | ExplicitDeny) => {
                " because a service control policy of the organization does not allow it".to_owned()
            }
            DenialReason::By(Policy::ResourceControl, NoAllow | ExplicitDeny) => {
                " because a resource control policy of the organization does not allow it"
                    .to_owned()
            }
            DenialReason::By(Policy::VpcEndpoint, NoAllow | ExplicitDeny) => {
                " because the policy of the service's VPC endpoint does not allow it".to_owned()
            }
            DenialReason::By(Policy::RoleTrust, NoAllow | ExplicitDeny)
            | DenialReason::Unrecognised => {
                " for a reason that this service does not know".to_owned()
            }
            DenialReason::Mfa => " because it needs a code of a multi-factor device".to_owned(),
            DenialReason::NotGiven => " and gave no reason".to_owned(),
        };
        format!("{why}{}", self.named())
    }

    /// What lets the action through, to follow "If you need it,".
    fn what_lifts(&self) -> String {
        use PolicyEffect::{ExplicitDeny, NoAllow};
        use PolicyKind as Policy;
        match self.reason {
            DenialReason::By(Policy::Identity, NoAllow) => {
                format!("add the statement shown here to {}.", self.caller.policy())
            }
            DenialReason::By(Policy::Identity | Policy::Resource, ExplicitDeny) => {
                "have that Deny changed. A statement that allows the action does not lift it."
                    .to_owned()
            }
            DenialReason::By(Policy::Resource, NoAllow) => format!(
                "let the bucket policy allow it to {}, in the account of the bucket.",
                self.caller.object()
            ),
            DenialReason::By(Policy::Session | Policy::VpcEndpoint, NoAllow | ExplicitDeny) => {
                "send the operator the AWS request ID. There is nothing to change in the customer's account.".to_owned()
            }
            DenialReason::By(Policy::PermissionsBoundary, NoAllow | ExplicitDeny) => format!(
                "ask whoever manages the permissions boundary to allow it there. No policy of {} reaches beyond it.",
                self.caller.object()
            ),
            DenialReason::By(
                Policy::ServiceControl | Policy::ResourceControl,
                NoAllow | ExplicitDeny,
            ) => "ask whoever manages the organization's policies to allow it. No policy inside of the account can.".to_owned(),
            DenialReason::By(Policy::RoleTrust, NoAllow | ExplicitDeny)
            | DenialReason::Unrecognised => {
                "send the operator the request ID: the log has the answer's own words.".to_owned()
            }
            DenialReason::Mfa => {
                "switch MFA delete off in the bucket's versioning, or remove the condition on a multi-factor device.".to_owned()
            }
            DenialReason::NotGiven => format!(
                "see whether {} allows it, and whether the bucket policy denies it.",
                self.caller.policy()
            ),
        }
    }

    /// Who can let the action through.
    fn side(&self) -> Side {
        match self.reason {
            DenialReason::By(PolicyKind::Session | PolicyKind::VpcEndpoint, _)
            | DenialReason::Unrecognised => Side::Service,
            DenialReason::By(PolicyKind::ServiceControl | PolicyKind::ResourceControl, _) => {
                Side::CustomerOrganization
            }
            DenialReason::By(
                PolicyKind::Identity
                | PolicyKind::Resource
                | PolicyKind::RoleTrust
                | PolicyKind::PermissionsBoundary,
                _,
            )
            | DenialReason::Mfa
            | DenialReason::NotGiven => self.caller.side(),
        }
    }

    /// How the caller is excepted from a Deny of a bucket policy, to follow "or".
    fn exception(&self) -> String {
        match self.caller.role_arn() {
            Some(arn) => format!(
                "except the role by the further condition `\"ArnNotEquals\": {{\"aws:PrincipalArn\": \"{arn}\"}}`"
            ),
            None => format!("except {} from it", self.caller.object()),
        }
    }

    /// Adds where the bucket policy is.
    fn look_at_bucket_policy(&self, candidate: Candidate) -> Candidate {
        match self.caller.is_at_store() {
            true => candidate.console("The store's own administration: the policy of the bucket"),
            false => candidate
                .console(format!(
                    "S3 > {} > Permissions > Bucket policy",
                    self.bucket
                ))
                .cli(format!(
                    "aws s3api get-bucket-policy --bucket {} --query Policy --output text",
                    escape::for_shell(&self.bucket)
                )),
        }
    }

    /// The command that shows the managed policy that AWS names.
    fn get_named_policy(&self) -> Option<String> {
        let arn = escape::for_shell(self.policy_arn.as_deref()?);
        Some(format!(
            "aws iam get-policy-version --policy-arn {arn} --version-id \"$(aws iam get-policy --policy-arn {arn} --query Policy.DefaultVersionId --output text)\""
        ))
    }

    /// Adds where the organization's policy is: by its ID where AWS names it.
    fn look_at_organization(&self, candidate: Candidate, filter: &str) -> Candidate {
        let id = self
            .policy_arn
            .as_deref()
            .and_then(|arn| arn.rsplit_once('/'))
            .map(|(_, id)| id);
        candidate
            .console("AWS Organizations > Policies, in the management account")
            .cli(match id {
                Some(id) => format!(
                    "aws organizations describe-policy --policy-id {}",
                    escape::for_shell(id)
                ),
                None => format!("aws organizations list-policies --filter {filter}"),
            })
    }

    /// As everybody who can be denied for this reason, for documents and tests. The first is a role, with a policy
    /// that AWS names.
    #[cfg(test)]
    fn examples(action: &str, reason: DenialReason) -> [Self; 4] {
        Caller::examples().map(|caller| Self {
            action: action.to_owned(),
            others: Vec::new(),
            policy_arn: caller
                .role_arn()
                .filter(|_| matches!(reason, DenialReason::By(..)))
                .map(|_| "arn:aws:iam::222222222222:policy/POLICY".to_owned()),
            caller,
            bucket: "BUCKET".to_owned(),
            resource: "arn:aws:s3:::BUCKET/*".to_owned(),
            reason,
        })
    }

    /// The same without a store that is not AWS: it has no such policy.
    #[cfg(test)]
    fn examples_at_aws(action: &str, reason: DenialReason) -> [Self; 3] {
        let [role, user, service, _] = Self::examples(action, reason);
        [role, user, service]
    }

    /// A role, denied for every reason, and the others without one.
    #[cfg(test)]
    fn examples_of_reasons(action: &str) -> Vec<Self> {
        use PolicyEffect::{ExplicitDeny, NoAllow};
        let reasons = [
            DenialReason::By(PolicyKind::Identity, NoAllow),
            DenialReason::By(PolicyKind::Identity, ExplicitDeny),
            DenialReason::By(PolicyKind::Resource, NoAllow),
            DenialReason::By(PolicyKind::Resource, ExplicitDeny),
            DenialReason::By(PolicyKind::Session, NoAllow),
            DenialReason::By(PolicyKind::PermissionsBoundary, NoAllow),
            DenialReason::By(PolicyKind::ServiceControl, ExplicitDeny),
            DenialReason::By(PolicyKind::ResourceControl, ExplicitDeny),
            DenialReason::By(PolicyKind::VpcEndpoint, NoAllow),
            DenialReason::Unrecognised,
            DenialReason::Mfa,
        ];
        let mut all: Vec<Self> = reasons
            .into_iter()
            .filter_map(|reason| Self::examples(action, reason).into_iter().next())
            .collect();
        all.extend(Self::examples(action, DenialReason::NotGiven));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_allow_of_the_callers_own_is_lifted_by_a_statement() {
        let all = Denied::examples_of_reasons("s3:GetObject");
        let lifted: Vec<_> = all
            .iter()
            .filter(|denied| denied.what_lifts().contains("add the statement"))
            .collect();
        assert_eq!(lifted.len(), 1);
        assert!(lifted.iter().all(|denied| denied.is_implicit()));
    }

    #[test]
    fn a_bucket_policy_excepts_a_role_by_its_arn() {
        let [role, user, ..] = Denied::examples("s3:GetObject", DenialReason::NotGiven);
        assert!(role.exception().contains(
            r#""ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/ROLE"}"#
        ));
        assert!(!user.exception().contains("role"));
    }
}
