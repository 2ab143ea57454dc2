//! The call needs a code of a multi-factor device.

use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::policy_document::escape;

/// S3 asks for it where MFA delete is on (S3 user guide, "Configuring MFA delete").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaRequired {
    pub denied: Denied,
}

impl CauseEntry for MfaRequired {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "mfa_required",
            Stage::Permissions,
            self.denied.caller.side(),
            "It needs a code of a multi-factor device.",
        )
        .one_of();
        self.denied.caller.learn_more(facts, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html")
    }

    fn words(&self) -> Words {
        Words::new(
            format!("{} needs a multi-factor device", self.denied.action),
            format!(
                "{}{}, which a service does not have.",
                self.denied.refused(),
                self.denied.because()
            ),
            "Switch MFA delete off in the bucket's versioning, or remove the condition on a multi-factor device from the policy.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let bucket = &self.denied.bucket;
        let mfa_delete = Candidate::new(
            "mfa_delete",
            "MFA delete is on: deleting a version for good, and changing the bucket's versioning, need a code.",
        );
        vec![
            match self.denied.caller.is_at_store() {
                true => mfa_delete
                    .console("The store's own administration: the versioning of the bucket"),
                false => mfa_delete
                    .console(format!("S3 > {bucket} > Properties > Bucket Versioning"))
                    .cli(format!(
                        "aws s3api get-bucket-versioning --bucket {}",
                        escape::for_shell(bucket)
                    )),
            },
            self.denied.look_at_bucket_policy(Candidate::new(
                "mfa_condition",
                "A policy has a condition on a multi-factor device (`aws:MultiFactorAuthPresent`, `aws:MultiFactorAuthAge`).",
            )),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::DenialReason;
        Denied::examples("s3:DeleteObjectVersion", DenialReason::Mfa)
            .map(|denied| Self { denied })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn no_allow_is_offered() {
        for (cause, words) in MfaRequired::examples()
            .iter()
            .zip(words_of::<MfaRequired>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("MFA delete"), "{words}");
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }
}
