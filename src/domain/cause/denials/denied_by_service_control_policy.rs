//! A service control policy of the customer's organization does not allow the action.

use crate::domain::aws_failure::{DenialReason, PolicyEffect};
use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// AWS names the kind of policy, and where it does, its ARN. These policies bind the account of the caller: the
/// role's, once the role is assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByServiceControlPolicy {
    pub denied: Denied,
}

impl CauseEntry for DeniedByServiceControlPolicy {
    fn facts(&self) -> Facts {
        Facts::proved(
            "denied_by_service_control_policy",
            Stage::Permissions,
            Side::CustomerOrganization,
            "A service control policy of the customer's organization does not allow the action.",
        )
        .may_pass()
        .learn_more("https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html")
    }

    fn words(&self) -> Words {
        Words::new(
            format!("The organization does not allow {}", self.denied.actions()),
            format!(
                "AWS refused {} because a service control policy of the organization that the caller's account is in does not allow it{}.",
                self.denied.actions(),
                self.denied.named()
            ),
            match self.denied.reason {
                DenialReason::By(_, PolicyEffect::NoAllow) => {
                    "Ask whoever manages the organization's policies to allow it: they allow only certain services or actions, and this one is not among them. No policy inside of the account can."
                }
                DenialReason::By(_, PolicyEffect::ExplicitDeny)
                | DenialReason::NotGiven
                | DenialReason::Mfa
                | DenialReason::Unrecognised => {
                    "Ask whoever manages the organization's policies to allow it. No policy inside of the account can."
                }
            },
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |code, text: &str| {
            self.denied
                .look_at_organization(Candidate::new(code, text), "SERVICE_CONTROL_POLICY")
        };
        match self.denied.reason {
            DenialReason::By(_, PolicyEffect::NoAllow) => Vec::new(),
            DenialReason::By(_, PolicyEffect::ExplicitDeny)
            | DenialReason::NotGiven
            | DenialReason::Mfa
            | DenialReason::Unrecognised => vec![
                look(
                    "region",
                    "A Deny covers other Regions than certain ones (`aws:RequestedRegion`).",
                ),
                look(
                    "network",
                    "A Deny covers calls from other networks than certain ones (`aws:SourceIp`, `aws:SourceVpc`).",
                ),
                look(
                    "principals",
                    "A Deny covers everyone except certain principals (`aws:PrincipalArn`).",
                ),
            ],
        }
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::PolicyKind;
        [PolicyEffect::ExplicitDeny, PolicyEffect::NoAllow]
            .into_iter()
            .flat_map(|effect| {
                let reason = DenialReason::By(PolicyKind::ServiceControl, effect);
                Denied::examples_at_aws("s3:GetObject", reason)
            })
            .map(|denied| Self { denied })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_is_the_organizations_and_no_allow_is_offered() {
        for (cause, words) in DeniedByServiceControlPolicy::examples()
            .iter()
            .zip(words_of::<DeniedByServiceControlPolicy>())
        {
            assert_eq!(cause.fix(), None);
            assert_eq!(cause.facts().side, Side::CustomerOrganization);
            assert!(words.contains("No policy inside of the account"), "{words}");
        }
    }

    #[test]
    fn a_list_of_what_is_allowed_is_no_deny() {
        for cause in DeniedByServiceControlPolicy::examples() {
            let is_missing = matches!(
                cause.denied.reason,
                DenialReason::By(_, PolicyEffect::NoAllow)
            );
            assert_eq!(cause.candidates().is_empty(), is_missing);
            assert_eq!(cause.words().remedy.contains("not among them"), is_missing);
        }
    }
}
