//! The clocks of the service and of the store differ.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// By more than a signature allows: 15 minutes at AWS. The credentials may be good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsClockSkew {
    pub attempt: Attempt,
}

impl CauseEntry for AwsClockSkew {
    fn facts(&self) -> Facts {
        Facts::proved(
            "aws_clock_skew",
            Stage::Answers,
            Side::Service,
            "The clocks of the service and the store differ by more than a signature allows.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The clocks differ",
            format!(
                "{} says that the clock of this service differs from its own by more than it accepts. The credentials may be good. This proves nothing about the settings.",
                self.attempt.sentence()
            ),
            match self.attempt {
                Attempt::AssumeRole | Attempt::AskBucket => {
                    "Ask the operator to correct the clock of the machine that the service runs on."
                }
                Attempt::AskStore => {
                    "Ask the operator to compare the clock of the service with the true time. The clock of the store may be the wrong one."
                }
            },
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
        for words in words_of::<AwsClockSkew>() {
            assert!(words.contains("proves nothing"), "{words}");
        }
    }
}
