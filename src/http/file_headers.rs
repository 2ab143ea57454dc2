//! Which headers of a request that changes files have an effect, and which are refused.
//!
//! A header that is neither used nor of the transport would be lost without a word. So each name is judged
//! here, and what describes the file or the call and has no effect is refused with its name.
//!
//! Names that nobody here knows are ignored: proxies, browsers and tracing libraries add headers of their
//! own, and an upload must not fail for one of these. A name that speaks of the file (metadata, tags, a
//! checksum, an ACL, a class, a time to live) is refused also where it is not known.

use crate::application::error::{Error, FieldError};
use crate::domain::Invalid;
use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

/// A header `X-Sallyport-Meta-Owner: Ann` becomes the metadata `owner: Ann`.
pub(crate) const METADATA_PREFIX: &str = "x-sallyport-meta-";

/// What a header of an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Stored, checked, or answered by a status of its own.
    Used,
    /// Of the connection, of who calls, or of what is in between: nothing of the file.
    Transport,
    /// Without effect here, and what to do instead.
    Refused(&'static str),
    /// Nothing of the above.
    Unknown,
}

const NOT_PASSED_ON: &str = "This service does not pass it on to the store. Leave it out.";
const NOT_OF_AN_UPLOAD: &str = "It has no meaning for an upload of a whole file. Leave it out.";
const AS_METADATA: &str = "Send metadata as `X-Sallyport-Meta-NAME`.";
const SPEAKS_OF_THE_FILE: &str =
    "It seems to describe the file. Leave it out, or send it as `X-Sallyport-Meta-NAME`.";

/// Headers of stores, by how they begin.
const OF_STORES: [&str; 22] = [
    "x-amz-",
    "x-goog-",
    "x-ms-",
    "x-oss-",
    "x-cos-",
    "x-obs-",
    "x-bz-",
    "x-tos-",
    "x-kss-",
    "x-bce-",
    "x-nos-",
    "x-qs-",
    "x-ibm-",
    "x-minio-",
    "x-rgw-",
    "x-emc-",
    "x-ntap-",
    "x-wasabi-",
    "x-object-",
    "x-container-",
    "x-archive-",
    "opc-",
];

/// Headers that proxies, browsers and tracing add, by how they begin.
const OF_THE_WAY: [&str; 36] = [
    "accept",
    "access-control-request-",
    "akamai-",
    "baggage",
    "cdn-",
    "cf-",
    "cloudfront-",
    "correlation-",
    "fastly-",
    "fly-",
    "forwarded",
    "grpc-",
    "l5d-",
    "proxy-",
    "sec-",
    "trace",
    "true-client-",
    "x-akamai-",
    "x-amz-cf-",
    "x-amzn-",
    "x-azure-",
    "x-b3-",
    "x-client-",
    "x-cloud-trace-",
    "x-correlation-",
    "x-datadog-",
    "x-envoy-",
    "x-forwarded-",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-client-principal",
    "x-ms-token-",
    "x-original-",
    "x-real-",
    "x-request-",
    "want-",
];

fn is_transport(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "b3"
            | "client-ip"
            | "connection"
            | "cookie"
            | "date"
            | "device-memory"
            | "dnt"
            | "downlink"
            | "dpr"
            | "early-data"
            | "ect"
            | "expect"
            | "from"
            | "front-end-https"
            | "host"
            | "http2-settings"
            | "idempotency-key"
            | "keep-alive"
            | "max-forwards"
            | "origin"
            | "pragma"
            | "priority"
            | "referer"
            | "request-id"
            | "rtt"
            | "save-data"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "upgrade-insecure-requests"
            | "user-agent"
            | "via"
            | "viewport-width"
            | "x-csrf-token"
            | "x-ms-client-request-id"
            | "x-ms-correlation-request-id"
            | "x-ms-request-id"
            | "x-requested-with"
    ) || OF_THE_WAY.iter().any(|begin| name.starts_with(begin))
}

