//! The name that an uploaded file has in a form.

use crate::application::error::{Error, Result};
use crate::domain::Invalid;

/// The name by the rules of forms (HTML standard, "multipart/form-data"; RFC 7578, section 4.2): of the
/// parameter `filename` the bytes between the quotes, in UTF-8, with `%22`, `%0D` and `%0A` standing for a
/// quote and line breaks. A backslash is a character like any other. `filename*` is not of forms. `None`:
/// the field is no file.
///
/// What would have to be guessed is refused: nothing is stored under another name than it has.
pub fn file_name(content_disposition: &[u8]) -> Result<Option<String>> {
    let Some(raw) = quoted(content_disposition)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(raw).map_err(|_| refuse("is not in UTF-8"))?;
    no_slash_before(text)?;
    let name = decoded(text, "%22", "\"");
    let name = decoded(&name, "%0D", "\r");
    Ok(Some(decoded(&name, "%0A", "\n")))
}

/// Refuses a name that begins with a slash: below a folder, it would be another key than it looks like.
pub fn no_slash_before(name: &str) -> Result<()> {
    match name.starts_with('/') {
        true => Err(refuse("begins with a slash")),
        false => Ok(()),
    }
}

fn decoded(text: &str, sequence: &str, stands_for: &str) -> String {
    text.replace(sequence, stands_for)
        .replace(&sequence.to_ascii_lowercase(), stands_for)
}

fn refuse(why: &str) -> Error {
    let detail = format!(
        "The name of a file {why}, so this file is not stored. Rename it, or upload it by the API, whose address has the whole key."
    );
    Error::field("file", Invalid::new("invalid_file_name", detail))
}

/// The bytes of `filename="…"`.
fn quoted(header: &[u8]) -> Result<Option<&[u8]>> {
    let mut rest = header;
    // The disposition's own name comes first, then `; name=value` for each parameter.
    while let Some(at) = rest.iter().position(|b| *b == b';') {
        rest = rest[at + 1..].trim_ascii_start();
        let Some(equals) = rest.iter().position(|b| *b == b'=') else {
            return Ok(None);
        };
        let is_name = rest[..equals]
            .trim_ascii()
            .eq_ignore_ascii_case(b"filename");
        rest = rest[equals + 1..].trim_ascii_start();
        let value;
        if let Some(inner) = rest.strip_prefix(b"\"") {
            let Some(end) = inner.iter().position(|b| *b == b'"') else {
                return Err(refuse("has no end"));
            };
            value = &inner[..end];
            rest = &inner[end + 1..];
            if !matches!(rest.trim_ascii_start().first(), None | Some(b';')) {
                return Err(refuse("has a quote that is not written as `%22`"));
            }
        } else {
            let end = rest.iter().position(|b| *b == b';').unwrap_or(rest.len());
            value = rest[..end].trim_ascii();
            rest = &rest[end..];
        }
        if is_name {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(value: &str) -> Option<String> {
        let header = format!("form-data; name=\"file\"; {value}");
        file_name(header.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_kept_as_they_are() {
        for (sent, name) in [
            ("a b.png", "a b.png"),
            ("run\\2024.txt", "run\\2024.txt"),
            ("C:\\x\\a.png", "C:\\x\\a.png"),
            ("album/a.png", "album/a.png"),
            ("a;b=c.png", "a;b=c.png"),
            ("a%22b%41.png", "a\"b%41.png"),
            ("a%0D%0Ab%0d.png", "a\r\nb\r.png"),
            ("日本語 ü.png", "日本語 ü.png"),
            ("", ""),
        ] {
            let found = named(&format!("filename=\"{sent}\""));
            assert_eq!(found.as_deref(), Some(name), "{sent}");
        }
        assert_eq!(named("filename=a.png").as_deref(), Some("a.png"));
        let both = "filename*=UTF-8''other.png; FileName=\"a.png\"";
        assert_eq!(named(both).as_deref(), Some("a.png"));
        assert_eq!(named("filename*=UTF-8''other.png"), None);
        assert_eq!(file_name(b"form-data; name=\"filename=\"").unwrap(), None);
        assert_eq!(file_name(b"form-data").unwrap(), None);
    }

    #[test]
    fn what_would_be_guessed_is_refused() {
        for sent in [
            &b"form-data; name=\"file\"; filename=\"a\\\"b.png\""[..],
            b"form-data; name=\"file\"; filename=\"a",
            b"form-data; name=\"file\"; filename=\"/etc/passwd\"",
            b"form-data; name=\"file\"; filename=\"\xff.png\"",
        ] {
            assert!(file_name(sent).is_err(), "{sent:?}");
        }
    }
}
