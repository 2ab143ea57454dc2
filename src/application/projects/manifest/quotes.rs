//! The raw text of a table, before its cells are read: quotes, and lines that are comments.

use crate::application::projects::manifest::list::Place;
use crate::domain::Invalid;
use crate::domain::invalid::shown;
use std::borrow::Cow;

/// Every quote that does not end, or that something other than a separator or a line end follows (RFC
/// 4180). A quote inside a cell that does not begin with one is a character like others.
pub(super) fn bad_quotes(text: &str, separator: u8) -> Vec<(Place, Invalid)> {
    let bytes = text.as_bytes();
    let mut faults = Vec::new();
    let (mut at, mut line, mut line_began) = (0, 1, 0);
    let mut at_cell_start = true;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' if at_cell_start => {
                let opened = (line, at - line_began + 1);
                at_cell_start = false;
                at += 1;
                loop {
                    match (bytes.get(at), bytes.get(at + 1)) {
                        (None, _) => {
                            faults.push((
                                Place::Line(opened.0),
                                Invalid::new(
                                    "malformed_csv",
                                    format!(
                                        "The quote at character {} does not end before the end of the file. A quote that belongs to the value is written twice, between quotes.",
                                        opened.1
                                    ),
                                ),
                            ));
                            return faults;
                        }
                        (Some(b'"'), Some(b'"')) => at += 2,
                        (Some(b'"'), next) => {
                            at += 1;
                            let ends = next.is_none_or(|b| *b == separator || *b == b'\n');
                            if !ends {
                                let rest = text.get(at..).unwrap_or_default();
                                let found: String = rest.chars().take(10).collect();
                                faults.push((
                                    Place::Line(line),
                                    Invalid::new(
                                        "malformed_csv",
                                        format!(
                                            "`{}` follows a closing quote, where a separator or the end of the line is expected.",
                                            shown(&found)
                                        ),
                                    ),
                                ));
                            }
                            break;
                        }
                        (Some(b'\n'), _) => {
                            at += 1;
                            line += 1;
                            line_began = at;
                        }
                        (Some(_), _) => at += 1,
                    }
                }
                continue;
            }
            b'\n' => {
                line += 1;
                line_began = at + 1;
                at_cell_start = true;
            }
            byte => at_cell_start = *byte == separator,
        }
        at += 1;
    }
    faults
}

/// Where the row ends that the text begins with, after its line end. Quotes may have line ends.
pub(super) fn row_length(text: &str, separator: u8) -> usize {
    let (mut is_quoted, mut has_closed, mut at_cell_start) = (false, false, true);
    for (at, byte) in text.bytes().enumerate() {
        // A quote behind a closing one: the two stand for one, and the cell goes on.
        let opens = byte == b'"' && !is_quoted && (at_cell_start || has_closed);
        let closes = byte == b'"' && is_quoted;
        if byte == b'\n' && !is_quoted {
            return at + 1;
        }
        is_quoted = opens || (is_quoted && !closes);
        has_closed = closes;
        at_cell_start = !is_quoted && byte == separator;
    }
    text.len()
}

/// The text with every comment left empty, so that lines keep their numbers: a line between two rows that
/// begins with `#`, unless `is_row` says that it is one.
pub(super) fn without_comments(
    text: &str,
    separator: u8,
    is_row: impl Fn(&str, usize) -> bool,
) -> Cow<'_, str> {
    if !text.starts_with('#') && !text.contains("\n#") {
        return text.into();
    }
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let line = rest.split('\n').next().unwrap_or_default();
        let length = row_length(rest, separator);
        if line.starts_with('#') && !is_row(&rest[..length], at) {
            kept.push_str(&rest[line.len()..(line.len() + 1).min(rest.len())]);
            at += line.len() + 1;
        } else {
            kept.push_str(&rest[..length]);
            at += length;
        }
    }
    kept.into()
}

/// The text without the blanks between a separator and a quote, as in `"a.png" , "cat"`. A quote inside of a
/// cell that does not begin with one would be a part of the key.
pub(super) fn without_blanks_around_quotes(text: &str, separator: u8) -> Cow<'_, str> {
    if !text.contains(" \"") && !text.contains("\" ") && !text.contains('\t') {
        return text.into();
    }
    let is_blank = |byte: u8| byte != separator && (byte == b' ' || byte == b'\t');
    let bytes = text.as_bytes();
    let blanks = |from: usize| bytes[from..].iter().take_while(|b| is_blank(**b)).count();
    let mut kept = String::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    let (mut is_quoted, mut at_cell_start) = (false, true);
    while at < bytes.len() {
        if at_cell_start {
            let skipped = blanks(at);
            if skipped > 0 && bytes.get(at + skipped) == Some(&b'"') {
                kept.push_str(&text[copied..at]);
                at += skipped;
                copied = at;
            }
        }
        match bytes[at] {
            b'"' if is_quoted && bytes.get(at + 1) == Some(&b'"') => at += 1,
            b'"' if is_quoted => {
                is_quoted = false;
                let skipped = blanks(at + 1);
                let next = bytes.get(at + 1 + skipped);
                if skipped > 0 && next.is_none_or(|b| *b == separator || *b == b'\n') {
                    kept.push_str(&text[copied..=at]);
                    at += skipped;
                    copied = at + 1;
                }
            }
            b'"' if at_cell_start => is_quoted = true,
            _ => {}
        }
        at_cell_start = !is_quoted && (bytes[at] == separator || bytes[at] == b'\n');
        at += 1;
    }
    kept.push_str(&text[copied.min(text.len())..]);
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_quotes_go_and_others_stay() {
        for (text, wanted) in [
            (" \"a\" , \"b c\" \n", "\"a\",\"b c\"\n"),
            ("a , b\n", "a , b\n"),
            ("\" a \"\" , \",x \"y\" ", "\" a \"\" , \",x \"y\" "),
            ("\"a\" b,c", "\"a\" b,c"),
        ] {
            assert_eq!(without_blanks_around_quotes(text, b','), wanted);
        }
    }

    #[test]
    fn comments_are_lines_between_rows() {
        let text = "# a\nx,\"y\n#z\"\n#b\n#c";
        let kept = without_comments(text, b',', |_, at| at > 15);
        assert_eq!(kept, "\nx,\"y\n#z\"\n\n#c");
    }
}
