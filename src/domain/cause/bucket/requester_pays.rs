//! The bucket is a Requester Pays bucket, and the settings do not agree to pay.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::fix::Setting;

/// S3 refused without a reason, and answered the same call with the agreement to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequesterPays {
    pub bucket: String,
}

impl CauseEntry for RequesterPays {
    fn facts(&self) -> Facts {
        Facts::proved(
            "requester_pays",
            Stage::Bucket,
            Side::Settings,
            "The bucket is a Requester Pays bucket, and the settings do not say so.",
        )
        .learn_more(
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The bucket lets its requester pay",
            format!(
                "S3 refused the call, and answered the same call when it agreed to pay for the requests and the transfer. So `{}` is a Requester Pays bucket.",
                self.bucket
            ),
            "Set `requester_pays` in the settings if the role's account should pay, or have Requester Pays switched off in the bucket's properties.",
        )
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::Setting(Setting::RequesterPays))
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
    fn the_setting_is_named() {
        for words in words_of::<RequesterPays>() {
            assert!(words.contains("`requester_pays`"), "{words}");
        }
    }
}
