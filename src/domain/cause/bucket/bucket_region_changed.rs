//! The bucket is in another Region than when it was checked.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::connection::region::Region;

/// A redirect that names the bucket's Region, in answer to a call other than the check's. The check finds the
/// Region by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRegionChanged {
    pub found: Region,
}

impl CauseEntry for BucketRegionChanged {
    fn facts(&self) -> Facts {
        Facts::proved(
            "bucket_region_changed",
            Stage::Bucket,
            Side::Settings,
            "The bucket is in another Region than when it was checked, as after it was made again.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The bucket is in another Region than when it was checked",
            format!(
                "S3 says that the bucket is in {} now. A bucket does not move: it was deleted and made again.",
                self.found
            ),
            format!(
                "Check the connection: the check finds the Region. If the settings name one, change it to {}, or leave it empty.",
                self.found
            ),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        Region::parse("eu-west-1")
            .map(|found| Self { found })
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_region_is_named() {
        for words in words_of::<BucketRegionChanged>() {
            assert!(words.contains("eu-west-1"), "{words}");
        }
    }
}
