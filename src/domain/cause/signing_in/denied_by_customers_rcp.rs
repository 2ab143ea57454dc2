//! A resource control policy of the role's organization denies the call.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::AskedRole;

/// AWS names a resource control policy. Those bind the account that the resource is in: for AssumeRole, the
/// role's (Organizations user guide, "Resource control policies").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByCustomersRcp {
    pub role: AskedRole,
    /// The policy's ARN, where AWS names it.
    pub policy_arn: Option<String>,
}

impl CauseEntry for DeniedByCustomersRcp {
    fn facts(&self) -> Facts {
        Facts::proved(
            "denied_by_customers_resource_control_policy",
            Stage::SigningIn,
            Side::CustomerOrganization,
            "A resource control policy of the role's organization denies the call.",
        )
        .bearing(Bearing::RefusesUs)
        .may_pass()
        .learn_more("https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html")
    }

    fn words(&self) -> Words {
        let named = match &self.policy_arn {
            Some(arn) => format!(" AWS names the policy `{arn}`."),
            None => String::new(),
        };
        Words::new(
            "The customer's organization refuses callers from outside",
            format!(
                "AWS says that a resource control policy refused the call. It belongs to the organization of account {}, which the role is in.{named} Such policies often let in only callers of the organization (`aws:PrincipalOrgID`).",
                self.role.account()
            ),
            format!(
                "Ask whoever manages the organization's policies to except {} for `sts:AssumeRole`. The role's trust policy cannot.",
                self.role.service()
            ),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |policy_arn| Self {
            role: AskedRole::example(),
            policy_arn,
        };
        vec![of(None), of(Some("POLICY-ARN".to_owned()))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_is_the_organizations() {
        let [bare, named] = words_of::<DeniedByCustomersRcp>().try_into().unwrap();
        assert!(!bare.contains("POLICY-ARN") && named.contains("`POLICY-ARN`"));
        for cause in DeniedByCustomersRcp::examples() {
            assert_eq!(cause.facts().side, Side::CustomerOrganization);
            assert_eq!(cause.fix(), None);
        }
    }
}
