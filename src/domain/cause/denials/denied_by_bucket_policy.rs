//! A statement of the bucket policy denies one action.

use crate::domain::cause::denials::{Denied, S3_PAGE};
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};

/// AWS says "with an explicit deny in a resource-based policy". It does not say which statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByBucketPolicy {
    pub denied: Denied,
}

impl DeniedByBucketPolicy {
    fn is_write(&self) -> bool {
        self.denied.action == "s3:PutObject"
    }
}

impl CauseEntry for DeniedByBucketPolicy {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "denied_by_bucket_policy",
            Stage::Permissions,
            self.denied.caller.side(),
            "A statement of the bucket policy denies the action.",
        )
        .may_pass();
        self.denied.caller.learn_more(facts, S3_PAGE)
    }

    fn words(&self) -> Words {
        Words::new(
            format!("The bucket policy denies {}", self.denied.actions()),
            format!(
                "{}{}. It does not say which statement, or which condition of it.",
                self.denied.refused(),
                self.denied.because()
            ),
            format!(
                "In the bucket policy of `{}`, look for a Deny that covers {}. Remove it, or {}. A statement that allows the action does not help.",
                self.denied.bucket,
                self.denied.actions(),
                self.denied.exception()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |code, text: &str| {
            self.denied
                .look_at_bucket_policy(Candidate::new(code, text))
        };
        let mut all = Vec::new();
        if self.is_write() {
            all.push(look(
                "encryption_header",
                match self.denied.caller.is_at_store() {
                    true => "A Deny covers uploads that do not ask for an encryption (`s3:x-amz-server-side-encryption`).",
                    false => "A Deny covers uploads that do not ask for an encryption (`s3:x-amz-server-side-encryption`), or for a certain KMS key (`s3:x-amz-server-side-encryption-aws-kms-key-id`). Enter that key's ARN in the settings.",
                },
            ));
        }
        all.push(look(
            "only_some_principals",
            &format!(
                "A Deny covers {} for everyone except certain principals (`aws:PrincipalArn`, `aws:userId`, NotPrincipal).",
                self.denied.actions()
            ),
        ));
        all.push(look(
            "condition",
            match self.denied.caller.is_at_store() {
                true => "A Deny has a condition that the call does not meet, such as a network (`aws:SourceIp`).",
                false => "A Deny has a condition that the call does not meet: a network (`aws:SourceVpce`, `aws:SourceIp`), an organization (`aws:PrincipalOrgID`), a multi-factor device (`aws:MultiFactorAuthPresent`) or TLS (`aws:SecureTransport`).",
            },
        ));
        all
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::cause::denials::EXPLICIT;
        ["s3:GetObject", "s3:PutObject"]
            .into_iter()
            .flat_map(|action| Denied::examples(action, EXPLICIT))
            .map(|denied| Self { denied })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn no_allow_is_offered_against_a_deny() {
        for (cause, words) in DeniedByBucketPolicy::examples()
            .iter()
            .zip(words_of::<DeniedByBucketPolicy>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("does not help"), "{words}");
            assert_eq!(
                words.contains("ArnNotEquals"),
                cause.denied.caller.role_arn().is_some()
            );
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }

    #[test]
    fn an_encryption_comes_first_where_writing_is_denied_and_nowhere_else() {
        for cause in DeniedByBucketPolicy::examples() {
            let codes: Vec<String> = cause.candidates().into_iter().map(|one| one.code).collect();
            let position = codes.iter().position(|code| code == "encryption_header");
            assert_eq!(position, cause.is_write().then_some(0));
        }
    }
}
