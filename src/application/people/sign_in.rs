//! Signing in to the pages: a link that works once becomes a session.

use crate::application::clock::Clock;
use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{SecretHash, Store, StoreError, UsedToken, Window};
use crate::application::kept::vault::sha256;
use crate::application::people::allowance::refuse_suspended;
use crate::application::people::authenticate::unknown;
use crate::application::people::caller::{Admin, Credential, Member};
use crate::application::people::link_rate::LinkRate;
use crate::application::people::secrets::{SecretKind, new_secret};
use crate::application::people::workspaces::Workspaces;
use crate::domain::Invalid;
use crate::domain::ids::{SessionId, SetupId, SignInLinkId, StorageRef, WorkspaceId};
use crate::domain::origin::Origin;
use crate::domain::people::reach::Reach;
use crate::domain::people::sign_in::{
    Arrival, IssuerSession, LinkMaker, ReturnUrl, Session, SignInLink, WayBack,
};
use crate::domain::people::subject::Subject;
use crate::domain::people::workspace::Role;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// A session's use is written down this often at most.
const SEEN_EVERY: Duration = Duration::from_secs(60);

pub struct SignIns {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub workspaces: Arc<Workspaces>,
    pub link_lifetime: Duration,
    /// A session that is not used for so long ends.
    pub idle: Duration,
    /// A session ends after so long, used or not.
    pub absolute: Duration,
    /// The origins that people may be sent back to.
    pub return_origins: Vec<Origin>,
    /// How many links a workspace makes.
    pub rate: LinkRate,
}

/// What a sign-in link shall be for.
pub struct NewLink {
    pub role: Role,
    pub arrival: Arrival,
    pub way_back: WayBack,
    pub subject: Option<Subject>,
}

/// What came of opening a link.
pub enum Arrived {
    /// A new session.
    Began(Begun),
    /// The link was opened again in the session that it had begun, whose secret this is.
    Again { arrival: Arrival, secret: String },
}

/// A session that has just begun, and where its person arrives.
pub struct Begun {
    pub session: Box<Session>,
    pub arrival: Arrival,
    /// The session's secret. It is given out here and never again.
    pub secret: SecretString,
}

/// The session of a secret.
pub enum Found {
    Going(Box<Session>),
    /// Its time is up. It says where to sign in again.
    Ended(Box<Session>),
    Unknown,
}

/// A new link and its secret, which is given out once.
pub type CreatedLink = (SignInLink, SecretString);

