//! Setups: from an external ID to a storage.

pub mod browser_probe;
pub mod instructions;

use crate::application::checks::Checks;
use crate::application::clock::Clock;
use crate::application::connections::change::Change;
use crate::application::connections::input::{DraftChanges, DraftRules};
use crate::application::connections::principal::PrincipalSource;
use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::kept::store::{Completion, Store, StoreError, Window};
use crate::application::kept::vault::{Purpose, Vault};
use crate::application::people::caller::Admin;
use crate::domain::Invalid;
use crate::domain::check::{CheckReport, Step};
use crate::domain::connection::access_key::SealedSecret;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials};
use crate::domain::ids::{SetupId, StorageId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::origin::Origin;
use crate::domain::people::sign_in::InstructionLink;
use crate::domain::policy_document::{DocumentParameters, Documents, PolicyTemplates};
use crate::domain::setup::{Draft, Setup, SetupStatus};
use crate::domain::storage::{Health, Storage};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

pub struct Setups {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub policies: Arc<PolicyTemplates>,
    pub principal: Arc<PrincipalSource>,
    pub checks: Arc<Checks>,
    pub clock: Arc<dyn Clock>,
    pub origins: Vec<Origin>,
    /// How long a setup stays open.
    pub lifetime: Duration,
}

/// A setup as its admin sees it.
#[derive(Debug, Clone)]
pub struct SetupView {
    pub setup: Setup,
    pub status: SetupStatus,
    pub principal: ServicePrincipal,
    pub last_check: Option<CheckReport>,
}

impl SetupView {
    /// Whether the last check is of exactly the present settings.
    pub fn check_is_current(&self) -> bool {
        self.last_check
            .as_ref()
            .is_some_and(|check| check.revision == self.setup.revision)
    }
}

impl Setups {
    /// Opens a setup with a new external ID.
    pub async fn open(&self, admin: &Admin, changes: DraftChanges) -> Result<SetupView> {
        let principal = self.principal.get().await?;
        let id = SetupId::generate();
        let draft = self.apply(changes, &Draft::default(), &id).await?;
        let now = self.clock.now();
        let mut setup = Setup {
            id,
            workspace: admin.workspace().clone(),
            status: SetupStatus::Open,
            external_id: ExternalId::issue(),
            draft,
            revision: 1,
            last_check: None,
            created_at: now,
            expires_at: now + self.lifetime,
        };
        // The database refuses an ID that was ever used. With 122 random bits that does not happen by
        // chance; a broken generator would be caught here.
        if let Err(StoreError::Conflict(_)) = self.store.create_setup(&setup).await {
            setup.external_id = ExternalId::issue();
            self.store.create_setup(&setup).await?;
        }
        Ok(SetupView {
            status: SetupStatus::Open,
            setup,
            principal,
            last_check: None,
        })
    }

    pub async fn get(&self, admin: &Admin, id: &SetupId) -> Result<SetupView> {
        let setup = self.load(admin.workspace(), id).await?;
        self.view(setup).await
    }

    pub async fn list(&self, admin: &Admin, window: &Window) -> Result<Vec<SetupView>> {
        let setups = self.store.list_setups(admin.workspace(), window).await?;
        let mut views = Vec::with_capacity(setups.len());
        for setup in setups {
            views.push(self.view(setup).await?);
        }
        Ok(views)
    }

    /// The setups that can be resumed, newest first, at most 20.
    pub async fn list_open(&self, admin: &Admin) -> Result<Vec<SetupView>> {
        const MOST: u32 = 20;
        let now = self.clock.now();
        let setups = self
            .store
            .list_open_setups(admin.workspace(), now, MOST)
            .await?;
        let mut views = Vec::with_capacity(setups.len());
        for setup in setups {
            views.push(self.view(setup).await?);
        }
        Ok(views)
    }

    /// Changes what was typed. Bad fields are all named, and then nothing is changed.
    pub async fn change(
        &self,
        admin: &Admin,
        id: &SetupId,
        changes: DraftChanges,
    ) -> Result<SetupView> {
        self.change_in(admin.workspace(), id, changes).await
    }

    async fn change_in(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        changes: DraftChanges,
    ) -> Result<SetupView> {
        let mut setup = self.load_open(workspace, id).await?;
        let draft = self.apply(changes, &setup.draft, &setup.id).await?;
        let renamed = Draft {
            display_name: draft.display_name.clone(),
            ..setup.draft.clone()
        };
        // A new name needs no new check.
        let revision = setup.revision + i64::from(draft != renamed);
        if draft != setup.draft {
            let stored = self
                .store
                .update_draft(workspace, id, &draft, setup.revision, revision)
                .await?;
            if !stored {
                return Err(changed_meanwhile());
            }
        }
        setup.draft = draft;
        setup.revision = revision;
        self.view(setup).await
    }

    /// Closes the setup: its external ID will never be used.
    pub async fn close(&self, admin: &Admin, id: &SetupId) -> Result<()> {
        let setup = self.load(admin.workspace(), id).await?;
        match setup.status {
            SetupStatus::Closed => Ok(()),
            SetupStatus::Completed => Err(not_open(SetupStatus::Completed)),
            _ => {
                self.store.close_setup(admin.workspace(), id).await?;
                Ok(())
            }
        }
    }

    /// Every document, filled in. Needs the bucket's name.
    pub async fn documents(
        &self,
        admin: &Admin,
        id: &SetupId,
    ) -> Result<(Documents, DocumentParameters)> {
        let setup = self.load(admin.workspace(), id).await?;
        self.documents_of(&setup).await
    }

    async fn documents_of(&self, setup: &Setup) -> Result<(Documents, DocumentParameters)> {
        let principal = self.principal.get().await?;
        let parameters = self.parameters(setup, principal)?;
        let documents = self.policies.documents(&parameters).map_err(Error::bug)?;
        Ok((documents, parameters))
    }

    /// The setup that a link for the AWS administrator is about. The link stands for
    /// the permission: whoever made it was an admin.
    pub(super) async fn of_link(&self, link: &InstructionLink) -> Result<SetupView> {
        let setup = self.load(&link.workspace, &link.setup).await?;
        self.view(setup).await
    }

    /// The documents of the link's setup.
    pub(super) async fn documents_of_link(
        &self,
        link: &InstructionLink,
    ) -> Result<(Documents, DocumentParameters)> {
        let setup = self.load_open(&link.workspace, &link.setup).await?;
        self.documents_of(&setup).await
    }

    /// The one change that a link permits.
    pub(super) async fn set_role_arn_by_link(
        &self,
        link: &InstructionLink,
        role_arn: String,
    ) -> Result<SetupView> {
        let changes = DraftChanges {
            role_arn: Change::Set(role_arn),
            ..DraftChanges::default()
        };
        self.change_in(&link.workspace, &link.setup, changes).await
    }

    /// Checks the connection that the setup describes.
    pub async fn check(
        &self,
        admin: &Admin,
        id: &SetupId,
        wait: Duration,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        let setup = self.load_open(admin.workspace(), id).await?;
        let bucket = setup.connection().map_err(incomplete)?;
        self.checks.run(bucket, wait, listener).await
    }

    /// Makes the storage, if the latest check passed for exactly these settings.
    pub async fn complete(&self, admin: &Admin, id: &SetupId) -> Result<Storage> {
        let (setup, check) = self.passed(admin, id).await?;
        let bucket = setup.connection().map_err(incomplete)?;
        let storage_id = StorageId::generate();
        let connection = Connection {
            region: check.region.or(bucket.connection.region),
            credentials: self.reseal(bucket.connection.credentials, &storage_id)?,
            ..bucket.connection
        };
        let now = self.clock.now();
        let storage = Storage {
            id: storage_id,
            workspace: setup.workspace.clone(),
            setup: setup.id.clone(),
            display_name: match setup.draft.display_name {
                Some(name) => name,
                None => default_name(&connection)?,
            },
            connection,
            revision: 1,
            verified_revision: 1,
            health: Health {
                state: check.outcome().into(),
                since: check.started_at,
                last_check: Some(check.id.clone()),
            },
            project_count: 0,
            created_at: now,
        };
        match self
            .store
            .complete_setup(admin.workspace(), id, setup.revision, &check.id, &storage)
            .await?
        {
            Completion::Completed => Ok(storage),
            Completion::Changed => Err(changed_meanwhile()),
        }
    }

    /// The bucket of an open setup whose present settings have passed a check, in the Region that the
    /// check found.
    pub(super) async fn passed_bucket(
        &self,
        admin: &Admin,
        id: &SetupId,
    ) -> Result<ConnectedBucket> {
        let (setup, check) = self.passed(admin, id).await?;
        let mut bucket = setup.connection().map_err(incomplete)?;
        bucket.connection.region = check.region.or(bucket.connection.region);
        Ok(bucket)
    }

    /// An open setup with its latest check, which passed for exactly its present settings.
    async fn passed(&self, admin: &Admin, id: &SetupId) -> Result<(Setup, CheckReport)> {
        let setup = self.load_open(admin.workspace(), id).await?;
        let check = match &setup.last_check {
            Some(check) => self.store.check(admin.workspace(), check).await?,
            None => None,
        };
        let check =
            check.ok_or_else(|| check_required("The connection has not been checked yet."))?;
        if check.revision != setup.revision {
            return Err(check_required(
                "The settings have changed since the connection was checked.",
            ));
        }
        if !check.outcome().is_pass() {
            return Err(check_required("The last check of the connection failed."));
        }
        Ok((setup, check))
    }

    async fn load(&self, workspace: &WorkspaceId, id: &SetupId) -> Result<Setup> {
        self.store
            .setup(workspace, id)
            .await?
            .ok_or_else(|| Error::not_found("setup"))
    }

    async fn load_open(&self, workspace: &WorkspaceId, id: &SetupId) -> Result<Setup> {
        let setup = self.load(workspace, id).await?;
        match setup.status_at(self.clock.now()) {
            SetupStatus::Open => Ok(setup),
            status => Err(not_open(status)),
        }
    }

    async fn view(&self, setup: Setup) -> Result<SetupView> {
        let last_check = match &setup.last_check {
            Some(check) => self.store.check(&setup.workspace, check).await?,
            None => None,
        };
        Ok(SetupView {
            status: setup.status_at(self.clock.now()),
            principal: self.principal.get().await?,
            last_check,
            setup,
        })
    }

    async fn apply(&self, changes: DraftChanges, draft: &Draft, id: &SetupId) -> Result<Draft> {
        let rules = DraftRules {
            principal: &self.principal,
            policies: &self.policies,
            vault: &self.vault,
        };
        changes.apply(draft, id.as_str(), rules).await
    }

    fn parameters(&self, setup: &Setup, principal: ServicePrincipal) -> Result<DocumentParameters> {
        let draft = &setup.draft;
        let bucket = draft
            .bucket
            .clone()
            .ok_or_else(|| incomplete(vec!["bucket"]))?;
        Ok(DocumentParameters {
            partition: draft
                .role_arn
                .as_ref()
                .map(RoleArn::partition)
                .or(draft.region.map(Region::partition))
                .unwrap_or(principal.partition()),
            service_principal: principal,
            external_id: setup.external_id.clone(),
            bucket,
            prefix: draft.prefix.clone(),
            access: draft.access,
            kms_key: draft.kms_key.clone(),
            allowed_origins: self.origins.clone(),
            region: draft.region,
            role_arn: draft.role_arn.clone(),
        })
    }

    /// A secret is bound to its record: moving it means opening and sealing it again.
    fn reseal(&self, credentials: Credentials, storage: &StorageId) -> Result<Credentials> {
        Ok(match credentials {
            Credentials::AccessKey {
                access_key_id,
                secret,
                sealed_for,
                endpoint,
            } => {
                let plain = self
                    .vault
                    .open(Purpose::AccessKeySecret, sealed_for.as_bytes(), &secret.0)
                    .map_err(Error::bug)?;
                let sealed_for = storage.to_string();
                let sealed =
                    self.vault
                        .seal(Purpose::AccessKeySecret, sealed_for.as_bytes(), &plain)?;
                Credentials::AccessKey {
                    access_key_id,
                    secret: SealedSecret(sealed),
                    sealed_for,
                    endpoint,
                }
            }
            other => other,
        })
    }
}

/// The bucket's name, and the prefix where there is one.
fn default_name(connection: &Connection) -> Result<Name> {
    let prefix = connection.prefix.as_str().trim_end_matches('/');
    let full = match prefix {
        "" => connection.bucket.to_string(),
        prefix => format!("{}/{prefix}", connection.bucket),
    };
    let short: String = full.chars().take(Name::MAX_LEN).collect();
    Name::parse(&short).map_err(Error::bug)
}

pub(super) fn incomplete(missing: Vec<&'static str>) -> Error {
    let mut error = Error::new(
        Kind::Conflict,
        "setup_incomplete",
        format!("These settings are still missing: {}.", missing.join(", ")),
    )
    .remedy("Fill them in, then try again.");
    error.fields = missing
        .into_iter()
        .map(|field| FieldError::new(field, Invalid::new("missing", "This setting is needed.")))
        .collect();
    error
}

pub(super) fn check_required(why: &str) -> Error {
    Error::new(Kind::Conflict, "check_required", why)
        .remedy("Check the connection; when it passes, try again.")
}

pub(super) fn changed_meanwhile() -> Error {
    Error::new(
        Kind::Conflict,
        "changed_meanwhile",
        "Somebody else changed this at the same moment. Nothing of yours was changed.",
    )
    .remedy("Read it again, then repeat what you did.")
}

pub(super) fn not_open(status: SetupStatus) -> Error {
    let (code, detail) = match status {
        SetupStatus::Completed => (
            "setup_completed",
            "This setup has already become a storage.",
        ),
        SetupStatus::Expired => ("setup_expired", "This setup has expired."),
        _ => ("setup_closed", "This setup has been closed."),
    };
    Error::new(Kind::Conflict, code, detail)
        .remedy("Open a new setup: it has an external ID of its own, so that the role's trust policy must be changed to it.")
}
