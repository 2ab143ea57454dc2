//! AWS could not be reached.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// No connection, or one that broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsUnreachable {
    pub attempt: Attempt,
    /// The host of a store's endpoint, and its port where it has one. `None`: AWS was asked.
    pub host: Option<String>,
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
        match &self.host {
            None => Words::new(
                "There was no connection",
                format!(
                    "{} could not be reached, or the connection broke. This proves nothing about the settings.",
                    self.attempt.sentence()
                ),
                "Try again in a moment. If the problem persists, contact the operator.",
            ),
            Some(host) => Words::new(
                format!("There was no connection to `{host}`"),
                format!(
                    "We tried to use the bucket, and `{host}` could not be reached, or the connection broke without an answer. This proves nothing about the other settings."
                ),
                "Try again in a moment. If the problem persists, compare the endpoint's scheme (`http` or `https`) and its port with the store's documentation, then contact the operator.",
            ),
        }
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let host = |attempt| (attempt == Attempt::AskStore).then(|| "HOST".to_owned());
        let of = |attempt| Self {
            attempt,
            host: host(attempt),
        };
        Attempt::ALL.map(of).into()
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
