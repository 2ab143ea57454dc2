//! The KMS key waits for its deletion.

use crate::domain::cause::encryption::{key_command, key_in_words};
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// AWS's own code or sentence says so. No permission changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsPendingDeletion {
    /// The key, where AWS names it.
    pub key: Option<String>,
}

impl CauseEntry for KmsPendingDeletion {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_pending_deletion",
            Stage::Encryption,
            Side::CustomerAccount,
            "The KMS key waits for its deletion.",
        )
        .learn_more("https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html")
    }

    fn words(&self) -> Words {
        let key = key_in_words(self.key.as_deref());
        Words::new(
            "The KMS key waits for its deletion",
            format!("AWS says that {key} is pending deletion. No permission changes that."),
            format!(
                "Cancel the deletion under KMS > Customer managed keys, or by `{}`. Then enable the key. After the deletion, what it encrypted cannot be read again.",
                key_command("cancel-key-deletion", self.key.as_deref())
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
        for (cause, words) in KmsPendingDeletion::examples()
            .iter()
            .zip(words_of::<KmsPendingDeletion>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("No permission changes that"), "{words}");
        }
    }
}
