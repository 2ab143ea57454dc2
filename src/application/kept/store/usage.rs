//! What workspaces use, and when tokens and keys were last used.

use crate::application::kept::store::error::StoreResult;
use crate::domain::ids::{KeyId, TokenId, WorkspaceId};
use crate::domain::people::usage::{DayUsage, UsageDay};
use async_trait::async_trait;
use time::OffsetDateTime;

#[async_trait]
pub trait UsageStore: Send + Sync {
    /// Adds to what workspaces have used on days. Workspaces that are gone are left out.
    async fn add_usage(&self, uses: &[(WorkspaceId, DayUsage)]) -> StoreResult<()>;
    /// What the workspace used from one day to another, both included, in their order. Days without any use are
    /// left out.
    async fn usage(
        &self,
        workspace: &WorkspaceId,
        from: UsageDay,
        to: UsageDay,
    ) -> StoreResult<Vec<DayUsage>>;
    /// Writes down that these were used. A later time that is there stays.
    async fn note_uses(
        &self,
        tokens: &[TokenId],
        keys: &[KeyId],
        at: OffsetDateTime,
    ) -> StoreResult<()>;
}
