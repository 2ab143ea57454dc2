//! The role exists, and no statement of its trust policy lets the call in.

use crate::domain::cause::entry::{Bearing, Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::signing_in::{ABOUT_ROLES, AskedRole};

/// AWS says "because no role trust policy allows", or no resource-based policy: then the role is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustNoStatement {
    pub role: AskedRole,
}

impl CauseEntry for TrustNoStatement {
    fn facts(&self) -> Facts {
        Facts::proved(
            "trust_no_statement",
            Stage::SigningIn,
            Side::CustomerAccount,
            "The role exists, and no statement of its trust policy lets the call in.",
        )
        .bearing(Bearing::RefusesUs)
        .may_pass()
        .learn_more(ABOUT_ROLES)
    }

    fn words(&self) -> Words {
        Words::new(
            "The role's trust policy does not let the service in",
            format!(
                "AWS says that no statement of the role's trust policy allows the call. So the role `{}` exists. The statement names another account than {}, asks for another external ID than `{}`, or has a condition that the call does not meet.",
                self.role.arn,
                self.role.service(),
                self.role.external_id
            ),
            format!(
                "In account {}, open {} and replace the trust policy with the one shown here. A change made a moment ago may need a minute.",
                self.role.account(),
                self.role.trust_page()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        self.role.trust_candidates()
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::TrustPolicy)
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
    fn it_does_not_say_that_the_role_may_be_absent() {
        for words in words_of::<TrustNoStatement>() {
            assert!(words.contains("exists") && !words.contains("no such role"));
        }
        let [cause] = TrustNoStatement::examples().try_into().unwrap();
        let is_absence = |one: &Candidate| one.code == "no_such_role";
        assert!(!cause.candidates().iter().any(is_absence));
    }
}
