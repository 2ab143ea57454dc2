//! Projects: named sets of files, by file key.

use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::storage_class::is_archived;
use crate::domain::ids::{ProjectId, StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::subject::SubjectId;
use crate::domain::working_folders::WorkingFolders;
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub id: ProjectId,
    pub workspace: WorkspaceId,
    pub name: Name,
    pub storage: StorageRef,
    pub status: ProjectStatus,
    pub progress: Progress,
    pub file_count: i64,
    /// In bytes.
    pub total_size: i64,
    /// How many of the files are in an archive class (see [`is_archived`]).
    pub archived_count: i64,
    /// Keys that were left out: missing ones (`on_missing: skip`), archived ones (`on_archived: skip`), objects
    /// that no file key can name, and files of the product's working folders.
    pub skipped_count: i64,
    /// The same by reason. `None`: an earlier release counted them, or some of them.
    pub skipped: Option<Skipped>,
    /// The working folders that it leaves out, where its files come from a folder.
    pub working_folders: WorkingFolders,
    /// Why the import failed: a stable code and words.
    pub failure: Option<ImportFailure>,
    pub created_at: OffsetDateTime,
    /// The product's person for whom it was made.
    pub on_behalf_of: Option<SubjectId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFailure {
    pub code: String,
    pub detail: String,
    /// The code of the cause, where the storage failed for one. `None` also: the import failed before this was
    /// kept; the same for `remedy`.
    pub cause: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// Why a key was left out of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// The storage has no such file.
    Missing,
    /// The file is in an archive class.
    Archived,
    /// No file key can name the object.
    NoFileKey,
    /// The file is in one of the product's working folders.
    WorkingFolder,
}

impl SkipReason {
    pub const ALL: [Self; 4] = [
        Self::Missing,
        Self::Archived,
        Self::NoFileKey,
        Self::WorkingFolder,
    ];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "missing" => Ok(Self::Missing),
            "archived" => Ok(Self::Archived),
            "no_file_key" => Ok(Self::NoFileKey),
            "working_folder" => Ok(Self::WorkingFolder),
            _ => Err(Invalid::new(
                "unknown_skip_reason",
                "Not a reason to leave a file out.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Archived => "archived",
            Self::NoFileKey => "no_file_key",
            Self::WorkingFolder => "working_folder",
        }
    }
}

/// How many keys were left out, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    pub missing: i64,
    pub archived: i64,
    pub no_file_key: i64,
    pub working_folder: i64,
}

impl Skipped {
    pub fn of(&self, reason: SkipReason) -> i64 {
        match reason {
            SkipReason::Missing => self.missing,
            SkipReason::Archived => self.archived,
            SkipReason::NoFileKey => self.no_file_key,
            SkipReason::WorkingFolder => self.working_folder,
        }
    }

    pub fn total(&self) -> i64 {
        let all = SkipReason::ALL.iter().map(|reason| self.of(*reason));
        all.fold(0, i64::saturating_add)
    }

