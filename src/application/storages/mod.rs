//! Storages: the connections of a workspace that have passed their check.

pub mod built_in;
mod change;
pub mod health;
pub mod pending;
mod what_changed;

use crate::application::bucket::port::Bucket;
use crate::application::checks::{Checks, Patience};
use crate::application::clock::Clock;
use crate::application::connections::errors::{check_required, no_pending_change};
use crate::application::connections::{Connections, DocumentSignIn, DocumentsOf, DocumentsRole};
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::kept::store::{StorageDeletion, StorageSearch, Store, Window};
use crate::application::people::caller::{Admin, Member};
use crate::application::storages::built_in::BuiltIn;
use crate::application::storages::health::HealthDetail;
use crate::application::storages::pending::PendingView;
use crate::domain::Invalid;
use crate::domain::check::{CheckReport, Step};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::ids::{StorageId, StorageRef, WorkspaceId};
use crate::domain::overlap::{AddedStorage, Overlap, overlaps};
use crate::domain::people::reach::Touch;
use crate::domain::people::workspace::{Workspace, WorkspaceExternalId};
use crate::domain::policy_document::{DocumentParameters, Documents};
use crate::domain::rfc3339;
use crate::domain::storage::{PendingConnection, Quarantine, Storage};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

pub struct Storages {
    pub store: Arc<dyn Store>,
    pub connections: Arc<Connections>,
    pub checks: Arc<Checks>,
    pub files: Arc<dyn Bucket>,
    pub built_in: Arc<BuiltIn>,
    pub clock: Arc<dyn Clock>,
    pub quarantine: QuarantineMode,
}

/// What becomes of a storage whose role was found to let others in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuarantineMode {
    /// It is not used until a check passes.
    On,
    /// It goes on being used: its health says what was found. What was found is kept, so that the quarantine
    /// holds at once when the mode is changed.
    Warn,
}

/// A storage as it is shown: one of the workspace's, or the built-in one.
#[derive(Debug, Clone)]
pub struct StorageView {
    pub source: StorageSource,
    /// The one in use.
    pub connection: Connection,
    pub is_default: bool,
    /// For how many days it has had its access key, where that is too long.
    pub old_key_days: Option<i64>,
    /// The change that waits for its check. Only admins see it.
    pub pending: Option<PendingView>,
    /// Only where one storage is read.
    pub detail: HealthDetail,
    /// The workspace's other storages with some of its files. Only where one storage is read.
    pub overlaps: Vec<Overlap>,
}

/// A storage of any workspace.
#[derive(Debug, Clone)]
pub struct StorageOfAny {
    pub workspace: WorkspaceId,
    pub workspace_external_id: Option<WorkspaceExternalId>,
    pub view: StorageView,
}

