//! Workspaces: made, listed and deleted by the operator.

use crate::application::clock::Clock;
use crate::application::connections::change::Change;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{Store, StoreError, Window, WorkspaceContents};
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::metadata::Metadata;
use crate::domain::people::workspace::{Workspace, WorkspaceExternalId};
use std::sync::Arc;

/// A workspace to make.
#[derive(Debug)]
pub struct NewWorkspace {
    pub name: Name,
    pub external_id: Option<WorkspaceExternalId>,
    pub metadata: Metadata,
}

/// What is to be changed of a workspace.
#[derive(Debug)]
pub struct WorkspaceChange {
    pub name: Option<Name>,
    pub external_id: Change<WorkspaceExternalId>,
    /// Takes the place of all there was.
    pub metadata: Option<Metadata>,
}

pub struct Workspaces {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl Workspaces {
    /// 409 `external_id_taken` where another workspace has the same external ID.
    pub async fn create(&self, new: NewWorkspace, keep: Keep<'_, Workspace>) -> Result<Workspace> {
        let workspace = Workspace {
            id: WorkspaceId::generate(),
            name: new.name,
            external_id: new.external_id,
            metadata: new.metadata,
            default_storage: StorageRef::BuiltIn,
            created_at: self.clock.now(),
        };
        let answer = keep.answer(&workspace)?;
        match self
            .store
            .create_workspace(&workspace, answer.as_ref())
            .await
        {
            Ok(()) => Ok(workspace),
            // Its own ID is random: the external one is taken.
            Err(StoreError::Conflict(_)) if workspace.external_id.is_some() => {
                Err(external_id_taken())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Changes what the product says of a workspace.
    pub async fn change(&self, id: &WorkspaceId, change: WorkspaceChange) -> Result<Workspace> {
        let mut workspace = self.get(id).await?;
        if let Some(name) = change.name {
            workspace.name = name;
        }
        match change.external_id {
            Change::Keep => {}
            Change::Clear => workspace.external_id = None,
            Change::Set(external_id) => workspace.external_id = Some(external_id),
        }
        if let Some(metadata) = change.metadata {
            workspace.metadata = metadata;
        }
        match self.store.change_workspace(&workspace).await {
            Ok(true) => Ok(workspace),
            Ok(false) => Err(absent()),
            Err(StoreError::Conflict(_)) => Err(external_id_taken()),
            Err(error) => Err(error.into()),
        }
    }

    /// The workspace that the product knows by this ID.
    pub async fn by_external_id(&self, id: &WorkspaceExternalId) -> Result<Option<Workspace>> {
        Ok(self.store.workspace_by_external_id(id).await?)
    }

    /// The workspace with this ID, or else the one that the product knows by it.
    pub async fn named(&self, id: &str) -> Result<Option<Workspace>> {
        if let Ok(own) = WorkspaceId::parse(id)
            && let Some(workspace) = self.store.workspace(&own).await?
        {
            return Ok(Some(workspace));
        }
        match WorkspaceExternalId::parse(id) {
            Ok(external) => self.by_external_id(&external).await,
            Err(_) => Ok(None),
        }
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

    /// The same, and says how much there was.
    pub async fn erase(&self, id: &WorkspaceId) -> Result<WorkspaceContents> {
        self.store.erase_workspace(id).await?.ok_or_else(absent)
    }
}

fn external_id_taken() -> Error {
    Error::new(
        Kind::Conflict,
        "external_id_taken",
        "Another workspace has this external ID.",
    )
    .remedy("Use the workspace that has it: `GET /v1/workspaces?external_id=` finds it.")
}

/// The answer to the operator for a workspace that does not exist.
pub fn absent() -> Error {
    Error::new(Kind::NotFound, "not_found", "There is no such workspace.")
}
