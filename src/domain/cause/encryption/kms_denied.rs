//! Another policy denies the use of the key.

use crate::domain::aws_failure::PolicyKind;
use crate::domain::cause::encryption::{DeniedKey, side_of};
use crate::domain::cause::entry::{CauseEntry, Facts, Stage, Words};
use crate::domain::connection::kms_key_arn::KmsKeyArn;

/// AWS names a boundary, a policy of an organization, a VPC endpoint policy, or an explicit denial of the caller's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsDenied {
    pub denied: DeniedKey,
    pub by: PolicyKind,
}

impl CauseEntry for KmsDenied {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_denied",
            Stage::Encryption,
            side_of(self.by, &self.denied.caller),
            "Another policy denies the use of the key.",
        )
        .may_pass()
        .learn_more(
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
        )
    }

    fn words(&self) -> Words {
        let whose = self.denied.caller.object();
        let by = match self.by {
            PolicyKind::Identity => format!("a policy of {whose}, which denies it explicitly"),
            PolicyKind::PermissionsBoundary => format!("the permissions boundary of {whose}"),
            PolicyKind::ServiceControl => {
                "a service control policy of the organization that the caller's account is in"
                    .to_owned()
            }
            PolicyKind::ResourceControl => {
                "a resource control policy of the organization that the key is in".to_owned()
            }
            PolicyKind::VpcEndpoint => "the policy of the service's VPC endpoint".to_owned(),
            PolicyKind::Resource => "the key's policy".to_owned(),
            PolicyKind::RoleTrust => "a trust policy".to_owned(),
            PolicyKind::Session => "the service's own session policy".to_owned(),
        };
        let remedy = match self.by {
            PolicyKind::Identity => {
                "Remove the Deny, or change its condition. No other statement can allow what one denies."
            }
            PolicyKind::VpcEndpoint | PolicyKind::Session => {
                "Ask the operator to let that policy allow it. There is nothing to change in the customer's account."
            }
            PolicyKind::PermissionsBoundary
            | PolicyKind::ServiceControl
            | PolicyKind::ResourceControl
            | PolicyKind::Resource
            | PolicyKind::RoleTrust => {
                "Ask whoever manages that policy to allow it. A statement elsewhere that allows the action does not help."
            }
        };
        let look = match self.by {
            PolicyKind::Identity | PolicyKind::PermissionsBoundary | PolicyKind::ServiceControl => {
                let key = self
                    .denied
                    .key
                    .as_ref()
                    .map_or("KEY_ARN", KmsKeyArn::as_str);
                format!(
                    " `{}` shows the statement.",
                    self.denied.caller.simulate(&self.denied.action, key)
                )
            }
            PolicyKind::Resource => format!(" `{}` shows it.", self.denied.get_key_policy()),
            // They are another account's, or the operator's.
            PolicyKind::ResourceControl
            | PolicyKind::VpcEndpoint
            | PolicyKind::RoleTrust
            | PolicyKind::Session => String::new(),
        };
        Words::new(
            "Another policy denies the use of the KMS key",
            format!(
                "{} on {} was refused by {by}.",
                self.denied.action,
                self.denied.key_in_words()
            ),
            format!("{remedy}{look}"),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        [
            PolicyKind::Identity,
            PolicyKind::PermissionsBoundary,
            PolicyKind::ServiceControl,
            PolicyKind::ResourceControl,
            PolicyKind::VpcEndpoint,
        ]
        .map(|by| Self {
            denied: DeniedKey::example(),
            by,
        })
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::entry::Side;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_allow_is_offered_and_the_side_is_the_policys() {
        words_of::<KmsDenied>();
        let sides: Vec<Side> = KmsDenied::examples()
            .iter()
            .map(|cause| {
                assert_eq!(cause.fix(), None);
                cause.facts().side
            })
            .collect();
        assert_eq!(
            sides,
            [
                Side::CustomerAccount,
                Side::CustomerAccount,
                Side::CustomerOrganization,
                Side::CustomerOrganization,
                Side::Service
            ]
        );
    }
}
