//! Request bodies on their way into a bucket: streamed, never held as a whole.

use crate::application::bucket::body::{Expected, UploadBody};
use crate::application::bucket::encoded_words;
use crate::application::bucket::write::StoredHeaders;
use crate::application::error::{Error, FieldError, Kind};
use crate::domain::Invalid;
use crate::domain::files::part_plan::LARGEST_OBJECT;
use crate::http::file_headers::{self, METADATA_PREFIX};
use crate::http::problem::Problem;
use crate::http::pump;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HttpDate};
use actix_web::{HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::SystemTime;
use time::OffsetDateTime;

/// How S3 bounds the customer's own metadata: names and values together, in bytes (S3 user guide,
/// "Working with object metadata").
const MOST_METADATA: usize = 2_048;

/// Begins to read the request's body. The client's connection is read only as fast as the bucket takes
/// the bytes.
pub fn body(request: &HttpRequest, payload: web::Payload) -> Result<UploadBody, Problem> {
    let headers = request.headers();
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(Problem::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_encoding",
            "A `Content-Encoding` has no effect here: a file is stored as it is sent, without a content encoding.",
        )
        .remedy("Leave the header out. Send the file as it is to be read, or give a compressed one its own `Content-Type`, such as `application/gzip`."));
    }
    let expected = expected(headers)?;
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<u64>().ok());
    // Neither a length nor chunks: the request has no body, and the file is empty.
    let length = match length {
        None if !headers.contains_key(header::TRANSFER_ENCODING) => Some(0),
        length => length,
    };
    // Before anything is reserved for it.
    if length.is_some_and(|length| length > LARGEST_OBJECT) {
        return Err(Error::new(
            Kind::TooLarge,
            "body_too_large",
            format!(
                "The file has more than the {LARGEST_OBJECT} bytes (5 TiB) that S3 stores. Nothing was stored."
            ),
        )
        .into());
    }
    let running = request
        .app_data::<web::Data<Services>>()
        .map(|services| &services.running)
        .ok_or_else(|| Error::bug("no services"))?;
    let (body, reading) = pump::upload(payload, length, expected, running);
    // The payload belongs to this thread; the upload may run on another.
    actix_web::rt::spawn(reading);
    Ok(body)
}

/// Refuses what would be stored otherwise than the client means it: a form, whose envelope would become
/// part of the file, and headers that would have no effect.
pub fn is_a_file(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = text(headers, "content-type")?.unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(Problem::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body is a form. A file's body is the file itself, without an envelope.",
        )
        .remedy("Send the file's bytes as the body (`curl --upload-file`), with the file's own `Content-Type`."));
    }
    file_headers::of_an_upload(headers)?;
    Ok(())
}

/// The headers that S3 keeps with the file.
pub fn stored_headers(headers: &HeaderMap) -> Result<StoredHeaders, Error> {
    let own = |name| -> Result<Option<String>, Error> {
        let value = text(headers, name)?.filter(|value| !value.is_empty());
        Ok(value.map(str::to_owned))
    };
    let expires = match own("expires")? {
        None => None,
        Some(text) => {
            let date = text.parse::<HttpDate>().map_err(|_| {
                let detail = "`Expires` is a date like `Tue, 01 Jan 2030 00:00:00 GMT`. For a span of time, use `Cache-Control: max-age=…`.";
                Error::field("Expires", Invalid::new("invalid_header", detail))
            })?;
            Some(OffsetDateTime::from(SystemTime::from(date)))
        }
    };
    Ok(StoredHeaders {
        cache_control: own("cache-control")?,
        content_disposition: own("content-disposition")?,
        content_language: own("content-language")?,
        expires,
    })
}

/// The digests that the client names: `Content-MD5`, `x-amz-checksum-sha256`, and SHA-256, SHA-512 or MD5 by
/// `Content-Digest` or `Repr-Digest` (RFC 9530), or by `Digest` (RFC 3230), which writes them otherwise. Where
/// a header has one of these, its other algorithms add nothing; one that has none of them is refused.
pub(crate) fn expected(headers: &HeaderMap) -> Result<Vec<Expected>, Error> {
    let mut found = Vec::new();
    if let Some(text) = text(headers, "content-md5")? {
        let digest = decode(text).ok_or_else(|| unreadable("Content-MD5"))?;
        let header = "Content-MD5";
        found.push(Expected::Md5 { header, digest });
    }
    if let Some(text) = text(headers, "x-amz-checksum-sha256")? {
        let digest = decode(text).ok_or_else(|| unreadable("x-amz-checksum-sha256"))?;
        let header = "x-amz-checksum-sha256";
        found.push(Expected::Sha256 { header, digest });
    }
    for (name, header) in [
        ("content-digest", "Content-Digest"),
        ("repr-digest", "Repr-Digest"),
        ("digest", "Digest"),
    ] {
        let Some(text) = text(headers, name)? else {
            continue;
        };
        let before = found.len();
        for member in text.split(',') {
            let (algorithm, value) = member
                .trim()
                .split_once('=')
                .ok_or_else(|| unreadable(header))?;
            let value = match header {
                "Digest" => Some(value),
                // Between colons, as a byte sequence (RFC 8941); parameters have no meaning here.
                _ => value
                    .strip_prefix(':')
                    .and_then(|value| value.split_once(':'))
                    .filter(|(_, rest)| rest.is_empty() || rest.starts_with(';'))
                    .map(|(value, _)| value),
            };
            let value = value.ok_or_else(|| unreadable(header))?;
            let one = match algorithm.to_ascii_lowercase().as_str() {
                "sha-256" => decode(value).map(|digest| Expected::Sha256 { header, digest }),
                "sha-512" => decode(value).map(|digest| Expected::Sha512 { header, digest }),
                "md5" => decode(value).map(|digest| Expected::Md5 { header, digest }),
                _ => continue,
            };
            found.push(one.ok_or_else(|| unreadable(header))?);
        }
        if found.len() == before {
            let detail = format!(
                "`{header}` has none of the algorithms `sha-256`, `sha-512` and `md5`, so it cannot be verified."
            );
            return Err(Error::field(
                header,
                Invalid::new("unsupported_digest", detail),
            ));
        }
    }
    Ok(found)
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

fn unreadable(header: &'static str) -> Error {
    Error::field(
        header,
        Invalid::new(
            "invalid_digest",
            format!("`{header}` is not a digest in base64."),
        ),
    )
}

/// A header's one value, as text.
pub fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Error> {
    let refuse = |code, detail: String| Error::field(name, Invalid::new(code, detail));
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(refuse(
            "duplicate_header",
            format!("`{name}` is there more than once."),
        ));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| refuse("invalid_header", format!("`{name}` is not ASCII text.")))
}

