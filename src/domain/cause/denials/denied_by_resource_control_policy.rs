//! A resource control policy of the bucket's organization does not allow the action.

use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// AWS names the kind of policy, and where it does, its ARN. These policies bind whoever calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByResourceControlPolicy {
    pub denied: Denied,
}

impl CauseEntry for DeniedByResourceControlPolicy {
    fn facts(&self) -> Facts {
        Facts::proved(
            "denied_by_resource_control_policy",
            Stage::Permissions,
            Side::CustomerOrganization,
            "A resource control policy of the bucket's organization does not allow the action.",
        )
        .may_pass()
        .learn_more("https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html")
    }

    fn words(&self) -> Words {
        Words::new(
            format!(
                "The bucket's organization does not allow {}",
                self.denied.actions()
            ),
            format!(
                "AWS refused {} because a resource control policy of the organization that the bucket is in does not allow it{}.",
                self.denied.actions(),
                self.denied.named()
            ),
            format!(
                "Ask whoever manages the organization's policies to change that policy, or to {}. No policy inside of the account can allow it.",
                self.denied.exception()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |code, text: &str| {
            self.denied
                .look_at_organization(Candidate::new(code, text), "RESOURCE_CONTROL_POLICY")
        };
        let mut all = vec![
            look(
                "organization",
                "It lets in only callers of the organization (`aws:PrincipalOrgID`).",
            ),
            look(
                "network",
                "It lets in only certain networks (`aws:SourceIp`, `aws:SourceVpc`).",
            ),
        ];
        if self.denied.action == "s3:PutObject" {
            all.push(look(
                "encryption_header",
                "It demands an encryption of new files (`s3:x-amz-server-side-encryption`).",
            ));
        }
        all
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::{DenialReason, PolicyEffect, PolicyKind};
        let reason = DenialReason::By(PolicyKind::ResourceControl, PolicyEffect::ExplicitDeny);
        Denied::examples_at_aws("s3:GetObject", reason)
            .map(|denied| Self { denied })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_is_the_organizations_and_no_allow_is_offered() {
        for (cause, words) in DeniedByResourceControlPolicy::examples()
            .iter()
            .zip(words_of::<DeniedByResourceControlPolicy>())
        {
            assert_eq!(cause.fix(), None);
            assert_eq!(cause.facts().side, Side::CustomerOrganization);
            assert!(words.contains("No policy inside of the account"), "{words}");
        }
    }
}
