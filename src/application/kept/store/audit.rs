//! The audit log.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::Window;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::audit::AuditEntry;
use async_trait::async_trait;

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
