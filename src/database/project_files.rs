//! The rows of a project's files.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::ProjectId;
use crate::domain::project::{Progress, ProjectFile, SkipReason, Skipped};
use crate::domain::working_folders::WorkingFolders;
use std::collections::BTreeMap;

/// How many files one statement inserts or looks up. With seven values for each it stays far below what
/// the engines allow (SQLite 32,766 placeholders, PostgreSQL 65,535).
pub(super) const PER_STATEMENT: usize = 1000;

pub(super) async fn insert_files(
    tx: &mut Tx,
    project: &ProjectId,
    files: &[ProjectFile],
) -> StoreResult<()> {
    for chunk in files.chunks(PER_STATEMENT) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|row| format!("($1, {})", placeholders(2 + 7 * row, 7)))
            .collect();
        let mut values = values![project.as_str()];
        for file in chunk {
            values.extend(values![
                file.position,
                file.file_key.path(),
                file.name.as_str(),
                file.size,
                file.etag.as_deref(),
                stored_metadata(&file.metadata)?,
                file.storage_class.as_deref(),
            ]);
        }
        tx.execute(
            Sql::Built(format!(
                "INSERT INTO project_files (project_id, position, path, name, size, etag, metadata, storage_class) VALUES {}",
                rows.join(", ")
            )),
            values,
        )
        .await?;
    }
    Ok(())
}

/// `$first, …`, so many.
pub(super) fn placeholders(first: usize, count: usize) -> String {
    let all: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    all.join(", ")
}

pub(super) fn file(record: &Record) -> StoreResult<ProjectFile> {
    Ok(ProjectFile {
        position: record.int("position")?,
        // With the slash in front: a path may itself begin with one, and parsing takes one off.
        file_key: record.parse("path", |path| FileKey::parse(&format!("/{path}")))?,
        name: record.text("name")?,
        size: record.int("size")?,
        etag: record.text_opt("etag")?,
        storage_class: record.text_opt("storage_class")?,
        metadata: match record.text_opt("metadata")? {
            Some(_) => record.parse("metadata", |text| serde_json::from_str(text))?,
            None => Vec::new(),
        },
    })
}

/// A list of pairs as JSON, in their order; none where there are none.
fn stored_metadata(metadata: &[(String, String)]) -> StoreResult<Option<String>> {
    if metadata.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(metadata)
        .map(Some)
        .map_err(|error| StoreError::Failed(error.to_string()))
}

/// How many keys were left out, as a JSON object of the reasons that there are.
pub(super) fn stored_skipped(skipped: Skipped) -> StoreResult<String> {
    let counts: BTreeMap<&str, i64> = skipped
        .reasons()
        .into_iter()
        .map(|(reason, count)| (reason.as_str(), count))
        .collect();
    serde_json::to_string(&counts).map_err(|error| StoreError::Failed(error.to_string()))
}

/// What [`stored_skipped`] wrote. `None` where nothing is stored.
pub(super) fn skipped(record: &Record) -> StoreResult<Option<Skipped>> {
    let counts = record.parse_opt("skipped_reasons", |text| {
        serde_json::from_str::<BTreeMap<String, i64>>(text)
    })?;
    Ok(counts.map(|counts| {
        let mut skipped = Skipped::default();
        for (word, count) in counts {
            // A later release has more reasons.
            if let Ok(reason) = SkipReason::parse(&word) {
                skipped.add(reason, count);
            }
        }
        skipped
    }))
}

/// The working folders that a project leaves out, as a JSON array. `None`: it leaves out none.
pub(super) fn stored_folders(folders: &WorkingFolders) -> StoreResult<Option<String>> {
    match folders.paths() {
        [] => Ok(None),
        paths => serde_json::to_string(paths)
            .map(Some)
            .map_err(|error| StoreError::Failed(error.to_string())),
    }
}

/// What [`stored_folders`] wrote.
pub(super) fn working_folders(record: &Record) -> StoreResult<WorkingFolders> {
    let paths = record.parse_opt("working_folders", |text| {
        serde_json::from_str::<Vec<String>>(text)
    })?;
    Ok(WorkingFolders::stored(paths.unwrap_or_default()))
}

pub(super) fn progress(record: &Record) -> StoreResult<Progress> {
    Ok(Progress {
        done: record.int("progress_done")?,
        total: record.int_opt("progress_total")?,
    })
}