impl SignIns {
    /// Makes a link. Its secret is given out here and never again. It ends with the secret that it is made with.
    pub async fn make_link(
        &self,
        workspace: &WorkspaceId,
        new: NewLink,
        made_by: Option<LinkMaker>,
        keep: Keep<'_, CreatedLink>,
    ) -> Result<CreatedLink> {
        self.check(workspace, &new).await?;
        self.rate.enter(workspace)?;
        let now = self.clock.now();
        self.forget(now).await?;
        let (secret, hash) = new_secret(SecretKind::Link)?;
        let link = SignInLink {
            id: SignInLinkId::generate(),
            workspace: workspace.clone(),
            role: new.role,
            arrival: new.arrival,
            way_back: new.way_back,
            subject: new.subject,
            made_by,
            created_at: now,
            expires_at: now + self.link_lifetime,
        };
        let made = (link, secret);
        let answer = keep.answer(&made)?;
        match self
            .store
            .create_sign_in_link(&made.0, &hash, answer.as_ref())
            .await
        {
            Ok(()) => Ok(made),
            // Since it was looked up the workspace was deleted, or else the secret that makes the link.
            Err(StoreError::Conflict(_)) => {
                self.workspaces.get(workspace).await?;
                Err(unknown())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses what a person cannot arrive at, and addresses that people are not sent back to.
    pub async fn check(&self, workspace: &WorkspaceId, new: &NewLink) -> Result<()> {
        let mut errors = Vec::new();
        let needs_admin = match new.arrival {
            Arrival::AddStorage | Arrival::Setup(_) => true,
            Arrival::Settings | Arrival::Projects | Arrival::Storage(_) | Arrival::Files(_) => {
                false
            }
        };
        if needs_admin && new.role != Role::Admin {
            errors.push(FieldError::new(
                "purpose",
                Invalid::new(
                    "admin_required",
                    "Only an admin adds storages: use the role `admin`, or another purpose.",
                ),
            ));
        }
        let urls = [
            ("return_url", &new.way_back.return_url),
            ("refresh_url", &new.way_back.refresh_url),
        ];
        for (field, url) in urls {
            if let Some(url) = url.as_ref().filter(|url| !url.is_at(&self.return_origins)) {
                errors.push(FieldError::new(field, self.origin_not_allowed(url)));
            }
        }
        if !errors.is_empty() {
            return Err(Error::invalid(errors));
        }
        let found = self.workspaces.get(workspace).await?;
        refuse_suspended(&found.standing)?;
        self.is_there(workspace, &new.arrival).await
    }

    /// Forgets what ended more than a day ago.
    async fn forget(&self, now: OffsetDateTime) -> Result<()> {
        let before = now - Duration::from_secs(24 * 3600);
        Ok(self.store.prune_sign_ins(before).await?)
    }

    /// Begins a session by a token that was verified, and uses it up. `None`: it was used before. What `new` says
    /// is not checked; see [`check`](Self::check).
    pub async fn begin_by_token(
        &self,
        workspace: &WorkspaceId,
        new: NewLink,
        token: &UsedToken,
        issued: Option<&IssuerSession>,
    ) -> Result<Option<Begun>> {
        let found = self.workspaces.get(workspace).await?;
        refuse_suspended(&found.standing)?;
        let now = self.clock.now();
        self.forget(now).await?;
        let (secret, hash) = new_secret(SecretKind::Session)?;
        let session = Session {
            id: SessionId::generate(),
            workspace: workspace.clone(),
            role: new.role,
            way_back: new.way_back,
            subject: new.subject,
            link: None,
            // The issuer made it, and no secret of ours.
            made_by: None,
            created_at: now,
            seen_at: now,
            expires_at: now + self.absolute,
        };
        let begun = self
            .store
            .begin_session_by_token(token, &session, &hash, issued)
            .await;
        match begun {
            Ok(true) => Ok(Some(Begun {
                session: Box::new(session),
                arrival: new.arrival,
                secret,
            })),
            Ok(false) => Ok(None),
            // Deleted since it was looked up.
            Err(StoreError::Conflict(_)) => Err(Error::not_found("workspace")),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses what the workspace does not have.
    async fn is_there(&self, workspace: &WorkspaceId, arrival: &Arrival) -> Result<()> {
        let missing = match arrival {
            Arrival::Setup(setup) => match self.store.setup(workspace, setup).await? {
                Some(_) => return Ok(()),
                None => ("setup_id", "The workspace has no such storage setup."),
            },
            Arrival::Storage(StorageRef::Own(id)) | Arrival::Files(StorageRef::Own(id)) => {
                match self.store.storage(workspace, id).await? {
                    Some(_) => return Ok(()),
                    None => ("storage_id", "The workspace has no such storage."),
                }
            }
            Arrival::Storage(StorageRef::BuiltIn)
            | Arrival::Files(StorageRef::BuiltIn)
            | Arrival::Settings
            | Arrival::AddStorage
            | Arrival::Projects => return Ok(()),
        };
        let (field, detail) = missing;
        let invalid = Invalid::new("unknown_target", detail);
        Err(Error::invalid(vec![FieldError::new(field, invalid)]))
    }

    fn origin_not_allowed(&self, url: &ReturnUrl) -> Invalid {
        Invalid::new(
            "origin_not_allowed",
            format!(
                "People are not sent to {}. The operator allows origins with SALLYPORT_ALLOWED_ORIGINS.",
                url.origin()
            ),
        )
    }

    /// Opens a link. The first time it is used up and begins a session; when that fails, the link still
    /// works, as while the workspace is suspended. Again, in its session, whose secret is one of `own`, it leads to
    /// the same place.
    pub async fn sign_in(&self, secret: &str, own: &[String]) -> Result<Arrived> {
        let now = self.clock.now();
        let link_hash = sha256(secret.as_bytes());
        let Some(link) = self.store.sign_in_link_by_hash(&link_hash).await? else {
            return self.arrive_again(&link_hash, own).await;
        };
        if now >= link.expires_at {
            return Err(unusable_link(&link.way_back));
        }
        let found = self.workspaces.get(&link.workspace).await?;
        refuse_suspended(&found.standing)?;
        let (secret, hash) = new_secret(SecretKind::Session)?;
        let session = Session {
            id: SessionId::generate(),
            workspace: link.workspace,
            role: link.role,
            way_back: link.way_back,
            subject: link.subject,
            link: Some(link.id),
            made_by: link.made_by,
            created_at: now,
            seen_at: now,
            expires_at: now + self.absolute,
        };
        match self
            .store
            .begin_session(&link_hash, &session, &hash)
            .await?
        {
            true => Ok(Arrived::Began(Begun {
                session: Box::new(session),
                arrival: link.arrival,
                secret,
            })),
            // Somebody was faster: perhaps the same browser, by a second click.
            false => self.arrive_again(&link_hash, own).await,
        }
    }

    async fn arrive_again(&self, link: &SecretHash, own: &[String]) -> Result<Arrived> {
        let Some(used) = self.store.used_sign_in_link(link).await? else {
            return Err(unusable_link(&WayBack::default()));
        };
        for secret in own {
            match self.session(secret).await? {
                Found::Going(session) if session.id == used.session => {
                    return Ok(Arrived::Again {
                        arrival: used.arrival,
                        secret: secret.clone(),
                    });
                }
                Found::Going(_) | Found::Ended(_) | Found::Unknown => {}
            }
        }
        Err(unusable_link(&used.way_back))
    }

    /// Writes down the setup that a link for adding a storage has opened, so that the link leads there again.
    pub async fn opened_setup(&self, secret: &str, setup: &SetupId) -> Result<()> {
        let link = sha256(secret.as_bytes());
        Ok(self.store.link_opened_setup(&link, setup).await?)
    }

    /// The session with this secret. One that has ended stays known for about a day, with its way back.
    pub async fn session(&self, secret: &str) -> Result<Found> {
        self.session_by_hash(&sha256(secret.as_bytes())).await
    }

    /// The same by the secret's hash.
    pub async fn session_by_hash(&self, hash: &SecretHash) -> Result<Found> {
        let now = self.clock.now();
        let Some(session) = self.store.session_by_hash(hash).await? else {
            return Ok(Found::Unknown);
        };
        if now >= session.expires_at {
            return Ok(Found::Ended(Box::new(session)));
        }
        if now >= session.seen_at + self.idle {
            // A longer idle time, set later, does not bring it back.
            self.store.expire_session(&session.id, now).await?;
            return Ok(Found::Ended(Box::new(session)));
        }
        if now >= session.seen_at + SEEN_EVERY {
            self.store.touch_session(&session.id, now).await?;
        }
        Ok(Found::Going(Box::new(session)))
    }

    pub async fn sign_out(&self, session: &Session) -> Result<()> {
        self.store
            .end_session(&session.workspace, &session.id)
            .await?;
        Ok(())
    }

    /// The workspace's sessions, in the order of their beginning; some may have ended.
    pub async fn list(&self, admin: &Admin, window: &Window) -> Result<Vec<Session>> {
        Ok(self.store.list_sessions(admin.workspace(), window).await?)
    }

    /// Ends somebody's session.
    pub async fn revoke(&self, admin: &Admin, id: &SessionId) -> Result<()> {
        match self.store.end_session(admin.workspace(), id).await? {
            true => Ok(()),
            false => Err(Error::not_found("session")),
        }
    }

    /// The same list for the operator.
    pub async fn list_of(&self, workspace: &WorkspaceId, window: &Window) -> Result<Vec<Session>> {
        self.workspaces.get(workspace).await?;
        Ok(self.store.list_sessions(workspace, window).await?)
    }

    /// Ends somebody's session, for the operator.
    pub async fn revoke_of(&self, workspace: &WorkspaceId, id: &SessionId) -> Result<()> {
        self.workspaces.get(workspace).await?;
        match self.store.end_session(workspace, id).await? {
            true => Ok(()),
            false => Err(Error::not_found("session")),
        }
    }

    /// Ends every session of the workspace, and takes back the sign-in links that were not used.
    pub async fn revoke_all(&self, workspace: &WorkspaceId) -> Result<()> {
        self.workspaces.get(workspace).await?;
        Ok(self.store.end_sessions(workspace).await?)
    }

    /// When the session ends if nothing more is done in it.
    pub fn idle_end(&self, session: &Session) -> OffsetDateTime {
        (session.seen_at + self.idle).min(session.expires_at)
    }
}

/// The claims of a token name no workspace. The same whether it does not exist or is not the person's.
pub fn no_workspace(claim: &str) -> Error {
    Error::new(
        Kind::Forbidden,
        "no_workspace",
        format!(
            "No workspace here is yours: the claim `{claim}` names none that exists, or not the one that you asked for."
        ),
    )
    .remedy("Ask the person who manages your account for access to a workspace.")
}

/// The member `return_url` says where another link can be had.
fn unusable_link(way_back: &WayBack) -> Error {
    let error = Error::new(
        Kind::Unauthenticated,
        "sign_in_link_unusable",
        "This sign-in link has been used, or its time is up.",
    )
    .remedy("Go back to the product that you came from, and open this page again from there.");
    match way_back.elsewhere() {
        Some(url) => error.member("return_url", url.as_str()),
        None => error,
    }
}

impl From<&Session> for Member {
    fn from(session: &Session) -> Self {
        Self {
            workspace: session.workspace.clone(),
            role: session.role,
            credential: Credential::Session(session.id.clone()),
            on_behalf_of: session.subject.as_ref().map(|subject| subject.id.clone()),
            reach: Reach::everything(),
        }
    }
}
