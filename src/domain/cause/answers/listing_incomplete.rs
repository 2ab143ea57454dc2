//! The listing contradicts itself.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// A listing that contradicts itself or what was listed before, asked twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingIncomplete {
    pub attempt: Attempt,
}

impl CauseEntry for ListingIncomplete {
    fn facts(&self) -> Facts {
        Facts::proved(
            "listing_incomplete",
            Stage::Answers,
            Side::Aws,
            "The store's listing contradicts itself, so files may be missing from it.",
        )
        .passing()
    }

    fn words(&self) -> Words {
        Words::new(
            "The listing contradicts itself",
            format!(
                "{} answered with a listing that contradicts itself or what was listed before, so files may be missing from it. It was asked twice. This proves nothing about the settings.",
                self.attempt.sentence()
            ),
            "Send the operator the request ID: the log says what does not agree. The operator of the store can find out why.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        [Attempt::AskBucket, Attempt::AskStore]
            .map(|attempt| Self { attempt })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_claims_nothing_of_the_settings() {
        for words in words_of::<ListingIncomplete>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
