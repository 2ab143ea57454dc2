//! Makes of a store's XML what the SDK can read.
//!
//! The SDK's reader fails on a date that is not in S3's form, and takes a document that ends too early for
//! a whole one. Here a document must be complete. Dates, numbers and flags that cannot be read are left out;
//! what is left out, the SDK gives as absent. Attributes and namespaces go: none of these documents needs
//! them.

use time::format_description::well_known::{Iso8601, Rfc2822, Rfc3339};
use time::{OffsetDateTime, PrimitiveDateTime};

/// A document that is no complete XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer's XML cannot be read: {0}")]
pub struct Unreadable(pub &'static str);

/// The deepest nesting that is read. S3's own documents have four levels.
const DEEPEST: usize = 64;

/// An element under way.
struct Open<'a> {
    name: &'a str,
    /// Where its start tag and its content begin in the output.
    tag: usize,
    content: usize,
}

/// The document without what the SDK stumbles over.
///
/// # Errors
/// It is no XML, or not all of it is there.
pub(crate) fn repaired(document: &[u8]) -> Result<String, Unreadable> {
    let text = std::str::from_utf8(document).map_err(|_| Unreadable("it is no UTF-8"))?;
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    if rest.is_empty() {
        return Err(Unreadable("it is empty"));
    }
    let mut out = String::with_capacity(rest.len());
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut had_root = false;
    while !rest.is_empty() {
        let Some(at) = rest.find('<') else {
            if open.is_empty() && rest.trim().is_empty() {
                break;
            }
            return Err(Unreadable("it ends too early"));
        };
        let (before, from) = rest.split_at(at);
        match open.is_empty() {
            false => push_text(&mut out, before),
            true if before.trim().is_empty() => {}
            true => return Err(Unreadable("it has text outside of its elements")),
        }
        if let Some(after) = from.strip_prefix("<?") {
            rest = beyond(after, "?>")?.1;
        } else if let Some(after) = from.strip_prefix("<!--") {
            rest = beyond(after, "-->")?.1;
        } else if let Some(after) = from.strip_prefix("<![CDATA[") {
            let (data, after) = beyond(after, "]]>")?;
            let data = data.replace('&', "&amp;").replace('<', "&lt;");
            push_text(&mut out, &data);
            rest = after;
        } else if from.starts_with("<!") {
            return Err(Unreadable("it is no document of S3"));
        } else if let Some(after) = from.strip_prefix("</") {
            let (name, after) = beyond(after, ">")?;
            let Some(element) = open.pop() else {
                return Err(Unreadable("an element ends that has not begun"));
            };
            if element.name != local(name.trim_end()) {
                return Err(Unreadable("its elements do not fit together"));
            }
            close(&mut out, &element);
            rest = after;
        } else {
            let (tag, after) = start_tag(&from[1..])?;
            let (tag, is_empty) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let name = local(tag.split(char::is_whitespace).next().unwrap_or_default());
            if name.is_empty() || (open.is_empty() && had_root) || open.len() == DEEPEST {
                return Err(Unreadable("its elements do not fit together"));
            }
            had_root = true;
            let begin = out.len();
            out.push('<');
            out.push_str(name);
            out.push('>');
            let element = Open {
                name,
                tag: begin,
                content: out.len(),
            };
            match is_empty {
                true => close(&mut out, &element),
                false => open.push(element),
            }
            rest = after;
        }
    }
    match open.is_empty() && had_root {
        true => Ok(out),
        false => Err(Unreadable("it ends too early")),
    }
}

/// Ends an element; one with a value that cannot be read is left out.
fn close(out: &mut String, element: &Open<'_>) {
    let content = out[element.content..].trim();
    let value = match element.name {
        "LastModified" | "CreationDate" => date(content).and_then(|at| at.format(&Rfc3339).ok()),
        "Size" | "KeyCount" | "MaxKeys" | "PartNumber" => content
            .parse::<i64>()
            .ok()
            .filter(|number| *number >= 0)
            .map(|number| number.to_string()),
        "IsTruncated" | "IsLatest" | "DeleteMarker"
            // DeleteMarker is also the name of an entry of a list of versions.
            if element.name != "DeleteMarker" || !content.contains('<') =>
        {
            let flag = content.to_ascii_lowercase();
            matches!(flag.as_str(), "true" | "false").then_some(flag)
        }
        _ => {
            out.push_str("</");
            out.push_str(element.name);
            out.push('>');
            return;
        }
    };
    out.truncate(element.tag);
    if let Some(value) = value {
        let name = element.name;
        out.push_str(&format!("<{name}>{value}</{name}>"));
    }
}

fn beyond<'a>(text: &'a str, end: &str) -> Result<(&'a str, &'a str), Unreadable> {
    text.split_once(end).ok_or(Unreadable("it ends too early"))
}

