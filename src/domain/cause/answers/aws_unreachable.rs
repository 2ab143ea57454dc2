//! AWS could not be reached.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// No connection, or one that broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsUnreachable {
    pub attempt: Attempt,
}

impl CauseEntry for AwsUnreachable {
    fn facts(&self) -> Facts {
        Facts::proved(
            "aws_unreachable",
            Stage::Answers,
            Side::Network,
            "There was no connection, or it broke.",
        )
        .passing()
    }

    fn words(&self) -> Words {
        Words::new(
            "There was no connection",
            format!(
                "{} could not be reached, or the connection broke. This proves nothing about the settings.",
                self.attempt.sentence()
            ),
            "Try again in a moment. If it stays, contact the operator.",
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
        for words in words_of::<AwsUnreachable>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