fn meaning(name: &str) -> Meaning {
    use Meaning::{Refused, Transport, Unknown, Used};
    match name {
        "cache-control"
        | "content-digest"
        | "content-disposition"
        | "content-encoding"
        | "content-language"
        | "content-length"
        | "content-md5"
        | "content-type"
        | "digest"
        | "expires"
        | "if-match"
        | "if-none-match"
        | "repr-digest"
        | "x-amz-acl"
        | "x-amz-checksum-sha256" => Used,
        "trailer" => {
            Refused("Trailers are not read. Send a digest as a header, such as `Content-Digest`.")
        }
        "x-amz-tagging" => Refused(
            "Tags need `s3:PutObjectTagging`, which the documents do not grant. Set the tags with credentials of the bucket's account.",
        ),
        "x-amz-storage-class" => Refused(
            "Files are stored in the class STANDARD. Leave it out; a lifecycle rule of the bucket can move them to another class.",
        ),
        "if-unmodified-since" => Refused("Use `If-Match` with the ETag of the file to replace."),
        "x-http-method" | "x-http-method-override" | "x-method-override" => {
            Refused("The method of a request is the one it is sent with. Leave it out.")
        }
        "age" | "allow" | "depth" | "destination" | "etag" | "if" | "if-modified-since"
        | "if-range" | "last-modified" | "link" | "location" | "lock-token" | "mime-version"
        | "overwrite" | "prefer" | "range" | "retry-after" | "set-cookie" | "slug" | "timeout"
        | "vary" => Refused(NOT_OF_AN_UPLOAD),
        _ if name.starts_with(METADATA_PREFIX) => Used,
        _ if is_transport(name) => Transport,
        _ if name.starts_with("x-sallyport-") => {
            Refused("Metadata of the file is sent as `X-Sallyport-Meta-NAME`. Leave it out.")
        }
        _ if name.starts_with("x-amz-grant-") => Refused("Send a canned ACL as `x-amz-acl`."),
        _ if name.starts_with("x-amz-server-side-encryption") => Refused(
            "The KMS key of the storage's settings encrypts every file, or else the bucket's default encryption. Leave it out.",
        ),
        _ if name.split('-').any(|part| part == "meta") => Refused(AS_METADATA),
        _ if OF_STORES.iter().any(|begin| name.starts_with(begin)) => Refused(NOT_PASSED_ON),
        _ if name.starts_with("content-")
            || name.starts_with("upload-")
            || name.starts_with("tus-") =>
        {
            Refused(NOT_OF_AN_UPLOAD)
        }
        _ if speaks_of_the_file(name) => Refused(SPEAKS_OF_THE_FILE),
        _ => Unknown,
    }
}

/// Whether a part of the name is a word for what a file has.
fn speaks_of_the_file(name: &str) -> bool {
    name.split(['-', '_']).any(|part| {
        matches!(
            part,
            "acl"
                | "checksum"
                | "crc32"
                | "crc32c"
                | "digest"
                | "encryption"
                | "etag"
                | "expiration"
                | "expires"
                | "file"
                | "filename"
                | "hash"
                | "md5"
                | "metadata"
                | "mtime"
                | "object"
                | "retention"
                | "sha1"
                | "sha256"
                | "sha512"
                | "tag"
                | "tagging"
                | "tags"
                | "ttl"
        )
    }) || matches!(name, "x-delete-at" | "x-delete-after" | "x-copy-from")
}

/// Refuses headers of an upload that would have no effect.
pub(crate) fn of_an_upload(headers: &HeaderMap) -> Result<(), Error> {
    refuse(headers, |name| match meaning(name) {
        Meaning::Used | Meaning::Transport | Meaning::Unknown => None,
        Meaning::Refused(remedy) => Some(remedy),
    })
}

/// What to do instead of a header of a request whose parameters are in its body or its address.
fn elsewhere(name: &str) -> Option<&'static str> {
    match name {
        // Of the message itself, or wishes of the client about the answer.
        "cache-control" | "content-encoding" | "content-length" | "content-type" => None,
        "if-match" | "if-none-match" => Some(
            "Conditions of this request are fields of its body, where it has any. Leave it out.",
        ),
        "content-md5" | "content-digest" | "repr-digest" | "digest" | "x-amz-checksum-sha256" => {
            Some("The digest of this request's body is not verified. Leave it out.")
        }
        _ => match meaning(name) {
            Meaning::Used => {
                Some("The parameters of this request are fields of its body. Leave it out.")
            }
            Meaning::Refused(_) => Some(
                "The parameters of this request are fields of its body, and this is none of them. Leave it out.",
            ),
            Meaning::Transport | Meaning::Unknown => None,
        },
    }
}

/// A request that changes or signs files, and has no header that describes a file or sets a condition: that
/// would be lost.
pub(crate) struct NoFileHeaders;

impl FromRequest for NoFileHeaders {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            refuse(request.headers(), elsewhere)
                .map(|()| Self)
                .map_err(actix_web::Error::from),
        )
    }
}

