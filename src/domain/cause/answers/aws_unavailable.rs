//! AWS, or the store, has a fault of its own.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// 5xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsUnavailable {
    pub attempt: Attempt,
}

impl CauseEntry for AwsUnavailable {
    fn facts(&self) -> Facts {
        Facts::proved(
            "aws_unavailable",
            Stage::Answers,
            Side::Aws,
            "AWS or the store answered with a fault of its own.",
        )
        .passing()
    }

    fn words(&self) -> Words {
        Words::new(
            format!("{} has a fault of its own", self.attempt.of_whom()),
            format!(
                "{} answered with a fault of its own. This proves nothing about the settings.",
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
        for words in words_of::<AwsUnavailable>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
