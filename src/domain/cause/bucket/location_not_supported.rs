//! The store does not say where a bucket is.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// An S3-compatible store does not have GetBucketLocation, or names its Regions in a form that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationNotSupported;

impl CauseEntry for LocationNotSupported {
    fn facts(&self) -> Facts {
        Facts::proved(
            "location_not_supported",
            Stage::Bucket,
            Side::Aws,
            "The store does not say where a bucket is. A warning.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The store does not say where the bucket is",
            "The store did not answer GetBucketLocation, or not with a Region that can be read. The connection works without it: the Region of the settings is used.",
            "Nothing needs to be changed while the other steps pass. If the store signs for a Region of its own, enter that in the settings.",
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
    fn it_does_no_harm() {
        for words in words_of::<LocationNotSupported>() {
            assert!(words.contains("works without it"), "{words}");
        }
    }
}
