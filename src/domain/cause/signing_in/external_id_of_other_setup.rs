//! The role asks for the external ID of another setup of the same workspace.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::signing_in::{ABOUT_EXTERNAL_IDS, AskedRole};

/// The role let us in with the external ID of another setup or storage of this workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdOfOtherSetup {
    pub role: AskedRole,
    /// The ID of the other setup or storage.
    pub other: String,
    /// Its external ID, which the role asks for.
    pub asked: String,
}

impl CauseEntry for ExternalIdOfOtherSetup {
    fn facts(&self) -> Facts {
        Facts::proved(
            "external_id_of_other_setup",
            Stage::SigningIn,
            Side::CustomerAccount,
            "The role asks for the external ID of another setup or storage of the same workspace.",
        )
        .bearing(Bearing::RefusesUs)
        .may_pass()
        .learn_more(ABOUT_EXTERNAL_IDS)
    }

    fn words(&self) -> Words {
        Words::new(
            "The role asks for another setup's external ID",
            format!(
                "The role `{}` refused the external ID `{}` and let us in with `{}`, which belongs to `{}` of this workspace. So the role and the account are right, and the trust policy is of the other one.",
                self.role.arn, self.role.external_id, self.asked, self.other
            ),
            format!(
                "In account {}, open {} and replace the external ID `{}` with `{}`. If the role serves the other connection too, make a role of its own for this one.",
                self.role.account(),
                self.role.trust_page(),
                self.asked,
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
            role: AskedRole::example(),
            other: "set_OTHER".to_owned(),
            asked: "OTHER-EXTERNAL-ID".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn both_ids_and_the_other_setup_are_named() {
        for words in words_of::<ExternalIdOfOtherSetup>() {
            for part in ["`EXTERNAL-ID`", "`OTHER-EXTERNAL-ID`", "`set_OTHER`"] {
                assert!(words.contains(part), "{words}");
            }
        }
    }
}
