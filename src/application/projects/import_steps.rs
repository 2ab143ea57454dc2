//! What one step of an import reads from its storage.

use crate::application::bucket::read::ListFrom;
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::kept::store::Store;
use crate::application::projects::collected::{SortedOut, count, refuse_archived, sort_out};
use crate::application::projects::reading::{Manifest, list_page, read_manifest};
use crate::application::projects::source::{FolderSource, ImportCursor, ManifestSource};
use crate::application::projects::source_files::SourceFiles;
use crate::application::projects::{lookup, manifest};
use crate::application::storages::Storages;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{ProjectId, WorkspaceId};
use crate::domain::project::{OnMissing, Project, ProjectFile, SkipReason, Skipped};

/// How many pages of a folder after each other may have no file that the project takes. A store that makes up
/// keys has pages without end.
const MOST_IDLE: u32 = 20_000;
/// How many missing keys a failed import names.
const MISSING_NAMED: usize = 10;

/// What one step read.
pub(super) struct ImportRead {
    pub files: Vec<ProjectFile>,
    pub skipped: Skipped,
    /// How far the import is when the step is stored.
    pub cursor: ImportCursor,
    /// How many keys there are, once it is known.
    pub total: Option<i64>,
}

/// What came of reading a step. `None`: the project has been deleted.
pub(super) type StepRead = Result<Option<ImportRead>>;

/// Reads the steps of an import, each from the storage as it is then: one that was deleted, or changed and not
/// checked since, is not used any more.
pub(super) struct StepReader<'a> {
    pub store: &'a dyn Store,
    pub storages: &'a Storages,
    pub source: SourceFiles<'a>,
    pub workspace: &'a WorkspaceId,
    pub project: &'a ProjectId,
}

impl StepReader<'_> {
    /// The next page of a folder.
    pub async fn page(&self, source: &FolderSource, cursor: &ImportCursor) -> StepRead {
        let Some((project, bucket)) = self.place().await? else {
            return Ok(None);
        };
        let mut cursor = going_on(cursor);
        let from = match (&cursor.after, cursor.continuation.take()) {
            (_, Some(token)) => ListFrom::Continuation(token),
            (Some(after), None) => {
                let after = FileKey::parse(after).map_err(Error::bug)?;
                ListFrom::After(bucket.key("key", &after)?)
            }
            (None, None) => ListFrom::Beginning,
        };
        let on_archived = source.on_archived;
        let page = list_page(
            self.source,
            &bucket,
            &source.selection,
            &project.working_folders,
            on_archived,
            from,
        );
        let page = page.await?;
        refuse_archived(on_archived, &page.archived.iter().collect::<Vec<_>>())?;
        let skipped = page.skipped();
        let files = cursor.take_page(page);
        let is_idle = files.is_empty() && skipped.total() == 0;
        cursor.idle = if is_idle { cursor.idle + 1 } else { 0 };
        if cursor.idle > MOST_IDLE {
            return Err(nothing_new());
        }
        if cursor.files > count(manifest::MOST_KEYS) {
            return Err(too_many());
        }
        Ok(Some(ImportRead {
            skipped,
            total: cursor.ended.then_some(cursor.done),
            files,
            cursor,
        }))
    }

    /// The next `most` keys of a manifest. It is read once: it is the same for as long as it has its ETag.
    pub async fn keys(
        &self,
        source: &ManifestSource,
        manifest: &mut Option<Manifest>,
        cursor: &ImportCursor,
        most: usize,
    ) -> StepRead {
        let Some((_, bucket)) = self.place().await? else {
            return Ok(None);
        };
        let mut cursor = going_on(cursor);
        let manifest = match manifest {
            Some(manifest) => manifest,
            None => {
                let read = read_manifest(self.source, &bucket, &source.key, Some(&source.etag));
                manifest.insert(read.await.map_err(manifest_gone)?)
            }
        };
        let total = manifest.files.len();
        let begin = usize::try_from(cursor.done).map_err(Error::bug)?.min(total);
        let end = total.min(begin + most);
        let wanted = &manifest.files[begin..end];
        let keys: Vec<&FileKey> = wanted.iter().map(|file| &file.file_key).collect();
        let found = lookup::look_up(self.source, &bucket, &keys).await?;
        let SortedOut {
            mut files,
            missing,
            archived,
        } = sort_out(wanted, found, cursor.files, source.on_archived);
        let mut skipped = Skipped::default();
        skipped.add(SkipReason::Archived, count(archived.len()));
        refuse_archived(source.on_archived, &archived)?;
        match source.on_missing {
            OnMissing::Skip => skipped.add(SkipReason::Missing, count(missing.len())),
            OnMissing::Fail => {
                cursor.missing += count(missing.len());
                let room = MISSING_NAMED.saturating_sub(cursor.first_missing.len());
                let named = missing.iter().take(room).map(|key| key.to_string());
                cursor.first_missing.extend(named);
            }
        }
        if cursor.missing > 0 {
            // It will fail, and continues only to count the missing files.
            files.clear();
        }
        cursor.files += count(files.len());
        cursor.done = count(end);
        cursor.ended = end == total;
        Ok(Some(ImportRead {
            files,
            skipped,
            cursor,
            total: Some(count(total)),
        }))
    }

    /// The project, and its storage as it is now. `None` when the project has been deleted.
    async fn place(&self) -> Result<Option<(Project, ConnectedBucket)>> {
        let Some(project) = self.store.project(self.workspace, self.project).await? else {
            return Ok(None);
        };
        let bucket = self
            .storages
            .usable(self.workspace, &project.storage)
            .await
            .map_err(|error| match error.kind {
                Kind::NotFound => Error::new(
                    Kind::NotFound,
                    "storage_deleted",
                    "The project's storage does not exist any more.",
                ),
                _ => error,
            })?;
        Ok(Some((project, bucket)))
    }
}

/// The cursor of a step that is tried for the first time.
fn going_on(cursor: &ImportCursor) -> ImportCursor {
    ImportCursor {
        tries: 0,
        ..cursor.clone()
    }
}

fn nothing_new() -> Error {
    Error::new(
        Kind::Upstream,
        "listing_incomplete",
        format!("The store listed {MOST_IDLE} pages after each other without a file that the project takes. The import does not go on."),
    )
    .remedy("Choose a folder with fewer other files.")
}

/// The manifest is not what it was when the project was made.
fn manifest_gone(error: Error) -> Error {
    match error.reason {
        Some(Reason::ConditionFailed | Reason::FileAbsent) => Error::new(
            Kind::Conflict,
            "manifest_changed",
            "The manifest was changed or deleted before the import had ended.",
        ),
        _ => error,
    }
}

fn too_many() -> Error {
    Error::new(
        Kind::Unprocessable,
        "too_many_files",
        format!("A project has at most {} files.", manifest::MOST_KEYS),
    )
}
