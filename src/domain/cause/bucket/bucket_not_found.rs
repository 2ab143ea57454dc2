//! There is no such bucket.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `NoSuchBucket`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketNotFound {
    pub bucket: String,
}

impl CauseEntry for BucketNotFound {
    fn facts(&self) -> Facts {
        Facts::proved(
            "bucket_not_found",
            Stage::Bucket,
            Side::Settings,
            "There is no such bucket.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "There is no such bucket",
            format!("S3 knows no bucket `{}`.", self.bucket),
            "Compare the bucket's name with the one in the S3 console, and create the bucket if it is not there.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            bucket: "BUCKET".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_bucket_is_named() {
        for words in words_of::<BucketNotFound>() {
            assert!(words.contains("`BUCKET`"), "{words}");
        }
    }
}
