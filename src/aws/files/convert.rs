//! Between the SDK's values and ours.

use crate::application::bucket::encoded_words;
use crate::application::bucket::write::{NewObject, StoredHeaders};
use crate::aws::failure::local;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::Connection;
use crate::domain::files::canned_acl::CannedAcl;
use aws_sdk_s3::types::{EncodingType, ObjectCannedAcl};
use aws_smithy_types::DateTime;
use std::collections::HashMap;
use time::OffsetDateTime;

/// As the SDK takes it.
pub(crate) fn acl_of(acl: CannedAcl) -> ObjectCannedAcl {
    acl.as_str().into()
}

/// As the SDK takes it.
pub(crate) fn expected_owner(connection: &Connection) -> Option<String> {
    connection.expected_owner().map(ToString::to_string)
}

/// Undoes `encoding-type=url`, which writes a space as `+`. Bytes that are no UTF-8 are an error, not
/// another key.
pub(crate) fn decode(raw: &str) -> Result<String, AwsFailure> {
    // Most keys have nothing to undo.
    if !raw.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Ok(raw.to_owned());
    }
    let spaced = raw.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|error| local("ListObjectsV2", FailureKind::InvalidResponse, error))
}

/// A key as it is, of an answer that may say `<EncodingType>url</EncodingType>`. One that does not has keys
/// as they are, whatever was asked.
pub(crate) fn key_of(raw: &str, encoding: Option<&EncodingType>) -> Result<String, AwsFailure> {
    match encoding.is_some_and(|encoding| encoding.as_str().eq_ignore_ascii_case("url")) {
        true => decode(raw),
        false => Ok(raw.to_owned()),
    }
}

pub(crate) fn time_of(at: DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(at.as_nanos()).ok()
}

pub(crate) fn expires(headers: &StoredHeaders) -> Option<DateTime> {
    headers
        .expires
        .map(|at| DateTime::from_secs(at.unix_timestamp()))
}

/// The metadata as S3 takes it: what is not ASCII is in encoded words.
pub(crate) fn metadata_of(object: &NewObject) -> HashMap<String, String> {
    let pairs = object.metadata.iter();
    pairs
        .map(|(name, value)| (name.clone(), encoded_words::encode(value).into_owned()))
        .collect()
}

/// The metadata in plain text.
pub(crate) fn sorted(metadata: Option<HashMap<String, String>>) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = metadata
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name, encoded_words::decode(&value)))
        .collect();
    pairs.sort();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_keys_are_decoded_exactly() {
        assert_eq!(decode("a+b%2Bc%2525/%C3%BC").unwrap(), "a b+c%25/ü");
        assert_eq!(decode("a b/ü~.png").unwrap(), "a b/ü~.png");
        assert!(decode("%FF").is_err());
    }
}
