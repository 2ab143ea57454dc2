//! The service's call arrived without its signature.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `IncompleteSignature`, or `MissingAuthenticationToken`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSignatureMissing;

impl CauseEntry for ServiceSignatureMissing {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_signature_missing",
            Stage::SigningIn,
            Side::Service,
            "The service's call arrived without its signature. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's call arrived without its signature",
            "AWS says that the call had no signature, or not a whole one. A proxy in between may take it away. The customer cannot fix this.",
            "Contact the operator: look at what is between the service and AWS.",
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
        for words in words_of::<ServiceSignatureMissing>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
