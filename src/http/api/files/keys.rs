//! File keys and version IDs in requests.

use crate::application::error::{Error, FieldError, Result};
use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use serde::Deserialize;
use utoipa::IntoParams;

/// What S3 takes for a version ID (S3 user guide, "How S3 Versioning works").
const LONGEST_VERSION_ID: usize = 1_024;

/// Which file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileKeyQuery {
    /// The file key, like `/some-folder/image.png`.
    pub key: String,
}

/// Which file, and which version of it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// The file key, like `/some-folder/image.png`.
    pub key: String,
    /// A version of it; the present one where this is absent.
    pub version_id: Option<String>,
}

/// Reads a file key.
pub(crate) fn file_key(field: &str, text: &str) -> Result<FileKey> {
    FileKey::parse(text).map_err(|invalid| Error::field(field, invalid))
}

/// Reads a version's ID: S3's own, opaque.
pub(crate) fn version_id(field: &str, text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(id) if id.is_empty() || id.len() > LONGEST_VERSION_ID || !is_plain(&id) => {
            Err(Error::field(
                field,
                Invalid::new("invalid_version_id", "This is no version ID of S3."),
            ))
        }
        id => Ok(id),
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

/// Every key parsed, or every bad one named by its place.
pub(crate) fn parse_keys(field: &str, keys: &[String]) -> Result<Vec<FileKey>> {
    /// More would make the answer longer than it is of use.
    const MOST_ERRORS: usize = 100;
    let mut parsed = Vec::with_capacity(keys.len());
    let mut errors = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        match FileKey::parse(key) {
            Ok(key) => parsed.push(key),
            Err(invalid) if errors.len() < MOST_ERRORS => {
                let name = match field {
                    "key" => field.to_owned(),
                    list => format!("{list}[{at}]"),
                };
                errors.push(FieldError::new(name, invalid));
            }
            Err(_) => {}
        }
    }
    if errors.is_empty() {
        Ok(parsed)
    } else {
        Err(Error::invalid(errors))
    }
}

/// Whether a range has both its ends, like `bytes=0-99`: it says how many bytes it is, whatever the file's size.
pub(crate) fn is_closed_range(range: &str) -> bool {
    let ends = range.strip_prefix("bytes=").and_then(|r| r.split_once('-'));
    is_one_range(range) && ends.is_some_and(|(first, last)| !first.is_empty() && !last.is_empty())
}

/// Whether this is an HTTP `Range` with one range of bytes.
pub(crate) fn is_one_range(range: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.len() < 19;
    range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .is_some_and(|(first, last)| {
            let in_order = match (first.parse::<u64>(), last.parse::<u64>()) {
                (Ok(first), Ok(last)) => first <= last,
                _ => !(first.is_empty() && last.is_empty()),
            };
            digits(first) && digits(last) && in_order
        })
}
