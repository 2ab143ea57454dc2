//! The bucket policy demands an encryption of new files.

use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// Writing was refused, and a write that asks for an encryption passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPolicyNeedsEncryption {
    pub denied: Denied,
    pub passes_with: Encryption,
}

/// With which encryption a refused write passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// `AES256` (SSE-S3).
    S3,
    /// `aws:kms`, with the account's own key.
    Kms,
}

impl Encryption {
    fn words(self) -> &'static str {
        match self {
            Self::S3 => "SSE-S3 (`AES256`)",
            Self::Kms => "SSE-KMS (`aws:kms`)",
        }
    }
}

impl CauseEntry for BucketPolicyNeedsEncryption {
    fn facts(&self) -> Facts {
        Facts::proved(
            "bucket_policy_needs_encryption",
            Stage::Permissions,
            match self.passes_with {
                // No setting asks for it.
                Encryption::S3 => self.denied.caller.side(),
                Encryption::Kms => Side::Settings,
            },
            "A policy demands an encryption of new files that the settings do not name.",
        )
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "The bucket policy demands an encryption",
            format!(
                "{}{}, and accepted the same file when it asked for {}. So the policy demands that header (`s3:x-amz-server-side-encryption`).",
                self.denied.refused(),
                self.denied.because(),
                self.passes_with.words()
            ),
            match self.passes_with {
                Encryption::Kms => {
                    "Enter the ARN of the KMS key in the settings: every upload then asks for it."
                }
                Encryption::S3 => {
                    "Remove that Deny, or let it cover only uploads that ask for another encryption, by the further condition `\"Null\": {\"s3:x-amz-server-side-encryption\": \"false\"}`. S3 encrypts every new file anyway."
                }
            },
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::cause::denials::EXPLICIT;
        let [denied, ..] = Denied::examples("s3:PutObject", EXPLICIT);
        [Encryption::S3, Encryption::Kms]
            .map(|passes_with| Self {
                denied: denied.clone(),
                passes_with,
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn what_passes_is_named() {
        let [s3, kms]: [String; 2] = words_of::<BucketPolicyNeedsEncryption>()
            .try_into()
            .unwrap();
        assert!(s3.contains("`AES256`") && !s3.contains("`aws:kms`"), "{s3}");
        assert!(
            kms.contains("`aws:kms`") && kms.contains("settings"),
            "{kms}"
        );
    }

    #[test]
    fn no_allow_is_offered_and_the_side_is_who_can_change_it() {
        let [s3, kms]: [BucketPolicyNeedsEncryption; 2] =
            BucketPolicyNeedsEncryption::examples().try_into().unwrap();
        assert_eq!((s3.fix(), kms.fix()), (None, None));
        assert_eq!(s3.facts().side, Side::CustomerAccount);
        assert_eq!(kms.facts().side, Side::Settings);
    }
}
