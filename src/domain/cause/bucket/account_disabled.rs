//! The account, or all access to the bucket, is switched off.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `AllAccessDisabled`, `AccountProblem` or `NotSignedUp`: no policy changes that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDisabled {
    pub what: Disabled,
}

/// What is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disabled {
    AllAccess,
    AccountProblem,
    NotSignedUp,
}

impl CauseEntry for AccountDisabled {
    fn facts(&self) -> Facts {
        Facts::proved(
            "account_disabled",
            Stage::Bucket,
            Side::CustomerAccount,
            "The account, or all access to the bucket, is switched off.",
        )
    }

    fn words(&self) -> Words {
        let (title, explanation, remedy) = match self.what {
            Disabled::AllAccess => (
                "All access to the bucket is switched off",
                "S3 says that all access to this bucket is disabled. It does so for accounts that are suspended, and for some names of buckets. No policy changes that.",
                "Compare the bucket's name with the one in the S3 console. If it is right, the owner of the bucket's account must contact AWS Support.",
            ),
            Disabled::AccountProblem => (
                "The account has a problem",
                "S3 says that a problem with the account prevents the call. No policy changes that.",
                "The owner of the account must contact AWS Support.",
            ),
            Disabled::NotSignedUp => (
                "The account is not signed up for S3",
                "S3 says that the account is not signed up for it, or not yet activated. No policy changes that.",
                "The owner of the account must complete its registration, or contact AWS Support.",
            ),
        };
        Words::new(title, explanation, remedy)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        [
            Disabled::AllAccess,
            Disabled::AccountProblem,
            Disabled::NotSignedUp,
        ]
        .map(|what| Self { what })
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_policy_is_offered() {
        for words in words_of::<AccountDisabled>() {
            assert!(words.contains("No policy changes that"));
        }
        assert!(
            AccountDisabled::examples()
                .iter()
                .all(|cause| cause.fix().is_none())
        );
    }
}
