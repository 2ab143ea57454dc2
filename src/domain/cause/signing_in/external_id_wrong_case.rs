//! The role asks for the external ID in another letter case.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::signing_in::{ABOUT_EXTERNAL_IDS, AskedRole};

/// The role refused the external ID and let us in with the same in another form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdWrongCase {
    pub role: AskedRole,
    /// The form that the role asks for.
    pub asked: String,
}

impl CauseEntry for ExternalIdWrongCase {
    fn facts(&self) -> Facts {
        Facts::proved(
            "external_id_wrong_case",
            Stage::SigningIn,
            Side::CustomerAccount,
            "The role asks for the right external ID in another letter case.",
        )
        .bearing(Bearing::RefusesUs)
        .may_pass()
        .learn_more(ABOUT_EXTERNAL_IDS)
    }

    fn words(&self) -> Words {
        Words::new(
            "The external ID has another letter case in the trust policy",
            format!(
                "The role `{}` refused the external ID `{}` and let us in with `{}`. AWS compares external IDs by letter case.",
                self.role.arn, self.role.external_id, self.asked
            ),
            format!(
                "In account {}, open {} and copy the external ID `{}` as it is.",
                self.role.account(),
                self.role.trust_page(),
                self.role.external_id
            ),
        )
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::TrustPolicy)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            role: AskedRole {
                external_id: "external-id".to_owned(),
                ..AskedRole::example()
            },
            asked: "EXTERNAL-ID".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn both_forms_are_shown() {
        for words in words_of::<ExternalIdWrongCase>() {
            assert!(words.contains("`external-id`") && words.contains("`EXTERNAL-ID`"));
        }
    }
}
