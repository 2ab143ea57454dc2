//! A new file is encrypted with another key than the settings name.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// What the store says of the probe file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeEncryptionDiffers {
    /// What it is encrypted with, in words.
    pub found: String,
    /// The KMS key of the settings.
    pub asked: String,
}

impl CauseEntry for ProbeEncryptionDiffers {
    fn facts(&self) -> Facts {
        Facts::proved(
            "probe_encryption_differs",
            Stage::Encryption,
            Side::CustomerAccount,
            "A warning: a new file is encrypted with another key than the settings name.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The file is encrypted otherwise than the settings say",
            format!(
                "The settings name the KMS key `{}`, and the probe file was encrypted with {}. The connection works otherwise.",
                self.asked, self.found
            ),
            "Compare the KMS key in the settings with the bucket's default encryption.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            found: "`AES256`".to_owned(),
            asked: "KEY_ARN".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn both_are_named() {
        for words in words_of::<ProbeEncryptionDiffers>() {
            assert!(
                words.contains("`KEY_ARN`") && words.contains("`AES256`"),
                "{words}"
            );
        }
    }
}
