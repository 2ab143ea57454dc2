//! The session that the service runs on has expired.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `ExpiredToken` for the service's own credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSessionExpired;

impl CauseEntry for ServiceSessionExpired {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_session_expired",
            Stage::SigningIn,
            Side::Service,
            "The session that the service runs on has expired. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
        .may_pass()
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's own session has expired",
            "AWS says that the temporary credentials that the service runs on have expired. The customer cannot fix this.",
            "Try again in a moment: the service fetches others. If the problem persists, contact the operator.",
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
        for words in words_of::<ServiceSessionExpired>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
