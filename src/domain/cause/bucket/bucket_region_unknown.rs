//! The bucket is in another Region, and the store does not say which.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `PermanentRedirect` and its like, without the Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRegionUnknown;

impl CauseEntry for BucketRegionUnknown {
    fn facts(&self) -> Facts {
        Facts::proved(
            "bucket_region_unknown",
            Stage::Bucket,
            Side::Settings,
            "The bucket is in another Region, and the store does not say which.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The bucket is in another Region",
            "The bucket's answer says that it is in another Region, but not in which.",
            "Enter the bucket's Region. The S3 console shows it beside the bucket's name; an S3-compatible store names its Regions in its documentation.",
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
    fn no_region_is_guessed() {
        for words in words_of::<BucketRegionUnknown>() {
            assert!(words.contains("not in which"), "{words}");
        }
    }
}
