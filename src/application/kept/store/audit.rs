//! The audit log.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::Window;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{AuditId, StorageId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditIntent, AuditResult, AuditedFile};
use crate::domain::people::subject::SubjectId;
use async_trait::async_trait;
use time::OffsetDateTime;

/// How many of its files each entry of a list holds.
pub const FILES_IN_LISTS: u32 = 10;

/// Which entries of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// `None`: of every workspace and of none.
    pub workspace: Option<WorkspaceId>,
    /// Those that name this file. Each then holds this file alone.
    pub key: Option<FileKey>,
    /// Those of this operation.
    pub action: Option<String>,
    /// What this one did: as in the entry's own words.
    pub actor: Option<Actor>,
    /// What was done for this person of the product's.
    pub on_behalf_of: Option<SubjectId>,
    pub result: Option<AuditResult>,
    /// Those from then on.
    pub since: Option<OffsetDateTime>,
    /// Those from before then.
    pub before: Option<OffsetDateTime>,
}

impl AuditFilter {
    /// Whether it asks for more than a workspace and a file.
    pub fn is_narrowed(&self) -> bool {
        let Self {
            workspace: _,
            key: _,
            action,
            actor,
            on_behalf_of,
            result,
            since,
            before,
        } = self;
        action.is_some()
            || actor.is_some()
            || on_behalf_of.is_some()
            || result.is_some()
            || since.is_some()
            || before.is_some()
    }
}

#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Stores what is about to be done. Again with the same ID: its action and files replace those before.
    async fn begin_audit(&self, intent: &AuditIntent) -> StoreResult<()>;
    /// Notes that the change is still worked on.
    async fn touch_audit(&self, intent: &AuditId, now: OffsetDateTime) -> StoreResult<()>;
    /// Deletes an intent whose request changed nothing that is written about.
    async fn discard_audit(&self, intent: &AuditId) -> StoreResult<()>;
    /// Intents that nobody has worked on since `before`, the oldest first.
    async fn abandoned_audits(
        &self,
        before: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<Vec<AuditIntent>>;
    /// Stores the entry about an abandoned intent and deletes the intent. False when the intent is not
    /// abandoned any more.
    async fn recover_audit(
        &self,
        intent: &AuditId,
        before: OffsetDateTime,
        entry: &AuditEntry,
    ) -> StoreResult<bool>;
    /// Stores an entry with its files, and deletes the intent that it is about.
    async fn append_audit(&self, entry: &AuditEntry, intent: Option<&AuditId>) -> StoreResult<()>;
    /// Newest first, each with its first [`FILES_IN_LISTS`] files.
    async fn list_audit(
        &self,
        filter: &AuditFilter,
        window: &Window,
    ) -> StoreResult<Vec<AuditEntry>>;
    /// The same, oldest first: those after the window's.
    async fn list_audit_oldest_first(
        &self,
        filter: &AuditFilter,
        window: &Window,
    ) -> StoreResult<Vec<AuditEntry>>;
    /// Who last put a changed connection of the storage into use between two times, and when.
    async fn connection_used_by(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> StoreResult<Option<(Actor, OffsetDateTime)>>;
    /// The files of an entry after the given position, in their order, with their positions. `None`:
    /// there is no such entry in the workspace.
    async fn list_audit_files(
        &self,
        workspace: Option<&WorkspaceId>,
        entry: &AuditId,
        window: &Window,
    ) -> StoreResult<Option<Vec<(u64, AuditedFile)>>>;
}
