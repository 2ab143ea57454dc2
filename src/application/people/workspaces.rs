//! Workspaces: made, listed and deleted by the operator.

use crate::application::clock::Clock;
use crate::application::connections::change::Change;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{ErasedWorkspace, Store, StoreError, Window};
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::metadata::Metadata;
use crate::domain::people::standing::{
    NewState, Standing, StandingChange, Suspension, SuspensionReason, WorkspaceState,
};
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
    pub state: Option<WorkspaceState>,
    /// Why it is suspended, where that is its new state.
    pub reason: Option<SuspensionReason>,
    pub limits: LimitChanges,
}

/// What is to be changed of a workspace's limits. Cleared: there is none.
#[derive(Debug, Default)]
pub struct LimitChanges {
    pub storages: Change<u32>,
    pub requests_per_minute: Change<u32>,
    pub transfers: Change<u32>,
}

impl LimitChanges {
    /// Whether they leave every limit as it is.
    pub fn is_empty(&self) -> bool {
        self.storages.is_keep() && self.requests_per_minute.is_keep() && self.transfers.is_keep()
    }
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
            standing: Standing::default(),
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

    /// Changes what the product says of a workspace, and what the operator does: whether it is used, and its limits.
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
        let limits = change.limits;
        let standing = StandingChange {
            state: change.state.map(|state| match state {
                WorkspaceState::Active => NewState::Activate,
                WorkspaceState::Suspended => NewState::Suspend(Suspension {
                    since: self.clock.now(),
                    reason: change.reason,
                }),
            }),
            storages: limit(limits.storages),
            requests_per_minute: limit(limits.requests_per_minute),
            transfers: limit(limits.transfers),
        };
        match self.store.change_workspace(&workspace, &standing).await {
            Ok(true) if standing.is_empty() => Ok(workspace),
            // Its state may have been what was asked for before.
            Ok(true) => self.get(id).await,
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

    /// The workspace as this process knows it, to decide what somebody may do in it now: what another process has
    /// changed within the last second may be missing.
    pub async fn known(&self, id: &WorkspaceId) -> Result<Workspace> {
        self.store.known_workspace(id).await?.ok_or_else(absent)
    }

    /// The same by the product's ID.
    pub async fn known_by_external_id(
        &self,
        id: &WorkspaceExternalId,
    ) -> Result<Option<Workspace>> {
        Ok(self.store.known_workspace_by_external_id(id).await?)
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

    /// The same, also for one that was deleted before; takes from the audit log what names a person, and says how much
    /// there was.
    pub async fn erase(&self, id: &WorkspaceId) -> Result<ErasedWorkspace> {
        let now = self.clock.now();
        let erased = self.store.erase_workspace(id, now).await?;
        erased.ok_or_else(absent)
    }
}

fn limit(change: Change<u32>) -> Option<Option<u32>> {
    match change {
        Change::Keep => None,
        Change::Clear => Some(None),
        Change::Set(most) => Some(Some(most)),
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
