//! Projects and their files.

use crate::application::kept::store::{
    ImportStep, KeptAnswer, NewJob, ProjectFilter, ProjectStore, ProjectsOfFiles,
    ProjectsOfStorage, StoreError, StoreResult, Window,
};
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::events::NewEvent;
use crate::database::idempotency::keep;
use crate::database::placeholders::placeholders;
use crate::database::project_files::{
    PER_STATEMENT, file, insert_files, progress, skipped, stored_folders, stored_skipped,
    working_folders,
};
use crate::database::record::{Record, storage_column, stored_name};
use crate::database::{Database, before, containing, events, imports, jobs};
use crate::domain::event::EventType;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{ProjectId, StorageId, StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::subject::SubjectId;
use crate::domain::project::{ImportFailure, Project, ProjectFile, ProjectStatus, count_archived};
use async_trait::async_trait;

/// By name: with `*`, a newer replica that adds a column would break the statements that an older one
/// keeps prepared on PostgreSQL.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, workspace_id, name, storage_id, status, progress_done, progress_total, \
             file_count, total_size, archived_count, skipped_count, failure_code, failure_detail, \
             failure_cause, failure_remedy, created_at, skipped_reasons, working_folders, \
             on_behalf_of \
             FROM projects ",
            $rest
        )
    };
}

#[async_trait]
impl ProjectStore for Database {
    async fn create_project(
        &self,
        project: &Project,
        storage_revision: i64,
        files: &[ProjectFile],
        import: Option<&NewJob>,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        insert(&mut tx, project).await?;
        insert_files(&mut tx, &project.id, files).await?;
        if let Some(job) = import {
            jobs::insert(&mut tx, job).await?;
        }
        keep(&mut tx, answer).await?;
        // Last, because it makes the other projects of this storage wait.
        if let StorageRef::Own(storage) = &project.storage {
            let counted = tx
                .execute(
                    "UPDATE storages SET project_count = project_count + 1
                     WHERE workspace_id = $1 AND id = $2 AND revision = $3",
                    values![
                        project.workspace.as_str(),
                        storage.as_str(),
                        storage_revision
                    ],
                )
                .await?;
            if counted != 1 {
                return Err(StoreError::Conflict(format!(
                    "{storage} is not at revision {storage_revision}"
                )));
            }
        }
        if project.status == ProjectStatus::Ready {
            let ready = NewEvent {
                kind: EventType::ProjectReady,
                workspace: &project.workspace,
                subject: project.on_behalf_of.as_ref().map(SubjectId::as_str),
                about: vec![("project_id", project.id.as_str())],
            };
            events::write(&mut tx, &[ready]).await?;
        }
        tx.commit().await
    }

    async fn project(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
    ) -> StoreResult<Option<Project>> {
        self.fetch_record(
            "projects",
            select!("WHERE workspace_id = $1 AND id = $2"),
            values![workspace.as_str(), id.as_str()],
            project,
        )
        .await
    }

