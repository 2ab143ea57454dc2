//! AWS, or the store, asks for fewer requests.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `SlowDown`, `Throttling` and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsThrottled {
    pub attempt: Attempt,
}

impl CauseEntry for AwsThrottled {
    fn facts(&self) -> Facts {
        Facts::proved(
            "aws_throttled",
            Stage::Answers,
            Side::Aws,
            "AWS or the store asks for fewer requests.",
        )
        .passing()
    }

    fn words(&self) -> Words {
        Words::new(
            format!("{} asks for fewer requests", self.attempt.of_whom()),
            format!(
                "{} asks for fewer requests at the moment. This proves nothing about the settings.",
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
        for words in words_of::<AwsThrottled>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
