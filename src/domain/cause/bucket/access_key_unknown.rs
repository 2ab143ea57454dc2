//! The store does not know the access key.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `InvalidAccessKeyId`: the secret was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyUnknown;

impl CauseEntry for AccessKeyUnknown {
    fn facts(&self) -> Facts {
        Facts::proved(
            "access_key_unknown",
            Stage::Bucket,
            Side::Settings,
            "The store does not know the access key's ID.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The access key is not known",
            "The store does not know the access key's ID. The key was deleted or deactivated, or is of another store. The secret was not looked at.",
            "Enter the access key again, or make a new one.",
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
    fn the_secret_is_not_blamed() {
        for words in words_of::<AccessKeyUnknown>() {
            assert!(words.contains("secret was not looked at"), "{words}");
        }
    }
}
