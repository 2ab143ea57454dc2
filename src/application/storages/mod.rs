//! Storages: the connections of a workspace that have passed their check.

pub mod built_in;

use crate::application::bucket::port::Bucket;
use crate::application::checks::Checks;
use crate::application::connections::Connections;
use crate::application::connections::errors::{changed_meanwhile, check_required, incomplete};
use crate::application::connections::input::ConnectionInput;
use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::kept::store::{StorageDeletion, Store, Window};
use crate::application::people::caller::{Admin, Member};
use crate::application::storages::built_in::BuiltIn;
use crate::domain::Invalid;
use crate::domain::check::{CheckReport, Step};
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::ids::{StorageId, StorageRef, WorkspaceId};
use crate::domain::people::workspace::Workspace;
use crate::domain::policy_document::{DocumentParameters, Documents};
use crate::domain::setup::Draft;
use crate::domain::storage::Storage;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

pub struct Storages {
    pub store: Arc<dyn Store>,
    pub connections: Arc<Connections>,
    pub checks: Arc<Checks>,
    pub files: Arc<dyn Bucket>,
    pub built_in: Arc<BuiltIn>,
}

/// A storage as it is shown: one of the workspace's, or the built-in one.
#[derive(Debug, Clone)]
pub struct StorageView {
    pub source: StorageSource,
    pub connection: Connection,
    pub is_default: bool,
}

/// Where a storage comes from.
#[derive(Debug, Clone)]
pub enum StorageSource {
    /// The product's own bucket. It has no record: no health, revision or projects that are counted.
    BuiltIn,
    /// One of the workspace's, from its setup.
    Own(Box<Storage>),
}

impl Storages {
    pub async fn get(&self, member: &Member, storage: &StorageRef) -> Result<StorageView> {
        let default = self.workspace(&member.workspace).await?.default_storage;
        Ok(match storage {
            StorageRef::BuiltIn => StorageView {
                source: StorageSource::BuiltIn,
                connection: self.built_in.of(&member.workspace)?.connection,
                is_default: default == StorageRef::BuiltIn,
            },
            StorageRef::Own(id) => view(self.load(&member.workspace, id).await?, &default),
        })
    }

