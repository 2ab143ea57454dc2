//! What was looked up in a storage, as a project's files.

use crate::application::error::{Error, Kind, Result};
use crate::application::projects::lookup::Found;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::storage_class::is_archived;
use crate::domain::project::{OnArchived, ProjectFile, WantedFile};

/// What was looked up, sorted.
pub(super) struct SortedOut<'a> {
    pub files: Vec<ProjectFile>,
    pub missing: Vec<&'a FileKey>,
    /// Archived files that the project does not take.
    pub archived: Vec<&'a FileKey>,
}

/// Splits what was looked up into the project's files, from `position` on, and the others.
pub(super) fn sort_out(
    wanted: &[WantedFile],
    found: Vec<Option<Found>>,
    position: i64,
    on_archived: OnArchived,
) -> SortedOut<'_> {
    let mut files = Vec::new();
    let mut missing = Vec::new();
    let mut archived = Vec::new();
    for (file, found) in wanted.iter().zip(found) {
        match found {
            Some(found)
                if on_archived != OnArchived::Keep
                    && is_archived(found.storage_class.as_deref()) =>
            {
                archived.push(&file.file_key);
            }
            Some(found) => files.push(ProjectFile {
                position: position + count(files.len()),
                file_key: file.file_key.clone(),
                name: file.name().to_owned(),
                size: found.size,
                etag: found.etag,
                storage_class: found.storage_class,
                metadata: file.metadata.clone(),
            }),
            None => missing.push(&file.file_key),
        }
    }
    SortedOut {
        files,
        missing,
        archived,
    }
}

pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn total_size(files: &[ProjectFile]) -> i64 {
    let sizes = files.iter().map(|file| file.size);
    sizes.fold(0, i64::saturating_add)
}

/// How many archived files a refusal names.
const ARCHIVED_NAMED: usize = 100;

/// The files that `on_archived: fail` refuses.
pub(super) fn archived_files(keys: &[&FileKey]) -> Error {
    let detail = match keys {
        [one] => format!("The file `{one}` is archived and cannot be read before it is restored."),
        [first, ..] => format!(
            "{} files are archived and cannot be read before they are restored. The first is `{first}`.",
            keys.len()
        ),
        [] => "Archived files cannot be read before they are restored.".to_owned(),
    };
    let named = keys.iter().take(ARCHIVED_NAMED).map(|key| key.to_string());
    Error::new(Kind::Unprocessable, "archived_files", detail)
        .remedy("Restore them in S3, leave them out with `\"on_archived\": \"skip\"`, or keep them with `\"on_archived\": \"keep\"`.")
        .member("archived_files", named.collect::<Vec<_>>())
}

/// Ends the work where archived files are refused and there are some.
pub(super) fn refuse_archived(on_archived: OnArchived, archived: &[&FileKey]) -> Result<()> {
    match on_archived {
        OnArchived::Fail if !archived.is_empty() => Err(archived_files(archived)),
        OnArchived::Fail | OnArchived::Skip | OnArchived::Keep => Ok(()),
    }
}

/// A folder whose files are in working folders alone.
pub(super) fn only_working_folders(files: i64) -> Error {
    let detail = match files {
        1 => "The only file of this folder is in one of the product's working folders.".to_owned(),
        several => {
            format!("All {several} files of this folder are in the product's working folders.")
        }
    };
    Error::new(Kind::Unprocessable, "no_files", detail).remedy(
        "Name the working folder itself as the `folder`, or take its files too with `\"include_working_folders\": true`.",
    )
}

pub(super) fn no_files() -> Error {
    Error::new(
        Kind::Unprocessable,
        "no_files",
        "There are no files for this project.",
    )
    .remedy(
        "Look at the folder in the storage, and at the globs; or put file keys into the manifest.",
    )
}
