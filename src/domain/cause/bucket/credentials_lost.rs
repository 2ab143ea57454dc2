//! The secret of the access key cannot be read any more.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// The code, for a storage's health.
pub const CREDENTIALS_LOST: &str = "credentials_lost";

/// The secret was sealed with a master key that the operator has lost. The store is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsLost;

impl CauseEntry for CredentialsLost {
    fn facts(&self) -> Facts {
        Facts::proved(
            CREDENTIALS_LOST,
            Stage::Bucket,
            Side::Settings,
            "The service has lost the secret of the access key, which must be entered again.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The secret access key must be entered again",
            "The service cannot read the secret that was entered: the operator had to replace the key that it was encrypted with. Nobody has seen it, and nothing has changed in the store. The store was not asked.",
            "Enter the secret access key again, or make a new key and enter it.",
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
    fn the_key_itself_is_not_blamed() {
        for words in words_of::<CredentialsLost>() {
            assert!(words.contains("Nobody has seen it"), "{words}");
            assert!(!words.contains("AWS"), "{words}");
        }
    }
}
