//! Metadata that is not ASCII, as S3 carries it in headers: encoded words (RFC 2047; S3 user guide,
//! "Working with object metadata").

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use encoding_rs::Encoding;
use std::borrow::Cow;

/// How many bytes one word carries: with its frame it has at most 75 characters (RFC 2047, section 2).
const WORD: usize = 45;

/// The value as a header can carry it: unchanged where it is printable ASCII.
pub fn encode(value: &str) -> Cow<'_, str> {
    if value.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(value);
    }
    let mut words: Vec<String> = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let mut end = rest.len().min(WORD);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(&rest[..end])));
        rest = &rest[end..];
    }
    Cow::Owned(words.join(" "))
}

/// The text that a header's value stands for. Words that cannot be decoded stay as they are.
pub fn decode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    // The words of one charset in a row: a character may be split between two of them.
    let mut run: Option<Run> = None;
    // White space between two words belongs to neither.
    let mut gap = String::new();
    for piece in value.split_inclusive([' ', '\t']) {
        let token = piece.trim_end_matches([' ', '\t']);
        let space = &piece[token.len()..];
        if token.is_empty() {
            gap.push_str(space);
            continue;
        }
        match (Run::of_word(token), run.take()) {
            (Some(word), Some(mut open)) if std::ptr::eq(word.encoding, open.encoding) => {
                open.bytes.extend_from_slice(&word.bytes);
                open.raw.push_str(&gap);
                open.raw.push_str(token);
                run = Some(open);
            }
            (Some(word), Some(open)) => {
                if !open.end(&mut text) {
                    text.push_str(&gap);
                }
                run = Some(word);
            }
            (Some(word), None) => {
                text.push_str(&gap);
                run = Some(word);
            }
            (None, open) => {
                open.map(|open| open.end(&mut text));
                text.push_str(&gap);
                text.push_str(token);
            }
        }
        gap.clear();
        gap.push_str(space);
    }
    run.map(|open| open.end(&mut text));
    text.push_str(&gap);
    text
}

/// One encoded word or several in a row.
struct Run {
    encoding: &'static Encoding,
    bytes: Vec<u8>,
    /// As it was written.
    raw: String,
}

impl Run {
    /// `=?CHARSET?B?TEXT?=` or `=?CHARSET?Q?TEXT?=`; the charset may name a language after a `*` (RFC 2231).
    fn of_word(token: &str) -> Option<Self> {
        let inner = token.strip_prefix("=?")?.strip_suffix("?=")?;
        let mut parts = inner.split('?');
        let (charset, coding, text) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let charset = charset.split('*').next()?;
        let bytes = match coding {
            "B" | "b" => STANDARD
                .decode(text)
                .or_else(|_| STANDARD_NO_PAD.decode(text))
                .ok()?,
            "Q" | "q" => quoted(text)?,
            _ => return None,
        };
        Some(Self {
            encoding: Encoding::for_label_no_replacement(charset.as_bytes())?,
            bytes,
            raw: token.to_owned(),
        })
    }

    /// Appends the text, or else what was written. Whether it could be decoded.
    fn end(self, text: &mut String) -> bool {
        let decoded = self
            .encoding
            .decode_without_bom_handling_and_without_replacement(&self.bytes);
        text.push_str(decoded.as_deref().unwrap_or(&self.raw));
        decoded.is_some()
    }
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded() {
        for (raw, text) in [
            ("=?UTF-8?B?WsO8cmljaA==?=", "Zürich"),
            ("=?utf-8?q?Z=C3=BCrich_West?=", "Zürich West"),
            ("=?ISO-8859-1?Q?Z=FCrich?=", "Zürich"),
            ("=?UTF-8*de?B?WsO8cmljaA?=", "Zürich"),
            ("in =?UTF-8?B?WsO8cmljaA==?= West", "in Zürich West"),
            ("=?UTF-8?B?WsM=?=  =?UTF-8?B?vHJpY2g=?=", "Zürich"),
            ("=?UTF-8?Q?a?= =?ISO-8859-1?Q?=FC?=", "aü"),
            ("  plain  text ", "  plain  text "),
            ("", ""),
        ] {
            assert_eq!(decode(raw), text, "{raw}");
        }
    }

    #[test]
    fn what_is_no_word_stays() {
        for raw in [
            "=?UTF-8?B?WsO8cmljaA==",
            "=?UTF-8?X?abc?=",
            "=?no-such-charset?Q?abc?=",
            "=?UTF-8?B?!!!?=",
            "=?UTF-8?Q?=FF?=",
            "=?UTF-8?Q?=F?=",
            "=?UTF-8?Q?=FF?= =?ISO-8859-1?X?a?=",
            "=??=",
            "=?",
            "x=?UTF-8?Q?a?=",
        ] {
            assert_eq!(decode(raw), raw);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "日本語🙂ü ".repeat(30);
        for text in ["", "a b", "Zürich", " ü ", &long] {
            let sent = encode(text);
            assert!(sent.is_ascii());
            assert!(sent.split(' ').all(|word| word.len() <= 75), "{sent}");
            assert_eq!(decode(&sent), text);
        }
    }
}
