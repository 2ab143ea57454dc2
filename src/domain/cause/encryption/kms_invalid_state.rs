//! The state of the KMS key does not allow its use.

use crate::domain::cause::encryption::{describe_key, key_in_words};
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// AWS's own code or sentence says so. No permission changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsInvalidState {
    /// The key, where AWS names it.
    pub key: Option<String>,
}

impl CauseEntry for KmsInvalidState {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_invalid_state",
            Stage::Encryption,
            Side::CustomerAccount,
            "The state of the KMS key does not allow its use.",
        )
        .learn_more("https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html")
    }

    fn words(&self) -> Words {
        let key = key_in_words(self.key.as_deref());
        Words::new(
            "The KMS key cannot be used in its state",
            format!(
                "AWS says that the state of {key} does not allow its use: it is disabled, waits for its deletion, or has no key material. No permission changes that."
            ),
            format!(
                "Look at the status of the key under KMS > Customer managed keys, or at `KeyState` in the answer to `{}`. A deletion can be cancelled until it is done.",
                describe_key(self.key.as_deref())
            ),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![
            Self {
                key: Some("KEY_ARN".to_owned()),
            },
            Self { key: None },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_permission_is_offered() {
        for (cause, words) in KmsInvalidState::examples()
            .iter()
            .zip(words_of::<KmsInvalidState>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("No permission changes that"), "{words}");
        }
    }
}
