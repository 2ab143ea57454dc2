//! No answer came in time.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// The connection was made, and no answer came; or the store waited for a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsTimeout {
    pub attempt: Attempt,
}

impl CauseEntry for AwsTimeout {
    fn facts(&self) -> Facts {
        Facts::proved(
            "aws_timeout",
            Stage::Answers,
            Side::Aws,
            "No answer came in time.",
        )
        .passing()
    }

    fn words(&self) -> Words {
        Words::new(
            "No answer came in time",
            format!(
                "{} did not answer in time. This proves nothing about the settings.",
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
        for words in words_of::<AwsTimeout>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
