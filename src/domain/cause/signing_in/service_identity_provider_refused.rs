//! The token of the service's identity provider was refused.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `IDPRejectedClaim`, or `InvalidIdentityToken`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceIdentityProviderRefused;

impl CauseEntry for ServiceIdentityProviderRefused {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_identity_provider_refused",
            Stage::SigningIn,
            Side::Service,
            "STS does not accept the token of the identity provider that the service signs in with. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's identity provider was refused",
            "STS does not accept the token of the identity provider that the service signs in with. The customer cannot fix this.",
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
        for words in words_of::<ServiceIdentityProviderRefused>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
