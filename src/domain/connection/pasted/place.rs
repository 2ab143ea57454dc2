//! What an address says of a bucket, however it is written.

use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::region::Region;
use crate::domain::invalid::Invalid;

/// What an address says of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastedBucket {
    pub bucket: BucketName,
    /// The folder that the address leads to. `None`: it names none.
    pub prefix: Option<BucketPrefix>,
    /// Where the bucket is. `None`: it does not say.
    pub region: Option<Region>,
}

impl PastedBucket {
    pub(super) fn new(
        bucket: &str,
        prefix: Option<&str>,
        region: Option<Region>,
    ) -> Result<Self, Invalid> {
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        if prefix.is_some_and(|prefix| prefix.starts_with('/')) {
            return Err(refused(
                "The folder in this address cannot be used: it begins with an empty part, two slashes in a row.",
            ));
        }
        Ok(Self {
            bucket: BucketName::parse(bucket)?,
            prefix: prefix
                .map(BucketPrefix::parse)
                .transpose()
                .map_err(|invalid| {
                    refused(format!(
                        "The folder in this address cannot be used. {invalid}"
                    ))
                })?
                .filter(|prefix| !prefix.as_str().is_empty()),
            region,
        })
    }
}

pub(super) fn refused(detail: impl Into<String>) -> Invalid {
    Invalid::new("invalid_bucket", detail)
}

pub(super) fn access_point() -> Invalid {
    refused(
        "This names an access point, a directory bucket, a table bucket or the like, which are not supported. Enter the name of the bucket.",
    )
}

/// The folder that a path without a host means. Written by hand, `team` is a folder as much as `team/` is; a
/// last part with an ending, like `image.png`, is a file, and its folder is meant.
pub(super) fn folder_named_by(path: &str) -> Option<&str> {
    let last = path.rsplit('/').next().unwrap_or_default();
    match looks_like_file(last) {
        true => folder_of(path),
        false => Some(path),
    }
}

/// The folder that an object's key is in.
pub(super) fn folder_of(key: &str) -> Option<&str> {
    key.rfind('/').map(|at| &key[..=at])
}

fn looks_like_file(name: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return false;
    };
    !stem.is_empty()
        && (1..=8).contains(&ending.len())
        && ending.bytes().all(|b| b.is_ascii_alphanumeric())
        && ending.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Percent-decoded, where a plus sign is a blank, as S3 and the console read their own addresses.
pub(super) fn decoded(text: &str) -> Result<String, Invalid> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| refused("The path of this web address is not UTF-8. Enter the bucket's name, and the folder as the bucket prefix."))
}
