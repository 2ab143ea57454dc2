//! What was looked up in a storage, as a project's files.

use crate::application::error::{Error, Kind};
use crate::application::projects::lookup::Found;
use crate::domain::files::file_key::FileKey;
use crate::domain::project::{ProjectFile, WantedFile};

/// Splits what was looked up into the project's files, from `position` on, and the missing keys.
pub(super) fn sort_out(
    wanted: &[WantedFile],
    found: Vec<Option<Found>>,
    position: i64,
) -> (Vec<ProjectFile>, Vec<&FileKey>) {
    let mut files = Vec::new();
    let mut missing = Vec::new();
    for (file, found) in wanted.iter().zip(found) {
        match found {
            Some(found) => files.push(ProjectFile {
                position: position + count(files.len()),
                file_key: file.file_key.clone(),
                name: file.name().to_owned(),
                size: found.size,
                etag: found.etag,
                metadata: file.metadata.clone(),
            }),
            None => missing.push(&file.file_key),
        }
    }
    (files, missing)
}

pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn total_size(files: &[ProjectFile]) -> i64 {
    let sizes = files.iter().map(|file| file.size);
    sizes.fold(0, i64::saturating_add)
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