    async fn list_projects(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Project>> {
        self.fetch_records(
            "projects",
            select!("WHERE workspace_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"),
            values![workspace.as_str(), before(window), window.limit],
            project,
        )
        .await
    }

    async fn find_projects(
        &self,
        workspace: &WorkspaceId,
        filter: &ProjectFilter,
        window: &Window,
    ) -> StoreResult<Vec<Project>> {
        let storage = filter.storage.as_ref().map(ToString::to_string);
        let name = filter.name.as_deref().map(containing);
        self.fetch_records(
            "projects",
            Sql::Each {
                sqlite: select!(
                    "WHERE workspace_id = $1 AND id < $2
                         AND ($4 = '' OR COALESCE(storage_id, 'built-in') = $4)
                         AND ($5 = '' OR name LIKE $5 ESCAPE '!')
                     ORDER BY id DESC LIMIT $3"
                ),
                postgres: select!(
                    "WHERE workspace_id = $1 AND id < $2
                         AND ($4 = '' OR COALESCE(storage_id, 'built-in') = $4)
                         AND ($5 = '' OR name ILIKE $5 ESCAPE '!')
                     ORDER BY id DESC LIMIT $3"
                ),
            },
            values![
                workspace.as_str(),
                before(window),
                window.limit,
                storage.unwrap_or_default(),
                name.unwrap_or_default(),
            ],
            project,
        )
        .await
    }

    async fn count_projects(&self) -> StoreResult<Vec<(ProjectStatus, u64)>> {
        self.fetch_records(
            "projects",
            "SELECT status AS id, COUNT(*) AS number FROM projects GROUP BY status",
            values![],
            |record| {
                Ok((
                    record.parse("id", ProjectStatus::parse)?,
                    record.number("number")?,
                ))
            },
        )
        .await
    }

    async fn rename_project(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        name: &Name,
    ) -> StoreResult<bool> {
        let renamed = self
            .execute(
                "UPDATE projects SET name = $3 WHERE workspace_id = $1 AND id = $2",
                values![workspace.as_str(), id.as_str(), name.as_str()],
            )
            .await?;
        Ok(renamed == 1)
    }

    async fn projects_of_storage(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        named: u32,
    ) -> StoreResult<ProjectsOfStorage> {
        let counted = self
            .fetch_records(
                "projects",
                "SELECT status AS id, COUNT(*) AS number FROM projects
                 WHERE workspace_id = $1 AND storage_id = $2 GROUP BY status",
                values![workspace.as_str(), storage.as_str()],
                |record| {
                    Ok((
                        record.parse("id", ProjectStatus::parse)?,
                        record.number::<u64>("number")?,
                    ))
                },
            )
            .await?;
        let newest = self
            .fetch_records(
                "projects",
                "SELECT id, name FROM projects WHERE workspace_id = $1 AND storage_id = $2
                 ORDER BY id DESC LIMIT $3",
                values![workspace.as_str(), storage.as_str(), named],
                |record| {
                    Ok((
                        record.parse("id", ProjectId::parse)?,
                        record.parse("name", stored_name)?,
                    ))
                },
            )
            .await?;
        let importing = |(status, _): &&(ProjectStatus, u64)| *status == ProjectStatus::Importing;
        Ok(ProjectsOfStorage {
            count: counted.iter().map(|(_, number)| number).sum(),
            importing: counted
                .iter()
                .find(importing)
                .map_or(0, |(_, number)| *number),
            newest,
        })
    }

    async fn projects_of_files(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageRef,
        keys: &[FileKey],
        named: u32,
    ) -> StoreResult<ProjectsOfFiles> {
        if keys.is_empty() {
            return Ok(ProjectsOfFiles::default());
        }
        let mut values = values![workspace.as_str(), storage.to_string(), named];
        values.extend(keys.iter().map(|key| Value::from(key.path())));
        let found = self
            .fetch_records(
                "projects",
                Sql::Built(format!(
                    "SELECT id, name, COUNT(*) OVER () AS number FROM projects
                     WHERE workspace_id = $1 AND COALESCE(storage_id, 'built-in') = $2
                         AND EXISTS (SELECT 1 FROM project_files
                             WHERE project_files.project_id = projects.id
                                 AND project_files.path IN ({}))
                     ORDER BY id DESC LIMIT $3",
                    placeholders(4, keys.len())
                )),
                values,
                |record| {
                    Ok((
                        record.number::<u64>("number")?,
                        record.parse("id", ProjectId::parse)?,
                        record.parse("name", stored_name)?,
                    ))
                },
            )
            .await?;
        Ok(ProjectsOfFiles {
            count: found.first().map_or(0, |(number, _, _)| *number),
            newest: found.into_iter().map(|(_, id, name)| (id, name)).collect(),
        })
    }

    async fn delete_project(&self, workspace: &WorkspaceId, id: &ProjectId) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let deleted = tx
            .fetch_optional(
                "DELETE FROM projects WHERE workspace_id = $1 AND id = $2 RETURNING id, storage_id",
                values![workspace.as_str(), id.as_str()],
            )
            .await?;
        let Some(row) = deleted else {
            return Ok(false);
        };
        jobs::delete_of(&mut tx, id.as_str()).await?;
        if let StorageRef::Own(storage) = Record::new("projects", row)?.storage("storage_id")? {
            tx.execute(
                "UPDATE storages SET project_count = project_count - 1
                 WHERE workspace_id = $1 AND id = $2",
                values![workspace.as_str(), storage.as_str()],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn project_files(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        after: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<ProjectFile>> {
        let rows = self
            .fetch_all(
                "SELECT position, path, name, size, etag, metadata, storage_class FROM project_files
                 WHERE project_id = $2 AND position > $3
                     AND EXISTS (SELECT 1 FROM projects WHERE workspace_id = $1 AND id = $2)
                 ORDER BY position LIMIT $4",
                values![workspace.as_str(), id.as_str(), after.unwrap_or(-1), limit],
            )
            .await?;
        rows.into_iter()
            .map(|row| file(&Record::named(format!("project_files/{id}"), row)))
            .collect()
    }

    async fn project_files_by_path(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        paths: &[String],
    ) -> StoreResult<Vec<ProjectFile>> {
        let mut files = Vec::new();
        for chunk in paths.chunks(PER_STATEMENT) {
            let mut values = values![workspace.as_str(), id.as_str()];
            values.extend(chunk.iter().map(|path| Value::from(path.as_str())));
            let rows = self
                .fetch_all(
                    Sql::Built(format!(
                        "SELECT position, path, name, size, etag, metadata, storage_class FROM project_files
                         WHERE project_id = $2 AND path IN ({})
                             AND EXISTS (SELECT 1 FROM projects WHERE workspace_id = $1 AND id = $2)",
                        placeholders(3, chunk.len())
                    )),
                    values,
                )
                .await?;
            for row in rows {
                files.push(file(&Record::named(format!("project_files/{id}"), row))?);
            }
        }
        files.sort_by_key(|file| file.position);
        files.dedup_by_key(|file| file.position);
        Ok(files)
    }

    async fn add_project_files(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        file_count: i64,
        files: &[ProjectFile],
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let added = i64::try_from(files.len()).unwrap_or(i64::MAX);
        let size = files
            .iter()
            .fold(0_i64, |sum, file| sum.saturating_add(file.size));
        let mut tx = self.begin().await?;
        // First: whoever else adds files to the project waits here, and then finds another count.
        let counted = tx
            .execute(
                "UPDATE projects SET file_count = file_count + $4, total_size = total_size + $5,
                     archived_count = archived_count + $6, progress_done = progress_done + $4,
                     progress_total = progress_total + $4
                 WHERE workspace_id = $1 AND id = $2 AND file_count = $3 AND status = $7",
                values![
                    workspace.as_str(),
                    id.as_str(),
                    file_count,
                    added,
                    size,
                    count_archived(files),
                    ProjectStatus::Ready.as_str(),
                ],
            )
            .await?;
        if counted != 1 {
            return Err(StoreError::Conflict(format!(
                "{id} is not ready with {file_count} files"
            )));
        }
        insert_files(&mut tx, id, files).await?;
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn advance_import(
        &self,
        worker: &str,
        project: &ProjectId,
        step: &ImportStep,
    ) -> StoreResult<bool> {
        imports::advance(self, worker, project, step).await
    }

    async fn finish_import(
        &self,
        worker: &str,
        project: &ProjectId,
        failure: Option<&ImportFailure>,
    ) -> StoreResult<bool> {
        imports::finish(self, worker, project, failure).await
    }
}

async fn insert(tx: &mut Tx, project: &Project) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO projects (id, workspace_id, name, storage_id, status, progress_done, progress_total,
             file_count, total_size, skipped_count, failure_code, failure_detail, created_at, archived_count,
             failure_cause, failure_remedy, skipped_reasons, working_folders, on_behalf_of)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        values![
            project.id.as_str(),
            project.workspace.as_str(),
            project.name.as_str(),
            storage_column(&project.storage),
            project.status.as_str(),
            project.progress.done,
            project.progress.total,
            project.file_count,
            project.total_size,
            project.skipped_count,
            project.failure.as_ref().map(|v| v.code.as_str()),
            project.failure.as_ref().map(|v| v.detail.as_str()),
            project.created_at,
            project.archived_count,
            project.failure.as_ref().and_then(|v| v.cause.as_deref()),
            project.failure.as_ref().and_then(|v| v.remedy.as_deref()),
            project.skipped.map(stored_skipped).transpose()?,
            stored_folders(&project.working_folders)?,
            project.on_behalf_of.as_ref().map(SubjectId::as_str),
        ],
    )
    .await
    .map(drop)
}

fn project(record: &Record) -> StoreResult<Project> {
    let failure = match record.text_opt("failure_code")? {
        Some(code) => Some(ImportFailure {
            code,
            detail: record.text("failure_detail")?,
            cause: record.text_opt("failure_cause")?,
            remedy: record.text_opt("failure_remedy")?,
        }),
        None => None,
    };
    let skipped_count = record.int("skipped_count")?;
    Ok(Project {
        id: record.parse("id", ProjectId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        name: record.parse("name", stored_name)?,
        storage: record.storage("storage_id")?,
        status: record.parse("status", ProjectStatus::parse)?,
        progress: progress(record)?,
        file_count: record.int("file_count")?,
        total_size: record.int("total_size")?,
        archived_count: record.int("archived_count")?,
        skipped_count,
        // An earlier release counts without reasons, also in the middle of an import.
        skipped: skipped(record)?.filter(|skipped| skipped.total() == skipped_count),
        working_folders: working_folders(record)?,
        failure,
        created_at: record.time("created_at")?,
        on_behalf_of: record.parse_opt("on_behalf_of", SubjectId::parse)?,
    })
}
