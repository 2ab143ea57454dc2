//! The role could not be assumed, and AWS does not say why.

use crate::domain::cause::entry::{Bearing, Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::signing_in::{ABOUT_ROLES, AskedRole};

/// AccessDenied without a reason, as AWS answers between accounts of different organizations. A role that does
/// not exist, a caller that is not trusted and a wrong external ID look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRefused {
    pub role: AskedRole,
    /// AWS gave a reason that this service does not know.
    pub has_unknown_reason: bool,
    /// The setup waits for the role, which has not let the service in yet.
    pub is_awaited: bool,
}

impl CauseEntry for RoleRefused {
    fn facts(&self) -> Facts {
        Facts::proved(
            "role_refused",
            Stage::SigningIn,
            Side::CustomerAccount,
            "The role's trust policy does not let the service in, or there is no such role. AWS does not say which.",
        )
        .one_of()
        .bearing(Bearing::RefusesUs)
        .may_pass()
        .learn_more(ABOUT_ROLES)
    }

    fn words(&self) -> Words {
        let AskedRole {
            arn, external_id, ..
        } = &self.role;
        let why = match self.has_unknown_reason {
            true => "AWS gave a reason that this service does not know",
            false => "AWS does not say why",
        };
        if self.is_awaited {
            return Words::new(
                "Not there yet, or it refuses us",
                format!(
                    "AWS STS did not let {} assume `{arn}` with the external ID `{external_id}`. AWS gives the same answer while there is no such role and while the role refuses us.",
                    self.role.service()
                ),
                format!(
                    "Create the role in account {} with the documents of the setup. The service keeps looking for it. If it is there, open {} and compare the trust policy with the one shown here.",
                    self.role.account(),
                    self.role.trust_page()
                ),
            );
        }
        let unknown = match self.has_unknown_reason {
            true => {
                " If all of that is right, send the operator the AWS request ID: the log has AWS's own words."
            }
            false => "",
        };
        Words::new(
            "Sallyport can't assume this role",
            format!(
                "AWS STS refused to let {} assume `{arn}` with the external ID `{external_id}`, and {why}. The causes below give the same answer; the most likely is first.",
                self.role.service()
            ),
            format!(
                "In account {}, open {}. Compare the account and the external ID with the trust policy shown here, or replace it. If there is no such role, correct the ARN in the settings. A role made a moment ago may need a minute.{unknown}",
                self.role.account(),
                self.role.trust_page()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let role = &self.role;
        let no_such_role = Candidate::new(
            "no_such_role",
            format!(
                "There is no role `{}` in account {}, or its path differs from that of the ARN.",
                role.name(),
                role.account()
            ),
        )
        .console(format!(
            "IAM > Roles, signed in to account {}",
            role.account()
        ))
        .cli(format!(
            "aws iam get-role --role-name {} --query Role.Arn",
            role.name()
        ));
        let mut all = role.trust_candidates();
        // The likeliest first.
        let place = match self.is_awaited {
            true => 0,
            false => all.len(),
        };
        all.insert(place, no_such_role);
        all.push(
            Candidate::new(
                "still_spreading",
                "The role, or its trust policy, was changed less than a minute ago.",
            )
            .console("Wait a minute, then check again"),
        );
        all
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::TrustPolicy)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |has_unknown_reason, is_awaited| Self {
            role: AskedRole::example(),
            has_unknown_reason,
            is_awaited,
        };
        vec![of(false, false), of(true, false), of(false, true)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_names_the_whole_arn_and_the_account_and_decides_nothing() {
        for words in words_of::<RoleRefused>() {
            assert!(words.contains("arn:aws:iam::222222222222:role/ROLE"));
            assert!(words.contains("account 222222222222"));
        }
        let [cause, _, awaited] = RoleRefused::examples().try_into().unwrap();
        assert_eq!(awaited.words().title, "Not there yet, or it refuses us");
        assert_eq!(awaited.candidates()[0].code, "no_such_role");
        let candidates = cause.candidates();
        let codes: Vec<_> = candidates.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(
            codes,
            [
                "external_id_differs",
                "principal_differs",
                "action_or_operator_wrong",
                "condition_not_met",
                "no_such_role",
                "still_spreading"
            ]
        );
        assert!(candidates.iter().all(|one| !one.decide.is_empty()));
    }
}
