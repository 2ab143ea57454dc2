//! S3 does not know the role's session.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// STS gave a session, and S3 does not know its access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionNotAccepted;

impl CauseEntry for SessionNotAccepted {
    fn facts(&self) -> Facts {
        Facts::proved(
            "session_not_accepted",
            Stage::Bucket,
            Side::Aws,
            "S3 does not know the role's session.",
        )
        .likely()
    }

    fn words(&self) -> Words {
        Words::new(
            "S3 does not know the role's session",
            "STS let us assume the role, and S3 does not know the access key of that session. The role may have been made again a moment ago, or the endpoint is not the S3 of this partition.",
            "Wait a minute, then try again. If the problem persists, send the operator the AWS request ID.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_access_key_is_asked_for() {
        for words in words_of::<SessionNotAccepted>() {
            assert!(!words.contains("Enter the access key"), "{words}");
        }
    }
}
