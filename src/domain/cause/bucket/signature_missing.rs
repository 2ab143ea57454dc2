//! The call arrived without its signature, or with one that the store cannot read.

use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// `MissingAuthenticationToken`, `AuthorizationHeaderMalformed` and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureMissing;

impl CauseEntry for SignatureMissing {
    fn facts(&self) -> Facts {
        Facts::proved(
            "signature_missing",
            Stage::Bucket,
            Side::Network,
            "The call arrived without its signature, or with one that the store cannot read.",
        )
        .one_of()
    }

    fn words(&self) -> Words {
        Words::new(
            "The store cannot read the signature",
            "The store says that the header `Authorization` is absent or malformed: something in between takes it away, or the access key's ID or the Region in it is not what the store expects.",
            "Compare the Region and the endpoint in the settings with those of the store. Then look at what is between the service and the store.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            Candidate::new(
                "region",
                "The store signs for another Region than the settings say.",
            )
            .console("The Region in the settings, and the store's documentation"),
            Candidate::new("proxy", "A proxy in between takes headers away.")
                .console("The operator's network"),
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
    fn no_policy_is_blamed() {
        for words in words_of::<SignatureMissing>() {
            assert!(!words.contains("policy"), "{words}");
        }
    }
}
