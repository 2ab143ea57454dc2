//! The store has no room left.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `QuotaExceeded` and their like, of S3-compatible stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFull;

impl CauseEntry for StoreFull {
    fn facts(&self) -> Facts {
        Facts::proved(
            "store_full",
            Stage::Bucket,
            Side::CustomerAccount,
            "The store, or the account's quota, is full.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The store has no room left",
            "The store says that it, or the account's quota, is full.",
            "Make room in the store, or raise the quota.",
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
    fn it_says_what_to_do() {
        for words in words_of::<StoreFull>() {
            assert!(words.contains("quota"), "{words}");
        }
    }
}
