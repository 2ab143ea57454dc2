//! What an answer of a store must show before it is believed, and what is put right in it before the SDK
//! reads it.
//!
//! The SDK believes a success by its status. A proxy that answers everything with 200 would store, delete
//! and read without a store. Amazon S3, MinIO, Ceph, Wasabi and Backblaze send `x-amz-request-id` with each
//! answer; Google Cloud Storage sends `x-goog-…` and `x-guploader-uploadid`. A store that sends none of its
//! own headers is believed by S3's XML, or by an ETag.

use crate::aws::answers::repair::{Unreadable, date, repaired};
use crate::aws::etag::{md5_of, plain};
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The largest document that is read: a page of 1,000 of the longest keys, all escaped, is smaller.
const LARGEST: usize = 32 << 20;

/// A success that no S3-compatible store would answer so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer shows nothing that only an S3-compatible store sends")]
pub struct NotOfS3 {
    /// Whether it is a page for people.
    pub is_page: bool,
}

/// Judges each success of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreAnswers;

impl Intercept for StoreAnswers {
    fn name(&self) -> &'static str {
        "StoreAnswers"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(|call| call.name().to_owned());
        let operation = operation.unwrap_or_default();
        let response = context.response_mut();
        if !response.status().is_success() {
            return Ok(());
        }
        put_headers_right(response.headers_mut());
        match operation.as_str() {
            "PutObject"
            | "UploadPart"
            | "GetObject"
            | "HeadObject"
            | "DeleteObject"
            | "AbortMultipartUpload"
            | "HeadBucket"
            | "PutObjectAcl"
                if !is_of_s3(&operation, response) =>
            {
                let headers = response.headers();
                Err(NotOfS3 {
                    is_page: is_page(headers) && !names_a_store(headers),
                }
                .into())
            }
            "ListObjectsV2" | "ListObjectVersions" | "ListBuckets" | "DeleteObjects"
            | "UploadPartCopy" => {
                put_body_right(response, true);
                Ok(())
            }
            // A repetition would find what the first call made.
            "CopyObject" | "CreateMultipartUpload" | "CompleteMultipartUpload" => {
                put_body_right(response, false);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a header names the store. CloudFront, API Gateway and load balancers of AWS send others of
/// `x-amz-` and `x-amzn-`.
pub(crate) fn names_a_store(headers: &Headers) -> bool {
    const SERVERS: [&str; 8] = [
        "amazons3",
        "minio",
        "wasabis3",
        "versitygw",
        "ceph object gateway",
        "uploadserver",
        "seaweedfs",
        "garage",
    ];
    let by_name = headers.iter().any(|(name, _)| {
        (name.starts_with("x-amz-")
            && !name.starts_with("x-amz-cf-")
            && !name.starts_with("x-amz-apigw-"))
            || name.starts_with("x-goog-")
            || name.starts_with("x-guploader-")
            || name.starts_with("x-minio-")
            || name.starts_with("x-rgw-")
    });
    by_name
        || headers.get("server").is_some_and(|server| {
            let server = server.to_ascii_lowercase();
            SERVERS.iter().any(|known| server.starts_with(known))
        })
}

/// Whether the body is said to be a page for people.
pub(crate) fn is_page(headers: &Headers) -> bool {
    headers.get("content-type").is_some_and(|kind| {
        let kind = kind.trim_start().to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    })
}

/// For the operations whose success has no XML.
fn is_of_s3(operation: &str, response: &HttpResponse) -> bool {
    let headers = response.headers();
    // S3 answers these with 204 (S3 API reference, "DeleteObject", "AbortMultipartUpload"). What answers
    // otherwise has understood something else; it is asked once more.
    if matches!(operation, "DeleteObject" | "AbortMultipartUpload")
        && response.status().as_u16() != 204
    {
        return false;
    }
    if names_a_store(headers) {
        return true;
    }
    let etag = headers.get("etag").unwrap_or_default();
    match operation {
        // A page that a web server serves has an ETag too, but of another form.
        "GetObject" | "HeadObject" => is_md5(etag) || (!etag.is_empty() && !is_page(headers)),
        // S3 answers without a body.
        "PutObject" | "UploadPart" => {
            let length = headers.get("content-length");
            is_md5(etag)
                || (!etag.is_empty()
                    && !is_page(headers)
                    && length.is_none_or(|length| length.trim() == "0"))
        }
        _ => false,
    }
}

/// S3's usual ETag: an MD5, with the number of parts where there are any.
fn is_md5(etag: &str) -> bool {
    let plain = plain(etag);
    let (digest, parts) = plain.split_once('-').unwrap_or((plain, "1"));
    md5_of(digest).is_some() && parts.parse::<u32>().is_ok()
}

/// A header that the SDK cannot parse fails the whole call. Dates are read as far as they can be; what
/// cannot be read is left out.
fn put_headers_right(headers: &mut Headers) {
    const DATES: [(&str, Format); 2] = [
        ("last-modified", Format::HttpDate),
        ("x-amz-object-lock-retain-until-date", Format::DateTime),
    ];
    const NUMBERS: [&str; 3] = [
        "x-amz-missing-meta",
        "x-amz-mp-parts-count",
        "x-amz-tagging-count",
    ];
    const FLAGS: [&str; 2] = [
        "x-amz-delete-marker",
        "x-amz-server-side-encryption-bucket-key-enabled",
    ];
    for (name, format) in DATES {
        let Some(text) = headers.get(name).map(str::to_owned) else {
            continue;
        };
        headers.remove(name);
        let date = date(&text)
            .map(|at| aws_smithy_types::DateTime::from_secs(at.unix_timestamp()))
            .and_then(|at| at.fmt(format).ok());
        if let Some(date) = date {
            headers.insert(name, date);
        }
    }
    for name in NUMBERS {
        if headers
            .get(name)
            .is_some_and(|text| text.parse::<i32>().is_err())
        {
            headers.remove(name);
        }
    }
    for name in FLAGS {
        let Some(text) = headers.get(name).map(str::to_ascii_lowercase) else {
            continue;
        };
        headers.remove(name);
        if matches!(text.as_str(), "true" | "false") {
            headers.insert(name, text);
        }
    }
}

fn put_body_right(response: &mut HttpResponse, may_fail: bool) {
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    *response.body_mut() = SdkBody::from_body_1_x(Repairing {
        body,
        collected: Vec::new(),
        ended: false,
        may_fail,
    });
}

/// Collects a document and gives it repaired.
struct Repairing {
    body: SdkBody,
    collected: Vec<u8>,
    ended: bool,
    /// Whether a document that cannot be read breaks the body, which the SDK then asks for again. Else it is
    /// passed on as it is.
    may_fail: bool,
}

impl Body for Repairing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        loop {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    if this.collected.len() + data.len() > LARGEST {
                        this.ended = true;
                        return Poll::Ready(Some(Err(Unreadable("it is too large").into())));
                    }
                    this.collected.extend_from_slice(&data);
                }
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => break,
            }
        }
        this.ended = true;
        let document = std::mem::take(&mut this.collected);
        Poll::Ready(Some(match repaired(&document) {
            Ok(text) => Ok(Frame::data(Bytes::from(text))),
            Err(unreadable) if this.may_fail => Err(unreadable.into()),
            Err(_) => Ok(Frame::data(Bytes::from(document))),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.insert(*name, *value);
        }
        headers
    }

    #[test]
    fn a_store_is_known_by_its_headers() {
        for of_a_store in [
            ("x-amz-request-id", "tx00000"),
            ("x-amz-id-2", "x"),
            ("x-guploader-uploadid", "x"),
            ("server", "MinIO"),
            ("server", "AmazonS3"),
        ] {
            assert!(names_a_store(&headers(&[of_a_store])), "{of_a_store:?}");
        }
        for other in [
            ("x-amz-cf-id", "x"),
            ("x-amz-apigw-id", "x"),
            ("x-amzn-requestid", "x"),
            ("server", "nginx"),
        ] {
            assert!(!names_a_store(&headers(&[other])), "{other:?}");
        }
        assert!(is_md5("\"d41d8cd98f00b204e9800998ecf8427e-12\""));
        assert!(!is_md5("\"5f3c-1a2b\""));
    }

    #[test]
    fn headers_that_the_sdk_cannot_parse_fail_nothing() {
        let mut odd = headers(&[
            ("last-modified", "2026-01-01T00:00:00Z"),
            ("x-amz-delete-marker", "True"),
            ("x-amz-tagging-count", "many"),
            ("x-amz-object-lock-retain-until-date", "for ever"),
        ]);
        put_headers_right(&mut odd);
        assert_eq!(
            odd.get("last-modified"),
            Some("Thu, 01 Jan 2026 00:00:00 GMT")
        );
        assert_eq!(odd.get("x-amz-delete-marker"), Some("true"));
        assert_eq!(odd.get("x-amz-tagging-count"), None);
        let until = "x-amz-object-lock-retain-until-date";
        assert_eq!(odd.get(until), None);
        let mut good = headers(&[(until, "2030-01-02T03:04:05.000Z")]);
        put_headers_right(&mut good);
        assert_eq!(good.get(until), Some("2030-01-02T03:04:05Z"));
    }
}
