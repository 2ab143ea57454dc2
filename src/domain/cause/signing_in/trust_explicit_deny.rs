//! A statement of the role's trust policy denies the call.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::{ABOUT_ROLES, AskedRole};

/// AWS says "with an explicit deny in the role trust policy", or in a resource-based policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustExplicitDeny {
    pub role: AskedRole,
}

impl CauseEntry for TrustExplicitDeny {
    fn facts(&self) -> Facts {
        Facts::proved(
            "trust_explicit_deny",
            Stage::SigningIn,
            Side::CustomerAccount,
            "A statement of the role's trust policy denies the call.",
        )
        .bearing(Bearing::RefusesUs)
        .may_pass()
        .learn_more(ABOUT_ROLES)
    }

    fn words(&self) -> Words {
        Words::new(
            "The role's trust policy denies the call",
            format!(
                "AWS says that a statement of the role's trust policy denies the call. So the role `{}` exists. Such a statement often has a condition on a multi-factor device (`aws:MultiFactorAuthPresent`), a network (`aws:SourceIp`) or an organization (`aws:PrincipalOrgID`).",
                self.role.arn
            ),
            format!(
                "In account {}, open {} and remove the statement with `\"Effect\": \"Deny\"`, or change its condition so that it does not cover {}. A statement that allows the call does not help.",
                self.role.account(),
                self.role.trust_page(),
                self.role.service()
            ),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            role: AskedRole::example(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn nothing_to_add_is_offered() {
        words_of::<TrustExplicitDeny>();
        for cause in TrustExplicitDeny::examples() {
            assert_eq!(cause.fix(), None);
        }
    }
}
