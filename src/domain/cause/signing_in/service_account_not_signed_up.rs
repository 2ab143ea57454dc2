//! The service's own account may not use AWS.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `OptInRequired`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountNotSignedUp;

impl CauseEntry for ServiceAccountNotSignedUp {
    fn facts(&self) -> Facts {
        Facts::proved(
            "service_account_not_signed_up",
            Stage::SigningIn,
            Side::Service,
            "The service's own account is not signed up. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's own account is not signed up",
            "AWS says that the service's account is not signed up, or not yet activated. The customer cannot fix this.",
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
        for words in words_of::<ServiceAccountNotSignedUp>() {
            assert!(words.contains("customer cannot fix this"), "{words}");
        }
    }
}
