//! Object Lock protects the file.

use crate::domain::aws_failure::ObjectLock;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::objects::locked_until;

/// Object Lock, or what a store calls so, refused a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectLocked {
    pub lock: Option<ObjectLock>,
}

impl CauseEntry for ObjectLocked {
    fn facts(&self) -> Facts {
        Facts::proved(
            "object_locked",
            Stage::Objects,
            Side::CustomerAccount,
            "Object Lock refuses the change; the explanation says until when, where that can be read.",
        )
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "Object Lock protects the file",
            format!(
                "The store refused the change because Object Lock protects the file{}. No permission changes that.",
                locked_until(self.lock.as_ref())
            ),
            "Wait until the retention ends, or have the legal hold removed. If files of this storage are to be deleted, use a bucket without default retention.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![
            Self { lock: None },
            Self {
                lock: Some(ObjectLock {
                    legal_hold: true,
                    ..ObjectLock::default()
                }),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_permission_is_offered() {
        for (cause, words) in ObjectLocked::examples()
            .iter()
            .zip(words_of::<ObjectLocked>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("No permission"), "{words}");
        }
    }
}
