//! Steps of imports: each commits with the files that it adds and the cursor of its job.

use crate::application::kept::store::{IMPORT, ImportStep, StoreResult};
use crate::database::engine::{Tx, values};
use crate::database::events::NewEvent;
use crate::database::project_files::{insert_files, skipped, stored_skipped};
use crate::database::record::Record;
use crate::database::{Database, events, jobs};
use crate::domain::event::EventType;
use crate::domain::ids::{ProjectId, WorkspaceId};
use crate::domain::project::{ImportFailure, ProjectStatus, Skipped, count_archived};

pub(super) async fn advance(
    database: &Database,
    worker: &str,
    project: &ProjectId,
    step: &ImportStep,
) -> StoreResult<bool> {
    let mut tx = database.begin().await?;
    let job = (IMPORT, project.as_str(), worker);
    if !jobs::advance(&mut tx, job, &step.cursor, step.lease_until).await? {
        return Ok(false);
    }
    insert_files(&mut tx, project, &step.files).await?;
    let size = step
        .files
        .iter()
        .fold(0_i64, |sum, file| sum.saturating_add(file.size));
    let count = i64::try_from(step.files.len()).unwrap_or(i64::MAX);
    let reasons = match step.skipped.total() {
        0 => None,
        _ => skipped_with(&mut tx, project, step.skipped).await?,
    };
    tx.execute(
        "UPDATE projects SET file_count = file_count + $2, total_size = total_size + $3,
             skipped_count = skipped_count + $4, progress_done = $5, progress_total = $6,
             archived_count = archived_count + $7,
             skipped_reasons = COALESCE($8, skipped_reasons)
         WHERE id = $1",
        values![
            project.as_str(),
            count,
            size,
            step.skipped.total(),
            step.progress.done,
            step.progress.total,
            count_archived(&step.files),
            reasons,
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// The project's reasons with those of a step, as they are stored. Where an earlier release has begun the import,
/// there are none, and there will be none. The worker's job is locked, so nobody else counts meanwhile.
async fn skipped_with(
    tx: &mut Tx,
    project: &ProjectId,
    more: Skipped,
) -> StoreResult<Option<String>> {
    let row = tx
        .fetch_optional(
            "SELECT id, skipped_reasons FROM projects WHERE id = $1",
            values![project.as_str()],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    match skipped(&Record::new("projects", row)?)? {
        Some(mut counted) => {
            counted.add_all(more);
            stored_skipped(counted).map(Some)
        }
        None => Ok(None),
    }
}

pub(super) async fn finish(
    database: &Database,
    worker: &str,
    project: &ProjectId,
    failure: Option<&ImportFailure>,
) -> StoreResult<bool> {
    let mut tx = database.begin().await?;
    if !jobs::end(&mut tx, (IMPORT, project.as_str(), worker)).await? {
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
                     failure_cause = $5, failure_remedy = $6,
                     file_count = 0, total_size = 0, archived_count = 0
                 WHERE id = $1",
                values![
                    project.as_str(),
                    ProjectStatus::Failed.as_str(),
                    failure.code.as_str(),
                    failure.detail.as_str(),
                    failure.cause.as_deref(),
                    failure.remedy.as_deref()
                ],
            )
            .await?;
        }
    }
    let row = tx
        .fetch_optional(
            "SELECT id, workspace_id, on_behalf_of FROM projects WHERE id = $1",
            values![project.as_str()],
        )
        .await?;
    if let Some(row) = row {
        let record = Record::new("projects", row)?;
        let workspace = record.parse("workspace_id", WorkspaceId::parse)?;
        let subject = record.text_opt("on_behalf_of")?;
        let (kind, code) = match failure {
            None => (EventType::ProjectReady, None),
            Some(failure) => (EventType::ProjectFailed, Some(failure.code.as_str())),
        };
        let ended = NewEvent {
            kind,
            workspace: &workspace,
            subject: subject.as_deref(),
            about: [("project_id", project.as_str())]
                .into_iter()
                .chain(code.map(|code| ("code", code)))
                .collect(),
        };
        events::write(&mut tx, &[ended]).await?;
    }
    tx.commit().await?;
    Ok(true)
}