/// The customer's own metadata, from the headers `X-Sallyport-Meta-…`.
pub fn metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>, Error> {
    let mut pairs = Vec::new();
    let mut errors = Vec::new();
    for name in headers.keys() {
        let Some(own) = name.as_str().strip_prefix(METADATA_PREFIX) else {
            continue;
        };
        let values: Vec<_> = headers.get_all(name).collect();
        let value = match values.as_slice() {
            [value] => plain_text(value.as_bytes()),
            [] | [_, _, ..] => None,
        };
        match value.filter(|_| !own.is_empty()) {
            Some(value) => pairs.push((own.to_owned(), value.to_owned())),
            None => errors.push(FieldError::new(
                name.as_str(),
                Invalid::new(
                    "invalid_metadata",
                    "Metadata has a name and one value, of text in UTF-8 without control characters.",
                ),
            )),
        }
    }
    let size: usize = pairs
        .iter()
        .map(|(name, value)| name.len() + encoded_words::encode(value).len())
        .sum();
    if size > MOST_METADATA {
        errors.push(FieldError::new(
            "X-Sallyport-Meta-",
            Invalid::new(
                "metadata_too_large",
                format!("S3 keeps {MOST_METADATA} bytes of metadata; this is {size}."),
            ),
        ));
    }
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    pairs.sort();
    Ok(pairs)
}

fn plain_text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        map
    }

    const SHA256: &str = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";

    #[test]
    fn digests_are_read_from_each_header() {
        let found = expected(&headers(&[
            ("content-digest", SHA256),
            ("content-md5", "kAFQmDzST7DWlj99KOF/cg=="),
        ]));
        assert_eq!(found.unwrap().len(), 2);
        let many = "unixsum=:AA==:, sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:;x=1, md5=:kAFQmDzST7DWlj99KOF/cg==:";
        assert_eq!(
            expected(&headers(&[("repr-digest", many)])).unwrap().len(),
            2
        );
        let old =
            "SHA-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=,MD5=kAFQmDzST7DWlj99KOF/cg==";
        assert_eq!(expected(&headers(&[("digest", old)])).unwrap().len(), 2);
        for header in [
            ("repr-digest", "unixsum=:AA==:"),
            ("content-digest", "crc32c=:AA==:, sha=:AA==:"),
            ("digest", "UNIXsum=30637"),
        ] {
            let error = expected(&headers(&[header])).unwrap_err();
            assert_eq!(error.fields[0].code, "unsupported_digest", "{header:?}");
        }
        for (name, value) in [
            ("content-md5", "no"),
            ("content-digest", "sha-256=abc"),
            ("content-digest", "sha-256"),
            ("repr-digest", "sha-256=:AA==:"),
            ("repr-digest", "sha-512=:AA==:"),
            (
                "digest",
                "SHA-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:",
            ),
            ("content-digest", ""),
            ("x-amz-checksum-sha256", "AA=="),
        ] {
            let error = expected(&headers(&[(name, value)])).unwrap_err();
            assert!(error.fields[0].field.eq_ignore_ascii_case(name), "{value}");
        }
    }

    #[test]
    fn forms_are_refused() {
        for good in [
            vec![],
            vec![("content-type", "application/x-www-form-urlencoded")],
        ] {
            assert!(is_a_file(&headers(&good)).is_ok(), "{good:?}");
        }
        for form in ["multipart/form-data", "Multipart/Form-Data; boundary=x"] {
            let problem = is_a_file(&headers(&[("content-type", form)])).unwrap_err();
            assert_eq!(problem.error.code, "unsupported_media_type");
        }
    }

    #[test]
    fn metadata_is_bounded_text() {
        let found = metadata(&headers(&[
            ("x-sallyport-meta-b", "2"),
            ("x-sallyport-meta-a", "1"),
            ("x-other", "3"),
        ]));
        let pairs = vec![("a".to_owned(), "1".to_owned()), ("b".into(), "2".into())];
        assert_eq!(found.unwrap(), pairs);
        let long: &'static str = "x".repeat(2_048).leak();
        for bad in [
            vec![("x-sallyport-meta-a", "1"), ("x-sallyport-meta-a", "2")],
            vec![("x-sallyport-meta-", "1")],
            vec![("x-sallyport-meta-a", long)],
        ] {
            assert!(metadata(&headers(&bad)).is_err());
        }
    }
}
