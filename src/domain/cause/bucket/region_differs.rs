//! The bucket is in another Region than the settings say.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::fix::Setting;
use crate::domain::connection::region::Region;

/// GetBucketLocation answers with another Region than the one that was entered. The bucket's own is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionDiffers {
    pub entered: Region,
    pub found: Region,
}

impl CauseEntry for RegionDiffers {
    fn facts(&self) -> Facts {
        Facts::proved(
            "region_differs",
            Stage::Bucket,
            Side::Settings,
            "The bucket is in another Region than the settings say. A warning.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The bucket is in another Region",
            format!(
                "The settings say {}, and the bucket is in {}. The bucket's own is used, so the connection works.",
                self.entered, self.found
            ),
            format!("Change the Region to {}, or leave it empty.", self.found),
        )
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::Setting(Setting::Region(self.found)))
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let region = |name| Region::parse(name).ok();
        let pair = region("us-east-1").zip(region("eu-west-1"));
        pair.map(|(entered, found)| Self { entered, found })
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn both_regions_are_named() {
        for words in words_of::<RegionDiffers>() {
            assert!(
                words.contains("us-east-1") && words.contains("eu-west-1"),
                "{words}"
            );
        }
    }
}
