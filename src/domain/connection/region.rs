//! Regions: those of AWS, and those that S3-compatible stores name themselves.

use crate::domain::connection::account::Partition;
use crate::domain::invalid::{Invalid, shown};
use std::fmt;

/// The name of a Region, which requests are signed with.
///
/// 1 to 64 ASCII letters, digits and hyphens, and no hyphen at either end: it can be one label of a host
/// name and nothing else. A store behind an endpoint of its own may have any such name (Garage `garage`,
/// R2 `auto`, DigitalOcean `nyc3`). Without an endpoint the name becomes part of AWS's host name, so it
/// must be one of AWS's: [`Region::of_aws`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region {
    name: [u8; Region::MAX_LEN],
    length: u8,
}

/// Where AWS's Regions lie within their area. New Regions have been named by these words since 2006.
const PLACES: [&str; 9] = [
    "north",
    "northeast",
    "east",
    "southeast",
    "south",
    "southwest",
    "west",
    "northwest",
    "central",
];

/// The Regions that forms offer. A form takes any other as well: this list is for typing less, and need not be
/// complete.
pub const OFFERED: [&str; 37] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

impl Region {
    const MAX_LEN: usize = 64;

    /// Any Region's name.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let bytes = value.as_bytes();
        let is_label = (1..=Self::MAX_LEN).contains(&bytes.len())
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && !value.starts_with('-')
            && !value.ends_with('-');
        if !is_label {
            return Err(Invalid::new(
                "invalid_region",
                format!(
                    "`{}` is not a Region's name. One has 1 to {} letters, digits and hyphens, like `eu-west-1`.",
                    shown(value),
                    Self::MAX_LEN
                ),
            ));
        }
        let mut name = [0; Self::MAX_LEN];
        name[..bytes.len()].copy_from_slice(bytes);
        Ok(Self {
            name,
            // At most MAX_LEN.
            length: bytes.len() as u8,
        })
    }

    /// The name of a Region of AWS.
    pub fn of_aws(value: &str) -> Result<Self, Invalid> {
        match Self::parse(value) {
            Ok(region) if region.partition().is_some() => Ok(region),
            _ => Err(Self::not_of_aws(value)),
        }
    }

    /// Why a name cannot be used without an endpoint.
    pub fn not_of_aws(value: &str) -> Invalid {
        Invalid::new(
            "unknown_region",
            format!(
                "`{}` is not a Region of AWS. A Region is written like `eu-west-1`. Regions with other names are for S3-compatible stores, which have an endpoint.",
                shown(value)
            ),
        )
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

    pub fn as_str(&self) -> &str {
        // Only `parse` makes a Region, from ASCII.
        std::str::from_utf8(&self.name[..usize::from(self.length)]).unwrap_or_default()
    }

    /// The partition of a Region of AWS. `None`: the name is not one of AWS's.
    ///
    /// Decided by the form of the name, as the AWS SDKs do (their `partitions.json` has a pattern for each
    /// partition), because a list would reject each new Region until the next release.
    pub fn partition(&self) -> Option<Partition> {
        let parts: Vec<&str> = self.as_str().split('-').collect();
        let (partition, place, number) = match parts.as_slice() {
            ["us", "gov", place, number] => (Partition::AwsUsGov, place, number),
            ["eusc", "de", place, number] => (Partition::AwsEusc, place, number),
            ["us", "iso", place, number] => (Partition::AwsIso, place, number),
            ["us", "isob", place, number] => (Partition::AwsIsoB, place, number),
            ["eu", "isoe", place, number] => (Partition::AwsIsoE, place, number),
            ["us", "isof", place, number] => (Partition::AwsIsoF, place, number),
            ["cn", place, number] => (Partition::AwsCn, place, number),
            [
                "af" | "ap" | "ca" | "eu" | "il" | "me" | "mx" | "sa" | "us",
                place,
                number,
            ] => (Partition::Aws, place, number),
            _ => return None,
        };
        let is_number = matches!(number.len(), 1 | 2)
            && number.bytes().all(|b| b.is_ascii_digit())
            && !number.starts_with('0');
        (PLACES.contains(place) && is_number).then_some(partition)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Region").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_forms_offer_is_of_aws_and_in_order() {
        assert!(OFFERED.is_sorted());
        for name in OFFERED {
            assert!(Region::of_aws(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_is_one_label_of_a_host_name() {
        let longest = "a".repeat(64);
        for text in ["eu-west-1", "garage", "auto", "GRA", "fr-par", &longest] {
            assert_eq!(Region::parse(text).unwrap().as_str(), text);
        }
        let too_long = "a".repeat(65);
        for text in [
            "",
            "-",
            "-a",
            "a-",
            "x@evil:443/#",
            "us-east-1.",
            "a.b",
            "a_b",
            "eu-west-1\n",
            "é",
            &too_long,
        ] {
            assert!(Region::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_partition_is_in_the_name() {
        use Partition::{Aws, AwsCn, AwsEusc, AwsIso, AwsIsoB, AwsIsoE, AwsIsoF, AwsUsGov};
        for (text, partition) in [
            ("us-east-1", Some(Aws)),
            ("ap-southeast-7", Some(Aws)),
            ("mx-central-1", Some(Aws)),
            // Not there yet.
            ("ca-east-1", Some(Aws)),
            ("cn-north-1", Some(AwsCn)),
            ("cn-northwest-1", Some(AwsCn)),
            ("us-gov-west-1", Some(AwsUsGov)),
            ("eusc-de-east-1", Some(AwsEusc)),
            ("eusc-east-1", None),
            ("us-gov-1", None),
            ("us-iso-east-1", Some(AwsIso)),
            ("us-isob-west-1", Some(AwsIsoB)),
            ("eu-isoe-west-1", Some(AwsIsoE)),
            ("us-isof-south-1", Some(AwsIsoF)),
            ("EU-WEST-1", None),
            ("eu-wset-1", None),
            ("xx-west-1", None),
            ("eu-west-0", None),
            ("eu-west-123", None),
            ("eu-west", None),
            ("garage", None),
        ] {
            assert_eq!(
                Region::parse(text).unwrap().partition(),
                partition,
                "{text}"
            );
            assert_eq!(Region::of_aws(text).is_ok(), partition.is_some(), "{text}");
        }
    }

    #[test]
    fn the_two_odd_location_constraints() {
        let region = |value| Region::from_location_constraint(value).unwrap().to_string();
        assert_eq!(region(None), "us-east-1");
        assert_eq!(region(Some("EU")), "eu-west-1");
        assert_eq!(region(Some("eu-central-1")), "eu-central-1");
    }
}
