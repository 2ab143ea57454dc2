//! Which of the listed files a page shows. S3 knows nothing of this: it lists by key alone.

use crate::application::files::read::FileEntry;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

/// What a page shows of what was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    pub kind: FileType,
    pub size: Larger,
    pub since: Since,
}

/// What a file is, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    #[default]
    #[serde(alias = "")]
    Any,
    Pictures,
    Recordings,
    Documents,
    Data,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Larger {
    #[default]
    #[serde(alias = "")]
    Any,
    Kilo,
    Mega,
    Hundred,
    Giga,
}

/// How long ago a file was changed at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    #[default]
    #[serde(alias = "")]
    Ever,
    Day,
    Week,
    Month,
    Year,
}

/// One choice of a list: its code, its words, and whether it is the present one.
pub struct Choice {
    pub code: &'static str,
    pub words: &'static str,
    pub is_current: bool,
}

fn choices<T: PartialEq>(all: &[(T, &'static str, &'static str)], current: &T) -> Vec<Choice> {
    all.iter()
        .map(|(value, code, words)| Choice {
            code,
            words,
            is_current: value == current,
        })
        .collect()
}

fn code_of<T: PartialEq>(all: &[(T, &'static str, &'static str)], current: &T) -> &'static str {
    let found = all.iter().find(|(value, ..)| value == current);
    found.map_or("", |(_, code, _)| code)
}

const KINDS: [(FileType, &str, &str); 5] = [
    (FileType::Any, "", "Any type"),
    (FileType::Pictures, "pictures", "Pictures"),
    (FileType::Recordings, "recordings", "Audio and video"),
    (FileType::Documents, "documents", "Documents"),
    (FileType::Data, "data", "Text and data"),
];
const SIZES: [(Larger, &str, &str); 5] = [
    (Larger::Any, "", "Any size"),
    (Larger::Kilo, "kilo", "1 KB or more"),
    (Larger::Mega, "mega", "1 MB or more"),
    (Larger::Hundred, "hundred", "100 MB or more"),
    (Larger::Giga, "giga", "1 GB or more"),
];
const TIMES: [(Since, &str, &str); 5] = [
    (Since::Ever, "", "Any time"),
    (Since::Day, "day", "Last 24 hours"),
    (Since::Week, "week", "Last 7 days"),
    (Since::Month, "month", "Last 30 days"),
    (Since::Year, "year", "Last 365 days"),
];

impl Filter {
    pub fn is_on(self) -> bool {
        self != Self::default()
    }

    pub fn takes(self, file: &FileEntry, now: OffsetDateTime) -> bool {
        self.kind.takes(&file.name)
            && file.size >= self.size.bytes()
            && self.since.days().is_none_or(|days| {
                file.last_modified
                    .is_some_and(|at| now - at <= Duration::days(days))
            })
    }

    /// For an address.
    pub fn pairs(self) -> [(&'static str, &'static str); 3] {
        [
            ("kind", code_of(&KINDS, &self.kind)),
            ("size", code_of(&SIZES, &self.size)),
            ("since", code_of(&TIMES, &self.since)),
        ]
    }

    /// The lists of the form: name, label, choices.
    pub fn lists(self) -> [(&'static str, &'static str, Vec<Choice>); 3] {
        [
            ("kind", "Type", choices(&KINDS, &self.kind)),
            ("size", "Size", choices(&SIZES, &self.size)),
            ("since", "Modified", choices(&TIMES, &self.since)),
        ]
    }
}

impl FileType {
    fn takes(self, name: &str) -> bool {
        self == Self::Any || Self::of(name) == self
    }

    /// `Any` where the ending says nothing.
    pub fn of(name: &str) -> Self {
        let guess = mime_guess::from_path(name);
        let Some(essence) = guess.first_raw() else {
            return match name.rsplit_once('.').map(|(_, ending)| ending) {
                Some("jsonl" | "ndjson" | "parquet" | "log") => Self::Data,
                Some(_) | None => Self::Any,
            };
        };
        match essence.split_once('/') {
            Some(("image", _)) => Self::Pictures,
            Some(("audio" | "video", _)) => Self::Recordings,
            Some(("text", _))
            | Some((_, "json" | "xml" | "x-ndjson" | "x-yaml" | "yaml" | "toml" | "sql")) => {
                Self::Data
            }
            Some((_, rest))
                if matches!(rest, "pdf" | "msword" | "rtf" | "epub+zip")
                    || rest.contains("officedocument")
                    || rest.contains("opendocument")
                    || rest.starts_with("vnd.ms-") =>
            {
                Self::Documents
            }
            Some(_) | None => Self::Any,
        }
    }

    /// The name of its picture among the icons.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Any => "file",
            Self::Pictures => "image",
            Self::Recordings => "film",
            Self::Documents => "file-text",
            Self::Data => "table-2",
        }
    }
}

impl Larger {
    fn bytes(self) -> i64 {
        match self {
            Self::Any => 0,
            Self::Kilo => 1_000,
            Self::Mega => 1_000_000,
            Self::Hundred => 100_000_000,
            Self::Giga => 1_000_000_000,
        }
    }
}

impl Since {
    fn days(self) -> Option<i64> {
        match self {
            Self::Ever => None,
            Self::Day => Some(1),
            Self::Week => Some(7),
            Self::Month => Some(30),
            Self::Year => Some(365),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn files_are_taken_by_type_size_and_time() {
        let now = datetime!(2026-11-26 12:00 UTC);
        let file = |name: &str, size, age: Option<Duration>| FileEntry {
            key: format!("/{name}"),
            name: name.to_owned(),
            size,
            last_modified: age.map(|age| now - age),
            etag: None,
            storage_class: None,
            usable: true,
        };
        let hour = Some(Duration::hours(1));
        let pictures = Filter {
            kind: FileType::Pictures,
            ..Filter::default()
        };
        assert!(pictures.takes(&file("a.PNG", 1, hour), now));
        assert!(!pictures.takes(&file("a.csv", 1, hour), now));
        let large = Filter {
            size: Larger::Mega,
            since: Since::Day,
            ..Filter::default()
        };
        assert!(large.takes(&file("a", 1_000_000, hour), now));
        assert!(!large.takes(&file("a", 999_999, hour), now));
        assert!(!large.takes(&file("a", 2_000_000, Some(Duration::days(2))), now));
        // A time that the store did not send is not taken for a recent one.
        assert!(!large.takes(&file("a", 2_000_000, None), now));
        assert!(Filter::default().takes(&file("a", 0, None), now));
        assert!(!Filter::default().is_on() && large.is_on());
    }

    #[test]
    fn types_go_by_the_ending() {
        for (name, kind) in [
            ("a.tiff", FileType::Pictures),
            ("a.mp4", FileType::Recordings),
            ("a.pdf", FileType::Documents),
            ("a.docx", FileType::Documents),
            ("a.csv", FileType::Data),
            ("a.json", FileType::Data),
            ("a.jsonl", FileType::Data),
            ("a.zip", FileType::Any),
            ("a", FileType::Any),
        ] {
            assert_eq!(FileType::of(name), kind, "{name}");
        }
    }
}
