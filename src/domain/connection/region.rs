//! AWS Regions, from a known list.

use crate::domain::connection::account::Partition;
use crate::domain::invalid::{Invalid, shown};
use std::fmt;

/// A Region that S3 has an endpoint in.
///
/// Parsed against a list, never by pattern: the name becomes part of a host name, so an unknown one
/// must not reach a resolver. The list is that of the AWS General Reference, "Amazon S3 endpoints and
/// quotas".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region(&'static str, Partition);

const REGIONS: &[Region] = {
    use Partition::{Aws, AwsCn, AwsUsGov};
    &[
        Region("af-south-1", Aws),
        Region("ap-east-1", Aws),
        Region("ap-east-2", Aws),
        Region("ap-northeast-1", Aws),
        Region("ap-northeast-2", Aws),
        Region("ap-northeast-3", Aws),
        Region("ap-south-1", Aws),
        Region("ap-south-2", Aws),
        Region("ap-southeast-1", Aws),
        Region("ap-southeast-2", Aws),
        Region("ap-southeast-3", Aws),
        Region("ap-southeast-4", Aws),
        Region("ap-southeast-5", Aws),
        Region("ap-southeast-6", Aws),
        Region("ap-southeast-7", Aws),
        Region("ca-central-1", Aws),
        Region("ca-west-1", Aws),
        Region("eu-central-1", Aws),
        Region("eu-central-2", Aws),
        Region("eu-north-1", Aws),
        Region("eu-south-1", Aws),
        Region("eu-south-2", Aws),
        Region("eu-west-1", Aws),
        Region("eu-west-2", Aws),
        Region("eu-west-3", Aws),
        Region("il-central-1", Aws),
        Region("me-central-1", Aws),
        Region("me-south-1", Aws),
        Region("mx-central-1", Aws),
        Region("sa-east-1", Aws),
        Region("us-east-1", Aws),
        Region("us-east-2", Aws),
        Region("us-west-1", Aws),
        Region("us-west-2", Aws),
        Region("cn-north-1", AwsCn),
        Region("cn-northwest-1", AwsCn),
        Region("us-gov-east-1", AwsUsGov),
        Region("us-gov-west-1", AwsUsGov),
    ]
};

impl Region {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        REGIONS
            .iter()
            .find(|region| region.0 == value)
            .copied()
            .ok_or_else(|| {
                Invalid::new(
                    "unknown_region",
                    format!(
                        "`{}` is not a Region that S3 has an endpoint in. A Region is written like `eu-west-1`.",
                        shown(value)
                    ),
                )
            })
    }

    /// Reads the `LocationConstraint` of GetBucketLocation, where an absent value means `us-east-1`
    /// and `EU` means `eu-west-1` (S3 API reference, GetBucketLocation).
    pub fn from_location_constraint(value: Option<&str>) -> Result<Self, Invalid> {
        match value {
            None | Some("") => Self::parse("us-east-1"),
            Some("EU") => Self::parse("eu-west-1"),
            Some(name) => Self::parse(name),
        }
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }

    pub fn partition(self) -> Partition {
        self.1
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_regions() {
        assert!(Region::parse("eu-west-1").is_ok());
        for text in [
            "",
            "EU-WEST-1",
            "x@evil:443/#",
            "eu-west-9",
            "us-east-1.",
            "eu-west-1\n",
        ] {
            assert!(Region::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_two_odd_location_constraints() {
        let region = |value| Region::from_location_constraint(value).unwrap().as_str();
        assert_eq!(region(None), "us-east-1");
        assert_eq!(region(Some("EU")), "eu-west-1");
        assert_eq!(region(Some("eu-central-1")), "eu-central-1");
    }
}
