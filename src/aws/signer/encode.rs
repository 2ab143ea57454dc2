//! Percent-encoding and hexadecimal digits by tables.

use percent_encoding::percent_encode_byte;

/// The unreserved characters of RFC 3986, as SigV4 wants it (S3 API reference, "Authenticating Requests:
/// Using Query Parameters").
static QUERY: [bool; 256] = unreserved(false);
/// The same for a path, whose slashes stay.
static PATH: [bool; 256] = unreserved(true);

static HEX: [[u8; 2]; 256] = hex_pairs();

const fn unreserved(with_slash: bool) -> [bool; 256] {
    let mut kept = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        kept[byte] = b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'.' | b'_' | b'~')
            || (with_slash && b == b'/');
        byte += 1;
    }
    kept
}

const fn hex_pairs() -> [[u8; 2]; 256] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
}

/// Appends a text as a part of a path.
pub(super) fn push_path(out: &mut String, text: &str) {
    push(out, text, &PATH);
}

/// Appends a text as a name or value of a query.
pub(super) fn push_query(out: &mut String, text: &str) {
    push(out, text, &QUERY);
}

fn push(out: &mut String, text: &str, kept: &[bool; 256]) {
    out.reserve(text.len());
    let mut begin = 0;
    for (at, byte) in text.bytes().enumerate() {
        if kept[usize::from(byte)] {
            continue;
        }
        // What is kept is ASCII, so both its ends are ends of characters.
        if begin < at {
            out.push_str(&text[begin..at]);
        }
        out.push_str(percent_encode_byte(byte));
        begin = at + 1;
    }
    if begin < text.len() {
        out.push_str(&text[begin..]);
    }
}

/// A SHA-256 or an HMAC of it, in lower case.
pub(super) fn hex(bytes: &[u8]) -> [u8; 64] {
    let mut digits = [b'0'; 64];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&HEX[usize::from(*byte)]);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    const IN_PATH: &AsciiSet = &IN_QUERY.remove(b'/');

    proptest! {
        #[test]
        fn as_the_crate_encodes(text in "(.|[a-z/%+ é🙂]){0,60}") {
            let (mut path, mut query) = (String::from("x"), String::new());
            push_path(&mut path, &text);
            push_query(&mut query, &text);
            prop_assert_eq!(&path[1..], utf8_percent_encode(&text, IN_PATH).to_string());
            prop_assert_eq!(query, utf8_percent_encode(&text, IN_QUERY).to_string());
        }
    }

    #[test]
    fn digits() {
        let bytes: Vec<u8> = (0..32).map(|n| n * 8 + 7).collect();
        let wanted: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex(&bytes).as_slice(), wanted.as_bytes());
    }
}