fn refuse(headers: &HeaderMap, remedy: impl Fn(&str) -> Option<&'static str>) -> Result<(), Error> {
    let errors: Vec<_> = headers
        .keys()
        .map(HeaderName::as_str)
        .filter_map(|name| Some((name, remedy(name)?)))
        .map(|(name, remedy)| {
            let detail = format!("`{name}` has no effect here, so it is refused. {remedy}");
            FieldError::new(name, Invalid::new("unsupported_header", detail))
        })
        .collect();
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid(errors)),
    }
}

/// Refuses headers of a form's part that would change what is stored, and are not heeded: a file of a form is
/// stored as it is sent (RFC 7578, section 4.7 and 4.8).
pub(crate) fn of_a_part<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), Error> {
    let errors: Vec<_> = headers
        .filter(|(name, value)| match *name {
            "content-disposition" | "content-type" | "content-length" => false,
            "content-transfer-encoding" => !["binary", "8bit", "7bit"]
                .iter()
                .any(|plain| value.trim_ascii().eq_ignore_ascii_case(plain.as_bytes())),
            _ => true,
        })
        .map(|(name, _)| {
            let detail = format!(
                "A file of the form has the header `{name}`, which has no effect here, so it is refused. Upload the file by the API instead."
            );
            FieldError::new("file", Invalid::new("unsupported_header", detail))
        })
        .collect();
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid(errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_describes_a_file_is_used_or_refused() {
        for name in [
            "cache-control",
            "content-md5",
            "digest",
            "x-amz-acl",
            "x-sallyport-meta-owner",
        ] {
            assert_eq!(meaning(name), Meaning::Used, "{name}");
        }
        for name in [
            "x-amz-grant-read",
            "x-amz-meta-owner",
            "x-amz-tagging",
            "x-amz-content-sha256",
            "x-amz-object-lock-mode",
            "x-amz-website-redirect-location",
            "x-amz-checksum-crc32",
            "x-amz-decoded-content-length",
            "x-goog-meta-owner",
            "x-goog-hash",
            "x-ms-blob-type",
            "x-ms-meta-owner",
            "x-oss-storage-class",
            "x-cos-acl",
            "x-obs-acl",
            "x-bz-info-src_last_modified_millis",
            "x-object-meta-owner",
            "opc-meta-owner",
            "x-upyun-meta-owner",
            "x-meta-owner",
            "x-delete-after",
            "x-file-name",
            "x-checksum-sha256",
            "x-sallyport-tags",
            "x-http-method-override",
            "content-range",
            "content-transfer-encoding",
            "last-modified",
            "trailer",
            "slug",
            "upload-metadata",
        ] {
            assert!(matches!(meaning(name), Meaning::Refused(_)), "{name}");
        }
    }

    #[test]
    fn what_is_added_on_the_way_is_no_concern() {
        for name in [
            "host",
            "user-agent",
            "accept-encoding",
            "authorization",
            "expect",
            "sec-fetch-site",
            "traceparent",
            "x-request-id",
            "x-forwarded-for",
            "x-amz-cf-id",
            "x-amzn-trace-id",
            "cf-connecting-ip",
            "cdn-loop",
            "x-ms-client-request-id",
            "x-goog-iap-jwt-assertion",
            "x-cloud-trace-context",
            "want-content-digest",
        ] {
            assert_eq!(meaning(name), Meaning::Transport, "{name}");
            assert_eq!(elsewhere(name), None, "{name}");
        }
        assert_eq!(meaning("x-foo"), Meaning::Unknown);
        assert_eq!(elsewhere("x-foo"), None);
    }

    #[test]
    fn a_request_without_a_file_takes_no_header_of_one() {
        for name in [
            "if-match",
            "content-md5",
            "content-disposition",
            "x-sallyport-meta-a",
            "x-amz-acl",
            "range",
        ] {
            assert!(elsewhere(name).is_some(), "{name}");
        }
        for name in ["content-type", "cache-control", "content-length", "pragma"] {
            assert_eq!(elsewhere(name), None, "{name}");
        }
    }

    #[test]
    fn a_file_of_a_form_is_stored_as_it_is_sent() {
        let plain = [
            ("content-type", &b"image/png"[..]),
            ("content-transfer-encoding", b"binary"),
        ];
        assert!(of_a_part(plain.into_iter()).is_ok());
        for odd in [
            ("content-transfer-encoding", &b"base64"[..]),
            ("content-md5", b"x"),
            ("x-amz-meta-a", b"x"),
        ] {
            assert!(of_a_part([odd].into_iter()).is_err(), "{odd:?}");
        }
    }
}
