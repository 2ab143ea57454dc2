//! Another change of the same bucket or file is under way.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `OperationAborted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictingChange {
    pub attempt: Attempt,
}

impl CauseEntry for ConflictingChange {
    fn facts(&self) -> Facts {
        Facts::proved(
            "conflicting_change",
            Stage::Answers,
            Side::Aws,
            "Another change of the same bucket or file is under way.",
        )
        .passing()
    }

    fn words(&self) -> Words {
        Words::new(
            "The bucket is being changed",
            format!(
                "{} says that a conflicting change of the same bucket or file is under way. This proves nothing about the settings.",
                self.attempt.sentence()
            ),
            "Try again in a moment. If the problem persists, contact the operator.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        Attempt::ALL.map(|attempt| Self { attempt }).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_claims_nothing_of_the_settings() {
        for words in words_of::<ConflictingChange>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
