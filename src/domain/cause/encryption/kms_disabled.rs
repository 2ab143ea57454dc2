//! The KMS key is disabled.

use crate::domain::cause::encryption::{key_command, key_in_words};
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// AWS's own code or sentence says so. No permission changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsDisabled {
    /// The key, where AWS names it.
    pub key: Option<String>,
}

impl CauseEntry for KmsDisabled {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_disabled",
            Stage::Encryption,
            Side::CustomerAccount,
            "The KMS key is disabled.",
        )
        .learn_more("https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html")
    }

    fn words(&self) -> Words {
        let key = key_in_words(self.key.as_deref());
        Words::new(
            "The KMS key is disabled",
            format!("AWS says that {key} is disabled. No permission changes that."),
            format!(
                "Enable the key under KMS > Customer managed keys, or by `{}`.",
                key_command("enable-key", self.key.as_deref())
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
        for (cause, words) in KmsDisabled::examples()
            .iter()
            .zip(words_of::<KmsDisabled>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("No permission changes that"), "{words}");
        }
    }
}
