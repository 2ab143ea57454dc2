//! The key cannot be seen from the caller's account.

use crate::domain::cause::encryption::DeniedKey;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// AWS says that the ciphertext refers to a key that does not exist, does not exist in this Region, or may not be
/// accessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsForeignKey {
    pub denied: DeniedKey,
}

impl CauseEntry for KmsForeignKey {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_foreign_key",
            Stage::Encryption,
            self.denied.caller.side(),
            "The objects are encrypted with a key that does not exist in the Region, or that another account does not share.",
        )
        .one_of()
        .may_pass()
        .learn_more("https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "The KMS key cannot be accessed",
            format!(
                "AWS could not use {} for {}: it says that the key does not exist, does not exist in this Region, or may not be accessed.",
                self.denied.key_in_words(),
                self.denied.action
            ),
            format!(
                "Find out which key the file is encrypted with. If another account owns it, its key policy must let {} use it, and so must {}.",
                self.denied.caller.object(),
                self.denied.caller.policy()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            self.denied.look_at_file(Candidate::new(
                "key_of_other_account",
                "The key belongs to another account, and its policy does not share it. The account is in the key's ARN.",
            )),
            self.denied.look_at_file(Candidate::new(
                "other_region",
                "The key is of another Region than the bucket. The Region is in the key's ARN.",
            )),
            self.denied.look_at_key(Candidate::new(
                "deleted",
                "The key was deleted. What it encrypted cannot be read again.",
            )),
        ]
    }

    /// For the likeliest of the candidates. Where neither AWS nor the settings name the key, nobody knows whose policy
    /// to change.
    fn fix(&self) -> Option<Fix> {
        self.denied.caller.role_arn()?;
        // A write uses the key of the settings. A file that is read may have been encrypted with another.
        let entered = self.denied.entered.as_ref();
        let of_write = entered.filter(|_| self.denied.action == "kms:GenerateDataKey");
        let key = self.denied.key.as_ref().or(of_write)?;
        Some(Fix::KeyPolicy { key: key.clone() })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let mut all = DeniedKey::examples();
        all.push(DeniedKey::unnamed());
        all.into_iter().map(|denied| Self { denied }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::caller::Caller;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn nothing_is_decided_and_the_likeliest_has_a_patch() {
        for (cause, words) in KmsForeignKey::examples()
            .iter()
            .zip(words_of::<KmsForeignKey>())
        {
            let names_key = cause.denied.key.is_some();
            let is_role = cause.denied.caller.role_arn().is_some();
            assert_eq!(cause.fix().is_some(), names_key && is_role);
            assert!(words.contains("does not exist in this Region, or may not be accessed"));
            assert_eq!(
                words.contains("the role"),
                matches!(cause.denied.caller, Caller::Role(_)),
                "{words}"
            );
            for candidate in cause.candidates() {
                assert!(candidate.decide.cli.is_some() && candidate.decide.console.is_some());
            }
        }
    }
}
