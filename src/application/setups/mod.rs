//! Setups: from an external ID to a storage.

pub mod browser_probe;
pub mod events;
pub mod instructions;
mod overlaps;
pub mod places;
pub mod waiting;

use crate::application::checks::{Checks, Patience};
use crate::application::clock::Clock;
use crate::application::connections::change::Change;
use crate::application::connections::errors::{
    changed_meanwhile, check_required, incomplete, storage_limit_reached,
};
use crate::application::connections::input::ConnectionInput;
use crate::application::connections::{Connections, DocumentSignIn, DocumentsOf};
use crate::application::error::{Error, FieldError, Kind, Reason, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{Completion, Store, StoreError, Window};
use crate::application::people::caller::Admin;
use crate::domain::check::{CheckReport, Step, StepName, StepStatus};
use crate::domain::connection::access::Auth;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials};
use crate::domain::ids::{SetupId, StorageId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::origin::OriginPattern;
use crate::domain::overlap::{AddedStorage, Overlap};
use crate::domain::people::sign_in::InstructionLink;
use crate::domain::policy_document::{DocumentParameters, Documents};
use crate::domain::role_wait::{RoleWait, pause};
use crate::domain::setup::{Draft, Setup, SetupStatus};
use crate::domain::storage::{Health, Storage};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedSender;

/// How old the passed check may be that a setup becomes a storage by. A role can be changed at any time.
pub const CHECK_FRESH: Duration = Duration::from_secs(10 * 60);

pub struct Setups {
    pub store: Arc<dyn Store>,
    pub connections: Arc<Connections>,
    pub checks: Arc<Checks>,
    pub clock: Arc<dyn Clock>,
    /// How long a setup stays open.
    pub lifetime: Duration,
    /// Whether a storage is refused that has files of another one.
    pub refuse_overlaps: bool,
}

/// A setup as its admin sees it.
#[derive(Debug, Clone)]
pub struct SetupView {
    pub setup: Setup,
    pub status: SetupStatus,
    pub principal: ServicePrincipal,
    pub last_check: Option<CheckReport>,
    /// Waiting for the role, or that it has appeared.
    pub wait: Option<RoleWait>,
    /// The workspace's storages that have files of this place too.
    pub overlaps: Vec<Overlap>,
    /// Whether the last check is young enough to make a storage by, if it passed.
    pub check_is_fresh: bool,
    /// What a completed setup has become; `None` after the storage was deleted, too.
    pub storage: Option<StorageId>,
}

/// Which role it is, and where it is made, as whoever administers AWS enters it.
#[derive(Debug, Default)]
pub struct RoleInput {
    pub role_arn: Change<String>,
    pub customer_account_id: Change<String>,
    pub role_path: Change<String>,
    pub permissions_boundary_arn: Change<String>,
}

/// Why a new setup was not stored.
enum Refused {
    /// Its external ID was used before.
    IdTaken,
    Otherwise(Error),
}

impl SetupView {
    /// The waiting, where it is for the role that the present settings name.
    pub fn present_wait(&self) -> Option<&RoleWait> {
        let draft = &self.setup.draft;
        let role = draft.role(&self.setup.external_id)?;
        let wait = self.wait.as_ref()?;
        (draft.sign_in.by == Auth::Role && wait.role_arn == role).then_some(wait)
    }

    /// Whether the last check is of exactly the present settings.
    pub fn check_is_current(&self) -> bool {
        self.last_check
            .as_ref()
            .is_some_and(|check| check.revision == self.setup.revision)
    }

    /// Whether the last check is of exactly the present settings, passed, and is too old to make a storage
    /// by.
    pub fn has_outlived_its_check(&self) -> bool {
        let passed = |check: &CheckReport| check.outcome().is_pass();
        self.check_is_current()
            && self.last_check.as_ref().is_some_and(passed)
            && !self.check_is_fresh
    }
}

impl Setups {
    /// Opens a setup with a new external ID.
    pub async fn open(
        &self,
        admin: &Admin,
        input: ConnectionInput,
        keep: Keep<'_, SetupView>,
    ) -> Result<SetupView> {
        let principal = self.connections.principal().await?;
        let id = SetupId::generate();
        let draft = self
            .connections
            .apply(input, &Draft::default(), id.as_str())
            .await?;
        let now = self.clock.now();
        let setup = Setup {
            id,
            workspace: admin.workspace().clone(),
            status: SetupStatus::Open,
            external_id: ExternalId::issue(),
            draft,
            revision: 1,
            last_check: None,
            created_by: Some(admin.member().actor()),
            created_at: now,
            expires_at: now + self.lifetime,
        };
        let mut view = SetupView {
            status: SetupStatus::Open,
            wait: new_wait(&setup, now),
            overlaps: self.overlaps(&setup).await?,
            setup,
            principal,
            last_check: None,
            check_is_fresh: false,
            storage: None,
        };
        match self.store_new(&view, &keep).await {
            Ok(()) => {
                self.acts(admin, &view.setup.id).await?;
                self.wait_for_role(&view.setup).await?;
                Ok(view)
            }
            // The database refuses an ID that was ever used. With 122 random bits that does not happen by
            // chance; a broken generator would be caught here.
            Err(Refused::IdTaken) => {
                view.setup.external_id = ExternalId::issue();
                view.wait = new_wait(&view.setup, now);
                match self.store_new(&view, &keep).await {
                    Ok(()) => {
                        self.acts(admin, &view.setup.id).await?;
                        self.wait_for_role(&view.setup).await?;
                        Ok(view)
                    }
                    Err(Refused::IdTaken) => Err(Error::bug("two external IDs in a row were used")),
                    Err(Refused::Otherwise(error)) => Err(error),
                }
            }
            Err(Refused::Otherwise(error)) => Err(error),
        }
    }

    async fn store_new(
        &self,
        view: &SetupView,
        keep: &Keep<'_, SetupView>,
    ) -> std::result::Result<(), Refused> {
        let answer = keep.answer(view).map_err(Refused::Otherwise)?;
        match self.store.create_setup(&view.setup, answer.as_ref()).await {
            Ok(()) => Ok(()),
            Err(StoreError::Conflict(_)) => Err(Refused::IdTaken),
            Err(error) => Err(Refused::Otherwise(error.into())),
        }
    }

    pub async fn get(&self, admin: &Admin, id: &SetupId) -> Result<SetupView> {
        let setup = self.load(admin.workspace(), id).await?;
        self.view(setup).await
    }

    /// The setup without its overlaps: for streams, which ask again and again and do not send them.
    pub(super) async fn followed(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
    ) -> Result<SetupView> {
        let setup = self.load(workspace, id).await?;
        self.view_alone(setup).await
    }

    /// The setup's dialog is open now. `begins`: it was opened there. A setup of a dialog that nothing was entered
    /// in is removed an hour after this.
    pub async fn dialog_is_open(&self, admin: &Admin, id: &SetupId, begins: bool) -> Result<()> {
        let now = self.clock.now();
        self.store
            .dialog_is_open(admin.workspace(), id, now, begins)
            .await?;
        Ok(())
    }

    /// From now on the setup waits for the role that it expects, if it expects one. A role that was entered is
    /// there, as far as anybody has said.
    async fn wait_for_role(&self, setup: &Setup) -> Result<()> {
        let (workspace, id) = (&setup.workspace, &setup.id);
        let now = self.clock.now();
        match new_wait(setup, now) {
            Some(wait) => {
                let due = wait.due.unwrap_or(now);
                self.store
                    .wait_for_role(workspace, id, &wait.role_arn, now, due)
                    .await?;
            }
            None => {
                let role = setup.draft.role(&setup.external_id);
                let wait = self.store.role_wait(workspace, id).await?;
                if wait.is_some_and(|wait| Some(&wait.role_arn) != role.as_ref()) {
                    self.store.wait_for_no_role(workspace, id).await?;
                }
            }
        }
        Ok(())
    }

    /// The workspace's setups, in the order they were opened; with `name` only those that have it in their name.
    pub async fn find(
        &self,
        admin: &Admin,
        name: Option<&str>,
        window: &Window,
    ) -> Result<Vec<SetupView>> {
        let workspace = admin.workspace();
        let setups = match name {
            Some(name) => self.store.find_setups(workspace, name, window).await?,
            None => self.store.list_setups(workspace, window).await?,
        };
        let mut views = Vec::with_capacity(setups.len());
        for setup in setups {
            views.push(self.view_alone(setup).await?);
        }
        self.each_with_overlaps(workspace, views).await
    }

    /// The origins whose pages may use the buckets.
    pub async fn origins(&self, admin: &Admin) -> Result<Vec<OriginPattern>> {
        self.connections.origins.of(admin.workspace()).await
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
            views.push(self.view_alone(setup).await?);
        }
        self.each_with_overlaps(admin.workspace(), views).await
    }

    /// Changes what was typed. Bad fields are all named, and then nothing is changed.
    pub async fn change(
        &self,
        admin: &Admin,
        id: &SetupId,
        input: ConnectionInput,
    ) -> Result<SetupView> {
        self.acts(admin, id).await?;
        self.change_in(admin.workspace(), id, input).await
    }

    /// From now on the setup's events name the product's person for whom the admin acts, if there is one.
    async fn acts(&self, admin: &Admin, id: &SetupId) -> Result<()> {
        if let Some(subject) = &admin.member().on_behalf_of {
            let acted = self.store.setup_acted_for(admin.workspace(), id, subject);
            acted.await?;
        }
        Ok(())
    }

    /// Changes what is valid, and returns the fields that are not. Of fields that do not go together, the
    /// refused one keeps its value.
    pub async fn save_valid(
        &self,
        admin: &Admin,
        id: &SetupId,
        input: &ConnectionInput,
    ) -> Result<(SetupView, Vec<FieldError>)> {
        let mut refused: Vec<FieldError> = Vec::new();
        // Each round refuses one field more, finds the setup changed meanwhile, or is the last.
        let rounds = 2 * ConnectionInput::FIELDS.len();
        for _ in 0..rounds {
            let mut valid = input.clone();
            for error in &refused {
                valid.keep_refused(error);
            }
            match self.change(admin, id, valid).await {
                Ok(view) => return Ok((view, refused)),
                Err(error) if error.kind == Kind::Unprocessable && !error.fields.is_empty() => {
                    let before = refused.len();
                    for field in &error.fields {
                        if !refused.iter().any(|known| known.field == field.field) {
                            refused.push(field.clone());
                        }
                    }
                    // What is wrong was saved before, and does not go with this input.
                    if refused.len() == before {
                        return Ok((self.get(admin, id).await?, refused));
                    }
                }
                // The same form, sent twice at the same moment: the later one goes on.
                Err(error) if error.reason == Some(Reason::ChangedMeanwhile) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::bug("an input could not be saved in any part"))
    }

    async fn change_in(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        input: ConnectionInput,
    ) -> Result<SetupView> {
        let mut setup = self.load_open(workspace, id).await?;
        let draft = self
            .connections
            .apply(input, &setup.draft, setup.id.as_str())
            .await?;
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
        self.wait_for_role(&setup).await?;
        self.view(setup).await
    }

    /// Closes the setup: its external ID will never be used.
    pub async fn close(&self, admin: &Admin, id: &SetupId) -> Result<()> {
        let setup = self.load(admin.workspace(), id).await?;
        match setup.status {
            SetupStatus::Closed => Ok(()),
            SetupStatus::Completed => Err(not_open(SetupStatus::Completed)),
            SetupStatus::Open | SetupStatus::Expired => {
                self.acts(admin, id).await?;
                if self.store.close_setup(admin.workspace(), id).await? {
                    return Ok(());
                }
                // Somebody was faster. Only one that was closed is what was asked for.
                match self.load(admin.workspace(), id).await?.status {
                    SetupStatus::Closed => Ok(()),
                    SetupStatus::Completed => Err(not_open(SetupStatus::Completed)),
                    SetupStatus::Open | SetupStatus::Expired => Err(changed_meanwhile()),
                }
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

    /// Whether the setup's role has let the service in.
    async fn has_appeared(&self, setup: &Setup) -> Result<bool> {
        let wait = self.store.role_wait(&setup.workspace, &setup.id).await?;
        let role = setup.draft.role(&setup.external_id);
        Ok(wait.is_some_and(|wait| {
            wait.appeared_at.is_some() && Some(&wait.role_arn) == role.as_ref()
        }))
    }

    async fn documents_of(&self, setup: &Setup) -> Result<(Documents, DocumentParameters)> {
        let draft = &setup.draft;
        let bucket = draft
            .bucket
            .as_ref()
            .ok_or_else(|| incomplete(vec!["bucket"]))?;
        let has_appeared = self.has_appeared(setup).await?;
        self.connections
            .documents(DocumentsOf {
                workspace: Some(&setup.workspace),
                setup: Some(&setup.id),
                external_id: &setup.external_id,
                bucket,
                settings: &draft.settings,
                sign_in: DocumentSignIn::of(draft, &setup.external_id, has_appeared),
            })
            .await
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

    /// The one change that a link permits: which role it is, and where it is made.
    pub(super) async fn set_role_by_link(
        &self,
        link: &InstructionLink,
        role: RoleInput,
    ) -> Result<SetupView> {
        let input = ConnectionInput {
            role_arn: role.role_arn,
            customer_account_id: role.customer_account_id,
            role_path: role.role_path,
            permissions_boundary_arn: role.permissions_boundary_arn,
            ..ConnectionInput::default()
        };
        self.change_in(&link.workspace, &link.setup, input.meant())
            .await
    }

    /// Checks the connection of the link's setup, as its admin can.
    pub(super) async fn check_by_link(
        &self,
        link: &InstructionLink,
        wait: Duration,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        let setup = self.load_open(&link.workspace, &link.setup).await?;
        self.check_of(&setup, wait, listener).await
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
        self.check_of(&setup, wait, listener).await
    }

    async fn check_of(
        &self,
        setup: &Setup,
        wait: Duration,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        let bucket = setup.connection().map_err(incomplete)?;
        let role = match &bucket.connection.credentials {
            Credentials::Role { role_arn, .. } => Some(role_arn.clone()),
            Credentials::AccessKey { .. } | Credentials::Service => None,
        };
        let patience = Patience::Change(wait);
        let report = self.checks.run(bucket, patience, listener).await?;
        if let Some(role) = role
            && report.steps.get(StepName::AssumeRole).status == StepStatus::Passed
        {
            let now = self.clock.now();
            self.store
                .record_role(&setup.workspace, &setup.id, &role, now)
                .await?;
        }
        Ok(report)
    }

    /// Makes the storage, if the latest check passed for exactly these settings.
    pub async fn complete(
        &self,
        admin: &Admin,
        id: &SetupId,
        keep: Keep<'_, AddedStorage>,
    ) -> Result<AddedStorage> {
        let (setup, check) = self.passed(admin, id).await?;
        let overlaps = self.permitted_overlaps(&setup).await?;
        let bucket = setup.connection().map_err(incomplete)?;
        let storage_id = StorageId::generate();
        let mut connection = bucket.connection;
        connection.settings.region = check.region.or(connection.settings.region);
        connection.credentials = self
            .connections
            .reseal(connection.credentials, storage_id.as_str())?;
        let now = self.clock.now();
        let access_key_set_at = match &connection.credentials {
            Credentials::AccessKey { .. } => Some(now),
            Credentials::Role { .. } | Credentials::Service => None,
        };
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
            health: Health::of_first(&check),
            quarantine: None,
            access_key_set_at,
            project_count: 0,
            created_at: now,
        };
        let added = AddedStorage { storage, overlaps };
        let answer = keep.answer(&added)?;
        self.acts(admin, id).await?;
        let completed = self.store.complete_setup(
            admin.workspace(),
            id,
            setup.revision,
            &check.id,
            &added.storage,
            answer.as_ref(),
        );
        match completed.await? {
            Completion::Completed => Ok(added),
            Completion::Changed => Err(changed_meanwhile()),
            Completion::TooMany(most) => Err(storage_limit_reached(most)),
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
        bucket.connection.settings.region = check.region.or(bucket.connection.settings.region);
        Ok(bucket)
    }

    /// An open setup with its latest check, which passed for exactly its present settings, not long ago.
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
        if !self.is_fresh(&check) {
            return Err(check_required(
                "The connection passed its check more than ten minutes ago, and the role may have been changed since.",
            ));
        }
        Ok((setup, check))
    }

    fn is_fresh(&self, check: &CheckReport) -> bool {
        self.clock.now() - check.ended_at() <= CHECK_FRESH
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
        let view = self.view_alone(setup).await?;
        self.with_overlaps(view).await
    }

    /// The setup with what its own rows say.
    async fn view_alone(&self, setup: Setup) -> Result<SetupView> {
        let last_check = match &setup.last_check {
            Some(check) => self.store.check(&setup.workspace, check).await?,
            None => None,
        };
        Ok(SetupView {
            status: setup.status_at(self.clock.now()),
            principal: self.connections.principal().await?,
            check_is_fresh: last_check
                .as_ref()
                .is_some_and(|check| self.is_fresh(check)),
            last_check,
            wait: self.store.role_wait(&setup.workspace, &setup.id).await?,
            storage: match setup.status {
                SetupStatus::Completed => {
                    self.store
                        .storage_of_setup(&setup.workspace, &setup.id)
                        .await?
                }
                SetupStatus::Open | SetupStatus::Closed | SetupStatus::Expired => None,
            },
            overlaps: Vec::new(),
            setup,
        })
    }
}

/// The waiting that these settings begin: for the role that is expected and that nobody has entered.
fn new_wait(setup: &Setup, now: OffsetDateTime) -> Option<RoleWait> {
    let sign_in = &setup.draft.sign_in;
    let role_arn = setup.draft.expected_role(&setup.external_id)?;
    let is_entered = sign_in
        .role_arn
        .as_ref()
        .is_some_and(|entered| *entered != role_arn);
    (sign_in.by == Auth::Role && !is_entered).then(|| RoleWait {
        workspace: setup.workspace.clone(),
        setup: setup.id.clone(),
        role_arn,
        since: now,
        due: Some(now + pause(false, 0)),
        tries: 0,
        unwatched_tries: 0,
        last_tried_at: None,
        outcome: None,
        watched_until: None,
        appeared_at: None,
    })
}

/// The bucket's name, and the prefix where there is one.
fn default_name(connection: &Connection) -> Result<Name> {
    let prefix = connection.settings.prefix.as_str().trim_end_matches('/');
    let full = match prefix {
        "" => connection.bucket.to_string(),
        prefix => format!("{}/{prefix}", connection.bucket),
    };
    let short: String = full.chars().take(Name::MAX_LEN).collect();
    Name::parse(&short).map_err(Error::bug)
}

fn not_open(status: SetupStatus) -> Error {
    let (code, detail) = match status {
        SetupStatus::Completed => (
            "setup_completed",
            "This setup has already become a storage.",
        ),
        SetupStatus::Expired => ("setup_expired", "This setup has expired."),
        _ => ("setup_closed", "This setup has been closed."),
    };
    Error::new(Kind::Conflict, code, detail)
        .remedy("Open a new setup: it has an external ID of its own, so the role's trust policy must be changed to it.")
}
