//! Which setups wait for their role.

use crate::application::kept::store::error::StoreResult;
use crate::domain::check::CheckReport;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::role_wait::{RoleWait, TryOutcome};
use async_trait::async_trait;
use time::OffsetDateTime;

/// How many tries may be begun, by all replicas together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryPace {
    /// Only one in this time for each workspace.
    pub apart: time::Duration,
    /// For all workspaces together in that time.
    pub most: u32,
    /// When a try is made again by whoever finds it, if the one who took it has died.
    pub lease: time::Duration,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryResult {
    pub outcome: TryOutcome,
    /// When it is tried next; `None`: no more.
    pub due: Option<OffsetDateTime>,
}

#[async_trait]
pub trait RoleWaitStore: Send + Sync {
    /// The setup waits for this role from now on, first tried at `due`. Nothing happens where it does already,
    /// or where the role has appeared; what it waited for before is forgotten.
    async fn wait_for_role(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        role: &RoleArn,
        now: OffsetDateTime,
        due: OffsetDateTime,
    ) -> StoreResult<()>;
    /// The setup waits for no role.
    async fn wait_for_no_role(&self, workspace: &WorkspaceId, setup: &SetupId) -> StoreResult<()>;
    async fn role_wait(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<RoleWait>>;
    /// How many setups of all workspaces wait for their role.
    async fn count_role_waits(&self) -> StoreResult<u64>;
    /// Somebody watches until `until`: the next try is made within `pause` of the last one.
    async fn watch_role(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        now: OffsetDateTime,
        until: OffsetDateTime,
        pause: time::Duration,
    ) -> StoreResult<()>;
    /// Takes the waits that are due and that the pace permits, at most one of a workspace and none of a suspended
    /// one, and counts a try of each. Replicas never take more together than the pace permits.
    async fn begin_role_tries(
        &self,
        now: OffsetDateTime,
        pace: TryPace,
    ) -> StoreResult<Vec<RoleWait>>;
    /// Stores what came of a try, if the setup still waits for this role.
    async fn record_role_try(&self, wait: &RoleWait, result: TryResult) -> StoreResult<()>;
    /// The setup's role has let the service in: stored once, whether the setup waited or not.
    async fn record_role(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        role: &RoleArn,
        now: OffsetDateTime,
    ) -> StoreResult<()>;
    /// The setup's checks, oldest first, those after `after`.
    async fn checks_of_setup(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        after: Option<&CheckId>,
        limit: u32,
    ) -> StoreResult<Vec<CheckReport>>;
    /// The storage that the setup has become.
    async fn storage_of_setup(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<StorageId>>;
    /// The setup's dialog is open at this time. `begins`: it was opened there. Of setups that were not, nothing
    /// is kept.
    async fn dialog_is_open(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        now: OffsetDateTime,
        begins: bool,
    ) -> StoreResult<()>;
}
