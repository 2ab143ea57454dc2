//! The answers with signed URLs, written in pieces.

use crate::application::bucket::sign::{OwnParts, SignedUrls};
use crate::application::error::{Error, Result};
use crate::domain::files::file_key::FileKey;
use crate::domain::rfc3339;
use crate::http::json_pieces::{Sending, in_pieces, push_text, push_value};
use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What a signed URL does.
#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only for the OpenAPI document")]
pub(crate) enum SignedMethod {
    Get,
    Head,
    Put,
    Delete,
}

/// How signed URLs are answered.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UrlFormat {
    /// Each whole.
    #[default]
    Urls,
    /// What they have in common once, and what each has for itself.
    Compact,
}

/// Signed URLs, in the order of the keys. The members from `base` on are there with `"format": "compact"`, and
/// `urls` is empty then: the URL of an item is `base`, the item's first text, `?`, `query`, `&X-Amz-Signature=`,
/// and its second text.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedUrls)]
#[allow(dead_code, reason = "only for the OpenAPI document")]
pub(crate) struct SignedUrlsBody {
    urls: Vec<SignedUrlBody>,
    /// How each URL begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// The query of each URL without its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[schema(value_type = Option<SignedMethod>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    /// Headers that each request must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<String, String>>,
    /// When the URLs stop working.
    #[serde(
        with = "crate::domain::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    expires_at: Option<OffsetDateTime>,
    /// A pair for each key: the key as it is in the URL, and the signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Vec<String>>>,
}

/// A URL that gives whoever holds it the file for a while.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedUrl)]
#[allow(dead_code, reason = "only for the OpenAPI document")]
pub(crate) struct SignedUrlBody {
    key: String,
    url: String,
    #[schema(value_type = SignedMethod)]
    method: &'static str,
    /// Headers that the request must carry.
    headers: BTreeMap<String, String>,
    /// When the URL stops working.
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
}

/// The answer to a request that signed for these keys.
pub(crate) fn of_keys(
    urls: SignedUrls,
    keys: Vec<FileKey>,
    format: UrlFormat,
    sending: Sending,
) -> Result<HttpResponse> {
    let label = move |out: &mut Vec<u8>, at: usize| -> Result<()> {
        let path = keys.get(at).map_or("", FileKey::path);
        out.extend_from_slice(b"\"key\":\"/");
        push_text(out, path)?;
        out.push(b'"');
        Ok(())
    };
    match format {
        UrlFormat::Urls => whole(urls, label, sending),
        UrlFormat::Compact => compact(urls, sending),
    }
}

/// An answer with each URL whole. `label` writes the first member of an item: what its URL is for.
pub(crate) fn whole(
    urls: SignedUrls,
    label: impl Fn(&mut Vec<u8>, usize) -> Result<()> + Send + 'static,
    sending: Sending,
) -> Result<HttpResponse> {
    let rest = {
        let mut rest = b",\"method\":".to_vec();
        push_shared(&mut rest, &urls)?;
        rest.push(b'}');
        rest
    };
    let mut urls = WholeUrls::of(urls)?;
    let mut at = 0;
    let write = move |out: &mut Vec<u8>| -> Result<bool> {
        match at {
            0 => out.extend_from_slice(b"{\"urls\":["),
            _ => out.push(b','),
        }
        if at < urls.count() {
            out.push(b'{');
            label(out, at)?;
            out.extend_from_slice(b",\"url\":");
            urls.push(out, at)?;
            out.extend_from_slice(&rest);
            at += 1;
        }
        if at < urls.count() {
            return Ok(true);
        }
        out.extend_from_slice(b"]}");
        Ok(false)
    };
    in_pieces(write, sending)
}

/// URLs that ask for the same: all of their query but the signature is written once.
fn compact(mut urls: SignedUrls, sending: Sending) -> Result<HttpResponse> {
    let mut parts = OwnParts::default();
    let mut query = String::new();
    if urls.count() > 0 {
        urls.make(0, &mut parts);
        let common = urls.common();
        let whole = [&parts.own, &common.query, &parts.signature, &common.end];
        let whole = whole.map(String::as_str).concat();
        query = split_signature(&whole).ok_or_else(not_alike)?.0;
    }
    let mut head = b"{\"urls\":[],\"base\":".to_vec();
    push_value(&mut head, &urls.common().base)?;
    head.extend_from_slice(b",\"query\":");
    push_value(&mut head, &query)?;
    head.extend_from_slice(b",\"method\":");
    push_shared(&mut head, &urls)?;
    head.extend_from_slice(b",\"items\":[");
    let mut at = 0;
    let write = move |out: &mut Vec<u8>| -> Result<bool> {
        match at {
            0 => out.extend_from_slice(&head),
            _ => out.push(b','),
        }
        if at < urls.count() {
            urls.make(at, &mut parts);
            out.extend_from_slice(b"[\"");
            push_text(out, &parts.key)?;
            out.extend_from_slice(b"\",\"");
            push_text(out, signature_of(&parts, &query)?)?;
            out.extend_from_slice(b"\"]");
            at += 1;
        }
        if at < urls.count() {
            return Ok(true);
        }
        out.extend_from_slice(b"]}");
        Ok(false)
    };
    in_pieces(write, sending)
}

