//! JSON request bodies, read strictly: what is not understood is refused, not ignored.

use crate::application::budget::Reserved;
use crate::application::error::{Error, FieldError, Kind};
use crate::application::kept::store::SecretHash;
use crate::application::people::caller::Caller;
use crate::domain::Invalid;
use crate::http::context::SeenCaller;
use crate::http::fault;
use crate::http::fingerprint;
use crate::http::problem::Problem;
use crate::http::state::Services;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use bytes::BytesMut;
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// The largest JSON body unless a route says otherwise, in bytes.
pub const DEFAULT_LIMIT: usize = 1 << 20;

/// A JSON body of at most `LIMIT` bytes. An empty one is read as `{}`.
///
/// `T` derives `Deserialize` with `deny_unknown_fields`, as do the objects within it. Put the caller's
/// extractor before this one: extractors fail in their order.
pub struct Body<T, const LIMIT: usize = DEFAULT_LIMIT> {
    pub value: T,
    /// What tells the request from others with the same idempotency key. Zeros where the request has no key.
    pub fingerprint: SecretHash,
    /// The memory that it and the answer take, until the handler ends. An answer that goes on after that takes it
    /// over.
    pub memory: Reserved,
}

impl<T, const LIMIT: usize> FromRequest for Body<T, LIMIT>
where
    T: DeserializeOwned + 'static,
{
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            // What is refused anyway takes no memory, and does not wait for it.
            acceptable(&request, LIMIT)?;
            let memory = memory(&request, LIMIT).await?;
            let bytes = read(&request, payload, LIMIT).await?;
            let value = parse(&bytes)?;
            let has_key = request.headers().contains_key(fingerprint::KEY_HEADER);
            Ok(Self {
                value,
                fingerprint: match has_key {
                    true => fingerprint::of_body(&bytes),
                    false => SecretHash::default(),
                },
                memory,
            })
        })
    }
}

/// Waits for the memory of a body, of its values and of the answer: a few times its length.
async fn memory(request: &HttpRequest, limit: usize) -> Result<Reserved, Problem> {
    const TIMES: u64 = 4;
    let services = request
        .app_data::<web::Data<Services>>()
        .ok_or_else(|| Error::bug("no services"))?;
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let limit = limit as u64;
    let length = announced(request).unwrap_or(if chunked { limit } else { 0 });
    let caller = request.extensions().get::<SeenCaller>().cloned();
    let who = match caller.as_ref().and_then(SeenCaller::get) {
        Some(Caller::Workspace(member)) => member.workspace.as_str(),
        Some(Caller::InstructionLink { workspace, .. }) => workspace.as_str(),
        Some(Caller::Operator | Caller::Key(_)) => "operator",
        None => "anonymous",
    };
    let bytes = length.min(limit) * TIMES;
    let taken = services.files.memory.take_for_body(who, bytes).await;
    taken.map_err(|no_room| Error::from(no_room).into())
}

/// The body's length, where the client says it.
fn announced(request: &HttpRequest) -> Option<u64> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse().ok())
}

/// Refuses a body by what its headers say of it: too long, or compressed.
fn acceptable(request: &HttpRequest, limit: usize) -> Result<(), Problem> {
    if announced(request).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let coded = request
        .headers()
        .get(header::CONTENT_ENCODING)
        .is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(Problem::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_encoding",
            "A request's body is read as it is, without a content encoding.",
        ));
    }
    Ok(())
}

/// Reads a body of at most `limit` bytes, within the time that a client has for it.
pub async fn collect(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<BytesMut, Problem> {
    acceptable(request, limit)?;
    let patience = request
        .app_data::<web::Data<Services>>()
        .map(|services| services.running.request_timeout)
        .ok_or_else(|| Error::bug("no services"))?;
    let reading = async {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                Error::new(
                    Kind::Malformed,
                    "body_incomplete",
                    "The request's body ended before it was complete.",
                )
                .internal(error)
            })?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(patience, reading)
        .await
        .map_err(|_| too_slow(patience))?
}

/// The answer to a body that takes too long.
pub fn too_slow(patience: Duration) -> Problem {
    Problem::http(
        StatusCode::REQUEST_TIMEOUT,
        "request_timeout",
        format!(
            "The request's body did not come within {} seconds.",
            patience.as_secs()
        ),
    )
    .header(
        header::CONNECTION,
        header::HeaderValue::from_static("close"),
    )
}

async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<BytesMut, Problem> {
    let bytes = collect(request, payload, limit).await?;
    if !bytes.is_empty() && request.content_type() != "application/json" {
        return Err(Problem::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body of this request must be JSON.",
        )
        .remedy("Send the header `Content-Type: application/json`."));
    }
    Ok(bytes)
}

fn too_large(limit: usize) -> Problem {
    Error::new(
        Kind::TooLarge,
        "body_too_large",
        format!("The request's body has more than the {limit} bytes that are accepted here."),
    )
    .into()
}

