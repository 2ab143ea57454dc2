//! Bucket names.

use crate::domain::invalid::{Invalid, shown};
use std::fmt;
use std::net::Ipv4Addr;

/// A general-purpose bucket's name, by S3's naming rules: 3 to 63 of `[a-z0-9.-]`, beginning and
/// ending with a letter or digit, not an IP address, none of the reserved beginnings and endings
/// (S3 user guide, "General purpose bucket naming rules").
///
/// An access-point ARN or alias is refused, because the SDK would send the request to the host of
/// whichever account owns the access point.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BucketName(String);

impl BucketName {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new("invalid_bucket", detail));
        if value.starts_with("arn:") {
            return refuse(
                "This is an ARN. Enter the bucket's name alone; access points are not supported."
                    .into(),
            );
        }
        if value.starts_with("s3://") {
            return refuse("This is an S3 URI. Enter the bucket's name alone, and the path as the bucket prefix.".into());
        }
        if !(3..=63).contains(&value.len()) {
            return refuse(format!(
                "A bucket name has 3 to 63 characters; `{}` has {}.",
                shown(value),
                value.chars().count()
            ));
        }
        if let Some(odd) = value
            .chars()
            .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '-'))
        {
            return refuse(format!(
                "`{}` cannot be in a bucket name: it has lower-case letters, digits, `.` and `-` only.",
                odd.escape_debug()
            ));
        }
        let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        if !ends(value.bytes().next()) || !ends(value.bytes().last()) {
            return refuse("A bucket name begins and ends with a letter or a digit.".into());
        }
        if value.contains("..") {
            return refuse("A bucket name has no two adjacent dots.".into());
        }
        if value.parse::<Ipv4Addr>().is_ok() {
            return refuse("A bucket name is not formatted as an IP address.".into());
        }
        for beginning in ["xn--", "sthree-", "amzn-s3-demo-"] {
            if value.starts_with(beginning) {
                return refuse(format!(
                    "S3 reserves bucket names that begin with `{beginning}`."
                ));
            }
        }
        for ending in ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"] {
            if value.ends_with(ending) {
                return refuse(format!(
                    "A name that ends with `{ending}` is not a general-purpose bucket's; access points, directory buckets and table buckets are not supported."
                ));
            }
        }
        Ok(Self(value.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_s3_allows() {
        for text in [
            "abc",
            "acme-data",
            "a.b.c",
            "1a2",
            &"a".repeat(63),
            "192.168.1.256",
        ] {
            assert_eq!(BucketName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn names_that_s3_refuses_and_access_points() {
        for text in [
            "",
            "ab",
            &"a".repeat(64),
            "Acme",
            "acme_data",
            "-acme",
            "acme-",
            ".acme",
            "a..b",
            "192.168.1.1",
            "xn--acme",
            "sthree-acme",
            "acme-s3alias",
            "acme--ol-s3",
            "acme--x-s3",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/acme",
            "s3://acme",
            "acme*",
            "acme?",
            "${bucket}",
            "acme\n",
            "acme\"",
            "acmé",
        ] {
            assert!(BucketName::parse(text).is_err(), "{text:?}");
        }
    }
}
