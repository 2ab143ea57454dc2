//! STS does not know the access key that the service runs on.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `InvalidClientTokenId`, or `UnrecognizedClient`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKeyUnknown;

impl CauseEntry for ServiceKeyUnknown {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_key_unknown",
            Stage::SigningIn,
            Side::Service,
            "AWS does not know the access key that the service runs on. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's own access key is not known",
            "AWS does not know the access key that the service runs on: it was deleted or deactivated, belongs to another partition, or the service's account has not enabled the Region. The customer cannot fix this.",
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
        for words in words_of::<ServiceKeyUnknown>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
