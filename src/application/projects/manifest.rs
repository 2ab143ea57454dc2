//! Manifests: lists of file keys, as objects in the storage.
//!
//! `.json` is an array, `.jsonl` (or `.ndjson`) has one JSON value on each line; a value is a file key,
//! or an object `{"file_key": …, "name": …}`. `.csv` has the key in the first column. Everything else is
//! text with one key on each line. Except in JSON, lines that are blank or begin with `#` are skipped.

use crate::application::error::{Error, FieldError, Result};
use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::project::{FileName, WantedFile};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The largest manifest, in bytes.
pub const LARGEST: usize = 32 << 20;
/// How many keys a manifest has at most.
pub const MOST_KEYS: usize = 1_000_000;
/// The request's field that names a manifest.
pub const FIELD: &str = "manifest_file_key";
/// More would make the answer longer than it is of use.
const MOST_ERRORS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    JsonLines,
    Csv,
    Text,
}

impl Format {
    fn of(key: &FileKey) -> Self {
        let name = key.name().to_ascii_lowercase();
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("json") => Self::Json,
            Some("jsonl" | "ndjson") => Self::JsonLines,
            Some("csv") => Self::Csv,
            _ => Self::Text,
        }
    }

    /// What the places of its entries are called.
    fn place(self, at: usize) -> String {
        match self {
            Self::Json => format!("Item {at}"),
            _ => format!("Line {at}"),
        }
    }
}

/// One entry as it is written, before the key is parsed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file_key: String,
    #[serde(default)]
    name: Option<String>,
}

/// Reads a manifest: every file, or every bad entry (up to a hundred) by its line, counted from 1.
pub fn parse(key: &FileKey, bytes: &[u8]) -> Result<Vec<WantedFile>> {
    parse_at_most(MOST_KEYS, key, bytes)
}

fn parse_at_most(most: usize, key: &FileKey, bytes: &[u8]) -> Result<Vec<WantedFile>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        refusal("invalid_utf8", format!("Line {line} is not UTF-8."))
    })?;
    let format = Format::of(key);
    let mut list = List::new(format, most);
    if format == Format::Json {
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_seq(Items(&mut list))
            .and_then(|()| json.end())
            .map_err(|error| {
                let detail = format!("The manifest is not a JSON array of file keys: {error}.");
                refusal("malformed_manifest", detail)
            })?;
    } else {
        for (at, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match entry(format, line) {
                Ok(entry) if format == Format::Csv && list.is_empty() && is_heading(&entry) => {}
                Ok(entry) => list.add(at + 1, entry),
                Err(why) => list.refuse(at + 1, malformed(&why)),
            }
            if list.is_full() {
                break;
            }
        }
    }
    list.finish()
}

fn entry(format: Format, line: &str) -> std::result::Result<Entry, String> {
    match format {
        Format::JsonLines => serde_json::from_str::<Written>(line)
            .map(|written| written.0)
            .map_err(|error| error.to_string()),
        Format::Csv => first_column(line).map(key_only),
        Format::Json | Format::Text => Ok(key_only(line.to_owned())),
    }
}

fn key_only(file_key: String) -> Entry {
    Entry {
        file_key,
        name: None,
    }
}

fn is_heading(entry: &Entry) -> bool {
    ["file_key", "key"].contains(&entry.file_key.as_str())
}

/// The first column of a line of CSV (RFC 4180): plain, or in quotes with inner quotes doubled.
fn first_column(line: &str) -> std::result::Result<String, String> {
    let Some(quoted) = line.strip_prefix('"') else {
        return Ok(line.split(',').next().unwrap_or_default().to_owned());
    };
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            return Err("the quote does not end on this line".to_owned());
        };
        value.push_str(before);
        if let Some(more) = after.strip_prefix('"') {
            value.push('"');
            rest = more;
        } else if after.is_empty() || after.starts_with(',') {
            return Ok(value);
        } else {
            return Err("a comma must follow the closing quote".to_owned());
        }
    }
}

/// The files so far, and what was wrong.
struct List {
    format: Format,
    most: usize,
    files: Vec<WantedFile>,
    /// The place of each file.
    places: Vec<usize>,
    /// What was wrong, and where.
    errors: Vec<(usize, Invalid)>,
    too_many: bool,
}

