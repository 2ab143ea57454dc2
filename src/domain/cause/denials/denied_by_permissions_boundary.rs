//! The permissions boundary does not allow the action.

use crate::domain::aws_failure::{DenialReason, PolicyEffect};
use crate::domain::cause::caller::Caller;
use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{CauseEntry, Facts, Stage, Words};

/// AWS names the kind of policy, and where it does, its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByPermissionsBoundary {
    pub denied: Denied,
}

impl DeniedByPermissionsBoundary {
    /// The command that shows the boundary: its document where AWS names it, or else which it is.
    fn look(&self) -> Option<String> {
        self.denied
            .get_named_policy()
            .or_else(|| match &self.denied.caller {
                Caller::Role(_) => Some(format!(
                    "aws iam get-role --role-name {} --query Role.PermissionsBoundary",
                    self.denied.caller.role_name().unwrap_or_default()
                )),
                Caller::AccessKey { .. } => Some(
                    "aws iam get-user --user-name USER --query User.PermissionsBoundary".to_owned(),
                ),
                Caller::Service => None,
            })
    }
}

impl CauseEntry for DeniedByPermissionsBoundary {
    fn facts(&self) -> Facts {
        Facts::proved(
            "denied_by_permissions_boundary",
            Stage::Permissions,
            self.denied.caller.side(),
            "The permissions boundary does not allow the action.",
        )
        .may_pass()
        .learn_more(
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
        )
    }

    fn words(&self) -> Words {
        let look = match self.look() {
            Some(command) => format!(" `{command}` shows it."),
            None => String::new(),
        };
        Words::new(
            format!(
                "The permissions boundary does not allow {}",
                self.denied.actions()
            ),
            format!(
                "{}{}. A boundary is the most that other policies can grant.",
                self.denied.refused(),
                self.denied.because()
            ),
            format!(
                "Ask whoever manages the permissions boundary to {}. No policy of {} reaches beyond it.{look}",
                match self.denied.reason {
                    DenialReason::By(_, PolicyEffect::ExplicitDeny) => "remove the Deny there",
                    DenialReason::By(_, PolicyEffect::NoAllow)
                    | DenialReason::NotGiven
                    | DenialReason::Mfa
                    | DenialReason::Unrecognised => "allow the action there",
                },
                self.denied.caller.object()
            ),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::PolicyKind;
        let [role, user, service] = Denied::examples_at_aws(
            "s3:GetObject",
            DenialReason::By(PolicyKind::PermissionsBoundary, PolicyEffect::NoAllow),
        );
        let [denied, ..] = Denied::examples_at_aws(
            "s3:GetObject",
            DenialReason::By(PolicyKind::PermissionsBoundary, PolicyEffect::ExplicitDeny),
        );
        [role, user, service, denied]
            .map(|denied| Self { denied })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_allow_is_offered_beyond_a_boundary() {
        for (cause, words) in DeniedByPermissionsBoundary::examples()
            .iter()
            .zip(words_of::<DeniedByPermissionsBoundary>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("reaches beyond it"), "{words}");
            assert_eq!(
                words.contains("the role"),
                matches!(cause.denied.caller, Caller::Role(_)),
                "{words}"
            );
        }
    }
}
