//! The object needs a key that its owner sends with each request (SSE-C).

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// S3 says that the object was stored using a form of server-side encryption, and asks for its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerKeyNeeded;

impl CauseEntry for CustomerKeyNeeded {
    fn facts(&self) -> Facts {
        Facts::proved(
            "customer_key_needed",
            Stage::Encryption,
            Side::CustomerAccount,
            "The object needs a key that its owner sends with each request (SSE-C).",
        )
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "The object needs a key of its own",
            "The object was stored with a key that its owner sends with each request (SSE-C). The service has no such key, so it cannot read this object. Objects that are stored otherwise are not affected. No permission changes that.",
            "Copy the object onto itself with SSE-S3 or SSE-KMS, giving its key with the copy. Store new objects in the same way.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_permission_is_offered() {
        for words in words_of::<CustomerKeyNeeded>() {
            assert!(words.contains("SSE-C"), "{words}");
            assert!(!words.contains("llow"), "{words}");
        }
        assert_eq!(CustomerKeyNeeded.fix(), None);
    }
}
