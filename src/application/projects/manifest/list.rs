//! The files of a list so far, and everything that is wrong with it.

use crate::application::projects::manifest::reference::{FileReference, ListedStorage};
use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::invalid::shown;
use crate::domain::project::{FileName, WantedFile};
use std::fmt;

/// More would make the answer longer than it is of use.
pub(super) const MOST_FAULTS: usize = 100;
/// How many bytes of metadata, names and values together, one file has at most.
const LARGEST_METADATA: usize = 16 << 10;

/// One entry as it is written, before anything in it is parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub file_key: String,
    pub name: Option<String>,
    pub metadata: Vec<(String, String)>,
}

impl Entry {
    pub fn of_key(key: &str) -> Self {
        Self {
            file_key: key.to_owned(),
            ..Self::default()
        }
    }
}

/// A place in a list, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The list as a whole.
    Whole,
    Line(usize),
    Cell {
        line: usize,
        column: usize,
    },
    /// An item of a JSON array.
    Item(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("The list"),
            Self::Line(line) => write!(f, "Line {line}"),
            Self::Cell { line, column } => write!(f, "Line {line}, column {column}"),
            Self::Item(item) => write!(f, "Item {item}"),
        }
    }
}

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    pub invalid: Invalid,
}

impl Fault {
    /// In one sentence or two, with the place.
    pub fn detail(&self) -> String {
        match self.place {
            Place::Whole => self.invalid.detail.clone(),
            place => format!("{place}: {}", self.invalid.detail),
        }
    }
}

pub(super) struct FileList<'a> {
    /// `None`: it is not known yet. Then addresses are not looked into, and give no files.
    storage: Option<&'a ListedStorage>,
    most: usize,
    files: Vec<WantedFile>,
    /// The place of each file.
    places: Vec<Place>,
    faults: Vec<Fault>,
    too_many: bool,
}

impl<'a> FileList<'a> {
    pub fn new(storage: Option<&'a ListedStorage>, most: usize) -> Self {
        Self {
            storage,
            most,
            files: Vec::new(),
            places: Vec::new(),
            faults: Vec::new(),
            too_many: false,
        }
    }

    /// Whether this is the name of the storage's bucket.
    pub fn is_of_bucket(&self, name: &str) -> bool {
        self.storage
            .is_some_and(|storage| storage.bucket.as_str() == name)
    }

    /// Whether reading on is of no use.
    pub fn is_full(&self) -> bool {
        self.too_many || self.faults.len() >= MOST_FAULTS
    }

    pub fn add(&mut self, place: Place, entry: Entry) {
        // Files with byte order marks were joined. It cannot be seen, and the file would be missing.
        if entry.file_key.starts_with('\u{feff}') {
            return self.refuse(
                place,
                Invalid::new(
                    "misplaced_byte_order_mark",
                    "The file key begins with a byte order mark (U+FEFF). Remove it, or write a key that has it with a leading slash.",
                ),
            );
        }
        let key = match self.storage {
            Some(storage) => storage.file_key(&entry.file_key),
            None => match FileReference::parse(entry.file_key.clone()) {
                Ok(FileReference::Key(key)) => Ok(key),
                Ok(FileReference::Address(_)) => return,
                Err(invalid) => Err(invalid),
            },
        };
        let parsed = key.and_then(|key| self.wanted(key, entry));
        match parsed {
            Ok(_) if self.files.len() == self.most => self.too_many = true,
            Ok(file) => {
                self.files.push(file);
                self.places.push(place);
            }
            Err(invalid) => self.refuse(place, invalid),
        }
    }

    fn wanted(&self, file_key: FileKey, entry: Entry) -> Result<WantedFile, Invalid> {
        let with_nul = entry
            .metadata
            .iter()
            .find(|(name, value)| name.contains('\0') || value.contains('\0'));
        if let Some((name, _)) = with_nul {
            return Err(Invalid::new(
                "invalid_metadata",
                format!(
                    "`{}` has a NUL character, which cannot be stored. Remove it.",
                    shown(name)
                ),
            ));
        }
        let name = entry
            .name
            .map(|name| {
                FileName::parse(&name).map_err(|invalid| {
                    Invalid::new(
                        invalid.code,
                        format!("The name is `{}`. {}", shown(&name), invalid.detail),
                    )
                })
            })
            .transpose()?;
        let size: usize = entry
            .metadata
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if size > LARGEST_METADATA {
            return Err(Invalid::new(
                "metadata_too_large",
                format!(
                    "The further columns have {size} bytes. A file has at most {LARGEST_METADATA} bytes of metadata."
                ),
            ));
        }
        Ok(WantedFile {
            file_key,
            name,
            metadata: entry.metadata,
        })
    }

    pub fn refuse(&mut self, place: Place, invalid: Invalid) {
        self.faults.push(Fault { place, invalid });
    }

    /// The files, or everything that is wrong, by place.
    pub fn finish(mut self) -> Result<Vec<WantedFile>, Vec<Fault>> {
        self.refuse_duplicates();
        if !self.faults.is_empty() {
            self.faults.sort_by_key(|fault| fault.place);
            self.faults.truncate(MOST_FAULTS);
            return Err(self.faults);
        }
        if self.too_many {
            let detail = format!("A list has at most {} files.", self.most);
            return Err(vec![Fault {
                place: Place::Whole,
                invalid: Invalid::new("too_many_files", detail),
            }]);
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
                let invalid = duplicate(&self.places[one].to_string());
                let place = self.places[other];
                self.faults.push(Fault { place, invalid });
            } else {
                first = pair;
            }
        }
    }
}

/// The code of a file that is there twice.
pub const DUPLICATE: &str = "duplicate_file_key";

/// The same key twice.
pub fn duplicate(first: &str) -> Invalid {
    Invalid::new(
        DUPLICATE,
        format!("This file key is there already: {first}. A project has each file once."),
    )
}
