//! The secret does not fit the access key.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `SignatureDoesNotMatch` for an access key that the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretWrong;

impl CauseEntry for SecretWrong {
    fn facts(&self) -> Facts {
        Facts::proved(
            "secret_wrong",
            Stage::Bucket,
            Side::Settings,
            "The secret does not fit the access key.",
        )
        .likely()
    }

    fn words(&self) -> Words {
        Words::new(
            "The secret does not fit the access key",
            "The store knows the access key, and the signature does not match: the secret is wrong, or something in between changes requests.",
            "Enter the secret access key again, or make a new key.",
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
    fn both_explanations_are_there() {
        for words in words_of::<SecretWrong>() {
            assert!(words.contains("in between"), "{words}");
        }
    }
}
