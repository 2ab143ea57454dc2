//! The file is archived.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `InvalidObjectState`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectArchived;

impl CauseEntry for ObjectArchived {
    fn facts(&self) -> Facts {
        Facts::proved(
            "object_archived",
            Stage::Objects,
            Side::CustomerAccount,
            "The file is archived and must be restored before it can be read.",
        )
        // Other files may be read.
        .bearing(Bearing::Harmless)
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "The file is archived",
            "The store says that the file is archived and must be restored before it can be read.",
            "Restore it, then try again. No permission changes that.",
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
        for words in words_of::<ObjectArchived>() {
            assert!(
                words.contains("No permission") && words.contains("Restore"),
                "{words}"
            );
        }
        assert_eq!(ObjectArchived.fix(), None);
    }
}
