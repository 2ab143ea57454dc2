//! The ID of a request, and the trace that it belongs to.

use crate::http::new_request_id;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace that the request belongs to, by its `traceparent` (W3C Trace Context, version 00 and what
/// later versions keep of it): version, trace, parent and flags, in lower-case hexadecimal digits.
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT);
    let text = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let mut parts = text.split('-');
    let mut hex = |length: usize| {
        let part = parts.next()?;
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (part.len() == length && part.bytes().all(is_hex)).then_some(part)
    };
    let (version, trace, parent) = (hex(2)?, hex(32)?, hex(16)?);
    hex(2)?;
    let is_whole = version != "00" || parts.next().is_none();
    let is_set = |part: &str| part.bytes().any(|digit| digit != b'0');
    (version != "ff" && is_whole && is_set(trace) && is_set(parent)).then_some(trace)
}

/// The client's own ID when it is fit for logs and headers, else a new one.
pub fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .map(HeaderValue::as_bytes)
        .filter(|id| (8..=64).contains(&id.len()))
        .filter(|id| {
            id.iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
        .and_then(|id| std::str::from_utf8(id).ok())
        .map_or_else(new_request_id::next, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids() {
        let id = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(value));
            request_id(&headers)
        };
        assert_eq!(id("abc_DEF-123"), "abc_DEF-123");
        for refused in ["", "short", "has space inside", "semi;colon;", "a.b.c.d.e"] {
            assert_ne!(id(refused), refused);
            assert_eq!(id(refused).len(), 36);
        }
    }

    #[test]
    fn traces() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
            }
            trace_id(&headers).map(str::to_owned)
        };
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(trace(&[&good]).as_deref(), Some(TRACE));
        let later = format!("cc-{TRACE}-00f067aa0ba902b7-01-more");
        assert_eq!(trace(&[&later]).as_deref(), Some(TRACE));
        for bad in [
            "",
            "00",
            &format!("{good}-more"),
            &good.to_uppercase(),
            &good.replacen("00", "ff", 1),
            &good.replace("00f067aa0ba902b7", "0000000000000000"),
            &good.replace(TRACE, &"0".repeat(32)),
            &good.replace(TRACE, &TRACE[1..]),
        ] {
            assert_eq!(trace(&[bad]), None, "{bad}");
        }
        assert_eq!(trace(&[&good, &good]), None);
        assert_eq!(trace(&[]), None);
    }
}
