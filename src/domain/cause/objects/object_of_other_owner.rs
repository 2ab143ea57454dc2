//! One file is refused, and reading is allowed otherwise.

use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::policy_document::escape;

/// A file that was listed is refused, and the answer about a file that does not exist shows that the permission is
/// there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectOfOtherOwner {
    pub bucket: String,
    pub key: String,
}

impl CauseEntry for ObjectOfOtherOwner {
    fn facts(&self) -> Facts {
        Facts::proved(
            "object_of_other_owner",
            Stage::Objects,
            Side::CustomerAccount,
            "A file is refused although reading is allowed: its owner, its ACL or its key is another.",
        )
        .one_of()
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "Reading is allowed, and one file is refused",
            format!(
                "S3 refused `{}`, and answered a read of a file that does not exist as it does only to callers that may read. So the permission is there, and this file is different.",
                self.key
            ),
            format!(
                "Look at the causes below. If another account stored the file: under S3 > {} > Permissions > Object Ownership, choose \"ACLs disabled\" (bucket owner enforced). The bucket's account then owns every file in it.",
                self.bucket
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let (bucket, key) = (
            escape::for_shell(&self.bucket),
            escape::for_shell(&self.key),
        );
        vec![
            Candidate::new(
                "object_owner",
                "The file was stored by another account, which owns it.",
            )
            .console(format!(
                "S3 > {} > Permissions > Object Ownership",
                self.bucket
            ))
            .cli(format!(
                "aws s3api get-object-acl --bucket {bucket} --key {key}"
            )),
            Candidate::new(
                "object_policy",
                "A statement of the bucket policy denies this file, by its name or its tags.",
            )
            .console(format!("S3 > {} > Permissions > Bucket policy", self.bucket))
            .cli(format!(
                "aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text"
            )),
            Candidate::new("object_key", "The file is encrypted with another KMS key.")
                .console(format!(
                    "S3 > {} > the file > Properties > Server-side encryption settings",
                    self.bucket
                ))
                .cli(format!(
                    "aws s3api head-object --bucket {bucket} --key {key} --query SSEKMSKeyId --output text"
                )),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            bucket: "BUCKET".to_owned(),
            key: "KEY".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn nothing_is_decided() {
        for (cause, words) in ObjectOfOtherOwner::examples()
            .iter()
            .zip(words_of::<ObjectOfOtherOwner>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("the permission is there"), "{words}");
        }
    }

    #[test]
    fn a_key_stays_one_word_of_a_command() {
        let cause = ObjectOfOtherOwner {
            bucket: "BUCKET".to_owned(),
            key: "it's; rm -rf".to_owned(),
        };
        let commands: Vec<String> = cause
            .candidates()
            .into_iter()
            .filter_map(|one| one.decide.cli)
            .collect();
        assert_eq!(commands.len(), 3);
        assert!(
            commands[0].ends_with(r"--key 'it'\''s; rm -rf'"),
            "{}",
            commands[0]
        );
    }
}
