//! The role lets in callers without an external ID.

use crate::domain::cause::entry::{Bearing, Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::signing_in::{ABOUT_EXTERNAL_IDS, AskedRole};

/// AssumeRole without an external ID was answered with a session, which is dropped at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleAcceptsMissingExternalId {
    pub role: AskedRole,
    /// Any external ID was accepted too.
    pub accepts_any: bool,
}

impl CauseEntry for RoleAcceptsMissingExternalId {
    fn facts(&self) -> Facts {
        Facts::proved(
            "role_accepts_missing_external_id",
            Stage::SigningIn,
            Side::CustomerAccount,
            "The role lets in callers without an external ID.",
        )
        .bearing(Bearing::OpenToOthers)
        .may_pass()
        .learn_more(ABOUT_EXTERNAL_IDS)
    }

    fn words(&self) -> Words {
        Words::new(
            "This role does not require your external ID",
            format!(
                "We could assume the role `{}` {}. So could any other customer of this service who learns the role's ARN, and read your bucket through it.",
                self.role.arn, "without any external ID",
            ),
            format!(
                "In account {}, open {} and replace the trust policy with the one shown here. It requires the external ID `{}` with the operator `StringEquals` in its only statement. `StringEqualsIfExists`, `StringLike` and wildcards do not protect the role.",
                self.role.account(),
                self.role.trust_page(),
                self.role.external_id
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let seen = |one: Candidate| {
            one.console(self.role.trust_page())
                .cli(self.role.get_role())
        };
        let no_condition = Candidate::new(
            "no_condition",
            "The trust policy has no condition on `sts:ExternalId`.",
        );
        let second = Candidate::new(
            "second_statement",
            "A second statement of the trust policy lets the account in without a condition.",
        );
        let if_exists = Candidate::new(
            "if_exists",
            "The condition uses `StringEqualsIfExists`, or a `Null` condition besides, so it holds where no external ID is sent.",
        );
        // Another ID was refused, so no statement lets everybody in.
        let second_null = Candidate::new(
            "second_statement",
            "A second statement of the trust policy lets the account in where no external ID is sent, by a `Null` condition on `sts:ExternalId`.",
        );
        match self.accepts_any {
            true => vec![seen(no_condition), seen(second)],
            false => vec![seen(if_exists), seen(second_null)],
        }
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::TrustPolicy)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |accepts_any| Self {
            role: AskedRole::example(),
            accepts_any,
        };
        vec![of(true), of(false)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn what_may_be_behind_it_depends_on_the_other_answer() {
        words_of::<RoleAcceptsMissingExternalId>();
        let [any, missing] = RoleAcceptsMissingExternalId::examples().try_into().unwrap();
        assert_eq!(any.candidates()[0].code, "no_condition");
        assert_eq!(missing.candidates()[0].code, "if_exists");
    }
}
