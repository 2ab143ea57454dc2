//! The role lets in callers with another external ID.

use crate::domain::cause::entry::{Bearing, Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::signing_in::{ABOUT_EXTERNAL_IDS, AskedRole};

/// AssumeRole with an external ID that is not the connection's was answered with a session, which is dropped
/// at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleAcceptsWrongExternalId {
    pub role: AskedRole,
    /// It was refused with any other ID, and not with one that differs in a single digit.
    pub nearly: bool,
    /// No external ID at all was accepted too.
    pub accepts_none: bool,
}

impl CauseEntry for RoleAcceptsWrongExternalId {
    fn facts(&self) -> Facts {
        Facts::proved(
            "role_accepts_wrong_external_id",
            Stage::SigningIn,
            Side::CustomerAccount,
            "The role lets in callers with another external ID.",
        )
        .bearing(Bearing::OpenToOthers)
        .may_pass()
        .learn_more(ABOUT_EXTERNAL_IDS)
    }

    fn words(&self) -> Words {
        Words::new(
            "This role accepts external IDs that are not yours",
            format!(
                "We could assume the role `{}` {}. So could any other customer of this service who learns the role's ARN, and read your bucket through it.",
                self.role.arn,
                match self.nearly {
                    true => "with an external ID that differs from yours in its last digit",
                    false => "with an external ID that is not yours",
                },
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
            "A second statement of the trust policy lets callers with other external IDs in.",
        );
        let wildcard = Candidate::new(
            "wildcard",
            "The condition uses `StringLike` with `*` or `?`, or `Null`, so it holds for other external IDs too.",
        );
        match self.accepts_none {
            true => vec![seen(no_condition), seen(second)],
            false => vec![seen(wildcard), seen(second)],
        }
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::TrustPolicy)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |nearly, accepts_none| Self {
            role: AskedRole::example(),
            nearly,
            accepts_none,
        };
        vec![of(false, true), of(false, false), of(true, false)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn what_may_be_behind_it_depends_on_the_other_answer() {
        let [_, _, nearly] = words_of::<RoleAcceptsWrongExternalId>().try_into().unwrap();
        assert!(nearly.contains("last digit"));
        let [none, wrong, _] = RoleAcceptsWrongExternalId::examples().try_into().unwrap();
        assert_eq!(none.candidates()[0].code, "no_condition");
        assert_eq!(wrong.candidates()[0].code, "wildcard");
    }
}
