//! S3 Inventory reports: what S3 itself lists of a bucket.
//!
//! A report is a `manifest.json` that names data files, each CSV in gzip with a row for each object (S3 user
//! guide, "Locating your inventory list"). The first two columns are always the bucket and the key, and keys
//! are URL-encoded.

use crate::application::projects::manifest::list::{Entry, FileList, Place};
use crate::domain::Invalid;
use crate::domain::invalid::shown;
use csv::{ReaderBuilder, StringRecord};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// A report, with the object keys of its data files in the bucket that they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The bucket whose objects are listed.
    pub source_bucket: String,
    /// The bucket that has the data files.
    pub destination_bucket: String,
    pub data_files: Vec<String>,
    columns: InventoryColumns,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct InventoryColumns {
    key: usize,
    is_latest: Option<usize>,
    is_delete_marker: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    source_bucket: String,
    destination_bucket: String,
    file_format: String,
    file_schema: String,
    files: Vec<WrittenFile>,
}

#[derive(Deserialize)]
struct WrittenFile {
    key: String,
}

/// The report, where the text is the `manifest.json` of one.
pub(super) fn of_json(text: &str) -> Option<Result<Inventory, Invalid>> {
    if !text.trim_start().starts_with('{') || !text.contains("\"fileSchema\"") {
        return None;
    }
    let written: Written = serde_json::from_str(text).ok()?;
    if written.file_format != "CSV" {
        return Some(Err(Invalid::new(
            "unsupported_manifest",
            format!(
                "This is an S3 Inventory report in the format {}. Reports in CSV are read.",
                shown(&written.file_format)
            ),
        )));
    }
    let schema: Vec<&str> = written.file_schema.split(',').map(str::trim).collect();
    let column = |name: &str| schema.iter().position(|own| *own == name);
    let Some(key) = column("Key") else {
        return Some(Err(Invalid::new(
            "malformed_manifest",
            format!(
                "The schema of this S3 Inventory report has no column `Key`: {}.",
                shown(&written.file_schema)
            ),
        )));
    };
    let bucket = written.destination_bucket;
    Some(Ok(Inventory {
        source_bucket: written.source_bucket,
        destination_bucket: bucket
            .rsplit_once(":::")
            .map_or(bucket.as_str(), |(_, name)| name)
            .to_owned(),
        data_files: written.files.into_iter().map(|file| file.key).collect(),
        columns: InventoryColumns {
            key,
            is_latest: column("IsLatest"),
            is_delete_marker: column("IsDeleteMarker"),
        },
    }))
}

/// Reads the rows of a data file. Older versions and delete markers are no files.
pub(super) fn read_rows(text: &str, report: &Inventory, list: &mut FileList<'_>) {
    let columns = &report.columns;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut row = StringRecord::new();
    let mut line = 0;
    loop {
        line += 1;
        match reader.read_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let detail = format!("The row cannot be read: {error}.");
                list.refuse(
                    Place::Line(line),
                    Invalid::new("malformed_manifest", detail),
                );
                return;
            }
        }
        let is =
            |column: Option<usize>, value: &str| column.and_then(|at| row.get(at)) == Some(value);
        if is(columns.is_latest, "false") || is(columns.is_delete_marker, "true") {
            continue;
        }
        match row.get(columns.key) {
            Some(key) => match entry(&report.source_bucket, key) {
                Ok(entry) => list.add(Place::Line(line), entry),
                Err(invalid) => list.refuse(Place::Line(line), invalid),
            },
            None => list.refuse(
                Place::Line(line),
                Invalid::new("malformed_manifest", "The row has no key."),
            ),
        }
        if list.is_full() {
            return;
        }
    }
}

/// A row's entry: the file by its S3 URI.
pub(super) fn entry(bucket: &str, encoded_key: &str) -> Result<Entry, Invalid> {
    let spaced = encoded_key.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(key) => Ok(Entry::of_key(&format!("s3://{bucket}/{key}"))),
        Err(_) => Err(Invalid::new(
            "invalid_utf8",
            format!(
                "The key `{}` is percent-encoded, and what it encodes is not UTF-8. Keys in S3 are UTF-8.",
                shown(encoded_key)
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_utf8_is_refused_and_not_changed() {
        assert!(entry("b", "a+b%C3%BC.txt").is_ok());
        let refused = entry("b", "a%FF.txt").err().map(|invalid| invalid.code);
        assert_eq!(refused, Some("invalid_utf8"));
    }
}
