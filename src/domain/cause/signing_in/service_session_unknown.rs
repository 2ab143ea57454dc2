//! The session that the service runs on is not known in the Region.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `InvalidToken` for the service's own credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSessionUnknown;

impl CauseEntry for ServiceSessionUnknown {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_session_unknown",
            Stage::SigningIn,
            Side::Service,
            "The session that the service runs on is not known in the Region. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's own session is not known in this Region",
            "AWS does not accept the session token of the credentials that the service runs on. The customer cannot fix this.",
            "Contact the operator: the service's account may not have enabled the Region.",
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
        for words in words_of::<ServiceSessionUnknown>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
