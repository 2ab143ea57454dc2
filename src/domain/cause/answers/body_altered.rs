//! What arrived is not what was sent.

use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// The store says that the body does not fit its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyAltered;

impl CauseEntry for BodyAltered {
    fn facts(&self) -> Facts {
        Facts::proved(
            "body_altered",
            Stage::Answers,
            Side::Network,
            "The body does not fit its digest when it arrives.",
        )
        .one_of()
    }

    fn words(&self) -> Words {
        Words::new(
            "What arrived is not what was sent",
            "The store says that the body does not fit its digest. Something between the service and the store changes bodies, or the store does not understand the digest.",
            "Contact the operator: look at what is between the service and the store.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            Candidate::new(
                "proxy",
                "Something between the service and the store changes bodies.",
            )
            .console("The operator's network"),
            Candidate::new(
                "digest",
                "The store does not understand the digest that the service sends.",
            )
            .console("The store's documentation on checksums"),
        ]
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
    fn no_permission_is_offered() {
        for (cause, words) in BodyAltered::examples()
            .iter()
            .zip(words_of::<BodyAltered>())
        {
            assert_eq!(cause.fix(), None);
            assert!(!words.contains("permission"), "{words}");
        }
    }
}
