//! There is no such KMS key.

use crate::domain::cause::encryption::{describe_key, key_in_words};
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// AWS's own code or sentence says so. No permission changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsNotFound {
    /// The key, where AWS names it.
    pub key: Option<String>,
}

impl CauseEntry for KmsNotFound {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_not_found",
            Stage::Encryption,
            Side::CustomerAccount,
            "There is no such KMS key.",
        )
        .learn_more("https://docs.aws.amazon.com/kms/latest/developerguide/find-cmk-id-arn.html")
    }

    fn words(&self) -> Words {
        let key = key_in_words(self.key.as_deref());
        Words::new(
            "The KMS key does not exist",
            format!("AWS says that {key} does not exist. No permission changes that."),
            "Compare the ARN of the key in the settings and in the default encryption of the bucket with KMS > Customer managed keys.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |code, text: &str| {
            Candidate::new(code, text)
                .console("KMS > Customer managed keys, in the bucket's Region")
                .cli(describe_key(self.key.as_deref()))
        };
        vec![
            look(
                "misspelt",
                "The key's ARN is misspelt in the settings or in the bucket's default encryption.",
            ),
            look(
                "other_region",
                "The key is of another Region than the bucket.",
            ),
            look(
                "deleted",
                "The key was deleted. What it encrypted cannot be read again.",
            ),
        ]
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
        for (cause, words) in KmsNotFound::examples()
            .iter()
            .zip(words_of::<KmsNotFound>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("No permission changes that"), "{words}");
        }
    }
}
