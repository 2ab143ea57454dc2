//! The call was refused without a reason.

use crate::domain::cause::denials::{Denied, S3_PAGE};
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::policy_document::escape;

/// A bare "Access Denied", as between accounts of different organizations, and by S3-compatible stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedWithoutReason {
    pub denied: Denied,
    /// The agreement to pay was tried, and refused too.
    pub is_not_requester_pays: bool,
}

impl DeniedWithoutReason {
    /// Whether an object that is there was asked for, so that its owner and its key count.
    fn is_of_an_object(&self) -> bool {
        self.denied.action.starts_with("s3:GetObject")
    }

    fn at_a_store(&self) -> Vec<Candidate> {
        let Denied { action, bucket, .. } = &self.denied;
        let mut all = vec![
            self.denied.caller.look_at_policies(Candidate::new(
                "own_policy",
                format!("The store does not let the access key use {action} on `{bucket}`."),
            )),
            self.denied.look_at_bucket_policy(Candidate::new(
                "bucket_policy",
                "The policy of the bucket denies it, or another user owns the bucket.",
            )),
        ];
        if self.is_of_an_object() {
            all.push(
                Candidate::new(
                    "no_such_file",
                    "There is no such file: a store may say so only to those who may list the bucket.",
                )
                .console("The listing of the bucket in the store"),
            );
        }
        all
    }
}

impl CauseEntry for DeniedWithoutReason {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "denied_without_reason",
            Stage::Permissions,
            self.denied.caller.side(),
            "AWS or the store refused the action and gave no reason.",
        )
        .one_of()
        .may_pass();
        self.denied.caller.learn_more(facts, S3_PAGE)
    }

    fn words(&self) -> Words {
        let when = match self.denied.caller.is_at_store() {
            true => "",
            false => " It gives none where the bucket is in an account of another organization.",
        };
        let paid = match self.is_not_requester_pays {
            true => " Requester Pays is not the reason: that was tried.",
            false => "",
        };
        Words::new(
            format!(
                "{} may not use {}",
                self.denied.caller.subject(),
                self.denied.actions()
            ),
            format!(
                "{} and gave no reason.{when} So it is not known which policy refused.{paid}",
                self.denied.refused(),
            ),
            format!(
                "Look at {}: {} must be allowed on this bucket and prefix. Then look at the causes below. The most likely is first.",
                self.denied.caller.policy(),
                self.denied.actions()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let Denied {
            action,
            caller,
            bucket,
            ..
        } = &self.denied;
        if caller.is_at_store() {
            return self.at_a_store();
        }
        let shell_bucket = escape::for_shell(bucket);
        let mut all = vec![self.denied.look_at_bucket_policy(Candidate::new(
            "bucket_policy",
            format!(
                "The bucket policy of `{bucket}` denies it, or is another account's and does not allow it to {}.",
                caller.object()
            ),
        ))];
        if self.is_of_an_object() {
            all.push(
                Candidate::new(
                    "object_owner",
                    "The files belong to another account than the bucket.",
                )
                .console(format!("S3 > {bucket} > Permissions > Object Ownership"))
                .cli(format!(
                    "aws s3api get-bucket-ownership-controls --bucket {shell_bucket}"
                )),
            );
        }
        if self.is_of_an_object() || action == "s3:PutObject" {
            all.push(
                Candidate::new(
                    "key_policy",
                    "The files are encrypted with a KMS key whose policy does not allow its use.",
                )
                .console(format!("S3 > {bucket} > Properties > Default encryption"))
                .cli(format!(
                    "aws s3api get-bucket-encryption --bucket {shell_bucket}"
                )),
            );
        }
        all.push(caller.look_by_simulation(
            Candidate::new(
                "own_policy",
                format!(
                    "{} does not allow {action} on `{}`.",
                    caller.policy_title(),
                    self.denied.resource
                ),
            ),
            action,
            &self.denied.resource,
        ));
        all.push(caller.look_by_simulation(
            Candidate::new(
                "organization",
                "A policy of an organization denies it. The command shows only that of the caller's account.",
            ),
            action,
            &self.denied.resource,
        ));
        if self.is_of_an_object() {
            all.push(
                Candidate::new(
                    "no_such_file",
                    "There is no such file: S3 says so only to those who may list the bucket.",
                )
                .console(format!("S3 > {bucket} > Objects")),
            );
        }
        if !self.is_not_requester_pays {
            all.push(
                Candidate::new(
                    "requester_pays",
                    "The bucket has Requester Pays, and the settings do not agree to pay.",
                )
                .console(format!("S3 > {bucket} > Properties > Requester pays"))
                .cli(format!(
                    "aws s3api get-bucket-request-payment --bucket {shell_bucket}"
                )),
            );
        }
        all
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::DenialReason;
        let of = |action, resource: &str, is_not_requester_pays| {
            Denied::examples(action, DenialReason::NotGiven).map(|denied| Self {
                // A store has no such setting.
                is_not_requester_pays: is_not_requester_pays && !denied.caller.is_at_store(),
                denied: Denied {
                    resource: resource.to_owned(),
                    ..denied
                },
            })
        };
        let mut all: Vec<Self> = of("s3:GetObject", "arn:aws:s3:::BUCKET/PREFIX/*", true).into();
        all.extend(of("s3:ListBucket", "arn:aws:s3:::BUCKET", false));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::aws_failure::DenialReason;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    fn codes(cause: &DeniedWithoutReason) -> Vec<String> {
        cause.candidates().into_iter().map(|one| one.code).collect()
    }

    #[test]
    fn nothing_is_claimed() {
        for (cause, words) in DeniedWithoutReason::examples()
            .iter()
            .zip(words_of::<DeniedWithoutReason>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("gave no reason"), "{words}");
            assert!(cause.candidates().iter().all(|one| !one.decide.is_empty()));
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }

    #[test]
    fn what_was_tried_or_does_not_apply_is_no_candidate() {
        for cause in DeniedWithoutReason::examples() {
            let codes = codes(&cause);
            let has = |code: &str| codes.iter().any(|one| one == code);
            let at_aws = !cause.denied.caller.is_at_store();
            assert_eq!(
                has("requester_pays"),
                at_aws && !cause.is_not_requester_pays
            );
            assert_eq!(has("object_owner"), at_aws && cause.is_of_an_object());
            assert_eq!(has("no_such_file"), cause.is_of_an_object());
        }
    }

    #[test]
    fn a_prefix_stays_one_word_of_the_command() {
        let [denied, ..] = Denied::examples("s3:GetObject", DenialReason::NotGiven);
        let cause = DeniedWithoutReason {
            denied: Denied {
                resource: "arn:aws:s3:::BUCKET/it's; rm/*".to_owned(),
                ..denied
            },
            is_not_requester_pays: true,
        };
        let commands: Vec<String> = cause
            .candidates()
            .into_iter()
            .filter_map(|one| one.decide.cli)
            .filter(|command| command.contains("simulate"))
            .collect();
        assert_eq!(commands.len(), 2);
        for command in commands {
            assert!(
                command.ends_with(r"'arn:aws:s3:::BUCKET/it'\''s; rm/*'"),
                "{command}"
            );
        }
    }
}
