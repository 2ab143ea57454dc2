//! The KMS key is not the one in the settings.

use crate::domain::cause::encryption::DeniedKey;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::fix::Setting;

/// The service's own session policy, which allows the key of the settings alone, refused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKeyNotEntered {
    pub denied: DeniedKey,
}

impl CauseEntry for KmsKeyNotEntered {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_key_not_entered",
            Stage::Encryption,
            Side::Settings,
            "The key is not the one in the settings, so the service's session does not allow it. The role and the key may be right.",
        )
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html")
    }

    fn words(&self) -> Words {
        let differs = match &self.denied.entered {
            Some(key) => format!("The settings name `{}`", key.as_str()),
            None => "The settings name no key".to_owned(),
        };
        Words::new(
            "The KMS key is not in the settings",
            format!("{} on {} was refused by the service's own session policy, which allows the key of the settings only. {differs}. The role and the key may be right.", self.denied.action, self.denied.key_in_words()),
            match &self.denied.key {
                Some(key) => format!("Enter `{}` as the KMS key in the settings, and apply the permission policy again.", key.as_str()),
                None => "Enter the ARN of the bucket's KMS key in the settings, and apply the permission policy again.".to_owned(),
            },
        )
    }

    fn fix(&self) -> Option<Fix> {
        let key = self.denied.key.clone()?;
        Some(Fix::Setting(Setting::KmsKey(key)))
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![
            Self {
                denied: DeniedKey::example(),
            },
            Self {
                denied: DeniedKey::unnamed(),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_key_is_offered_where_aws_names_it() {
        words_of::<KmsKeyNotEntered>();
        let [named, unnamed]: [KmsKeyNotEntered; 2] =
            KmsKeyNotEntered::examples().try_into().unwrap();
        assert_eq!(
            named.fix(),
            named
                .denied
                .key
                .map(|key| Fix::Setting(Setting::KmsKey(key)))
        );
        assert_eq!(unnamed.fix(), None);
    }
}