/// Up to the tag's end. A quoted value may have a `>`.
fn start_tag(text: &str) -> Result<(&str, &str), Unreadable> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Ok((&text[..at], &text[at + 1..])),
            (None, '<') => return Err(Unreadable("its elements do not fit together")),
            (None, '"' | '\'') => quote = Some(c),
            (Some(begun), c) if begun == c => quote = None,
            _ => {}
        }
    }
    Err(Unreadable("it ends too early"))
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Characters that XML cannot hold as such become references.
fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("&#x{:x};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

/// A time as stores write it: RFC 3339, the same without its offset (then it is UTC) or with a space, RFC
/// 1123 and 2822, and seconds or milliseconds since 1970. `None` for anything else.
pub(crate) fn date(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Ok(number) = text.parse::<f64>() {
        // Later than the year 5000 in seconds: it is milliseconds.
        let seconds = match number.abs() {
            large if large >= 1e11 => number / 1000.0,
            _ => number,
        };
        return OffsetDateTime::from_unix_timestamp_nanos((seconds * 1e9) as i128).ok();
    }
    let spaced = text.replacen(' ', "T", 1);
    let gmt = ["UTC", "UT", "Z"]
        .iter()
        .find_map(|zone| text.strip_suffix(zone))
        .map(|rest| format!("{} GMT", rest.trim_end()));
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Rfc2822))
        .or_else(|_| OffsetDateTime::parse(gmt.as_deref().unwrap_or_default(), &Rfc2822))
        .or_else(|_| OffsetDateTime::parse(&spaced, &Rfc3339))
        .or_else(|_| OffsetDateTime::parse(&spaced, &Iso8601::PARSING))
        .ok()
        .or_else(|| {
            let utc = PrimitiveDateTime::parse(&spaced, &Iso8601::PARSING).ok()?;
            Some(utc.assume_utc())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_document_must_be_complete() {
        for broken in [
            "",
            " ",
            "not xml",
            "{\"ok\":true}",
            "<a>",
            "<a><b></a>",
            "<a></a><b></b>",
            "<a></a>text",
            "<a><b>x</b><c",
            "</a>",
            "<!DOCTYPE html><html></html>",
            "<a b='>'",
        ] {
            assert!(repaired(broken.as_bytes()).is_err(), "{broken}");
        }
        assert!(repaired(b"<a>\xff</a>").is_err());
        let whole = "\u{feff}<?xml version=\"1.0\"?>\n<!-- x --><n:A xmlns:n='>'>\n<n:B/>&amp;<![CDATA[<&]]>\u{1}</n:A>\n";
        assert_eq!(
            repaired(whole.as_bytes()).unwrap(),
            "<A>\n<B></B>&amp;&lt;&amp;&#x1;</A>"
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let text = "<L><IsTruncated>False</IsTruncated><Size>-1</Size><Size>7</Size><Size>many</Size>\
                    <LastModified>:2024-10-11T13:22:41Z</LastModified><IsLatest>yes</IsLatest>\
                    <DeleteMarker><Key>a</Key></DeleteMarker></L>";
        assert_eq!(
            repaired(text.as_bytes()).unwrap(),
            "<L><IsTruncated>false</IsTruncated><Size>7</Size><DeleteMarker><Key>a</Key></DeleteMarker></L>"
        );
    }

    #[test]
    fn dates_of_all_stores() {
        for text in [
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.123456",
            "2026-01-01 00:00:00",
            "2026-01-01T02:00:00+02:00",
            "2026-01-01T02:00:00+0200",
            "Thu, 01 Jan 2026 00:00:00 GMT",
            "Thu, 1 Jan 2026 00:00:00 GMT",
            "Thu, 01 Jan 2026 00:00:00 UTC",
            "Thu, 01 Jan 2026 02:00:00 +0200",
            "1767225600",
            "1767225600.5",
            "1767225600000",
        ] {
            let at = date(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(at.unix_timestamp(), 1_767_225_600, "{text}");
        }
        for text in [
            "",
            " ",
            "yesterday",
            ":2024-10-11T13:22:41Z",
            "1433809416447+0000",
            "NaN",
            "1e300",
        ] {
            assert_eq!(
                date(text)
                    .map(|at| at.unix_timestamp())
                    .filter(|at| *at != 0),
                None,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[<>/!?&a: \"'\\[\\]CDAT-]{0,60}") {
            let _ = repaired(text.as_bytes());
            let _ = date(&text);
        }

        #[test]
        fn a_repaired_document_stays_as_it_is(key in "[^<>&\u{0}-\u{1f}]{0,30}") {
            let text = format!("<A><Key>{key}</Key><Size>5</Size></A>");
            let once = repaired(text.as_bytes()).unwrap();
            prop_assert_eq!(&repaired(once.as_bytes()).unwrap(), &once);
        }
    }
}
