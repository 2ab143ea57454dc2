//! Workspaces: made, listed and deleted by the operator.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{Store, Window};
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::workspace::Workspace;

pub async fn create(store: &dyn Store, clock: &dyn Clock, name: Name) -> Result<Workspace> {
    let workspace = Workspace {
        id: WorkspaceId::generate(),
        name,
        default_storage: StorageRef::BuiltIn,
        created_at: clock.now(),
    };
    store.create_workspace(&workspace).await?;
    Ok(workspace)
}

pub async fn list(store: &dyn Store, window: &Window) -> Result<Vec<Workspace>> {
    Ok(store.list_workspaces(window).await?)
}

pub async fn get(store: &dyn Store, id: &WorkspaceId) -> Result<Workspace> {
    store.workspace(id).await?.ok_or_else(absent)
}

/// Deletes the workspace with all that is in it. Nothing changes in the customers' buckets.
pub async fn delete(store: &dyn Store, id: &WorkspaceId) -> Result<()> {
    if store.delete_workspace(id).await? {
        Ok(())
    } else {
        Err(absent())
    }
}

/// The answer to the operator for a workspace that does not exist.
pub fn absent() -> Error {
    Error::new(Kind::NotFound, "not_found", "There is no such workspace.")
}
