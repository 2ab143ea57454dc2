//! The answer does not have the form of S3 or STS.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// A body that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsAnswerUnreadable {
    pub attempt: Attempt,
}

impl CauseEntry for AwsAnswerUnreadable {
    fn facts(&self) -> Facts {
        Facts::proved(
            "aws_answer_unreadable",
            Stage::Answers,
            Side::Network,
            "The answer does not have the form of S3 or STS.",
        )
        .passing()
    }

    fn words(&self) -> Words {
        Words::new(
            "The answer cannot be read",
            format!(
                "{} answered in a form that cannot be read. This proves nothing about the settings.",
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
        for words in words_of::<AwsAnswerUnreadable>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
