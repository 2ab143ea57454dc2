//! Setups, until they become storages.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::idempotency::KeptAnswer;
use crate::application::kept::store::values::Window;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::ids::{CheckId, SetupId, WorkspaceId};
use crate::domain::setup::{Draft, Setup};
use crate::domain::storage::Storage;
use async_trait::async_trait;
use time::OffsetDateTime;

/// What came of completing a setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    Completed,
    /// The setup is no longer open at that revision with that check: somebody was faster.
    Changed,
    /// The workspace has as many storages as it may have, which are so many.
    TooMany(u32),
}

#[async_trait]
pub trait SetupStore: Send + Sync {
    /// Stores a new setup and records its external ID as used, permanently. `Conflict` when that ID was
    /// ever used before, by a setup that still exists or not.
    async fn create_setup(&self, setup: &Setup, answer: Option<&KeptAnswer>) -> StoreResult<()>;
    async fn setup(&self, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<Option<Setup>>;
    async fn list_setups(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Setup>>;
    /// Setups that have this in their name, in capitals or not. One without a name has its bucket's.
    async fn find_setups(
        &self,
        workspace: &WorkspaceId,
        name: &str,
        window: &Window,
    ) -> StoreResult<Vec<Setup>>;
    /// Open setups that have not expired at `now`, newest first.
    async fn list_open_setups(
        &self,
        workspace: &WorkspaceId,
        now: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<Vec<Setup>>;
    /// External IDs of the workspace's other setups that are open or have become storages, newest first.
    async fn other_external_ids(
        &self,
        workspace: &WorkspaceId,
        own: &ExternalId,
        limit: u32,
    ) -> StoreResult<Vec<(SetupId, ExternalId)>>;
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
    /// `revision`, and `check` is its latest check; and inserts the storage, if the workspace may have one more.
    async fn complete_setup(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        revision: i64,
        check: &CheckId,
        storage: &Storage,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<Completion>;
}
