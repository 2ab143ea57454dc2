//! What the use cases need from a database.
//!
//! Two engines implement these traits, and one set of contract tests runs on both. Promises that hold
//! for every method:
//! - a method that takes a workspace sees and changes only that workspace's rows; another workspace's
//!   ID behaves as an absent one;
//! - a method either has all of its effect or none, also when the process is killed in it;
//! - rows are parsed back into domain types; one that does not parse is [`StoreError::Damaged`], never
//!   a default.
//!
//! Times are kept in whole microseconds. Lists are ordered by ID, which is the order of creation.

use crate::domain::check::CheckReport;
use crate::domain::connection::Connection;
use crate::domain::ids::{CheckId, ProjectId, SessionId, SetupId, StorageId, TokenId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::AuditEntry;
use crate::domain::people::sign_in::{InstructionLink, Session, SignInLink};
use crate::domain::people::workspace::{ApiToken, Workspace};
use crate::domain::project::{ImportFailure, Progress, Project, ProjectFile};
use crate::domain::setup::{Draft, Setup};
use crate::domain::storage::Storage;
use async_trait::async_trait;
use time::OffsetDateTime;

pub type StoreResult<T> = Result<T, StoreError>;

/// Why the database did not do what was asked. Texts are for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or is too busy; the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A unique value exists already, or a row that this one needs is gone.
    #[error("the change conflicts with another: {0}")]
    Conflict(String),
    /// A stored row does not parse.
    #[error("the record {record} is damaged: {why}")]
    Damaged { record: String, why: String },
    #[error("the database failed: {0}")]
    Failed(String),
}

/// Which rows of a list: those after the row with the ID `after` (in the list's order), at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub after: Option<String>,
    pub limit: u32,
}

/// A hashed secret, as stored: SHA-256 of a token with 256 bits of randomness.
pub type SecretHash = [u8; 32];

#[async_trait]
pub trait WorkspaceStore: Send + Sync {
    async fn create_workspace(&self, workspace: &Workspace) -> StoreResult<()>;
    async fn workspace(&self, id: &WorkspaceId) -> StoreResult<Option<Workspace>>;
    async fn list_workspaces(&self, window: &Window) -> StoreResult<Vec<Workspace>>;
    /// Deletes the workspace and all that belongs to it, except its audit log and the record of the
    /// external IDs it used. False when there is none.
    async fn delete_workspace(&self, id: &WorkspaceId) -> StoreResult<bool>;
    /// False when the workspace, or the storage within it, does not exist. `None`: the built-in storage.
    async fn set_default_storage(
        &self,
        workspace: &WorkspaceId,
        storage: Option<&StorageId>,
    ) -> StoreResult<bool>;

    async fn create_token(&self, token: &ApiToken, hash: &SecretHash) -> StoreResult<()>;
    async fn list_tokens(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<ApiToken>>;
    /// The token with this hash, expired or not.
    async fn token_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<ApiToken>>;
    /// Removes it: from now on it opens nothing. False when there is none.
    async fn revoke_token(&self, workspace: &WorkspaceId, id: &TokenId) -> StoreResult<bool>;
}

/// What came of completing a setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    Completed,
    /// The setup is no longer open at that revision with that check: somebody was faster.
    Changed,
}

