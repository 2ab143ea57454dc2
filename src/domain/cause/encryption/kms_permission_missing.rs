//! No policy of the caller allows the key's action.

use crate::domain::cause::encryption::DeniedKey;
use crate::domain::cause::entry::{CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// AWS says "because no identity-based policy allows", of an action of KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsPermissionMissing {
    pub denied: DeniedKey,
}

impl CauseEntry for KmsPermissionMissing {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_permission_missing",
            Stage::Encryption,
            self.denied.caller.side(),
            "No policy of the role or user allows the key's action.",
        )
        .may_pass()
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html")
    }

    fn words(&self) -> Words {
        let (key, entered) = (&self.denied.key, &self.denied.entered);
        let add = match key.as_ref().or(entered.as_ref()) {
            Some(_) => format!(
                "Add the statement shown here to {}.",
                self.denied.caller.policy()
            ),
            None => format!(
                "Allow {} on the bucket's KMS key in {}.",
                self.denied.action,
                self.denied.caller.policy()
            ),
        };
        // A session that knows no key allows none.
        let enter = match (key, entered) {
            (Some(key), None) => format!(
                " Also enter `{}` as the KMS key in the settings.",
                key.as_str()
            ),
            (None, None) => " Also enter its ARN in the settings.".to_owned(),
            (Some(_) | None, Some(_)) => String::new(),
        };
        Words::new(
            format!(
                "{} may not use {}",
                self.denied.caller.subject(),
                self.denied.action
            ),
            format!(
                "The objects are encrypted with {}, and no policy of {} allows {} on it.",
                self.denied.key_in_words(),
                self.denied.caller.object(),
                self.denied.action
            ),
            format!(
                "{add}{enter} The key's own policy must let that account use IAM policies, as the default key policy does."
            ),
        )
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::UseKey {
            action: self.denied.action.clone(),
            key: self.denied.key.clone(),
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let mut all = DeniedKey::examples();
        all.push(DeniedKey::unnamed());
        all.push(DeniedKey {
            entered: DeniedKey::example().key,
            ..DeniedKey::example()
        });
        all.into_iter().map(|denied| Self { denied }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_action_is_offered_on_the_key_that_aws_names() {
        for (cause, words) in KmsPermissionMissing::examples()
            .iter()
            .zip(words_of::<KmsPermissionMissing>())
        {
            assert_eq!(
                cause.fix(),
                Some(Fix::UseKey {
                    action: "kms:Decrypt".to_owned(),
                    key: cause.denied.key.clone(),
                })
            );
            assert_eq!(words.contains("Also enter"), cause.denied.entered.is_none());
        }
    }
}
