//! How far a caller reaches within a workspace: in which storages, in which folders, to do what.
//!
//! Folders are compared as file keys are: byte for byte, by whole segments. `/export/` holds
//! `/export/a.json`, and neither `/exports/a.json` nor `/Export/a.json`.

use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::invalid::shown;

/// How many storages, and how many folders of either kind, a token names at most.
pub const MOST_NAMED: usize = 100;

/// What a token is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// `None`: every storage.
    pub storages: Option<Vec<StorageRef>>,
    /// Where files are read. `None`: everywhere. What may be written may be read, too.
    pub folders: Option<Vec<Folder>>,
    /// Where files are written, by a member too. `None`: wherever the role writes and `folders` reads.
    pub write_folders: Option<Vec<Folder>>,
}

impl Bounds {
    pub fn are_none(&self) -> bool {
        self.storages.is_none() && self.folders.is_none() && self.write_folders.is_none()
    }

    fn have(&self, storage: &StorageRef) -> bool {
        let named = self.storages.as_ref();
        named.is_none_or(|named| named.contains(storage))
    }

    fn read(&self, path: &str) -> bool {
        match &self.folders {
            None => true,
            Some(folders) => {
                let written = self.write_folders.iter().flatten();
                folders.iter().chain(written).any(|f| holds(f, path))
            }
        }
    }

    fn write(&self, path: &str) -> bool {
        match &self.write_folders {
            Some(folders) => folders.iter().any(|folder| holds(folder, path)),
            None => self.read(path),
        }
    }
}

/// A folder's path ends in a slash, so whole segments are compared.
fn holds(folder: &Folder, path: &str) -> bool {
    path.starts_with(folder.path())
}

/// What a token for a browser lets a page do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BrowserOperation {
    /// Lists folders.
    List,
    /// Reads files, and signs URLs that read them.
    Read,
    /// Uploads files, and signs URLs that do.
    Write,
}

