//! The role's account has switched STS off in the service's Region.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `RegionDisabledException`. STS names the account (STS API reference, "AssumeRole").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsRegionDisabled {
    /// The account of the role.
    pub account: String,
    /// The Region that was asked.
    pub region: Option<String>,
}

impl CauseEntry for StsRegionDisabled {
    fn facts(&self) -> Facts {
        Facts::proved(
            "sts_region_disabled",
            Stage::SigningIn,
            Side::CustomerAccount,
            "The role's account has switched AWS STS off in the service's Region.",
        )
        .learn_more("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html")
    }

    fn words(&self) -> Words {
        let region = match &self.region {
            Some(region) => format!("the Region {region}"),
            None => "the Region that the service runs in".to_owned(),
        };
        Words::new(
            "STS is switched off in the service's Region",
            format!(
                "Account {}, which the role is in, has switched AWS STS off in {region}.",
                self.account
            ),
            format!(
                "In account {}, activate {region} under IAM > Account settings > Security Token Service (STS).",
                self.account
            ),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![
            Self {
                account: "222222222222".to_owned(),
                region: Some("REGION".to_owned()),
            },
            Self {
                account: "222222222222".to_owned(),
                region: None,
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_account_is_named() {
        for words in words_of::<StsRegionDisabled>() {
            assert_eq!(words.matches("222222222222").count(), 2);
        }
    }
}
