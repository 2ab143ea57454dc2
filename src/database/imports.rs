//! Imports that go on in the background. A row lives as long as its import is under way.

use crate::application::kept::store::{ImportJob, ImportStep, StoreResult};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, values};
use crate::database::project_files::{insert_files, progress};
use crate::database::record::Record;
use crate::domain::ids::{ProjectId, WorkspaceId};
use crate::domain::project::{ImportFailure, ProjectStatus};
use time::OffsetDateTime;

pub(super) async fn insert(tx: &mut Tx, project: &ProjectId, job: &ImportJob) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO imports (project_id, source, import_cursor) VALUES ($1, $2, $3)",
        values![project.as_str(), job.source.as_str(), job.cursor.as_deref()],
    )
    .await
    .map(drop)
}

pub(super) async fn claim(
    database: &Database,
    worker: &str,
    now: OffsetDateTime,
    lease_until: OffsetDateTime,
) -> StoreResult<Option<ImportJob>> {
    let mut tx = database.begin().await?;
    let free = tx
        .fetch_optional(
            Sql::Each {
                sqlite: "SELECT i.project_id AS id, p.workspace_id, i.source, i.import_cursor,
                             p.progress_done, p.progress_total
                         FROM imports i JOIN projects p ON p.id = i.project_id
                         WHERE i.lease_until < $1 ORDER BY i.project_id LIMIT 1",
                postgres: "SELECT i.project_id AS id, p.workspace_id, i.source, i.import_cursor,
                               p.progress_done, p.progress_total
                           FROM imports i JOIN projects p ON p.id = i.project_id
                           WHERE i.lease_until < $1 ORDER BY i.project_id LIMIT 1
                           FOR UPDATE OF i SKIP LOCKED",
            },
            values![now],
        )
        .await?;
    let Some(row) = free else {
        return Ok(None);
    };
    let record = Record::new("imports", row)?;
    let job = ImportJob {
        project: record.parse("id", ProjectId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        source: record.text("source")?,
        cursor: record.text_opt("import_cursor")?,
        progress: progress(&record)?,
    };
    tx.execute(
        "UPDATE imports SET worker = $2, lease_until = $3 WHERE project_id = $1",
        values![job.project.as_str(), worker, lease_until],
    )
    .await?;
    tx.commit().await?;
    Ok(Some(job))
}

pub(super) async fn advance(
    database: &Database,
    worker: &str,
    project: &ProjectId,
    step: &ImportStep,
) -> StoreResult<bool> {
    let mut tx = database.begin().await?;
    let held = tx
        .execute(
            "UPDATE imports SET import_cursor = $3, lease_until = $4
             WHERE project_id = $1 AND worker = $2",
            values![
                project.as_str(),
                worker,
                step.cursor.as_str(),
                step.lease_until
            ],
        )
        .await?;
    if held != 1 {
        return Ok(false);
    }
    insert_files(&mut tx, project, &step.files).await?;
    let size = step
        .files
        .iter()
        .fold(0_i64, |sum, file| sum.saturating_add(file.size));
    let count = i64::try_from(step.files.len()).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE projects SET file_count = file_count + $2, total_size = total_size + $3,
             skipped_count = skipped_count + $4, progress_done = $5, progress_total = $6
         WHERE id = $1",
        values![
            project.as_str(),
            count,
            size,
            step.skipped,
            step.progress.done,
            step.progress.total
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn finish(
    database: &Database,
    worker: &str,
    project: &ProjectId,
    failure: Option<&ImportFailure>,
) -> StoreResult<bool> {
    let mut tx = database.begin().await?;
    let held = tx
        .execute(
            "DELETE FROM imports WHERE project_id = $1 AND worker = $2",
            values![project.as_str(), worker],
        )
        .await?;
    if held != 1 {
        return Ok(false);
    }
    match failure {
        None => {
            tx.execute(
                "UPDATE projects SET status = $2 WHERE id = $1",
                values![project.as_str(), ProjectStatus::Ready.as_str()],
            )
            .await?;
        }
        Some(failure) => {
            tx.execute(
                "DELETE FROM project_files WHERE project_id = $1",
                values![project.as_str()],
            )
            .await?;
            tx.execute(
                "UPDATE projects SET status = $2, failure_code = $3, failure_detail = $4,
                     file_count = 0, total_size = 0
                 WHERE id = $1",
                values![
                    project.as_str(),
                    ProjectStatus::Failed.as_str(),
                    failure.code.as_str(),
                    failure.detail.as_str()
                ],
            )
            .await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn release(
    database: &Database,
    worker: &str,
    project: &ProjectId,
) -> StoreResult<()> {
    database
        .execute(
            "UPDATE imports SET worker = NULL, lease_until = 0
             WHERE project_id = $1 AND worker = $2",
            values![project.as_str(), worker],
        )
        .await
        .map(drop)
}
