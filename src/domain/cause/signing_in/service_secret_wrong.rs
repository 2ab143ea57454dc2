//! The signature of the service's own credentials does not match.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `SignatureDoesNotMatch` for the service's own credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSecretWrong;

impl CauseEntry for ServiceSecretWrong {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_secret_wrong",
            Stage::SigningIn,
            Side::Service,
            "The signature made with the service's own credentials does not match. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's own signature does not match",
            "AWS says that the signature does not match: the secret key that the service runs on is wrong, or something in between changes requests. The customer cannot fix this.",
            "Contact the operator.",
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
    fn it_is_the_operators() {
        for words in words_of::<ServiceSecretWrong>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
