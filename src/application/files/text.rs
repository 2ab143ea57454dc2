//! Texts in the encoding that they are stored in.

use encoding_rs::{Encoding, UTF_8};

/// The beginning of a file, read as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodedText {
    Text {
        text: String,
        /// The encoding's name in the WHATWG standard "Encoding".
        encoding: &'static str,
        /// Some bytes are none of this encoding; U+FFFD stands for them.
        is_damaged: bool,
    },
    /// The type names a charset that is not known.
    UnknownCharset(String),
    /// It holds characters that are in no text.
    Binary,
}

/// The `charset` of a media type (RFC 9110, section 8.3): names in any case, quoted or not.
pub fn charset(content_type: &str) -> Option<String> {
    let mut rest = content_type;
    while let Some((_, parameters)) = rest.split_once(';') {
        let (name, value) = parameters.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        let value = value.trim_start();
        let text = match value.strip_prefix('"') {
            Some(inner) => {
                let mut text = String::new();
                let mut chars = inner.char_indices();
                rest = "";
                while let Some((at, c)) = chars.next() {
                    match c {
                        '"' => {
                            rest = &inner[at + 1..];
                            break;
                        }
                        '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                        c => text.push(c),
                    }
                }
                text
            }
            None => {
                let end = value.find(';').unwrap_or(value.len());
                rest = &value[end..];
                value[..end].trim().to_owned()
            }
        };
        if is_charset {
            return (!text.is_empty()).then_some(text);
        }
    }
    None
}

/// Decodes by the byte order mark, or else the type's charset, or else as UTF-8. `is_cut`: the file goes on,
/// so the last character may be a part of one, which is left out.
pub fn decode(bytes: &[u8], content_type: Option<&str>, is_cut: bool) -> DecodedText {
    let encoding = match (Encoding::for_bom(bytes), content_type.and_then(charset)) {
        (Some((encoding, _)), _) => encoding,
        (None, None) => UTF_8,
        (None, Some(label)) => match Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(encoding) => encoding,
            None => return DecodedText::UnknownCharset(label),
        },
    };
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let Some(room) = decoder.max_utf8_buffer_length(bytes.len()) else {
        return DecodedText::Binary;
    };
    let mut text = String::with_capacity(room);
    let (_, _, is_damaged) = decoder.decode_to_string(bytes, &mut text, !is_cut);
    match text.contains('\0') {
        true => DecodedText::Binary,
        false => DecodedText::Text {
            text,
            encoding: encoding.name(),
            is_damaged,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_of_types() {
        for (content_type, found) in [
            ("text/plain", None),
            ("text/plain; Charset=ISO-8859-1", Some("ISO-8859-1")),
            ("text/plain;charset=\"utf-16\"", Some("utf-16")),
            (
                "text/csv; header=present ; CHARSET = shift_jis ; x=y",
                Some("shift_jis"),
            ),
            ("text/plain; x=\"a;charset=b\"; charset=c", Some("c")),
            ("text/plain; charset=\"u\\tf-8\"", Some("utf-8")),
            ("text/plain; charset=", None),
            ("text/plain; charset", None),
            ("text/plain; xcharset=utf-8", None),
        ] {
            assert_eq!(charset(content_type).as_deref(), found, "{content_type}");
        }
    }

    fn text(bytes: &[u8], content_type: Option<&str>, is_cut: bool) -> (String, bool) {
        match decode(bytes, content_type, is_cut) {
            DecodedText::Text {
                text, is_damaged, ..
            } => (text, is_damaged),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts_are_read_in_their_own_encoding() {
        let of = |charset: &str| Some(format!("text/plain; charset={charset}"));
        for (bytes, content_type, wanted) in [
            (&b"Z\xc3\xbcrich"[..], None, "Zürich"),
            (b"\xef\xbb\xbfa", None, "a"),
            (b"Z\xfcrich", of("ISO-8859-1"), "Zürich"),
            (b"\x93\xfa\x96{", of("Shift_JIS"), "日本"),
            (b"\xff\xfea\0b\0", None, "ab"),
            (b"\xfe\xff\0a\0b", of("utf-8"), "ab"),
            (b"a\0b\0", of("UTF-16"), "ab"),
            (b"\0a\0b", of("utf-16be"), "ab"),
        ] {
            let found = text(bytes, content_type.as_deref(), false);
            assert_eq!(found, (wanted.to_owned(), false));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(
            text(b"a\xffb", None, false),
            ("a\u{fffd}b".to_owned(), true)
        );
        assert_eq!(text(b"a\xc3", None, true), ("a".to_owned(), false));
        assert_eq!(text(b"a\xc3", None, false), ("a\u{fffd}".to_owned(), true));
        assert_eq!(decode(b"a\0b", None, false), DecodedText::Binary);
        assert_eq!(
            decode(b"a", Some("text/plain; charset=klingon"), false),
            DecodedText::UnknownCharset("klingon".to_owned())
        );
    }
}
