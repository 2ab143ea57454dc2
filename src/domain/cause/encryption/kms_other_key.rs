//! The object is encrypted with another key than the settings name.

use crate::domain::cause::encryption::DeniedKey;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::{Fix, Setting};

/// AWS names the key, and the settings name another, which the caller's policies and sessions are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsOtherKey {
    pub denied: DeniedKey,
}

impl CauseEntry for KmsOtherKey {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_other_key",
            Stage::Encryption,
            Side::Settings,
            "The objects are encrypted with another key than the settings name, which the role may not use.",
        )
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html")
    }

    fn words(&self) -> Words {
        let entered = match &self.denied.entered {
            Some(key) => format!("`{}`", key.as_str()),
            None => "no key".to_owned(),
        };
        Words::new(
            "The KMS key is another than in the settings",
            format!(
                "AWS refused {} on {}. The settings name {entered}.",
                self.denied.action,
                self.denied.key_in_words()
            ),
            "If the key that AWS names is the bucket's, enter it in the settings and apply the permission policy again. If only some files are encrypted with it, copy them onto themselves with the key of the settings: the service uses one key for each storage.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            Candidate::new(
                "bucket_default",
                "It is the key of the bucket's default encryption, and the settings name an old or another one.",
            )
            .console(format!(
                "S3 > {} > Properties > Default encryption",
                self.denied.bucket
            ))
            .cli(format!(
                "aws s3api get-bucket-encryption --bucket {}",
                self.denied.bucket
            )),
            self.denied.look_at_file(Candidate::new(
                "some_files",
                "Only some files are encrypted with it, such as those from before the bucket's key was changed.",
            )),
        ]
    }

    fn fix(&self) -> Option<Fix> {
        let key = self.denied.key.clone()?;
        Some(Fix::Setting(Setting::KmsKey(key)))
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::connection::kms_key_arn::KmsKeyArn;
        let entered = KmsKeyArn::parse(
            "arn:aws:kms:eu-west-1:222222222222:key/0000abcd-12ab-34cd-56ef-1234567890ab",
        );
        vec![Self {
            denied: DeniedKey {
                entered: entered.ok(),
                ..DeniedKey::example()
            },
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn both_keys_are_shown_and_the_one_of_aws_is_offered() {
        for (cause, words) in KmsOtherKey::examples()
            .iter()
            .zip(words_of::<KmsOtherKey>())
        {
            let (key, entered) = (cause.denied.key.clone(), cause.denied.entered.clone());
            let (key, entered) = (key.unwrap(), entered.unwrap());
            assert_ne!(key, entered);
            assert!(words.contains(key.as_str()) && words.contains(entered.as_str()));
            assert_eq!(cause.fix(), Some(Fix::Setting(Setting::KmsKey(key))));
        }
    }
}
