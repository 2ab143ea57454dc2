//! Links for the customer's AWS administrator: whoever holds one sees what must be done in AWS for one
//! setup, and may hand in the role's ARN. Nothing else.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{Store, StoreError};
use crate::application::kept::vault::sha256;
use crate::application::people::authenticate::new_token;
use crate::application::people::caller::Admin;
use crate::application::setups::{SetupView, Setups, not_open};
use crate::domain::ids::{InstructionLinkId, SetupId};
use crate::domain::people::sign_in::InstructionLink;
use crate::domain::policy_document::{DocumentParameters, Documents};
use crate::domain::setup::SetupStatus;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

pub struct Instructions {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub setups: Arc<Setups>,
    /// How long a link works.
    pub lifetime: Duration,
}

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
    ) -> Result<(InstructionLink, SecretString)> {
        let view = self.setups.get(admin, setup).await?;
        if view.status != SetupStatus::Open {
            return Err(not_open(view.status));
        }
        let (secret, hash) = new_token()?;
        let now = self.clock.now();
        let link = InstructionLink {
            id: InstructionLinkId::generate(),
            workspace: admin.workspace().clone(),
            setup: setup.clone(),
            created_at: now,
            expires_at: (now + self.lifetime).min(view.setup.expires_at),
        };
        match self.store.put_instruction_link(&link, &hash).await {
            // The setup went away since it was read.
            Err(StoreError::Conflict(_)) => Err(Error::not_found("setup")),
            Ok(()) => Ok((link, secret)),
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

    /// Makes the setup's link stop working. That there is none is no error.
    pub async fn revoke(&self, admin: &Admin, setup: &SetupId) -> Result<()> {
        self.setups.get(admin, setup).await?;
        self.store
            .revoke_instruction_link(admin.workspace(), setup)
            .await?;
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
        let view = self.setups.of_link(&link).await.map_err(gone)?;
        match view.status {
            SetupStatus::Closed | SetupStatus::Expired => Err(unusable()),
            SetupStatus::Open | SetupStatus::Completed => Ok(Opened { link, view }),
        }
    }

    /// The documents to apply. Needs the bucket's name.
    pub async fn documents(
        &self,
        link: &InstructionLink,
    ) -> Result<(Documents, DocumentParameters)> {
        self.setups.documents_of_link(link).await
    }

    /// Hands in the role's ARN, by the rules of any change of a setup.
    pub async fn set_role_arn(
        &self,
        link: &InstructionLink,
        role_arn: String,
    ) -> Result<SetupView> {
        self.setups.set_role_arn_by_link(link, role_arn).await
    }
}

/// One answer for what never was, what was revoked or replaced, and what has ended.
fn unusable() -> Error {
    Error::new(
        Kind::NotFound,
        "instruction_link_unusable",
        "This link does not work any more: its time is up, it was revoked, or the setup that it belongs to has ended.",
    )
    .remedy("Ask whoever sent it to you for a new one.")
}

fn gone(error: Error) -> Error {
    match error.kind {
        Kind::NotFound => unusable(),
        _ => error,
    }
}
