//! How the content of a customer's file is answered: its headers, and its body.

use crate::application::bucket::read::ObjectMetadata;
use crate::application::files::safe_content::Serving;
use crate::application::pace::CutMark;
use crate::domain::files::file_key::FileKey;
use crate::http::delivery::FileContent;
use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::io;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A file may be kept by the client, and is asked about each time.
pub const CACHING: &str = "private, no-cache";

/// The headers of a file: its own type where that is inert, and nothing that a browser would run.
pub fn describe(response: &mut HttpResponseBuilder, key: &FileKey, metadata: &ObjectMetadata) {
    let serving = Serving::of_stored(key, metadata.content_type.as_deref());
    response
        .insert_header((header::CONTENT_TYPE, serving.content_type))
        .insert_header((header::CONTENT_DISPOSITION, serving.content_disposition))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, CACHING))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ));
    if let Some(encoding) = metadata
        .content_encoding
        .as_deref()
        .and_then(content_coding)
    {
        response.insert_header((header::CONTENT_ENCODING, encoding));
    }
    if let Some(etag) = &metadata.etag {
        response.insert_header((header::ETAG, etag.as_str()));
    }
    if let Some(at) = metadata.last_modified.and_then(http_date) {
        response.insert_header((header::LAST_MODIFIED, at));
    }
}

/// How the bytes are encoded, without `aws-chunked`, which is a matter between an uploading client and
/// S3 and of which some clients leave a trace.
fn content_coding(stored: &str) -> Option<String> {
    let codings: Vec<&str> = stored
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
        .collect();
    let is_token = |c: &&str| c.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!codings.is_empty() && codings.iter().all(is_token)).then(|| codings.join(", "))
}

/// The form of RFC 9110, which is that of RFC 2822 with `GMT` for the zone.
fn http_date(at: OffsetDateTime) -> Option<String> {
    let text = at.to_offset(time::UtcOffset::UTC).format(&Rfc2822).ok()?;
    Some(text.replace("+0000", "GMT"))
}

/// Answers with a body. One whose length is not known is sent in chunks: whoever reads sees whether the end is
/// there. `cut` is set where the body is cut off because its reader is too slow.
pub fn with_body(
    response: &mut HttpResponseBuilder,
    length: Option<u64>,
    body: BoxStream<'static, io::Result<Bytes>>,
    cut: CutMark,
) -> HttpResponse {
    let mut response = match length {
        Some(length) => response.body(SizedStream::new(length, body)),
        None => response.streaming(body),
    };
    response.extensions_mut().insert(FileContent { cut });
    response
}

/// Keeps an answer from being compressed on its way: its length stays, and ranges mean what they say.
pub fn as_it_is(mut response: HttpResponse) -> HttpResponse {
    if !response.headers().contains_key(header::CONTENT_ENCODING) {
        let identity = HeaderValue::from_static("identity");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, identity);
    }
    response
}
