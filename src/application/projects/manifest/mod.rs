//! Lists of files: pasted, in a request, or as an object in the storage. One reader for all of them.
//!
//! What a list is follows from its text first and from its name second: one key on each line; separated
//! values under a heading; JSON or JSON lines, this service's own or Ground Truth's, CVAT's and Label
//! Studio's; a report of S3 Inventory. What is recognised and not read is refused by its name. Nothing of a
//! list is dropped unread: a column or member that is neither the key nor the name becomes the file's
//! metadata.

mod content;
mod heading;
mod inventory;
mod json;
mod list;
mod other_text;
mod products;
mod quotes;
mod reference;
mod table;
#[cfg(test)]
mod tests;

pub use inventory::Inventory;
pub use list::{DUPLICATE, Fault, Place, duplicate};
pub use reference::{FileReference, ListedStorage};

use crate::application::error::{Error, FieldError};
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::project::WantedFile;
use list::FileList;
use table::TextKind;

/// The largest list, in bytes, decompressed.
pub const LARGEST: usize = 32 << 20;
/// How many files a list has at most.
pub const MOST_KEYS: usize = 1_000_000;
/// The request's field that names a manifest.
pub const FIELD: &str = "manifest_file_key";

/// What a list turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileListing {
    Files(Vec<WantedFile>),
    /// The files are listed in further objects: see [`InventoryFiles`].
    Inventory(Inventory),
}

/// Where a list comes from.
#[derive(Debug, Clone, Copy)]
pub enum ListSource<'a> {
    /// Pasted into a form. Every line that is not blank names a file.
    Pasted,
    /// An object of the storage. Lines that begin with `#` are skipped.
    Manifest(&'a FileKey),
}

/// Reads a list, or says everything that is wrong with it: up to a hundred places.
pub fn read(
    bytes: &[u8],
    from: ListSource<'_>,
    storage: &ListedStorage,
) -> Result<FileListing, Vec<Fault>> {
    read_at_most(MOST_KEYS, bytes, from, Some(storage))
}

/// What is wrong with a pasted list, whichever storage it is about.
pub fn faults_of_pasted(text: &str) -> Vec<Fault> {
    match read_at_most(MOST_KEYS, text.as_bytes(), ListSource::Pasted, None) {
        Ok(_) => Vec::new(),
        Err(faults) => faults,
    }
}

fn read_at_most(
    most: usize,
    bytes: &[u8],
    from: ListSource<'_>,
    storage: Option<&ListedStorage>,
) -> Result<FileListing, Vec<Fault>> {
    let whole = |invalid| {
        vec![Fault {
            place: Place::Whole,
            invalid,
        }]
    };
    let text = content::text(bytes, LARGEST).map_err(whole)?;
    if let Some(report) = inventory::of_json(&text) {
        return report.map(FileListing::Inventory).map_err(whole);
    }
    let (folder, with_comments) = match from {
        ListSource::Pasted => (Folder::root(), false),
        ListSource::Manifest(key) => (key.folder(), true),
    };
    let mut list = FileList::new(storage, most);
    match Format::of(&text, from) {
        Format::Json => json::read(&text, &folder, &mut list),
        Format::JsonLines => json::read_lines(&text, &folder, with_comments, &mut list),
        Format::Text(kind) => table::read(&text, kind, with_comments, &mut list),
    }
    list.finish().map(FileListing::Files)
}

/// The files of an S3 Inventory report, read from one data file after the other.
pub struct InventoryFiles<'a> {
    report: &'a Inventory,
    list: FileList<'a>,
}

impl<'a> InventoryFiles<'a> {
    pub fn new(report: &'a Inventory, storage: &'a ListedStorage) -> Self {
        Self {
            report,
            list: FileList::new(Some(storage), MOST_KEYS),
        }
    }

    /// Reads the next data file. False when reading on is of no use.
    pub fn read(&mut self, bytes: &[u8]) -> bool {
        match content::text(bytes, LARGEST) {
            Ok(text) => inventory::read_rows(&text, self.report, &mut self.list),
            Err(invalid) => self.list.refuse(Place::Whole, invalid),
        }
        !self.list.is_full()
    }

    pub fn finish(self) -> Result<Vec<WantedFile>, Vec<Fault>> {
        self.list.finish()
    }
}

/// The error for a list's faults, at a field of the request.
pub fn error_of(field: &str, faults: Vec<Fault>) -> Error {
    let fields = faults
        .into_iter()
        .map(|fault| FieldError::new(field, Invalid::new(fault.invalid.code, fault.detail())))
        .collect();
    Error::invalid(fields)
}

enum Format {
    Json,
    JsonLines,
    Text(TextKind),
}

impl Format {
    fn of(text: &str, from: ListSource<'_>) -> Self {
        let name = match from {
            ListSource::Pasted => String::new(),
            ListSource::Manifest(key) => key.name().to_ascii_lowercase(),
        };
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        let is_lines = matches!(extension, Some("jsonl" | "ndjson"));
        let text = text.trim();
        let found = match text.chars().next() {
            Some('[') if json::is_json(text) => Some(Self::Json),
            Some('{') => Self::of_object(text),
            _ => None,
        };
        match found {
            Some(format) => return format,
            None if is_lines => return Self::JsonLines,
            None if extension == Some("json") => return Self::Json,
            None => {}
        }
        Self::Text(match extension {
            Some("csv") => TextKind::Csv,
            Some("tsv" | "tab") => TextKind::Tsv,
            _ => TextKind::Plain,
        })
    }

    /// Of a text that begins with a brace. `None`: it is no JSON, as a key may begin with a brace.
    fn of_object(text: &str) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next()?;
        if !json::is_object(first) {
            return json::is_json(text).then_some(Self::Json);
        }
        if lines.next().is_some() {
            return Some(Self::JsonLines);
        }
        // One object on one line: a list as a whole, or one entry.
        let members = json::members(first);
        let has = |name: &str| members.iter().any(|member| member == name);
        let is_whole = has("files") || products::known_object(has).is_some() || members.is_empty();
        Some(match is_whole {
            true => Self::Json,
            false => Self::JsonLines,
        })
    }
}
