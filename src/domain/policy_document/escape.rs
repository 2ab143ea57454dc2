//! Writing a value in another language so that it stays a value.

use serde::Serialize;
use std::fmt::Write;

/// Escapes what IAM would read as a wildcard or a policy variable: `*`, `?` and `$` become `${*}`,
/// `${?}` and `${$}` (IAM user guide, "IAM policy elements: Variables and tags", special characters).
/// Holds in `Resource` and in string conditions of policies of version 2012-10-17.
pub fn for_iam(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '*' => out.push_str("${*}"),
            '?' => out.push_str("${?}"),
            '$' => out.push_str("${$}"),
            other => out.push(other),
        }
    }
    out
}

/// Quotes one word for a POSIX shell: single quotes, in which nothing but the single quote is special.
pub fn for_shell(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Escapes every character above `highest` in a JSON text, which can have such characters only inside
/// its strings.
///
/// IAM and STS take policies of U+0009, U+000A, U+000D and U+0020 to U+00FF only (API references,
/// `PolicyDocument` and `Policy`), so a prefix in any other script must be written as `\uXXXX`.
pub fn beyond(highest: char, json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c <= highest {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// A JSON document as a file: indented, in plain ASCII, so no editor, console or shell changes it.
pub fn json_file(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(beyond('\u{7e}', &serde_json::to_string_pretty(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_gets_its_value_unchanged() {
        assert_eq!(for_iam("a*b?c${d}"), "a${*}b${?}c${$}{d}");
        assert_eq!(for_shell("it's $(x)"), r"'it'\''s $(x)'");
        assert_eq!(beyond('\u{ff}', "\"aü€😀\""), r#""aü\u20ac\ud83d\ude00""#);
    }
}
