//! The rows of a project's files.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::record::Record;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::ProjectId;
use crate::domain::project::{Progress, ProjectFile, SkipReason, Skipped};
use crate::domain::working_folders::WorkingFolders;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many files one statement inserts or looks up: as many as a page of a listing has. With seven values
/// for each it stays far below what SQLite allows (32,766 placeholders).
pub(super) const PER_STATEMENT: usize = 1000;

/// A row of `project_files`, without its project. Members have the names of the columns; one that is left
/// out is NULL.
#[derive(Serialize)]
struct FileRow<'a> {
    position: i64,
    path: &'a str,
    name: &'a str,
    size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class: Option<&'a str>,
}

impl<'a> FileRow<'a> {
    fn of(file: &'a ProjectFile) -> StoreResult<Self> {
        Ok(Self {
            position: file.position,
            path: file.file_key.path(),
            name: &file.name,
            size: file.size,
            etag: file.etag.as_deref(),
            metadata: stored_metadata(&file.metadata)?,
            storage_class: file.storage_class.as_deref(),
        })
    }
}

/// Inserts the files, each [`PER_STATEMENT`] of them by one statement.
pub(super) async fn insert_files(
    tx: &mut Tx,
    project: &ProjectId,
    files: &[ProjectFile],
) -> StoreResult<()> {
    for chunk in files.chunks(PER_STATEMENT) {
        let rows: Vec<FileRow<'_>> = chunk.iter().map(FileRow::of).collect::<StoreResult<_>>()?;
        match tx.is_postgres() {
            true => insert_as_json(tx, project, &rows).await?,
            false => insert_as_values(tx, project, rows).await?,
        }
    }
    Ok(())
}

/// One value and a text that never changes, so PostgreSQL keeps the statement prepared. With thousands of
/// placeholders it would parse and plan each of them anew.
async fn insert_as_json(tx: &mut Tx, project: &ProjectId, rows: &[FileRow<'_>]) -> StoreResult<()> {
    let json = serde_json::to_string(rows).map_err(|e| StoreError::Failed(e.to_string()))?;
    tx.execute(
        "INSERT INTO project_files
             (project_id, position, path, name, size, etag, metadata, storage_class)
         SELECT $1, f.position, f.path, f.name, f.size, f.etag, f.metadata, f.storage_class
         FROM json_to_recordset($2::json) AS f (position BIGINT, path TEXT, name TEXT,
             size BIGINT, etag TEXT, metadata TEXT, storage_class TEXT)",
        values![project.as_str(), json],
    )
    .await
    .map(drop)
}

/// SQLite is faster with placeholders than with its functions for JSON.
async fn insert_as_values(
    tx: &mut Tx,
    project: &ProjectId,
    rows: Vec<FileRow<'_>>,
) -> StoreResult<()> {
    let places = vec!["(?, ?, ?, ?, ?, ?, ?)"; rows.len()].join(", ");
    let mut values = Vec::with_capacity(1 + 7 * rows.len());
    values.push(Value::from(project.as_str()));
    for row in rows {
        values.extend([
            Value::from(row.position),
            Value::from(row.path),
            Value::from(row.name),
            Value::from(row.size),
            Value::from(row.etag),
            Value::from(row.metadata),
            Value::from(row.storage_class),
        ]);
    }
    tx.execute(
        Sql::Built(format!(
            "INSERT INTO project_files
                 (project_id, position, path, name, size, etag, metadata, storage_class)
             SELECT ?, f.* FROM (VALUES {places}) AS f"
        )),
        values,
    )
    .await
    .map(drop)
}

pub(super) fn file(record: &Record) -> StoreResult<ProjectFile> {
    Ok(ProjectFile {
        position: record.int("position")?,
        file_key: record.parse("path", FileKey::of_path)?,
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
