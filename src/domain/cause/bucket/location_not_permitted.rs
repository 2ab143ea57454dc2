//! The bucket's Region may not be read.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::connection::region::Region;

/// GetBucketLocation was denied. Other answers of S3 have the Region too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationNotPermitted {
    pub caller: Caller,
    /// Where the bucket is, from other answers.
    pub found: Option<Region>,
    /// AWS says that no policy of the role or user allows it.
    pub is_missing: bool,
}

impl CauseEntry for LocationNotPermitted {
    fn facts(&self) -> Facts {
        Facts::proved(
            "location_not_permitted",
            Stage::Bucket,
            Side::CustomerAccount,
            "The bucket's Region may not be read. A warning.",
        )
        .may_pass()
    }

    fn words(&self) -> Words {
        let used = match &self.found {
            Some(region) => format!("The bucket's own answers say {region}, which is used."),
            None => "The Region of the settings is used.".to_owned(),
        };
        Words::new(
            format!(
                "{} may not read the bucket's location",
                self.caller.subject()
            ),
            format!("The connection works without it. {used}"),
            format!(
                "To have the Region confirmed, allow `s3:GetBucketLocation` on the bucket in {}.",
                self.caller.policy()
            ),
        )
    }

    fn fix(&self) -> Option<Fix> {
        self.is_missing.then(|| Fix::AllowActions {
            actions: vec!["s3:GetBucketLocation".to_owned()],
            key: None,
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |caller, is_missing| Self {
            caller,
            found: Region::parse("eu-west-1").ok(),
            is_missing,
        };
        let [role, user, service, _] = Caller::examples();
        vec![of(role, true), of(user, true), of(service, false)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_does_no_harm() {
        for words in words_of::<LocationNotPermitted>() {
            assert!(words.contains("works without it"), "{words}");
        }
    }
}
