//! The store did not accept the call.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// A code of S3 that says nothing more, or one that is in no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsRejected {
    pub attempt: Attempt,
    /// What the store objects to, in a sentence.
    pub because: String,
}

impl CauseEntry for AwsRejected {
    fn facts(&self) -> Facts {
        Facts::proved(
            "aws_rejected",
            Stage::Answers,
            Side::Settings,
            "The call was not accepted; the explanation has the code.",
        )
        .one_of()
        .bearing(self.attempt.bearing_of_rejection())
    }

    fn words(&self) -> Words {
        Words::new(
            format!("{} did not accept the call", self.attempt.of_whom()),
            format!(
                "{} did not accept the call. {} This proves nothing about permissions.",
                self.attempt.sentence(),
                self.because
            ),
            "Send the operator the AWS request ID: the log has the store's own words.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            Candidate::new("settings", "A setting does not go with the bucket or the store: its Region, its endpoint or its KMS key.").console("The settings of the connection"),
            Candidate::new("store", "The store does not take what the service sends.").console("The operator's log, by the AWS request ID"),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        Attempt::ALL
            .map(|attempt| Self {
                attempt,
                because: "It answered HTTP 400 with the code `CODE`.".to_owned(),
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_code_is_shown() {
        for words in words_of::<AwsRejected>() {
            assert!(words.contains("`CODE`"), "{words}");
        }
    }
}
