//! Every file that was listed is archived.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// So none could be read, and whether reading is allowed was asked of a file that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllArchived {
    /// How many were listed.
    pub listed: usize,
}

impl CauseEntry for AllArchived {
    fn facts(&self) -> Facts {
        Facts::proved(
            "all_archived",
            Stage::Objects,
            Side::CustomerAccount,
            "A warning: every file that was listed is archived, and must be restored before it can be read.",
        )
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html")
    }

    fn words(&self) -> Words {
        Words::new(
            "The files are archived",
            format!(
                "{} archived. Reading is allowed, and S3 gives an archived file only after it was restored. The connection works otherwise.",
                match self.listed {
                    1 => "The only file that was listed is".to_owned(),
                    listed => format!("All {listed} files that were listed are"),
                }
            ),
            "Restore the files that are needed, or connect a prefix whose files are not archived. If others are to be used, nothing needs to be changed.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self { listed: 3 }, Self { listed: 1 }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_says_what_to_do() {
        for words in words_of::<AllArchived>() {
            assert!(
                words.contains("Restore") && words.contains("works otherwise"),
                "{words}"
            );
            assert!(!words.contains("1 files"), "{words}");
        }
    }
}