impl BrowserOperation {
    pub const ALL: [Self; 3] = [Self::List, Self::Read, Self::Write];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.as_str() == value).ok_or_else(|| {
            Invalid::new(
                "unknown_operation",
                format!(
                    "`{}` is not an operation: use `list`, `read` or `write`.",
                    shown(value)
                ),
            )
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What a request touches in a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch<'a> {
    /// The storage itself, and none of its files.
    Storage,
    /// What lies in a folder, at any depth.
    List(&'a Folder),
    Read(&'a FileKey),
    /// Stores or changes a file.
    Write(&'a FileKey),
    /// Stores files in a folder, whatever their names.
    WriteIn(&'a Folder),
    Delete(&'a FileKey),
}

impl Touch<'_> {
    /// Whether it changes files.
    pub fn writes(&self) -> bool {
        match self {
            Self::Write(_) | Self::WriteIn(_) | Self::Delete(_) => true,
            Self::Storage | Self::List(_) | Self::Read(_) => false,
        }
    }

    /// What a browser's token needs. `None`: no such token is enough.
    fn by_browser(&self) -> Option<BrowserOperation> {
        match self {
            Self::List(_) => Some(BrowserOperation::List),
            Self::Read(_) => Some(BrowserOperation::Read),
            Self::Write(_) | Self::WriteIn(_) => Some(BrowserOperation::Write),
            Self::Storage | Self::Delete(_) => None,
        }
    }
}

/// How far a caller reaches: what all of its bounds leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    bounds: Vec<Bounds>,
    /// `None`: whatever the role may do.
    browser: Option<Vec<BrowserOperation>>,
}

impl Reach {
    /// The whole workspace.
    pub fn everything() -> Self {
        Self::default()
    }

    /// What a token reaches that is narrowed to this.
    pub fn within(bounds: Bounds) -> Self {
        Self::everything().narrowed(bounds)
    }

    /// The same, and no more than these bounds.
    pub fn narrowed(mut self, bounds: Bounds) -> Self {
        if !bounds.are_none() {
            self.bounds.push(bounds);
        }
        self
    }

    /// The same for a page in a browser, to do these.
    pub fn in_browser(mut self, operations: Vec<BrowserOperation>) -> Self {
        self.browser = Some(operations);
        self
    }

    pub fn is_everything(&self) -> bool {
        self.bounds.is_empty() && self.browser.is_none()
    }

    /// Whether it says in which folders files are written: a member may write there.
    pub fn names_write_folders(&self) -> bool {
        self.bounds.iter().any(|b| b.write_folders.is_some())
    }

    /// Whether not every file of a storage may be read.
    pub fn has_folders(&self) -> bool {
        self.bounds.iter().any(|bounds| bounds.folders.is_some())
    }

    pub fn has_storage(&self, storage: &StorageRef) -> bool {
        self.bounds.iter().all(|bounds| bounds.have(storage))
    }

    /// The folders that it names and lists, in their order; none of them is in another one. Whoever may not list the
    /// folders above begins there.
    pub fn listed_folders(&self, storage: &StorageRef) -> Vec<&Folder> {
        let named = self.bounds.iter().flat_map(|bounds| {
            let written = bounds.write_folders.iter().flatten();
            bounds.folders.iter().flatten().chain(written)
        });
        let mut listed: Vec<&Folder> = named
            .filter(|folder| self.covers(storage, Touch::List(folder)))
            .collect();
        listed.sort_unstable_by(|one, other| one.path().cmp(other.path()));
        // What is in a folder comes right behind it.
        listed.dedup_by(|inner, outer| holds(outer, inner.path()));
        listed
    }

    pub fn covers(&self, storage: &StorageRef, touch: Touch<'_>) -> bool {
        let by_browser = match &self.browser {
            None => true,
            Some(operations) => touch
                .by_browser()
                .is_some_and(|needed| operations.contains(&needed)),
        };
        by_browser
            && self.has_storage(storage)
            && self.bounds.iter().all(|bounds| match touch {
                Touch::Storage => true,
                Touch::List(folder) => bounds.read(folder.path()),
                Touch::Read(key) => bounds.read(key.path()),
                Touch::WriteIn(folder) => bounds.write(folder.path()),
                Touch::Write(key) | Touch::Delete(key) => bounds.write(key.path()),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::StorageId;

    fn folders(paths: &[&str]) -> Option<Vec<Folder>> {
        Some(paths.iter().map(|p| Folder::parse(p).unwrap()).collect())
    }

    fn key(text: &str) -> FileKey {
        FileKey::parse(text).unwrap()
    }

    const ANY: StorageRef = StorageRef::BuiltIn;

    #[test]
    fn folders_hold_whole_segments() {
        let reach = Reach::within(Bounds {
            folders: folders(&["/export", "a/b/"]),
            ..Bounds::default()
        });
        for inside in [
            "/export/x",
            "export/x/y",
            "/export/",
            "/a/b/c",
            "/export//x",
        ] {
            assert!(reach.covers(&ANY, Touch::Read(&key(inside))), "{inside}");
        }
        for outside in [
            "/exports/x",
            "/export",
            "/Export/x",
            "//export/x",
            "/a/x",
            "/a/bc",
            "/x/export/y",
        ] {
            assert!(!reach.covers(&ANY, Touch::Read(&key(outside))), "{outside}");
        }
        let list = |path| reach.covers(&ANY, Touch::List(&Folder::parse(path).unwrap()));
        assert!(list("/export/") && list("/export/deep") && list("/a/b"));
        assert!(!list("/") && !list("/a/") && !list("/exports/"));
    }

    #[test]
    fn browsing_begins_at_the_outermost_folders() {
        let bounds = |read: &[&str], write: &[&str]| Bounds {
            folders: folders(read),
            write_folders: folders(write).filter(|named| !named.is_empty()),
            ..Bounds::default()
        };
        let listed = |reach: &Reach| -> Vec<String> {
            let found = reach.listed_folders(&ANY).into_iter();
            found.map(ToString::to_string).collect()
        };
        let token = Reach::within(bounds(
            &["/b/inner/", "/b/", "/a/x/", "/b-2/", "/b/"],
            &["/out/", "/a/x/y/"],
        ));
        assert_eq!(listed(&token), ["/a/x/", "/b-2/", "/b/", "/out/"]);
        // A browser's token of it is narrowed further, and lists only where it may list at all.
        let page = token.narrowed(bounds(&["/b/inner/deep/"], &[]));
        let reading = page.clone().in_browser(vec![BrowserOperation::Read]);
        assert!(listed(&reading).is_empty());
        let browsing = page.in_browser(vec![BrowserOperation::List]);
        assert_eq!(listed(&browsing), ["/b/inner/deep/"]);
        assert!(listed(&Reach::everything()).is_empty());
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_written() {
        let both = Reach::within(Bounds {
            folders: folders(&["/in/"]),
            write_folders: folders(&["/out/"]),
            ..Bounds::default()
        });
        let (input, output, other) = (key("/in/x"), key("/out/x"), key("/x"));
        assert!(both.covers(&ANY, Touch::Read(&input)) && both.covers(&ANY, Touch::Read(&output)));
        assert!(both.covers(&ANY, Touch::Write(&output)));
        for touch in [
            Touch::Write(&input),
            Touch::Delete(&other),
            Touch::Read(&other),
        ] {
            assert!(!both.covers(&ANY, touch), "{touch:?}");
        }
        // Without folders everything is read; without folders to write in, what is read is written.
        let writes = Reach::within(Bounds {
            write_folders: folders(&["/out/"]),
            ..Bounds::default()
        });
        assert!(writes.covers(&ANY, Touch::Read(&other)) && writes.names_write_folders());
        assert!(!writes.covers(&ANY, Touch::Write(&other)));
        let reads = Reach::within(Bounds {
            folders: folders(&["/in/"]),
            ..Bounds::default()
        });
        assert!(reads.covers(&ANY, Touch::Write(&input)) && !reads.names_write_folders());
        assert!(!reads.covers(&ANY, Touch::Write(&output)));
    }

    #[test]
    fn bounds_add_up_and_a_browser_does_what_it_may() {
        let own = StorageRef::Own(StorageId::generate());
        let maker = Reach::within(Bounds {
            storages: Some(vec![own.clone()]),
            folders: folders(&["/a/"]),
            ..Bounds::default()
        });
        let page = maker.clone().narrowed(Bounds {
            storages: Some(vec![own.clone(), ANY]),
            folders: folders(&["/a/b/", "/c/"]),
            ..Bounds::default()
        });
        let page = page.in_browser(vec![BrowserOperation::Read]);
        let (inside, beside) = (key("/a/b/x"), key("/c/x"));
        assert!(page.covers(&own, Touch::Read(&inside)));
        assert!(
            !page.covers(&own, Touch::Read(&beside)),
            "the maker's bounds hold"
        );
        assert!(!page.covers(&ANY, Touch::Read(&inside)));
        for touch in [
            Touch::Write(&inside),
            Touch::Delete(&inside),
            Touch::List(&inside.folder()),
            Touch::Storage,
        ] {
            assert!(!page.covers(&own, touch), "{touch:?}");
        }
        assert!(!page.is_everything() && Reach::within(Bounds::default()).is_everything());
    }
}
