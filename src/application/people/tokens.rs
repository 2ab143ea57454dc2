//! API tokens of workspaces, managed by the operator.

use crate::application::clock::Clock;
use crate::application::error::{Error, FieldError, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{Store, StoreError, Window};
use crate::application::people::secrets::{SecretKind, new_secret};
use crate::application::people::usage::UsageMeter;
use crate::application::people::workspaces;
use crate::application::people::workspaces::Workspaces;
use crate::domain::Invalid;
use crate::domain::ids::{TokenId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::reach::Bounds;
use crate::domain::people::workspace::{ApiToken, Role};
use secrecy::SecretString;
use std::sync::Arc;
use time::OffsetDateTime;

/// What a new token shall be.
pub struct NewToken {
    pub name: Name,
    pub role: Role,
    /// What it is narrowed to.
    pub bounds: Bounds,
    pub expires_at: Option<OffsetDateTime>,
}

/// A new token and its secret, which is given out once.
pub type CreatedToken = (ApiToken, SecretString);

/// API tokens: made, listed and revoked.
pub struct Tokens {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub workspaces: Arc<Workspaces>,
    pub usage: Arc<UsageMeter>,
}

impl Tokens {
    /// Makes a token. The secret is given out here and never again.
    pub async fn create(
        &self,
        workspace: WorkspaceId,
        new: NewToken,
        keep: Keep<'_, CreatedToken>,
    ) -> Result<CreatedToken> {
        let now = self.clock.now();
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::field(
                "expires_at",
                Invalid::new("invalid_expires_at", "`expires_at` must be in the future."),
            ));
        }
        self.workspaces.get(&workspace).await?;
        self.are_there(&workspace, &new.bounds).await?;
        let (secret, hash) = new_secret(SecretKind::Token)?;
        let token = ApiToken {
            id: TokenId::generate(),
            workspace,
            name: new.name,
            role: new.role,
            bounds: new.bounds,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
        };
        let made = (token, secret);
        let answer = keep.answer(&made)?;
        match self
            .store
            .create_token(&made.0, &hash, answer.as_ref())
            .await
        {
            Ok(()) => Ok(made),
            // Deleted since it was looked up.
            Err(StoreError::Conflict(_)) => Err(workspaces::absent()),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses storages that the workspace does not have: a mistyped one would only show when it is used.
    async fn are_there(&self, workspace: &WorkspaceId, bounds: &Bounds) -> Result<()> {
        for (at, storage) in bounds.storages.iter().flatten().enumerate() {
            if let Some(id) = storage.own()
                && self.store.storage(workspace, id).await?.is_none()
            {
                let invalid = Invalid::new("no_such_storage", "The workspace has no such storage.");
                let field = FieldError::of_item("storage_ids", at, None, invalid);
                return Err(Error::invalid(vec![field]));
            }
        }
        Ok(())
    }

    pub async fn list(&self, workspace: &WorkspaceId, window: &Window) -> Result<Vec<ApiToken>> {
        self.workspaces.get(workspace).await?;
        self.usage.flush_uses().await?;
        Ok(self.store.list_tokens(workspace, window).await?)
    }

    /// Revokes a token: the next request with it is refused, and the next one of what was made with it: links, sessions
    /// that came of them, and tokens for browsers.
    pub async fn revoke(&self, workspace: &WorkspaceId, id: &TokenId) -> Result<()> {
        if self.store.revoke_token(workspace, id).await? {
            Ok(())
        } else {
            Err(Error::not_found("token"))
        }
    }
}
