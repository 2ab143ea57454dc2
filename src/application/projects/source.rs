//! What an import is made from, and how far it is, as stored.

use crate::application::error::{Error, Result};
use crate::application::projects::collected::count;
use crate::application::projects::reading::SelectedPage;
use crate::application::projects::selection::Selection;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::project::{OnArchived, OnMissing, ProjectFile};
use serde::{Deserialize, Serialize};

/// Where the files come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ImportSource {
    Folder {
        folder: String,
        include: Vec<String>,
        exclude: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_archived: Option<String>,
    },
    Manifest {
        file_key: String,
        /// The manifest is read only while it has this ETag.
        etag: String,
        on_missing: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_archived: Option<String>,
    },
}

/// The same, parsed.
pub(super) enum ParsedSource {
    Folder(FolderSource),
    Manifest(ManifestSource),
}

pub(super) struct FolderSource {
    pub selection: Selection,
    pub on_archived: OnArchived,
}

pub(super) struct ManifestSource {
    pub key: FileKey,
    /// The manifest is read only while it has this ETag.
    pub etag: String,
    pub on_missing: OnMissing,
    pub on_archived: OnArchived,
}

impl ImportSource {
    pub fn folder(selection: &Selection, on_archived: OnArchived) -> Self {
        Self::Folder {
            folder: selection.folder().to_string(),
            include: selection.include().to_vec(),
            exclude: selection.exclude().to_vec(),
            on_archived: stored(on_archived),
        }
    }

    pub fn manifest(
        key: &FileKey,
        etag: String,
        on_missing: OnMissing,
        on_archived: OnArchived,
    ) -> Self {
        Self::Manifest {
            file_key: key.to_string(),
            etag,
            on_missing: on_missing.as_str().to_owned(),
            on_archived: stored(on_archived),
        }
    }

    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::bug)
    }

    pub fn parse(json: &str) -> Result<ParsedSource> {
        match serde_json::from_str(json).map_err(Error::bug)? {
            Self::Folder {
                folder,
                include,
                exclude,
                on_archived,
            } => {
                let folder = Folder::parse(&folder).map_err(Error::bug)?;
                Ok(ParsedSource::Folder(FolderSource {
                    selection: Selection::new(folder, include, exclude)?,
                    on_archived: parsed(on_archived)?,
                }))
            }
            Self::Manifest {
                file_key,
                etag,
                on_missing,
                on_archived,
            } => Ok(ParsedSource::Manifest(ManifestSource {
                key: FileKey::parse(&file_key).map_err(Error::bug)?,
                etag,
                on_missing: OnMissing::parse(&on_missing).map_err(Error::bug)?,
                on_archived: parsed(on_archived)?,
            })),
        }
    }
}

/// Stored only where it is not the default: an earlier release, which does not know it, reads the others.
fn stored(on_archived: OnArchived) -> Option<String> {
    (on_archived != OnArchived::default()).then(|| on_archived.as_str().to_owned())
}

fn parsed(on_archived: Option<String>) -> Result<OnArchived> {
    on_archived.map_or(Ok(OnArchived::default()), |text| {
        OnArchived::parse(&text).map_err(Error::bug)
    })
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How far an import is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportCursor {
    /// How many keys of the manifest, or files of the folder, have been dealt with.
    pub done: i64,
    /// How many files the project has: the next one's position.
    pub files: i64,
    /// The last key that was listed.
    pub after: Option<String>,
    /// S3's own token, where no file key says how far the listing is.
    pub continuation: Option<String>,
    /// Missing keys that make the import fail.
    pub missing: i64,
    /// The first of these.
    pub first_missing: Vec<String>,
    /// All has been read.
    pub ended: bool,
    /// How often the next step has failed for a passing reason.
    pub tries: u32,
    /// How many steps after each other have brought no file. Earlier releases do not read a cursor with it, so
    /// it is there only where it says something.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle: u32,
}

impl ImportCursor {
    /// The files of a folder's next page, at their positions. The cursor goes on behind them.
    pub fn take_page(&mut self, page: SelectedPage) -> Vec<ProjectFile> {
        let mut files = page.files;
        for file in &mut files {
            file.position = self.files;
            self.files += 1;
        }
        self.done += count(files.len() + page.unusable + page.archived.len() + page.working);
        self.continuation = None;
        match (page.continuation, page.last) {
            (None, _) => self.ended = true,
            (Some(_), Some(last)) => self.after = Some(last.to_string()),
            (token, None) => self.continuation = token,
        }
        files
    }

    pub fn parse(json: Option<&str>) -> Result<Self> {
        json.map_or_else(
            || Ok(Self::default()),
            |json| serde_json::from_str(json).map_err(Error::bug),
        )
    }

    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::bug)
    }
}
