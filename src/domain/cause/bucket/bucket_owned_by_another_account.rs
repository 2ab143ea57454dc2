//! The bucket belongs to another account than the one that was expected.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// S3 answers with, and refuses without another difference than the expected owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketOwnedByAnotherAccount {
    pub bucket: String,
    /// The account that was expected.
    pub account: String,
    /// Whether the settings name the account; otherwise it is the role's.
    pub is_named: bool,
}

impl CauseEntry for BucketOwnedByAnotherAccount {
    fn facts(&self) -> Facts {
        Facts::proved(
            "bucket_owned_by_another_account",
            Stage::Bucket,
            Side::Settings,
            "The bucket belongs to another account than the one that is expected.",
        )
    }

    fn words(&self) -> Words {
        let (whose, remedy) = match self.is_named {
            true => (
                "is named as the bucket's",
                "Correct the ID of the bucket's account, or use a bucket of that account.",
            ),
            false => (
                "the role belongs to",
                "Use a bucket of the same account as the role. If the bucket is meant to be another account's, name that account as the bucket's.",
            ),
        };
        Words::new(
            "The bucket belongs to another account",
            format!(
                "S3 says that account {}, which {whose}, does not own the bucket `{}`. Someone else may have taken a name that was free.",
                self.account, self.bucket
            ),
            remedy,
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        [true, false]
            .map(|is_named| Self {
                bucket: "BUCKET".to_owned(),
                account: "222222222222".to_owned(),
                is_named,
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn both_are_named() {
        for words in words_of::<BucketOwnedByAnotherAccount>() {
            assert!(
                words.contains("`BUCKET`") && words.contains("222222222222"),
                "{words}"
            );
        }
    }
}
