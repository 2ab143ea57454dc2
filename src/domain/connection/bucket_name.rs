//! Bucket names.

use crate::domain::invalid::{Invalid, shown};
use std::fmt;
use std::net::Ipv4Addr;

/// A general-purpose bucket's name: 3 to 255 of `[A-Za-z0-9._-]`, none of the reserved beginnings and endings.
///
/// Buckets are made by narrower rules now: 3 to 63 of `[a-z0-9.-]`, beginning and ending with a letter or
/// digit, no two adjacent dots, not an IP address (S3 user guide, "General purpose bucket naming rules").
/// [`BucketName::is_of_today`] says whether a name follows them. Those made in US East (N. Virginia) before
/// March 2018 may have the wider names and keep them, and S3-compatible stores allow them too.
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
        if !(3..=255).contains(&value.len()) {
            return refuse(format!(
                "A bucket name has 3 to 63 characters (before 2018, up to 255); `{}` has {}.",
                shown(value),
                value.chars().count()
            ));
        }
        if let Some(odd) = value
            .chars()
            .find(|c| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_'))
        {
            return refuse(format!(
                "`{}` cannot be in a bucket name: it has letters, digits, `.`, `-` and `_` only.",
                odd.escape_debug()
            ));
        }
        // A URL with such a path segment would be folded.
        if value.bytes().all(|b| b == b'.') {
            return refuse("A bucket name has a letter or a digit.".into());
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

    /// What stands for the name where credentials are used before a bucket is chosen. No call names it.
    pub fn not_chosen() -> Self {
        Self("bucket-not-chosen".to_owned())
    }

    /// Whether S3 would let the bucket be made today, in any Region.
    pub fn is_of_today(&self) -> bool {
        let name = self.0.as_str();
        let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        name.len() <= 63
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b))
            && ends(name.bytes().next())
            && ends(name.bytes().last())
            && !name.contains("..")
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
            let name = BucketName::parse(text).unwrap();
            assert_eq!(name.as_str(), text);
            assert!(name.is_of_today(), "{text}");
        }
        // As they could be made in us-east-1 before 2018.
        for text in [
            "my_training_data",
            "Acme",
            "-acme",
            "acme-",
            ".acme",
            "a..b",
            &"a".repeat(255),
        ] {
            let name = BucketName::parse(text).unwrap();
            assert_eq!(name.as_str(), text);
            assert!(!name.is_of_today(), "{text}");
        }
    }

    #[test]
    fn names_that_s3_refuses_and_access_points() {
        for text in [
            "",
            "ab",
            &"a".repeat(256),
            "...",
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