impl List {
    fn new(format: Format, most: usize) -> Self {
        Self {
            format,
            most,
            files: Vec::new(),
            places: Vec::new(),
            errors: Vec::new(),
            too_many: false,
        }
    }

    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.errors.is_empty()
    }

    /// Whether reading on is of no use.
    fn is_full(&self) -> bool {
        self.too_many || self.errors.len() >= MOST_ERRORS
    }

    fn add(&mut self, at: usize, entry: Entry) {
        let parsed = FileKey::parse(&entry.file_key).and_then(|file_key| {
            let name = entry.name.as_deref().map(FileName::parse).transpose()?;
            Ok(WantedFile { file_key, name })
        });
        match parsed {
            Ok(_) if self.files.len() == self.most => self.too_many = true,
            Ok(file) => {
                self.files.push(file);
                self.places.push(at);
            }
            Err(invalid) => self.refuse(at, invalid),
        }
    }

    fn refuse(&mut self, at: usize, invalid: Invalid) {
        self.errors.push((at, invalid));
    }

    fn finish(mut self) -> Result<Vec<WantedFile>> {
        self.refuse_duplicates();
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|(at, _)| *at);
            self.errors.truncate(MOST_ERRORS);
            let fields = self.errors.into_iter().map(|(at, invalid)| {
                let detail = format!("{}: {}", self.format.place(at), invalid.detail);
                FieldError::new(FIELD, Invalid::new(invalid.code, detail))
            });
            return Err(Error::invalid(fields.collect()));
        }
        if self.too_many {
            let detail = format!("A manifest has at most {} file keys.", self.most);
            return Err(refusal("too_many_files", detail));
        }
        Ok(self.files)
    }

    /// By sorting places: a map of a million keys would need as much memory as the keys themselves.
    fn refuse_duplicates(&mut self) {
        let files = &self.files;
        let mut order: Vec<usize> = (0..files.len()).collect();
        order.sort_by(|a, b| files[*a].file_key.cmp(&files[*b].file_key));
        let mut first = 0;
        for pair in 1..order.len() {
            let (one, other) = (order[first], order[pair]);
            if files[one].file_key == files[other].file_key {
                let place = self.format.place(self.places[one]);
                self.errors.push((self.places[other], duplicate(&place)));
            } else {
                first = pair;
            }
        }
    }
}

/// The same key twice.
pub fn duplicate(first: &str) -> Invalid {
    Invalid::new(
        "duplicate_file_key",
        format!("This file key is there already: {first}. A project has each file once."),
    )
}

fn malformed(why: &str) -> Invalid {
    Invalid::new("malformed_manifest", format!("{why}."))
}

fn refusal(code: &'static str, detail: String) -> Error {
    Error::field(FIELD, Invalid::new(code, detail))
}

