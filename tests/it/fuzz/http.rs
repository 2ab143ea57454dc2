//! Query strings, headers and bodies.

use crate::application::connections::input::ConnectionInput;
use crate::application::kept::idempotency::IdempotencyKey;
use crate::http::api::files::keys::is_one_range;
use crate::http::api::files::read::is_one_tag;
use crate::http::api::files::sign::SignFiles;
use crate::http::page::PageQuery;
use crate::http::{body, query, upload};
use crate::it::fuzz::{fuzz, is_error, is_refusal};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

#[test]
fn query_strings() {
    fuzz("query", |text| match query::parse::<PageQuery>(text) {
        Ok(page) => match page.request() {
            Ok(request) => assert!((1..=1_000).contains(&request.size)),
            Err(error) => is_error(&error),
        },
        Err(error) => is_error(&error),
    });
}

#[test]
fn bodies() {
    fuzz("body", |text| {
        if let Err(error) = body::parse::<ConnectionInput>(text.as_bytes()) {
            is_error(&error);
            assert!(
                !error.detail.contains("hunter2"),
                "a value is repeated: {error}"
            );
        }
        if let Err(error) = body::parse::<SignFiles>(text.as_bytes()) {
            is_error(&error);
        }
        for end in 0..text.len().min(40) {
            if let Err(error) = body::parse::<SignFiles>(&text.as_bytes()[..end]) {
                is_error(&error);
            }
        }
    });
}

#[test]
fn ranges() {
    fuzz("range", |text| {
        if is_one_range(text) {
            let (first, last) = text
                .strip_prefix("bytes=")
                .unwrap()
                .split_once('-')
                .unwrap();
            let number = |text: &str| text.is_empty() || text.parse::<u64>().is_ok();
            assert!(number(first) && number(last), "{text:?}");
            assert!(!(first.is_empty() && last.is_empty()), "{text:?}");
        }
    });
}

#[test]
fn entity_tags() {
    fuzz("etag", |text| {
        if is_one_tag(text) {
            assert!(
                text.len() >= 2 && text.matches('"').count() == 2,
                "{text:?}"
            );
        }
    });
}

#[test]
fn digests_and_metadata() {
    let names = [
        "content-md5",
        "x-amz-checksum-sha256",
        "content-digest",
        "repr-digest",
        "x-sallyport-meta-owner",
        "x-sallyport-meta-",
    ];
    fuzz("digest", |text| {
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else {
            return;
        };
        for name in names {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), value.clone());
            if let Err(error) = upload::expected(&headers) {
                is_error(&error);
            }
            match upload::metadata(&headers) {
                Ok(pairs) => {
                    let size: usize = pairs
                        .iter()
                        .map(|(name, value)| name.len() + value.len())
                        .sum();
                    assert!(size <= 2_048);
                }
                Err(error) => is_error(&error),
            }
        }
    });
}

#[test]
fn idempotency_keys() {
    fuzz("idempotency_key", |text| {
        if let Err(invalid) = IdempotencyKey::parse(text.as_bytes()) {
            is_refusal(&invalid);
        }
    });
}
