//! The access key belongs to a temporary session, or is not known in the Region.

use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// `InvalidToken` or `ExpiredToken` for a storage with an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyTemporary;

impl CauseEntry for AccessKeyTemporary {
    fn facts(&self) -> Facts {
        Facts::proved(
            "access_key_temporary",
            Stage::Bucket,
            Side::Settings,
            "The access key is one of a temporary session, or is not known in the Region.",
        )
        .one_of()
    }

    fn words(&self) -> Words {
        Words::new(
            "The access key is not a long-term one of this Region",
            "The store does not accept the access key together with its session: the key belongs to a temporary session, or the account has not enabled the bucket's Region.",
            "Enter a long-term access key, which begins with `AKIA` at AWS, and enable the bucket's Region in its account.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            Candidate::new("temporary", "The access key belongs to a temporary session. Its ID then begins with `ASIA` at AWS.")
                .console("The access key's ID in the settings"),
            Candidate::new("region_not_enabled", "The account has not enabled the bucket's Region.")
                .console("Account > AWS Regions")
                .cli("aws account list-regions --region-opt-status-contains ENABLED ENABLED_BY_DEFAULT"),
        ]
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
    fn there_is_no_role() {
        for words in words_of::<AccessKeyTemporary>() {
            assert!(!words.contains("role"), "{words}");
        }
    }
}
