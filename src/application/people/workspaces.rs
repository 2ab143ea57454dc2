//! Workspaces: made, listed and deleted by the operator.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{Store, Window, WorkspaceContents};
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::workspace::Workspace;
use std::sync::Arc;

pub struct Workspaces {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl Workspaces {
    pub async fn create(&self, name: Name, keep: Keep<'_, Workspace>) -> Result<Workspace> {
        let workspace = Workspace {
            id: WorkspaceId::generate(),
            name,
            default_storage: StorageRef::BuiltIn,
            created_at: self.clock.now(),
        };
        let answer = keep.answer(&workspace)?;
        self.store
            .create_workspace(&workspace, answer.as_ref())
            .await?;
        Ok(workspace)
    }

    pub async fn list(&self, window: &Window) -> Result<Vec<Workspace>> {
        Ok(self.store.list_workspaces(window).await?)
    }

    pub async fn get(&self, id: &WorkspaceId) -> Result<Workspace> {
        self.store.workspace(id).await?.ok_or_else(absent)
    }

    /// Deletes the workspace with all that is in it. Nothing changes in the customers' buckets.
    pub async fn delete(&self, id: &WorkspaceId) -> Result<()> {
        if self.store.delete_workspace(id).await? {
            Ok(())
        } else {
            Err(absent())
        }
    }
}

impl Workspaces {
    /// The same, and says how much there was.
    pub async fn erase(&self, id: &WorkspaceId) -> Result<WorkspaceContents> {
        self.store.erase_workspace(id).await?.ok_or_else(absent)
    }
}

/// The answer to the operator for a workspace that does not exist.
pub fn absent() -> Error {
    Error::new(Kind::NotFound, "not_found", "There is no such workspace.")
}
