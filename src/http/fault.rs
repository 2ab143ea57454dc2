//! What serde says about a request, as field errors in our words.
//!
//! serde's messages can repeat the refused value, which may be a secret pasted into the wrong field. Only
//! their fixed parts go out: the field's name, and the type that was expected and found.

use crate::application::error::{Error, FieldError};
use crate::domain::Invalid;
use serde_path_to_error::{Path, Segment};

/// Makes the refusal of one field. `path` leads to where the fault is, `message` is serde's text.
/// `place` is how the whole is named when the fault is in no field, as `body`.
pub fn refusal(path: &Path, message: &str, place: &str) -> Error {
    let path = written(path);
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let (field, code, detail) = if message.starts_with("unknown field") {
        let field = inside(&path, quoted);
        let detail = match message.split_once("expected ") {
            Some((_, expected)) if expected.starts_with('`') || expected.starts_with("one of") => {
                format!(
                    "There is no field `{field}` here. Known: {}.",
                    known(expected)
                )
            }
            _ => format!("There is no field `{field}` here."),
        };
        (field, "unknown_field", detail)
    } else if message.starts_with("missing field") {
        let field = inside(&path, quoted);
        let detail = format!("`{field}` is required.");
        (field, "missing_field", detail)
    } else if message.starts_with("duplicate field") {
        let field = inside(&path, quoted);
        let detail = format!("`{field}` is there more than once.");
        (field, "duplicate_field", detail)
    } else {
        let field = if path.is_empty() {
            place.to_owned()
        } else {
            path
        };
        let (code, detail) = wrong(&field, message);
        (field, code, detail)
    };
    // A field can have an empty name, and a refusal always names a place.
    let field = match field.is_empty() {
        true => place.to_owned(),
        false => field,
    };
    of_field(field, code, detail)
}

/// The refusal of a query parameter.
pub fn unknown_parameter(name: &str, known: &[String]) -> Error {
    let field = crate::domain::invalid::shown(name);
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let detail = match names.as_slice() {
        [] => format!("There is no query parameter `{field}` here."),
        names => format!(
            "There is no query parameter `{field}` here. Known: {}.",
            names.join(", ")
        ),
    };
    of_field(field, "unknown_field", detail)
}

/// The refusal of a body as a whole.
pub fn whole(code: &'static str, detail: &str) -> Error {
    of_field("body".to_owned(), code, detail.to_owned())
}

fn of_field(field: String, code: &'static str, detail: String) -> Error {
    let mut error = Error::invalid(vec![FieldError::new(field, Invalid::new(code, detail))]);
    error.code = code;
    error
}

fn wrong(field: &str, message: &str) -> (&'static str, String) {
    let message = without_position(message);
    let expected = message.rsplit_once(", expected ").map(|(_, e)| e);
    if let Some(found) = message.strip_prefix("invalid type: ") {
        // `string "secret"`, `integer `5``, `null`: only the first word is not the value itself.
        let found = match found.split([' ', ',']).next().unwrap_or_default() {
            "sequence" => "array",
            "map" => "object",
            "floating" => "number",
            other => other,
        };
        let expected = expected.map_or("another type", plain_type);
        (
            "wrong_type",
            format!("`{field}` must be {expected}; it is of type {found}."),
        )
    } else if message.starts_with("unknown variant") {
        let expected = expected.map_or_else(String::new, known);
        (
            "unknown_value",
            format!("`{field}` has a value that is not known. Known: {expected}."),
        )
    } else {
        let expected =
            expected.map_or_else(String::new, |e| format!(" It must be {}.", plain_type(e)));
        (
            "invalid_value",
            format!("`{field}` has a value that does not fit.{expected}"),
        )
    }
}

/// The expectation in JSON's words rather than Rust's.
fn plain_type(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

/// serde's `one of `a`, `b`` as a list of names.
fn known(expected: &str) -> String {
    without_position(expected)
        .trim_start_matches("one of ")
        .to_owned()
}

/// Without serde_json's ` at line 1 column 2`.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(m, _)| m)
}

/// The field's path, given the path of the object it is in; which serde_path_to_error already ends with
/// the field where the fault was found at the key.
fn inside(path: &str, field: &str) -> String {
    if path == field || path.ends_with(&format!(".{field}")) {
        path.to_owned()
    } else if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

/// `files[3].file_key`; empty at the root.
fn written(path: &Path) -> String {
    let mut out = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => out.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&crate::domain::invalid::shown(key));
            }
            Segment::Unknown => {}
        }
    }
    out
}