    /// The reasons that there are, with how many keys each left out.
    pub fn reasons(&self) -> Vec<(SkipReason, i64)> {
        let all = SkipReason::ALL.iter();
        all.map(|reason| (*reason, self.of(*reason)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// Counts further keys for a reason.
    pub fn add(&mut self, reason: SkipReason, count: i64) {
        let counted = match reason {
            SkipReason::Missing => &mut self.missing,
            SkipReason::Archived => &mut self.archived,
            SkipReason::NoFileKey => &mut self.no_file_key,
            SkipReason::WorkingFolder => &mut self.working_folder,
        };
        *counted = counted.saturating_add(count);
    }

    pub fn add_all(&mut self, more: Self) {
        for (reason, count) in more.reasons() {
            self.add(reason, count);
        }
    }
}

/// How far an import is. `total` is `None` while the number of files is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub done: i64,
    pub total: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProjectStatus {
    Importing,
    Ready,
    Failed,
}

impl ProjectStatus {
    pub const ALL: [Self; 3] = [Self::Importing, Self::Ready, Self::Failed];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "importing" => Ok(Self::Importing),
            "ready" => Ok(Self::Ready),
            "failed" => Ok(Self::Failed),
            _ => Err(Invalid::new(
                "unknown_project_status",
                "Not a project's status.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Importing => "importing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// What the product shows for a file, where its key does not do: 1 to 1,024 bytes without control
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// In bytes of UTF-8, like a key.
    pub const MAX_LEN: usize = 1024;

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let fits = (1..=Self::MAX_LEN).contains(&value.len());
        if fits && !value.chars().any(char::is_control) {
            return Ok(Self(value.to_owned()));
        }
        Err(Invalid::new(
            "invalid_file_name",
            format!(
                "A file's name has 1 to {} bytes and no control characters.",
                Self::MAX_LEN
            ),
        ))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file that somebody wants in a project, not looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile {
    pub file_key: FileKey,
    /// `None`: the key's last segment.
    pub name: Option<FileName>,
    /// What the list says beside: names and values, in the list's order.
    pub metadata: Vec<(String, String)>,
}

impl WantedFile {
    pub fn name(&self) -> &str {
        match &self.name {
            Some(name) => name.as_str(),
            None => self.file_key.name(),
        }
    }
}

/// One file of a project, as it was when it came into the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Its place in the project, from 0.
    pub position: i64,
    pub file_key: FileKey,
    /// What the product shows; the key's last segment unless the caller named it.
    pub name: String,
    /// In bytes.
    pub size: i64,
    pub etag: Option<String>,
    /// `None`: S3 Standard, or the store does not say.
    pub storage_class: Option<String>,
    /// What the list of files said beside, as in [`WantedFile::metadata`].
    pub metadata: Vec<(String, String)>,
}

impl ProjectFile {
    /// Whether it must be restored before it can be read, by its class.
    pub fn is_archived(&self) -> bool {
        is_archived(self.storage_class.as_deref())
    }
}

/// How many of the files are archived.
pub fn count_archived(files: &[ProjectFile]) -> i64 {
    let archived = files.iter().filter(|file| file.is_archived());
    i64::try_from(archived.count()).unwrap_or(i64::MAX)
}

/// What to do about keys that are not in the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMissing {
    /// Create nothing and list them all.
    #[default]
    Fail,
    /// Create the project without them and say how many they were.
    Skip,
}

impl OnMissing {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "fail" => Ok(Self::Fail),
            "skip" => Ok(Self::Skip),
            _ => Err(Invalid::new("unknown_on_missing", "Use `fail` or `skip`.")),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// What to do about files in an archive class, which cannot be read before they are restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnArchived {
    /// Create nothing and list them.
    Fail,
    /// Create the project without them. They count among the skipped.
    Skip,
    /// Create the project with them and say how many they are.
    #[default]
    Keep,
}

impl OnArchived {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "fail" => Ok(Self::Fail),
            "skip" => Ok(Self::Skip),
            "keep" => Ok(Self::Keep),
            _ => Err(Invalid::new(
                "unknown_on_archived",
                "Use `keep`, `skip` or `fail`.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Keep => "keep",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_were_left_out_are_counted_by_reason() {
        let mut skipped = Skipped::default();
        assert_eq!((skipped.total(), skipped.reasons()), (0, vec![]));
        skipped.add(SkipReason::Archived, 2);
        skipped.add_all(Skipped {
            missing: 4,
            archived: 1,
            no_file_key: 0,
            working_folder: 2,
        });
        assert_eq!(skipped.total(), 9);
        assert_eq!(
            skipped.reasons(),
            [
                (SkipReason::Missing, 4),
                (SkipReason::Archived, 3),
                (SkipReason::WorkingFolder, 2)
            ]
        );
        for reason in SkipReason::ALL {
            assert_eq!(SkipReason::parse(reason.as_str()), Ok(reason));
        }
        assert!(SkipReason::parse("other").is_err());
    }

    #[test]
    fn file_names() {
        for good in ["a", " a b ", "ü/…", &"n".repeat(1024)] {
            assert_eq!(FileName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a\nb", "a\0", "\u{85}", &"n".repeat(1025)] {
            assert!(FileName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
