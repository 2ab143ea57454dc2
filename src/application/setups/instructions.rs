//! Links for the customer's AWS administrator: whoever holds one sees what must be done in AWS for one
//! setup, may hand in the role, and may check the connection. Nothing else.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{Store, StoreError};
use crate::application::kept::vault::sha256;
use crate::application::people::allowance::Allowances;
use crate::application::people::caller::Admin;
use crate::application::people::link_rate::LinkRate;
use crate::application::people::secrets::{SecretKind, new_secret};
use crate::application::setups::{RoleInput, SetupView, Setups, not_open};
use crate::domain::check::{CheckReport, Step};
use crate::domain::ids::{InstructionLinkId, SetupId};
use crate::domain::people::sign_in::InstructionLink;
use crate::domain::policy_document::{DocumentParameters, Documents};
use crate::domain::setup::SetupStatus;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// A link's use is written down this often at most.
const SEEN_EVERY: Duration = Duration::from_secs(60);

pub struct Instructions {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub setups: Arc<Setups>,
    /// How long a link works.
    pub lifetime: Duration,
    pub rate: LinkRate,
    pub allowances: Arc<Allowances>,
}

/// A new link and its secret, which is given out once.
pub type CreatedInstructionLink = (InstructionLink, SecretString);

/// What a link leads to.
#[derive(Debug, Clone)]
pub struct Opened {
    pub link: InstructionLink,
    pub view: SetupView,
}

impl Instructions {
    /// Makes the setup's link; one that it had stops working. The secret is given out here and never
    /// again. A link does not outlive its setup.
    pub async fn make(
        &self,
        admin: &Admin,
        setup: &SetupId,
        keep: Keep<'_, CreatedInstructionLink>,
    ) -> Result<CreatedInstructionLink> {
        let view = self.setups.get(admin, setup).await?;
        if view.status != SetupStatus::Open {
            return Err(not_open(view.status));
        }
        self.rate.enter(admin.workspace())?;
        let (secret, hash) = new_secret(SecretKind::Link)?;
        let now = self.clock.now();
        let link = InstructionLink {
            id: InstructionLinkId::generate(),
            workspace: admin.workspace().clone(),
            setup: setup.clone(),
            made_by: Some(admin.member().actor()),
            created_at: now,
            last_used_at: None,
            expires_at: (now + self.lifetime).min(view.setup.expires_at),
        };
        let made = (link, secret);
        let answer = keep.answer(&made)?;
        let stored = self
            .store
            .put_instruction_link(&made.0, &hash, answer.as_ref());
        match stored.await {
            // The setup went away since it was read, or whoever makes the link.
            Err(StoreError::Conflict(_)) => Err(Error::not_found("setup")),
            Ok(()) => Ok(made),
            Err(error) => Err(error.into()),
        }
    }

    /// The setup's link, if there is one that works.
    pub async fn of(&self, admin: &Admin, setup: &SetupId) -> Result<Option<InstructionLink>> {
        let link = self
            .store
            .instruction_link_of(admin.workspace(), setup)
            .await?;
        Ok(link.filter(|link| self.clock.now() < link.expires_at))
    }

    /// Makes this link of the setup stop working.
    pub async fn revoke(
        &self,
        admin: &Admin,
        setup: &SetupId,
        link: &InstructionLinkId,
    ) -> Result<()> {
        self.setups.get(admin, setup).await?;
        let revoked = self
            .store
            .revoke_instruction_link(admin.workspace(), setup, link)
            .await?;
        match revoked {
            true => Ok(()),
            false => Err(absent()),
        }
    }

    /// Makes the setup's link stop working. That there is none is no error.
    pub async fn revoke_any(&self, admin: &Admin, setup: &SetupId) -> Result<()> {
        self.setups.get(admin, setup).await?;
        let link = self
            .store
            .instruction_link_of(admin.workspace(), setup)
            .await?;
        if let Some(link) = link {
            self.store
                .revoke_instruction_link(admin.workspace(), setup, &link.id)
                .await?;
        }
        Ok(())
    }

    /// What the holder of this secret may see.
    pub async fn open(&self, secret: &str) -> Result<Opened> {
        let link = self
            .store
            .instruction_link_by_hash(&sha256(secret.as_bytes()))
            .await?
            .filter(|link| self.clock.now() < link.expires_at)
            .ok_or_else(unusable)?;
        let workspace = self.store.workspace(&link.workspace).await?;
        let workspace = workspace.ok_or_else(unusable)?;
        self.allowances.enter(&workspace.id, &workspace.standing)?;
        let view = self.setups.of_link(&link).await.map_err(gone)?;
        self.note_use(&link).await;
        match view.status {
            SetupStatus::Closed | SetupStatus::Expired => Err(unusable()),
            SetupStatus::Open | SetupStatus::Completed => Ok(Opened { link, view }),
        }
    }

    /// Writes down that the link was opened, once a minute at most. Nobody is refused because it fails.
    async fn note_use(&self, link: &InstructionLink) {
        let now = self.clock.now();
        if link.last_used_at.is_some_and(|at| now - at < SEEN_EVERY) {
            return;
        }
        if let Err(error) = self.store.touch_instruction_link(&link.id, now).await {
            tracing::warn!(link = %link.id, %error, "the use of a link was not written down");
        }
    }

    /// The documents to apply. Needs the bucket's name.
    pub async fn documents(
        &self,
        link: &InstructionLink,
    ) -> Result<(Documents, DocumentParameters)> {
        self.setups.documents_of_link(link).await
    }

    /// Hands in the role, by the rules of any change of a setup.
    pub async fn set_role(&self, link: &InstructionLink, role: RoleInput) -> Result<SetupView> {
        self.setups.set_role_by_link(link, role).await
    }

    /// Checks the connection: whoever made the role learns whether it works, and so does the setup's admin.
    pub async fn check(
        &self,
        link: &InstructionLink,
        wait: Duration,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        self.setups.check_by_link(link, wait, listener).await
    }
}

/// What a setup does not have, as its link.
pub fn absent() -> Error {
    Error::not_found("link")
}

/// One answer for what never was, what was revoked or replaced, and what has ended.
fn unusable() -> Error {
    Error::new(
        Kind::NotFound,
        "instruction_link_unusable",
        "This setup link has expired or was revoked, or the setup that it belongs to has ended.",
    )
    .remedy("Ask the person who sent it to you for a new link.")
}

fn gone(error: Error) -> Error {
    match error.kind {
        Kind::NotFound => unusable(),
        _ => error,
    }
}