#[async_trait]
pub trait SetupStore: Send + Sync {
    /// Stores a new setup and records its external ID as used for ever. `Conflict` when that ID was
    /// ever used before, by a setup that still exists or not.
    async fn create_setup(&self, setup: &Setup) -> StoreResult<()>;
    async fn setup(&self, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<Option<Setup>>;
    async fn list_setups(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Setup>>;
    /// Open setups that have not expired at `now`, newest first.
    async fn list_open_setups(
        &self,
        workspace: &WorkspaceId,
        now: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<Vec<Setup>>;
    /// Replaces the draft and sets `revision`, if the setup is open and still at `expected_revision`.
    /// False otherwise.
    async fn update_draft(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        draft: &Draft,
        expected_revision: i64,
        revision: i64,
    ) -> StoreResult<bool>;
    /// Closes an open setup and erases its sealed secret. False when it is not open or does not exist.
    async fn close_setup(&self, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<bool>;
    /// In one transaction: marks the setup completed (and erases its sealed secret) if it is open, at
    /// `revision`, and `check` is its latest check; and inserts the storage.
    async fn complete_setup(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        revision: i64,
        check: &CheckId,
        storage: &Storage,
    ) -> StoreResult<Completion>;
}

/// What came of deleting a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    Deleted,
    NotFound,
    /// So many projects use it.
    InUse(i64),
}

/// What a check was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckTarget {
    Setup(SetupId),
    Storage(StorageId),
}

#[async_trait]
pub trait StorageStore: Send + Sync {
    async fn storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Option<Storage>>;
    async fn list_storages(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Storage>>;
    async fn rename_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
        name: &Name,
    ) -> StoreResult<bool>;
    /// Replaces the connection and raises the revision by one, if it is still `expected_revision`; when
    /// `bucket` or `prefix` differ, only while no project uses the storage. False otherwise.
    async fn update_connection(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
        connection: &Connection,
        expected_revision: i64,
    ) -> StoreResult<bool>;
    /// Deletes a storage that no project uses, with its checks; where it was the default, the built-in
    /// storage becomes so.
    async fn delete_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Deletion>;

    /// Stores the report and, in the same transaction, its effect: on a setup, `last_check`; on a
    /// storage, its health (`since` moves only when the state changes), and, when it passed at the
    /// present revision, `verified_revision` and the Region it found. A report of an older revision of
    /// a storage is stored without effect. False when the target does not exist.
    async fn record_check(
        &self,
        workspace: &WorkspaceId,
        target: &CheckTarget,
        report: &CheckReport,
    ) -> StoreResult<bool>;
    async fn check(
        &self,
        workspace: &WorkspaceId,
        id: &CheckId,
    ) -> StoreResult<Option<CheckReport>>;
    /// Newest first: `after` names the last one seen.
    async fn list_checks(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        window: &Window,
    ) -> StoreResult<Vec<CheckReport>>;
    /// Takes at most `limit` storages whose next scheduled check is due at `now`, and moves it to
    /// `next`, so that no other replica takes them as well. A new storage is due at `created_at` plus
    /// nothing: the caller decides by `next` how often they come.
    async fn claim_due_checks(
        &self,
        now: OffsetDateTime,
        next: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<Vec<(WorkspaceId, StorageId)>>;
}

/// An import that goes on in the background. `source` and `cursor` are the import use case's own, in
/// its own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportJob {
    pub project: ProjectId,
    pub workspace: WorkspaceId,
    pub source: String,
    /// How far it is; `None` at the beginning.
    pub cursor: Option<String>,
    pub progress: Progress,
}

/// One step of an import, stored as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportStep {
    pub files: Vec<ProjectFile>,
    /// How many keys this step left out because they were missing.
    pub skipped: i64,
    pub cursor: String,
    pub progress: Progress,
    pub lease_until: OffsetDateTime,
}

#[async_trait]
pub trait ProjectStore: Send + Sync {
    /// Stores a project with its files (a ready one), or with the job that will import them.
    /// `Conflict` when its storage does not exist in the workspace or is not at `storage_revision` any
    /// more: the files were looked up in the bucket of that revision. The built-in storage has no
    /// revisions. `file_count` and `total_size` are taken from the project.
    async fn create_project(
        &self,
        project: &Project,
        storage_revision: i64,
        files: &[ProjectFile],
        import: Option<&ImportJob>,
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

    /// Takes one import that nobody works on (its lease, if any, ended before `now`) and leases it to
    /// `worker` until `lease_until`.
    async fn claim_import(
        &self,
        worker: &str,
        now: OffsetDateTime,
        lease_until: OffsetDateTime,
    ) -> StoreResult<Option<ImportJob>>;
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
    /// Lets another worker take the import at once.
    async fn release_import(&self, worker: &str, project: &ProjectId) -> StoreResult<()>;
}

#[async_trait]
pub trait AuditStore: Send + Sync {
    async fn append_audit(&self, entry: &AuditEntry) -> StoreResult<()>;
    /// Newest first. `None`: of every workspace and of none.
    async fn list_audit(
        &self,
        workspace: Option<&WorkspaceId>,
        window: &Window,
    ) -> StoreResult<Vec<AuditEntry>>;
}

/// What is known of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// Nobody used it: this caller holds it now.
    Started,
    /// Another request with it is under way.
    InProgress,
    /// It was answered: the fingerprint of the request, and the sealed answer.
    Answered {
        fingerprint: SecretHash,
        sealed_answer: Vec<u8>,
    },
}

#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Takes the key, unless it is held or answered. A holder older than `stale_before`, as after a
    /// killed process, loses it; an answer older than `forget_before` counts as never given.
    async fn begin_idempotent(
        &self,
        scope: &str,
        key: &str,
        fingerprint: &SecretHash,
        now: OffsetDateTime,
        stale_before: OffsetDateTime,
        forget_before: OffsetDateTime,
    ) -> StoreResult<Idempotency>;
    async fn answer_idempotent(
        &self,
        scope: &str,
        key: &str,
        sealed_answer: &[u8],
    ) -> StoreResult<()>;
    /// Gives the key back: the request changed nothing.
    async fn abandon_idempotent(&self, scope: &str, key: &str) -> StoreResult<()>;
}

