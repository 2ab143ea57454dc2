//! Projects, their files, and their imports.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::idempotency::KeptAnswer;
use crate::application::kept::store::jobs::NewJob;
use crate::application::kept::store::values::Window;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{ProjectId, StorageId, StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::project::{
    ImportFailure, Progress, Project, ProjectFile, ProjectStatus, Skipped,
};
use async_trait::async_trait;
use time::OffsetDateTime;

/// The projects that use a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectsOfStorage {
    pub count: u64,
    /// How many of them are importing files from it.
    pub importing: u64,
    /// The newest of them.
    pub newest: Vec<(ProjectId, Name)>,
}

/// The projects that have some of these files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectsOfFiles {
    pub count: u64,
    /// The newest of them.
    pub newest: Vec<(ProjectId, Name)>,
}

/// One step of an import, stored as a whole with the cursor of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportStep {
    pub files: Vec<ProjectFile>,
    /// How many keys this step left out: missing, archived, or without a file key.
    pub skipped: Skipped,
    pub cursor: String,
    pub progress: Progress,
    pub lease_until: OffsetDateTime,
}

/// Which projects a list has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFilter {
    /// Those that use this storage.
    pub storage: Option<StorageRef>,
    /// Those that have this in their name, in capitals or not.
    pub name: Option<String>,
}

#[async_trait]
pub trait ProjectStore: Send + Sync {
    /// Stores a project with its files, and with the job that will import more of them.
    /// `Conflict` when its storage does not exist in the workspace or is not at `storage_revision` any
    /// more: the files were looked up in the bucket of that revision. The built-in storage has no
    /// revisions. `file_count` and `total_size` are taken from the project.
    async fn create_project(
        &self,
        project: &Project,
        storage_revision: i64,
        files: &[ProjectFile],
        import: Option<&NewJob>,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()>;
    async fn project(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
    ) -> StoreResult<Option<Project>>;
    /// Newest first: `after` names the last one seen.
    async fn list_projects(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Project>>;
    /// The same of those that the filter leaves.
    async fn find_projects(
        &self,
        workspace: &WorkspaceId,
        filter: &ProjectFilter,
        window: &Window,
    ) -> StoreResult<Vec<Project>>;
    /// How many projects of all workspaces have each status. A status that none has may be absent.
    async fn count_projects(&self) -> StoreResult<Vec<(ProjectStatus, u64)>>;
    /// False when there is none.
    async fn rename_project(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        name: &Name,
    ) -> StoreResult<bool>;
    /// Those that use the storage, at most `named` of them by name.
    async fn projects_of_storage(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        named: u32,
    ) -> StoreResult<ProjectsOfStorage>;
    /// Those that have at least one of these files of the storage, at most `named` of them by name. None for
    /// no files.
    async fn projects_of_files(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageRef,
        keys: &[FileKey],
        named: u32,
    ) -> StoreResult<ProjectsOfFiles>;
    /// With its files and its import. False when there is none.
    async fn delete_project(&self, workspace: &WorkspaceId, id: &ProjectId) -> StoreResult<bool>;
    /// By position, those after `after`. Empty for another workspace's project.
    async fn project_files(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        after: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<ProjectFile>>;
    /// Which of these file keys the project has (`FileKey` paths, without the leading slash).
    async fn project_files_by_path(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        paths: &[String],
    ) -> StoreResult<Vec<ProjectFile>>;
    /// Adds files to a project that is ready and has `file_count` files; they are at the positions from there
    /// on. `Conflict` when that does not hold, or not any more.
    async fn add_project_files(
        &self,
        workspace: &WorkspaceId,
        id: &ProjectId,
        file_count: i64,
        files: &[ProjectFile],
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()>;

    /// Adds the step's files and counts to the project and moves the cursor, if `worker` still holds
    /// the lease. False when it does not, or when the project is gone.
    async fn advance_import(
        &self,
        worker: &str,
        project: &ProjectId,
        step: &ImportStep,
    ) -> StoreResult<bool>;
    /// Ends the import: ready, or failed, when the project's files are removed. False as above.
    async fn finish_import(
        &self,
        worker: &str,
        project: &ProjectId,
        failure: Option<&ImportFailure>,
    ) -> StoreResult<bool>;
}
