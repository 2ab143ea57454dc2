//! What the address of a folder's page asks for.

use crate::application::files::read::FileEntry;
use crate::http::pages::files::filter::{FileType, Filter, Larger, Since};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FolderQuery {
    pub folder: Option<String>,
    pub page: Option<String>,
    #[serde(default)]
    pub order: Order,
    pub done: Option<String>,
    /// What the names begin with.
    pub find: Option<String>,
    /// The name to begin at, which need not exist.
    pub at: Option<String>,
    #[serde(default)]
    pub kind: FileType,
    #[serde(default)]
    pub size: Larger,
    #[serde(default)]
    pub since: Since,
}

impl FolderQuery {
    pub fn filter(&self) -> Filter {
        Filter {
            kind: self.kind,
            size: self.size,
            since: self.since,
        }
    }

    pub fn find(&self) -> &str {
        self.find.as_deref().unwrap_or_default()
    }

    pub fn at(&self) -> &str {
        self.at.as_deref().unwrap_or_default()
    }
}

/// The order of the files. S3 itself lists by key and nothing else, so another order is offered only where
/// the page has every file of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    #[serde(alias = "")]
    Key,
    Name,
    Size,
    Modified,
}

impl Order {
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Key, "", "Key"),
        (Self::Name, "name", "Name, upper and lower case alike"),
        (Self::Size, "size", "Largest first"),
        (Self::Modified, "modified", "Newest first"),
    ];

    pub fn code(self) -> &'static str {
        let present = Self::ALL.iter().find(|(order, ..)| *order == self);
        present.map_or("", |(_, code, _)| code)
    }

    pub fn sort(self, files: &mut [FileEntry]) {
        match self {
            Self::Key => {}
            Self::Name => files.sort_by_cached_key(|file| file.name.to_lowercase()),
            Self::Size => files.sort_by_key(|file| std::cmp::Reverse(file.size)),
            Self::Modified => files.sort_by_key(|file| std::cmp::Reverse(file.last_modified)),
        }
    }
}