/// Which of a storage's connections is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    InUse,
    /// The change that waits for its check.
    Pending,
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
        member.admit(storage, &[Touch::Storage])?;
        let default = self.workspace(&member.workspace).await?.default_storage;
        Ok(match storage {
            StorageRef::BuiltIn => StorageView {
                source: StorageSource::BuiltIn,
                connection: self.built_in.of(&member.workspace)?.connection,
                is_default: default == StorageRef::BuiltIn,
                old_key_days: None,
                pending: None,
                detail: HealthDetail::default(),
                overlaps: Vec::new(),
            },
            StorageRef::Own(id) => {
                let storage = self.load(&member.workspace, id).await?;
                let is_admin = member.is_admin();
                let pending = match is_admin {
                    true => self.store.pending(&member.workspace, id).await?,
                    false => None,
                };
                let detail = self.health_detail(&storage, is_admin).await?;
                let mut overlaps = self.overlaps(&storage).await?;
                overlaps.retain(|overlap| {
                    let other = StorageRef::Own(overlap.storage.clone());
                    member.reach.has_storage(&other)
                });
                let view = self.view(storage, pending, &default).await?;
                StorageView {
                    detail,
                    overlaps,
                    ..view
                }
            }
        })
    }

    /// The built-in storage, where there is one that the member reaches and the search finds.
    pub async fn built_in_found(
        &self,
        member: &Member,
        search: &StorageSearch,
    ) -> Result<Option<StorageView>> {
        let StorageSearch {
            workspace: _,
            health,
            external_id,
            bucket,
            name,
        } = search;
        let is_by_name = health.is_none() && external_id.is_none() && bucket.is_none();
        if !is_by_name || !member.reach.has_storage(&StorageRef::BuiltIn) {
            return Ok(None);
        }
        let view = self.built_in_if_any(member).await?;
        Ok(view.filter(|view| view.is_named(name.as_deref())))
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
        self.find(member, &StorageSearch::default(), window).await
    }

    /// The same, only those that match.
    pub async fn find(
        &self,
        member: &Member,
        search: &StorageSearch,
        window: &Window,
    ) -> Result<Vec<StorageView>> {
        let workspace = &member.workspace;
        let default = self.workspace(&member.workspace).await?.default_storage;
        let every = search.is_empty();
        let storages: Vec<Storage> = match every {
            true => self.store.list_storages(workspace, window).await?,
            false => {
                let search = StorageSearch {
                    workspace: Some(workspace.clone()),
                    ..search.clone()
                };
                let found = self.store.search_storages(&search, window).await?;
                found.into_iter().map(|found| found.storage).collect()
            }
        };
        let pending = match (member.is_admin(), every) {
            (true, true) => self.store.list_pending(workspace, window).await?,
            (true, false) => {
                let mut found = Vec::new();
                for storage in &storages {
                    found.extend(self.store.pending(workspace, &storage.id).await?);
                }
                found
            }
            (false, _) => Vec::new(),
        };
        let mut pending: HashMap<StorageId, PendingConnection> = pending
            .into_iter()
            .map(|pending| (pending.storage.clone(), pending))
            .collect();
        let mut views = Vec::with_capacity(storages.len());
        for storage in storages {
            let pending = pending.remove(&storage.id);
            let storage = self.in_force(storage);
            views.push(self.view(storage, pending, &default).await?);
        }
        Ok(views)
    }

    /// Storages of all workspaces, for the operator and for keys of the product. Changes that wait for a check
    /// are left out.
    pub async fn search(
        &self,
        search: &StorageSearch,
        window: &Window,
    ) -> Result<Vec<StorageOfAny>> {
        let found = self.store.search_storages(search, window).await?;
        let mut views = Vec::with_capacity(found.len());
        for found in found {
            let storage = self.in_force(found.storage);
            views.push(StorageOfAny {
                workspace: storage.workspace.clone(),
                workspace_external_id: found.workspace_external_id,
                view: self.view(storage, None, &found.default).await?,
            });
        }
        Ok(views)
    }

    /// Deletes the storage. What is in the bucket stays. Where it is the default, `next` is so from then on.
    pub async fn delete(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        next: Option<&StorageRef>,
    ) -> Result<()> {
        let id = not_built_in(storage, "deleted")?;
        let on_behalf_of = admin.member().on_behalf_of.as_ref();
        let deleted = self
            .store
            .delete_storage(admin.workspace(), id, next, on_behalf_of)
            .await;
        match deleted? {
            StorageDeletion::Deleted => {
                let owner = Owner::Storage(admin.workspace().clone(), id.clone());
                self.files.end(&owner).await;
                Ok(())
            }
            StorageDeletion::NotFound => Err(Error::not_found("storage")),
            StorageDeletion::InUse(projects) => Err(in_use(projects)),
            StorageDeletion::IsDefault => Err(Error::new(
                Kind::Conflict,
                "storage_is_default",
                "This storage is the workspace's default, and nothing says which one is to be the default after it.",
            )
            .because(Reason::StorageIsDefault)
            .remedy("Say it with the deletion: `default_storage_id` is another storage's ID, or `built-in`. Or choose another default first.")),
            StorageDeletion::NoSuchDefault => Err(Error::field(
                "default_storage_id",
                Invalid::new(
                    "no_such_storage",
                    "The workspace has no such storage besides the one that is deleted.",
                ),
            )),
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
        let patience = Patience::Change(wait);
        self.checks.run(bucket, patience, listener).await
    }

    /// The checks so far, newest first. The oldest is the one that its setup became a storage by.
    pub async fn list_checks(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        window: &Window,
    ) -> Result<Vec<CheckReport>> {
        let StorageRef::Own(id) = storage else {
            // Whether there is one. Its checks are kept nowhere.
            self.built_in.of(admin.workspace())?;
            return Ok(Vec::new());
        };
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

    /// The documents that the customer applies for a connection of the storage, filled in as for its setup.
    pub async fn documents(
        &self,
        admin: &Admin,
        id: &StorageId,
        which: Which,
    ) -> Result<(Documents, DocumentParameters)> {
        let storage = self.load(admin.workspace(), id).await?;
        let setup = storage.setup;
        let connection = match which {
            Which::InUse => storage.connection,
            Which::Pending => {
                let pending = self.store.pending(admin.workspace(), id).await?;
                pending.ok_or_else(no_pending_change)?.connection
            }
        };
        let (external_id, sign_in) = match &connection.credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => (
                external_id.clone(),
                DocumentSignIn::Role(DocumentsRole::entered(role_arn)),
            ),
            // The connection needs no external ID; names and tags are made of the setup's.
            Credentials::AccessKey { endpoint, .. } => {
                let setup = self.store.setup(admin.workspace(), &setup).await?;
                let setup = setup.ok_or_else(|| Error::not_found("setup"))?;
                let sign_in = DocumentSignIn::AccessKey {
                    at_store: endpoint.is_some(),
                    path: setup.draft.sign_in.role_path,
                };
                (setup.external_id, sign_in)
            }
            Credentials::Service => return Err(Error::not_found("document")),
        };
        self.connections
            .documents(DocumentsOf {
                workspace: Some(admin.workspace()),
                setup: Some(&setup),
                external_id: &external_id,
                bucket: &connection.bucket,
                settings: &connection.settings,
                sign_in,
            })
            .await
    }

    /// The documents of any storage, with the name of its bucket. For the built-in storage: what the
    /// service's own identity needs for this workspace's part of the bucket.
    pub async fn documents_of(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        which: Which,
    ) -> Result<(Documents, BucketName)> {
        match (storage, which) {
            (StorageRef::BuiltIn, Which::InUse) => {
                let connection = self.built_in.of(admin.workspace())?.connection;
                let documents = self
                    .connections
                    .built_in_documents(admin.workspace(), &connection)
                    .await?;
                Ok((documents, connection.bucket))
            }
            (StorageRef::BuiltIn, Which::Pending) => Err(no_pending_change()),
            (StorageRef::Own(id), which) => {
                let (documents, parameters) = self.documents(admin, id, which).await?;
                Ok((documents, parameters.bucket))
            }
        }
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

    /// The bucket to use for a storage, now: refused while its present settings have not been checked, and
    /// while it is in quarantine.
    /// The row is the one that this process knows: what it has changed itself is in it, and what another process has
    /// changed is within a second. So no deleted or changed storage is used from memory for longer.
    pub async fn usable(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageRef,
    ) -> Result<ConnectedBucket> {
        match storage {
            StorageRef::BuiltIn => self.built_in.connected(workspace).await,
            StorageRef::Own(id) => {
                let storage = self.store.known_storage(workspace, id).await?;
                let storage = storage.ok_or_else(|| Error::not_found("storage"))?;
                let storage = self.in_force(storage);
                if let Some(quarantine) = &storage.quarantine {
                    return Err(quarantined(quarantine));
                }
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
        let storage = self.store.storage(workspace, id).await?;
        let storage = storage.ok_or_else(|| Error::not_found("storage"))?;
        Ok(self.in_force(storage))
    }

    /// The storage with its quarantine, where that counts.
    fn in_force(&self, storage: Storage) -> Storage {
        match self.quarantine {
            QuarantineMode::On => storage,
            QuarantineMode::Warn => Storage {
                quarantine: None,
                ..storage
            },
        }
    }

    async fn view(
        &self,
        storage: Storage,
        pending: Option<PendingConnection>,
        default: &StorageRef,
    ) -> Result<StorageView> {
        let pending = match pending {
            None => None,
            Some(pending) => {
                let last_check = match &pending.last_check {
                    Some(check) => self.store.check(&storage.workspace, check).await?,
                    None => None,
                };
                let has_new_secret = !self.connections.is_same_secret(
                    &storage.connection.credentials,
                    &pending.connection.credentials,
                );
                let view =
                    PendingView::of(&storage.connection, pending, last_check, has_new_secret)?;
                Some(view)
            }
        };
        Ok(StorageView {
            connection: storage.connection.clone(),
            is_default: default.own() == Some(&storage.id),
            old_key_days: storage.old_access_key_days(self.clock.now()),
            source: StorageSource::Own(Box::new(storage)),
            pending,
            detail: HealthDetail::default(),
            overlaps: Vec::new(),
        })
    }

    /// The other storages with some of this one's files.
    async fn overlaps(&self, storage: &Storage) -> Result<Vec<Overlap>> {
        let connection = &storage.connection;
        let (workspace, bucket) = (&storage.workspace, &connection.bucket);
        let buckets = std::slice::from_ref(bucket);
        let mut others = self.store.storages_of_buckets(workspace, buckets).await?;
        others.retain(|other| other.id != storage.id);
        let endpoint = connection.endpoint();
        let prefix = &connection.settings.prefix;
        Ok(overlaps(bucket, prefix, endpoint, &others))
    }

    async fn forget(&self, workspace: &WorkspaceId, id: &StorageId) {
        let owner = Owner::Storage(workspace.clone(), id.clone());
        self.files.forget(&owner).await;
    }
}

/// One of the workspace's own storages: the built-in one is the product's and stays as it is.
pub fn not_built_in<'a>(storage: &'a StorageRef, done: &str) -> Result<&'a StorageId> {
    storage.own().ok_or_else(|| {
        Error::new(
            Kind::Conflict,
            "built_in_storage",
            format!("The built-in storage belongs to the product and cannot be {done}."),
        )
        .remedy("Connect a bucket of your own, or make another storage the default.")
    })
}

fn quarantined(quarantine: &Quarantine) -> Error {
    let Quarantine { since, check, code } = quarantine;
    let since = rfc3339::text(*since);
    Error::new(
        Kind::Conflict,
        "storage_quarantined",
        "This storage is not used, because a check found that its role lets others in.",
    )
    .remedy("A workspace admin finds in the check's report what to change in the role's trust policy. The storage is used again as soon as a check passes.")
    .member(
        "quarantine",
        json!({"since": since, "check_id": check.as_str(), "code": code}),
    )
}

/// Whether there is no such storage, rather than a failure to read it.
pub fn is_absent(error: &Error) -> bool {
    error.kind == Kind::NotFound || error.reason == Some(Reason::NoBuiltInStorage)
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
    .because(Reason::StorageInUse)
    .remedy("Delete the projects first.")
    .member("project_count", projects)
}

impl StorageView {
    /// A storage that was made just now. It is not the default: only a later request makes it so.
    pub fn of_new(added: AddedStorage) -> Self {
        let AddedStorage { storage, overlaps } = added;
        Self {
            overlaps,
            connection: storage.connection.clone(),
            is_default: false,
            old_key_days: None,
            source: StorageSource::Own(Box::new(storage)),
            pending: None,
            detail: HealthDetail::default(),
        }
    }

    /// The built-in storage's name, as people see it.
    pub const BUILT_IN_NAME: &'static str = "Built-in storage";

    pub fn display_name(&self) -> &str {
        match &self.source {
            StorageSource::BuiltIn => Self::BUILT_IN_NAME,
            StorageSource::Own(storage) => storage.display_name.as_str(),
        }
    }

    /// Whether it has this in its name, in capitals or not.
    pub fn is_named(&self, part: Option<&str>) -> bool {
        let folded = self.display_name().to_lowercase();
        part.is_none_or(|part| folded.contains(&part.to_lowercase()))
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
