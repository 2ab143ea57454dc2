//! The signature of a role's session does not match.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `SignatureDoesNotMatch` for a session that STS made a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureRejected;

impl CauseEntry for SignatureRejected {
    fn facts(&self) -> Facts {
        Facts::proved(
            "signature_rejected",
            Stage::Bucket,
            Side::Network,
            "The signature of a role's session does not match: something in between changes requests.",
        )
        .likely()
    }

    fn words(&self) -> Words {
        Words::new(
            "The signature does not match",
            "S3 says that the signature does not match. The session came from STS a moment ago, so something between the service and S3 changes requests.",
            "Contact the operator: look at the proxy between the service and S3.",
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
    fn no_secret_is_blamed() {
        for words in words_of::<SignatureRejected>() {
            assert!(!words.contains("secret"), "{words}");
        }
    }
}
