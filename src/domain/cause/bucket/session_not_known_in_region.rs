//! The role's session is not known in the bucket's Region.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `InvalidToken` for a role's session, also from the STS of that Region (S3 and STS user guides, opt-in
/// Regions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionNotKnownInRegion;

impl CauseEntry for SessionNotKnownInRegion {
    fn facts(&self) -> Facts {
        Facts::proved(
            "session_not_known_in_region",
            Stage::Bucket,
            Side::CustomerAccount,
            "S3 answers `InvalidToken`: the role's account has not enabled the bucket's Region, or did so only a short while ago.",
        )
        .likely()
        .may_pass()
        .learn_more("https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "The role's session is not known in the bucket's Region",
            "S3 answered `InvalidToken`. This happens when the bucket is in a Region that an account must enable first, and the role's account has not enabled it, or did so only a short while ago. Enabling takes minutes, sometimes hours. Sessions of the global STS endpoint are not valid there either. Where it knows the Region, the service also asked the STS there.",
            "In the account of the role, enable the bucket's Region under Account > AWS Regions, and wait until it says Enabled. Under IAM > Account settings, STS must be active in it. Then check again.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_place_is_named() {
        for words in words_of::<SessionNotKnownInRegion>() {
            assert!(words.contains("AWS Regions"), "{words}");
        }
    }
}
