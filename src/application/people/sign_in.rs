//! Signing in to the pages: a link that works once becomes a session.

use crate::application::clock::Clock;
use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{SecretHash, Store, StoreError, Window};
use crate::application::kept::vault::sha256;
use crate::application::people::authenticate::new_token;
use crate::application::people::caller::{Admin, Credential, Member};
use crate::application::people::workspaces::Workspaces;
use crate::domain::Invalid;
use crate::domain::ids::{SessionId, SignInLinkId, WorkspaceId};
use crate::domain::people::sign_in::{Purpose, ReturnUrl, Session, SignInLink};
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
}

/// What a sign-in link shall be for.
pub struct NewLink {
    pub role: Role,
    pub purpose: Purpose,
    pub return_url: Option<ReturnUrl>,
}

/// A new link and its secret, which is given out once.
pub type CreatedLink = (SignInLink, SecretString);

impl SignIns {
    /// Makes a link. Its secret is given out here and never again.
    pub async fn make_link(
        &self,
        workspace: &WorkspaceId,
        new: NewLink,
        keep: Keep<'_, CreatedLink>,
    ) -> Result<CreatedLink> {
        if new.purpose == Purpose::AddStorage && new.role != Role::Admin {
            return Err(Error::invalid(vec![FieldError::new(
                "purpose",
                Invalid::new(
                    "admin_required",
                    "Only an admin adds storages: use the role `admin`, or another purpose.",
                ),
            )]));
        }
        self.workspaces.get(workspace).await?;
        let now = self.clock.now();
        self.store
            .prune_sign_ins(now - Duration::from_secs(24 * 3600))
            .await?;
        let (secret, hash) = new_token()?;
        let link = SignInLink {
            id: SignInLinkId::generate(),
            workspace: workspace.clone(),
            role: new.role,
            purpose: new.purpose,
            return_url: new.return_url,
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
            // Deleted since it was looked up.
            Err(StoreError::Conflict(_)) => Err(Error::not_found("workspace")),
            Err(error) => Err(error.into()),
        }
    }

    /// Uses a link up, and begins a session. When that fails, the link still works.
    pub async fn sign_in(&self, secret: &str) -> Result<(Session, Purpose, SecretString)> {
        let now = self.clock.now();
        let link_hash = sha256(secret.as_bytes());
        let link = self
            .store
            .sign_in_link_by_hash(&link_hash, now)
            .await?
            .ok_or_else(unusable_link)?;
        let (secret, hash) = new_token()?;
        let session = Session {
            id: SessionId::generate(),
            workspace: link.workspace,
            role: link.role,
            return_url: link.return_url,
            created_at: now,
            seen_at: now,
            expires_at: now + self.absolute,
        };
        match self
            .store
            .begin_session(&link_hash, &session, &hash)
            .await?
        {
            true => Ok((session, link.purpose, secret)),
            // Somebody was faster.
            false => Err(unusable_link()),
        }
    }

    /// The session with this secret, unless it has ended.
    pub async fn session(&self, secret: &str) -> Result<Option<Session>> {
        let hash: SecretHash = sha256(secret.as_bytes());
        let now = self.clock.now();
        let Some(session) = self.store.session_by_hash(&hash).await? else {
            return Ok(None);
        };
        if now >= session.expires_at || now >= session.seen_at + self.idle {
            self.store
                .end_session(&session.workspace, &session.id)
                .await?;
            return Ok(None);
        }
        if now >= session.seen_at + SEEN_EVERY {
            self.store.touch_session(&session.id, now).await?;
        }
        Ok(Some(session))
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

    /// When the session ends if nothing more is done in it.
    pub fn idle_end(&self, session: &Session) -> OffsetDateTime {
        (session.seen_at + self.idle).min(session.expires_at)
    }
}

fn unusable_link() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "sign_in_link_unusable",
        "This sign-in link has been used, or its time is up.",
    )
    .remedy("Go back to where you came from and open Sallyport from there again.")
}

impl From<&Session> for Member {
    fn from(session: &Session) -> Self {
        Self {
            workspace: session.workspace.clone(),
            role: session.role,
            credential: Credential::Session(session.id.clone()),
        }
    }
}