/// A URL's signature, where the rest of its query is the one of all.
fn signature_of<'a>(parts: &'a OwnParts, query: &str) -> Result<&'a str> {
    // Signed here: what it asks for is in what all have in common.
    if parts.own.is_empty() {
        return Ok(parts.signature.as_str());
    }
    // Signed by the SDK, as a whole.
    match split_signature(&parts.own) {
        Some((rest, signature)) if rest == query => Ok(signature),
        Some(_) | None => Err(not_alike()),
    }
}

/// A query without its signature, and the signature. Where in a query a pair is does not matter to the store.
fn split_signature(query: &str) -> Option<(String, &str)> {
    let (before, after) = query.split_once("&X-Amz-Signature=")?;
    let (signature, rest) = after.split_at(after.find('&').unwrap_or(after.len()));
    Some((format!("{before}{rest}"), signature))
}

fn not_alike() -> Error {
    Error::bug("the URLs of a compact answer do not ask for the same")
}

/// Appends what all URLs share besides their texts: the method and what follows it.
fn push_shared(out: &mut Vec<u8>, urls: &SignedUrls) -> Result<()> {
    let headers = urls.headers.iter();
    let headers: BTreeMap<&str, &str> = headers
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    push_value(out, &urls.method)?;
    out.extend_from_slice(b",\"headers\":");
    push_value(out, &headers)?;
    out.extend_from_slice(b",\"expires_at\":");
    push_value(out, &rfc3339::text(urls.expires_at))
}

/// URLs as texts of JSON, one after the other.
pub(crate) struct WholeUrls {
    urls: SignedUrls,
    /// What they have in common, escaped once.
    base: Vec<u8>,
    query: Vec<u8>,
    end: Vec<u8>,
    parts: OwnParts,
}

impl WholeUrls {
    pub fn of(urls: SignedUrls) -> Result<Self> {
        let escaped = |text: &str| -> Result<Vec<u8>> {
            let mut escaped = Vec::new();
            push_text(&mut escaped, text)?;
            Ok(escaped)
        };
        let common = urls.common();
        Ok(Self {
            base: escaped(&common.base)?,
            query: escaped(&common.query)?,
            end: escaped(&common.end)?,
            parts: OwnParts::default(),
            urls,
        })
    }

    pub fn count(&self) -> usize {
        self.urls.count()
    }

    /// Appends the URL at this place, with its quotes.
    pub fn push(&mut self, out: &mut Vec<u8>, at: usize) -> Result<()> {
        self.urls.make(at, &mut self.parts);
        out.push(b'"');
        out.extend_from_slice(&self.base);
        push_text(out, &self.parts.key)?;
        out.push(b'?');
        push_text(out, &self.parts.own)?;
        out.extend_from_slice(&self.query);
        push_text(out, &self.parts.signature)?;
        out.extend_from_slice(&self.end);
        out.push(b'"');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_taken_out_of_a_query() {
        for (query, rest, signature) in [
            ("a=1&X-Amz-Signature=5f", "a=1", "5f"),
            ("a=1&X-Amz-Signature=5f&b=2", "a=1&b=2", "5f"),
        ] {
            assert_eq!(split_signature(query), Some((rest.to_owned(), signature)));
        }
        assert_eq!(split_signature("a=1"), None);
    }

    #[test]
    fn urls_that_ask_for_something_else_are_not_joined_wrongly() {
        let parts = |own: &str, signature: &str| OwnParts {
            key: "a".to_owned(),
            own: own.to_owned(),
            signature: signature.to_owned(),
        };
        assert_eq!(signature_of(&parts("", "5f"), "a=1").ok(), Some("5f"));
        let by_the_sdk = parts("a=1&X-Amz-Signature=5f", "");
        assert_eq!(signature_of(&by_the_sdk, "a=1").ok(), Some("5f"));
        assert!(signature_of(&by_the_sdk, "a=2").is_err());
        assert!(signature_of(&parts("a=1&", "5f"), "b=2").is_err());
    }
}