/// A JSON entry: a string or an object.
struct Written(Entry);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file key or an object with `file_key`")
            }

            fn visit_str<E: de::Error>(self, key: &str) -> std::result::Result<Written, E> {
                Ok(Written(key_only(key.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                map: A,
            ) -> std::result::Result<Written, A::Error> {
                Entry::deserialize(de::value::MapAccessDeserializer::new(map)).map(Written)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// The items of a JSON array, taken one by one: an array of anything else must not fill the memory.
struct Items<'a>(&'a mut List);

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let mut at = 0;
        while let Some(Written(entry)) = items.next_element()? {
            at += 1;
            self.0.add(at, entry);
            if self.0.is_full() {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Vec<WantedFile>> {
        parse(&FileKey::parse(name).unwrap(), text.as_bytes())
    }

    fn keys(name: &str, text: &str) -> Vec<String> {
        let files = read(name, text).unwrap();
        files.iter().map(|file| file.file_key.to_string()).collect()
    }

    fn details(name: &str, text: &str) -> Vec<(&'static str, String)> {
        let error = read(name, text).unwrap_err();
        assert!(error.fields.iter().all(|f| f.field == FIELD));
        error
            .fields
            .iter()
            .map(|f| (f.code, f.detail.clone()))
            .collect()
    }

    #[test]
    fn every_format() {
        let wanted = ["/a.png", "/b c.png"];
        for (name, text) in [
            ("m.txt", "/a.png\nb c.png"),
            (
                "m",
                "\u{feff}# the pictures\r\n\r\n/a.png\r\n   \r\nb c.png\r\n",
            ),
            ("m.json", r#"["/a.png", "b c.png"]"#),
            (
                "x.y/m.JSON",
                r#"[{"file_key": "a.png"}, {"file_key": "b c.png", "name": null}]"#,
            ),
            (
                "m.jsonl",
                "\"a.png\"\n\n{\"file_key\": \"/b c.png\", \"name\": \"B\"}\n",
            ),
            ("m.ndjson", "\"a.png\"\n\"/b c.png\""),
            (
                "m.csv",
                "file_key,label\n/a.png,cat\n\"b c.png\",\"d,og\"\n",
            ),
            ("m.csv", "a.png\n\"b c.png\""),
        ] {
            assert_eq!(keys(name, text), wanted, "{name}");
        }
        let named = read("m.json", r#"[{"file_key": "a", "name": "Ä"}, "x/b"]"#).unwrap();
        let names: Vec<_> = named.iter().map(WantedFile::name).collect();
        assert_eq!(names, ["Ä", "b"]);
        assert_eq!(
            keys("m.csv", "\"a \"\"b\"\", c\",1\n#x,2\n /y ,3"),
            ["/a \"b\", c", "/ /y "]
        );
        assert_eq!(keys("m.txt", "/#1.png\n \t\n"), ["/#1.png"]);
        for name in ["m.txt", "m.jsonl", "m.csv"] {
            assert!(keys(name, "").is_empty());
        }
        assert!(keys("m.json", "[]").is_empty());
    }

    #[test]
    fn errors_name_the_line() {
        let found = details("m.txt", "/a\n../b\n\n/c/./d\n/a");
        let starts = ["Line 2: ", "Line 4: ", "Line 5: "];
        assert_eq!(found.len(), 3);
        for ((_, detail), start) in found.iter().zip(starts) {
            assert!(detail.starts_with(start), "{detail}");
        }
        assert_eq!(found[0].0, "dot_segment");
        assert_eq!(found[2].0, "duplicate_file_key");
        assert!(found[2].1.contains("Line 1"), "{}", found[2].1);

        let found = details("m.json", r#"["a", "", "c", "a"]"#);
        assert!(found[0].1.starts_with("Item 2: "), "{found:?}");
        assert!(found[1].1.starts_with("Item 4: "), "{found:?}");
        for (text, line) in [("[\n\"a\",\n5]", "line 3"), ("[\n\"a\"", "line 2")] {
            assert!(details("m.json", text)[0].1.contains(line));
        }
        for text in [
            "{}",
            "5",
            "",
            "[[\"a\"]]",
            "[null]",
            "[\"a\"] x",
            r#"[{"file_key": "a", "x": 1}]"#,
            r#"[{"name": "a"}]"#,
            r#"[{"file_key": "a", "file_key": "b"}]"#,
            &"[".repeat(100_000),
        ] {
            assert_eq!(details("m.json", text)[0].0, "malformed_manifest", "{text}");
        }
        for (name, text, code) in [
            ("m.jsonl", "\"a\"\nb", "malformed_manifest"),
            ("m.csv", "a\n\"b", "malformed_manifest"),
            ("m.csv", "a\n\"b\"c", "malformed_manifest"),
            ("m.csv", "a\n,b", "empty_file_key"),
            (
                "m.jsonl",
                "\"a\"\n{\"file_key\":\"b\",\"name\":\"\"}",
                "invalid_file_name",
            ),
        ] {
            let found = details(name, text);
            assert_eq!(found[0].0, code);
            assert!(found[0].1.starts_with("Line 2: "), "{found:?}");
        }
        let error = parse(&FileKey::parse("m.txt").unwrap(), b"a\nb\n\xff").unwrap_err();
        assert_eq!(error.fields[0].code, "invalid_utf8");
        assert!(error.fields[0].detail.contains("Line 3"));
    }

    #[test]
    fn what_is_told_has_an_end() {
        let bad = "..\n".repeat(1000);
        assert_eq!(details("m.txt", &bad).len(), MOST_ERRORS);
        let bad = format!("[{}\"x\"]", "\"\",".repeat(1000));
        assert_eq!(details("m.json", &bad).len(), MOST_ERRORS);
        for (name, five, six) in [
            ("m.txt", "1\n2\n3\n4\n5", "1\n2\n3\n4\n5\n6"),
            (
                "m.json",
                "[\"1\",\"2\",\"3\",\"4\",\"5\"]",
                "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]",
            ),
        ] {
            let name = FileKey::parse(name).unwrap();
            let error = parse_at_most(5, &name, six.as_bytes()).unwrap_err();
            assert_eq!(error.fields[0].code, "too_many_files");
            assert_eq!(parse_at_most(5, &name, five.as_bytes()).unwrap().len(), 5);
        }
    }
}
