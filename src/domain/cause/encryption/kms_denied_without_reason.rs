//! The key cannot be used, and it is not said why.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::encryption::DeniedKey;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};

/// A denial of KMS without a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsDeniedWithoutReason {
    pub denied: DeniedKey,
}

impl CauseEntry for KmsDeniedWithoutReason {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "kms_denied_without_reason",
            Stage::Encryption,
            self.denied.caller.side(),
            "The key cannot be used, and AWS does not say why.",
        )
        .one_of()
        .may_pass();
        self.denied.caller.learn_more(
            facts,
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
        )
    }

    fn words(&self) -> Words {
        if self.denied.caller.is_at_store() {
            return Words::new(
                "The encryption key cannot be used",
                format!(
                    "The store refused {} because of the key that the files are encrypted with, and does not say why.",
                    self.denied.action
                ),
                "Look at the causes below.",
            );
        }
        Words::new(
            "The KMS key cannot be used",
            format!(
                "{} on {} was refused, and AWS does not say why.",
                self.denied.action,
                self.denied.key_in_words()
            ),
            "Look at the causes below. The most likely is first.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let Caller::AccessKey { is_aws: false } = self.denied.caller else {
            return vec![
                self.denied.look_at_key_policy(Candidate::new(
                    "key_policy",
                    format!(
                        "The key's policy does not allow it to {}, or denies it.",
                        self.denied.caller.object()
                    ),
                )),
                self.denied.look_at_own_policy(Candidate::new(
                    "own_policy",
                    format!(
                        "{} does not allow it on this key.",
                        self.denied.caller.policy_title()
                    ),
                )),
                self.denied.look_at_key(Candidate::new(
                    "state",
                    "The key is disabled, or of another Region than the bucket.",
                )),
            ];
        };
        vec![
            Candidate::new(
                "store_key",
                "The access key may not use the key that the store encrypts with.",
            )
            .console("The store's own administration: its encryption keys"),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let mut all = DeniedKey::examples();
        all.push(DeniedKey::unnamed());
        all.push(DeniedKey {
            caller: Caller::AccessKey { is_aws: false },
            ..DeniedKey::unnamed()
        });
        all.into_iter().map(|denied| Self { denied }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn nothing_is_decided() {
        words_of::<KmsDeniedWithoutReason>();
        for cause in KmsDeniedWithoutReason::examples() {
            assert_eq!(cause.fix(), None);
            let candidates = cause.candidates();
            assert!(!candidates.is_empty());
            assert!(candidates.iter().all(|one| !one.decide.is_empty()));
            if cause.denied.caller.is_at_store() {
                assert_no_aws(&cause);
            }
        }
    }

    #[test]
    fn the_commands_name_the_key_that_aws_names() {
        let cause = KmsDeniedWithoutReason {
            denied: DeniedKey::example(),
        };
        let key = cause.denied.key.clone().unwrap();
        for candidate in cause.candidates() {
            let command = candidate.decide.cli.unwrap();
            assert!(command.contains(key.as_str()), "{command}");
        }
    }
}
