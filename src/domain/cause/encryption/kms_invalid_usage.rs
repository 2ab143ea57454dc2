//! The KMS key is of another kind.

use crate::domain::cause::encryption::{describe_key, key_in_words};
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// AWS's own code or sentence says so. No permission changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsInvalidUsage {
    /// The key, where AWS names it.
    pub key: Option<String>,
}

impl CauseEntry for KmsInvalidUsage {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_invalid_usage",
            Stage::Encryption,
            Side::CustomerAccount,
            "The KMS key is of another kind.",
        )
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html")
    }

    fn words(&self) -> Words {
        let key = key_in_words(self.key.as_deref());
        Words::new(
            "The KMS key is of another kind",
            format!(
                "AWS says that {key} is not for encrypting: S3 takes symmetric keys for encryption and decryption only. No permission changes that."
            ),
            format!(
                "Name a symmetric encryption key in the settings and in the default encryption of the bucket: `{}` shows `KeySpec` and `KeyUsage`, which must be `SYMMETRIC_DEFAULT` and `ENCRYPT_DECRYPT`.",
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
        for (cause, words) in KmsInvalidUsage::examples()
            .iter()
            .zip(words_of::<KmsInvalidUsage>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("No permission changes that"), "{words}");
        }
    }
}