    /// The built-in storage, where the operator has configured one.
    pub async fn built_in_if_any(&self, member: &Member) -> Result<Option<StorageView>> {
        match self.get(member, &StorageRef::BuiltIn).await {
            Ok(view) => Ok(Some(view)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The workspace's own storages, in the order they were added.
    pub async fn list(&self, member: &Member, window: &Window) -> Result<Vec<StorageView>> {
        let default = self.workspace(&member.workspace).await?.default_storage;
        let storages = self.store.list_storages(&member.workspace, window).await?;
        Ok(storages
            .into_iter()
            .map(|storage| view(storage, &default))
            .collect())
    }

    /// Changes the settings. All but the name must be checked again before the storage is used; bucket
    /// and prefix stay while a project uses it.
    pub async fn change(
        &self,
        admin: &Admin,
        id: &StorageId,
        input: ConnectionInput,
    ) -> Result<StorageView> {
        let workspace = admin.workspace();
        let storage = self.load(workspace, id).await?;
        let before = Draft::of(&storage.display_name, &storage.connection);
        let after = self.connections.apply(input, &before, id.as_str()).await?;
        if after.sign_in.by != before.sign_in.by {
            return Err(Error::field(
                "auth",
                Invalid::new(
                    "auth_is_fixed",
                    "How a storage signs in cannot be changed. Add another storage instead.",
                ),
            ));
        }
        let external_id = match &storage.connection.credentials {
            Credentials::Role { external_id, .. } => external_id.clone(),
            // Not used by a connection that has an access key.
            _ => crate::domain::connection::external_id::ExternalId::issue(),
        };
        let connection = after
            .connection(&external_id, id.as_str())
            .map_err(incomplete)?;
        if connection != storage.connection {
            self.refuse_moving(&storage, &connection)?;
            let stored = self
                .store
                .update_connection(workspace, id, &connection, storage.revision)
                .await?;
            if !stored {
                return Err(changed_meanwhile());
            }
            let owner = Owner::Storage(workspace.clone(), id.clone());
            self.files.forget(&owner).await;
        }
        if let Some(name) = after.display_name
            && name != storage.display_name
        {
            self.store.rename_storage(workspace, id, &name).await?;
        }
        self.get(admin.member(), &StorageRef::Own(id.clone())).await
    }

    fn refuse_moving(&self, storage: &Storage, next: &Connection) -> Result<()> {
        let now = &storage.connection;
        let moved = [
            ("bucket", now.bucket != next.bucket),
            ("prefix", now.settings.prefix != next.settings.prefix),
        ];
        let fields: Vec<FieldError> = moved
            .into_iter()
            .filter(|(_, moved)| *moved && storage.project_count > 0)
            .map(|(field, _)| {
                FieldError::new(
                    field,
                    Invalid::new(
                        "fixed_by_projects",
                        "Projects use this storage; its bucket and prefix are where their files are.",
                    ),
                )
            })
            .collect();
        if fields.is_empty() {
            return Ok(());
        }
        let mut error = in_use(storage.project_count);
        error.fields = fields;
        Err(error)
    }

    /// Deletes the storage. What is in the bucket stays.
    pub async fn delete(&self, admin: &Admin, id: &StorageId) -> Result<()> {
        match self.store.delete_storage(admin.workspace(), id).await? {
            StorageDeletion::Deleted => {
                let owner = Owner::Storage(admin.workspace().clone(), id.clone());
                self.files.end(&owner).await;
                Ok(())
            }
            StorageDeletion::NotFound => Err(Error::not_found("storage")),
            StorageDeletion::InUse(projects) => Err(in_use(projects)),
        }
    }

    /// Checks the connection again, and keeps what came of it as the storage's health.
    pub async fn check(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        wait: Duration,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        let bucket = match storage {
            StorageRef::BuiltIn => self.built_in.connected(admin.workspace()).await?,
            StorageRef::Own(id) => self.load(admin.workspace(), id).await?.connected(),
        };
        self.checks.run(bucket, wait, listener).await
    }

    /// The checks so far, newest first. The oldest is the one that its setup became a storage by.
    pub async fn list_checks(
        &self,
        admin: &Admin,
        id: &StorageId,
        window: &Window,
    ) -> Result<Vec<CheckReport>> {
        let workspace = admin.workspace();
        let storage = self.load(workspace, id).await?;
        let mut checks = self.store.list_checks(workspace, id, window).await?;
        if checks.len() < window.limit as usize
            && let Some(setup) = self.store.setup(workspace, &storage.setup).await?
            && let Some(first) = setup.last_check
            // Newest first: what comes after the window's ID is older than it.
            && window.after.as_deref().is_none_or(|after| first.as_str() < after)
        {
            checks.extend(self.store.check(workspace, &first).await?);
        }
        Ok(checks)
    }

    /// The check that the storage's health is from: for a new storage, the one of its setup.
    pub async fn last_check(&self, admin: &Admin, id: &StorageId) -> Result<Option<CheckReport>> {
        let storage = self.load(admin.workspace(), id).await?;
        Ok(match &storage.health.last_check {
            Some(check) => self.store.check(admin.workspace(), check).await?,
            None => None,
        })
    }

    /// The documents that the customer applied, filled in as for its setup.
    pub async fn documents(
        &self,
        admin: &Admin,
        id: &StorageId,
    ) -> Result<(Documents, DocumentParameters)> {
        let connection = self.load(admin.workspace(), id).await?.connection;
        let Credentials::Role {
            role_arn,
            external_id,
        } = connection.credentials
        else {
            return Err(Error::new(
                Kind::Conflict,
                "no_role",
                "This storage connects by an access key, so there is no role to make documents for.",
            ));
        };
        self.connections
            .documents(
                &external_id,
                &connection.bucket,
                &connection.settings,
                Some(&role_arn),
            )
            .await
    }

    pub async fn workspace(&self, workspace: &WorkspaceId) -> Result<Workspace> {
        self.store
            .workspace(workspace)
            .await?
            .ok_or_else(|| Error::not_found("workspace"))
    }

    pub async fn set_default(&self, admin: &Admin, storage: &StorageRef) -> Result<Workspace> {
        if !self
            .store
            .set_default_storage(admin.workspace(), storage)
            .await?
        {
            return Err(Error::not_found("storage"));
        }
        self.workspace(admin.workspace()).await
    }

    /// The bucket to use for a storage, now: refused while its present settings have not been checked.
    /// The row is read for each request, so a deleted or changed storage is never used from memory.
    pub async fn usable(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageRef,
    ) -> Result<ConnectedBucket> {
        match storage {
            StorageRef::BuiltIn => self.built_in.connected(workspace).await,
            StorageRef::Own(id) => {
                let storage = self.load(workspace, id).await?;
                if !storage.is_verified() {
                    return Err(check_required(
                        "The storage's settings have changed since its connection was checked.",
                    ));
                }
                Ok(storage.connected())
            }
        }
    }

    /// The storage that a request without one means.
    pub async fn default_of(&self, workspace: &WorkspaceId) -> Result<StorageRef> {
        Ok(self.workspace(workspace).await?.default_storage)
    }

    async fn load(&self, workspace: &WorkspaceId, id: &StorageId) -> Result<Storage> {
        self.store
            .storage(workspace, id)
            .await?
            .ok_or_else(|| Error::not_found("storage"))
    }
}

fn view(storage: Storage, default: &StorageRef) -> StorageView {
    StorageView {
        connection: storage.connection.clone(),
        is_default: default.own() == Some(&storage.id),
        source: StorageSource::Own(Box::new(storage)),
    }
}

/// Whether there is no such storage, rather than a failure to read it.
pub fn is_absent(error: &Error) -> bool {
    error.kind == Kind::NotFound || error.code == built_in::NOT_CONFIGURED
}

fn in_use(projects: i64) -> Error {
    Error::new(
        Kind::Conflict,
        "storage_in_use",
        match projects {
            1 => "One project uses this storage.".to_owned(),
            several => format!("{several} projects use this storage."),
        },
    )
    .remedy("Delete the projects first.")
    .member("project_count", projects)
}

impl StorageView {
    /// A storage that was made just now. It is not the default: only a later request makes it so.
    pub fn of_new(storage: Storage) -> Self {
        view(storage, &StorageRef::BuiltIn)
    }

    /// The built-in storage's name, as people see it.
    pub const BUILT_IN_NAME: &'static str = "Built-in storage";

    pub fn display_name(&self) -> &str {
        match &self.source {
            StorageSource::BuiltIn => Self::BUILT_IN_NAME,
            StorageSource::Own(storage) => storage.display_name.as_str(),
        }
    }

    /// How requests name it.
    pub fn reference(&self) -> StorageRef {
        match &self.source {
            StorageSource::BuiltIn => StorageRef::BuiltIn,
            StorageSource::Own(storage) => StorageRef::Own(storage.id.clone()),
        }
    }

    /// The record of a workspace's own storage.
    pub fn own(&self) -> Option<&Storage> {
        match &self.source {
            StorageSource::BuiltIn => None,
            StorageSource::Own(storage) => Some(storage),
        }
    }
}