/// Parses a body. Faults in the text are 400, faults in the meaning 422.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::new(
            Kind::Malformed,
            "invalid_utf8",
            format!(
                "The body is not UTF-8: the byte at offset {} does not fit.",
                error.valid_up_to()
            ),
        )
    })?;
    // The syntax first: a broken text must be reported as broken wherever it breaks.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(&error))?;
    // serde would take an array's elements for a struct's fields.
    if text.trim_start().starts_with('[') {
        return Err(fault::whole(
            "wrong_type",
            "The body must be an object, not an array.",
        ));
    }
    let json = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(json).map_err(|error| {
        if error.inner().is_data() {
            fault::refusal(error.path(), &error.inner().to_string(), "body")
        } else {
            malformed(error.inner())
        }
    })
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::new(
        Kind::Malformed,
        "malformed_json",
        format!("The body is not JSON: {error}."),
    )
    .member("line", error.line())
    .member("column", error.column())
}

/// No body, or `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Keeps the error of a field, so that all of a body's are reported together.
pub fn read_field<T>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    parsed: std::result::Result<T, Invalid>,
) -> Option<T> {
    parsed
        .map_err(|invalid| errors.push(FieldError::new(field, invalid)))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::connections::change::Change;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        count: Option<u32>,
        #[serde(default)]
        inner: Vec<Inner>,
        #[serde(default)]
        note: Change<String>,
        #[serde(default)]
        access: Option<Access>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        key: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Access {
        Read,
        ReadWrite,
    }

    fn fault(body: &str) -> (Kind, &'static str, String, String) {
        let error = parse::<Outer>(body.as_bytes()).unwrap_err();
        let field = error.fields.first().map(|f| f.field.clone());
        (
            error.kind,
            error.code,
            field.unwrap_or_default(),
            error.detail.clone(),
        )
    }

    #[test]
    fn each_fault_names_its_field() {
        for (body, code, field) in [
            (r#"{"name":"a","nam":1}"#, "unknown_field", "nam"),
            (
                r#"{"name":"a","inner":[{"key":"k","x":1}]}"#,
                "unknown_field",
                "inner[0].x",
            ),
            (r#"{"name":"a","name":"b"}"#, "duplicate_field", "name"),
            (
                r#"{"name":"a","inner":[{"key":"k"},{"key":"k","key":"l"}]}"#,
                "duplicate_field",
                "inner[1].key",
            ),
            ("{}", "missing_field", "name"),
            ("", "missing_field", "name"),
            (
                r#"{"name":"a","inner":[{}]}"#,
                "missing_field",
                "inner[0].key",
            ),
            (r#"{"name":5}"#, "wrong_type", "name"),
            (r#"{"name":null}"#, "wrong_type", "name"),
            (r#"{"name":"a","count":"b"}"#, "wrong_type", "count"),
            (r#"{"name":"a","count":-1}"#, "invalid_value", "count"),
            (r#"{"name":"a","inner":{}}"#, "wrong_type", "inner"),
            (r#"{"name":"a","note":[]}"#, "wrong_type", "note"),
            (
                r#"{"name":"a","access":"write"}"#,
                "unknown_value",
                "access",
            ),
            ("[1]", "wrong_type", "body"),
            ("5", "wrong_type", "body"),
        ] {
            let found = fault(body);
            assert_eq!(
                (found.0, found.1, found.2.as_str()),
                (Kind::Unprocessable, code, field),
                "{body}: {}",
                found.3
            );
        }
    }

    #[test]
    fn broken_texts_are_malformed() {
        let deep = "[".repeat(100_000);
        for body in [
            "{",
            "nonsense",
            r#"{"name":"a"} x"#,
            r#"{"name":"\ud800"}"#,
            &deep,
        ] {
            let error = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(error.kind, Kind::Malformed, "{error}");
            assert_eq!(error.code, "malformed_json");
            assert_eq!(error.members["line"], 1);
        }
        let error = parse::<Outer>(b"{\"name\":\"\xff\"}").unwrap_err();
        assert_eq!(error.code, "invalid_utf8");
    }

    #[test]
    fn a_refused_value_is_not_repeated() {
        for body in [
            r#"{"name":"a","count":"hunter2"}"#,
            r#"{"name":"a","access":"hunter2"}"#,
            r#"{"name":"a","inner":"hunter2"}"#,
        ] {
            let (_, _, _, detail) = fault(body);
            assert!(!detail.contains("hunter2"), "{detail}");
        }
        let (_, _, _, detail) = fault(r#"{"name":["hunter2"]}"#);
        assert_eq!(detail, "`name` must be a string; it is of type array.");
    }

    #[test]
    fn a_patch_tells_null_from_absent() {
        let note = |body: &str| parse::<Outer>(body.as_bytes()).unwrap().note;
        assert_eq!(note(r#"{"name":"a"}"#), Change::Keep);
        assert_eq!(note(r#"{"name":"a","note":null}"#), Change::Clear);
        assert_eq!(
            note(r#"{"name":"a","note":"b"}"#),
            Change::Set("b".to_owned())
        );
    }
}
