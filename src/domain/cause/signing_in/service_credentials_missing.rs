//! The service has no credentials.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// The SDK's chain of credentials found none, or could not fetch them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCredentialsMissing;

impl CauseEntry for ServiceCredentialsMissing {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_credentials_missing",
            Stage::SigningIn,
            Side::Service,
            "The service found no credentials of its own. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
        .may_pass()
    }

    fn words(&self) -> Words {
        Words::new(
            "The service has no credentials of its own",
            "The service found no credentials to call AWS with, or could not fetch them. The customer cannot fix this.",
            "Contact the operator: the environment of the service has no AWS credentials that can be used.",
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
        for words in words_of::<ServiceCredentialsMissing>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
