//! The web origins that workspaces allow.

use crate::application::kept::store::error::StoreResult;
use crate::domain::ids::WorkspaceId;
use crate::domain::origin::OriginPattern;
use async_trait::async_trait;

#[async_trait]
pub trait OriginStore: Send + Sync {
    /// The origins that the workspace allows, in their order. Empty where there is no such workspace.
    async fn workspace_origins(&self, workspace: &WorkspaceId) -> StoreResult<Vec<OriginPattern>>;
    /// The same as this process knows it: what another process has changed within the last second may be missing.
    async fn known_origins(&self, workspace: &WorkspaceId) -> StoreResult<Vec<OriginPattern>>;
    /// Replaces them all. False when there is no such workspace.
    async fn set_workspace_origins(
        &self,
        workspace: &WorkspaceId,
        origins: &[OriginPattern],
    ) -> StoreResult<bool>;
    /// Whether any workspace allows one that is written like one of these.
    async fn any_workspace_allows(&self, texts: &[String]) -> StoreResult<bool>;
}