/// How people come to the pages. A secret is known by its hash only.
#[async_trait]
pub trait SignInStore: Send + Sync {
    /// `Conflict` when the workspace is gone.
    async fn create_sign_in_link(&self, link: &SignInLink, hash: &SecretHash) -> StoreResult<()>;
    /// Takes the link with this hash, if it has not expired at `now`: nobody gets it twice.
    async fn take_sign_in_link(
        &self,
        hash: &SecretHash,
        now: OffsetDateTime,
    ) -> StoreResult<Option<SignInLink>>;

    async fn create_session(&self, session: &Session, hash: &SecretHash) -> StoreResult<()>;
    /// The session with this hash, expired or not.
    async fn session_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<Session>>;
    async fn touch_session(&self, id: &SessionId, seen_at: OffsetDateTime) -> StoreResult<()>;
    /// Ends it. False when there is none in the workspace.
    async fn end_session(&self, workspace: &WorkspaceId, id: &SessionId) -> StoreResult<bool>;
    async fn list_sessions(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Session>>;
    /// Forgets what ended before `before`: used or expired links, and expired sessions.
    async fn prune_sign_ins(&self, before: OffsetDateTime) -> StoreResult<()>;

    /// Replaces the setup's link, if there was one. `Conflict` when the setup is gone.
    async fn put_instruction_link(
        &self,
        link: &InstructionLink,
        hash: &SecretHash,
    ) -> StoreResult<()>;
    async fn instruction_link_by_hash(
        &self,
        hash: &SecretHash,
    ) -> StoreResult<Option<InstructionLink>>;
    async fn instruction_link_of(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<InstructionLink>>;
    /// Revokes the setup's link. False when there is none.
    async fn revoke_instruction_link(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<bool>;
}

/// The whole database.
#[async_trait]
pub trait Store:
    WorkspaceStore
    + SetupStore
    + StorageStore
    + ProjectStore
    + AuditStore
    + IdempotencyStore
    + SignInStore
{
    /// Whether it answers.
    async fn ping(&self) -> StoreResult<()>;
    /// The value stored under `name`, after storing `value` there if nothing was. One winner, also
    /// among replicas that start at the same time.
    async fn remember(&self, name: &str, value: &[u8]) -> StoreResult<Vec<u8>>;
}
