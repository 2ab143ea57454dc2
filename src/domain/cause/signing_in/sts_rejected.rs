//! STS answered otherwise than a role that refuses.

use crate::domain::aws_code::shown;
use crate::domain::cause::entry::{Bearing, Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::ABOUT_ASSUME_ROLE;

/// A code of STS that says nothing about the role, or one that is in no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsRejected {
    /// The code as it came, for people.
    pub code: String,
}

impl CauseEntry for StsRejected {
    fn facts(&self) -> Facts {
        Facts::proved(
            "sts_rejected",
            Stage::SigningIn,
            Side::Service,
            "STS did not accept the call; the explanation has its code. It proves nothing about the role.",
        )
        .one_of()
        .bearing(Bearing::Undecided)
        .learn_more(ABOUT_ASSUME_ROLE)
    }

    fn words(&self) -> Words {
        Words::new(
            "STS did not accept the call",
            format!(
                "STS answered AssumeRole {}. That is no answer of a role that refuses, so it proves nothing about the role.",
                shown(&self.code)
            ),
            "Send the operator the AWS request ID: the log has STS's own words.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            Candidate::new("request", "The service's call is not what this STS takes.")
                .console("The operator's log"),
            Candidate::new(
                "endpoint",
                "What answered is not STS, or an STS of another kind.",
            )
            .console("The operator's setting for the endpoint of STS"),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            code: "CODE".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_role_is_not_blamed() {
        for words in words_of::<StsRejected>() {
            assert!(words.contains("proves nothing about the role") && words.contains("`CODE`"));
        }
    }
}
