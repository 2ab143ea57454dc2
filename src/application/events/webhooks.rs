//! Webhooks: made, changed and tried.

use crate::application::clock::Clock;
use crate::application::connections::change::Change;
use crate::application::error::{Error, Kind, Result};
use crate::application::events::EventsOf;
use crate::application::events::courier::{Attempt, Courier};
use crate::application::events::signature::new_secret;
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{SecretRotation, Store, StoreError, Window};
use crate::application::kept::vault::{Purpose, Vault};
use crate::application::rate::Rate;
use crate::domain::Invalid;
use crate::domain::event::EventType;
use crate::domain::ids::{DeliveryId, EventId, WebhookId};
use crate::domain::names::Name;
use crate::domain::webhook::{Delivery, PreviousSecret, Webhook, WebhookUrl};
use secrecy::{ExposeSecret, SecretString};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// How many webhooks a workspace has at most, and how many there are for all workspaces.
pub const MOST: u32 = 10;
/// How long a secret that was replaced goes on signing.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// A webhook to make.
#[derive(Debug)]
pub struct NewWebhook {
    pub url: WebhookUrl,
    /// Empty: of every type.
    pub types: Vec<EventType>,
    pub description: Option<Name>,
}

/// What is to be changed of a webhook.
#[derive(Debug)]
pub struct WebhookChange {
    pub url: Option<WebhookUrl>,
    pub types: Option<Vec<EventType>>,
    pub description: Change<Name>,
    pub is_enabled: Option<bool>,
}

/// A webhook and its new secret, which is given out once.
pub type WithSecret = (Webhook, SecretString);

/// How many webhooks a workspace makes in an hour.
pub struct WebhookRate {
    rate: Rate<String>,
    per_hour: NonZeroU32,
}

impl WebhookRate {
    pub fn new(per_hour: NonZeroU32) -> Self {
        Self {
            rate: Rate::per_hour(per_hour),
            per_hour,
        }
    }

    fn enter(&self, of: &EventsOf) -> Result<()> {
        self.rate.enter(&of.place()).map_err(|wait| {
            Error::new(
                Kind::TooMany,
                "too_many_webhooks",
                format!(
                    "More than {} webhooks an hour are made here.",
                    self.per_hour
                ),
            )
            .remedy("Change a webhook with `PATCH` rather than making another one, or wait.")
            .retry_after(wait)
        })
    }
}

pub struct Webhooks {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
    pub courier: Courier,
    pub rate: WebhookRate,
}

impl Webhooks {
    /// Makes a webhook. Its secret is given out here and never again.
    ///
    /// 409 `webhook_limit_reached` where there are [`MOST`] already.
    pub async fn create(
        &self,
        of: &EventsOf,
        new: NewWebhook,
        keep: Keep<'_, WithSecret>,
    ) -> Result<WithSecret> {
        self.check(&new.url).await?;
        self.rate.enter(of)?;
        let id = WebhookId::generate();
        let (secret, sealed) = self.new_secret(&id)?;
        let webhook = Webhook {
            id,
            workspace: of.workspace().cloned(),
            url: new.url,
            types: new.types,
            description: new.description,
            is_enabled: true,
            is_gone: false,
            failing_since: None,
            secret: sealed,
            previous: None,
            created_at: self.clock.now(),
        };
        let made = (webhook, secret);
        let answer = keep.answer(&made)?;
        let stored = self
            .store
            .create_webhook(&made.0, MOST, answer.as_ref())
            .await;
        match stored {
            Ok(true) => Ok(made),
            Ok(false) => Err(Error::new(
                Kind::Conflict,
                "webhook_limit_reached",
                format!("There are {MOST} webhooks already, and there cannot be more."),
            )
            .remedy("Delete one that is not used any more.")),
            // The workspace was deleted.
            Err(StoreError::Conflict(_)) => Err(Error::not_found("workspace")),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn list(&self, of: &EventsOf, window: &Window) -> Result<Vec<Webhook>> {
        Ok(self.store.list_webhooks(of.workspace(), window).await?)
    }

    pub async fn get(&self, of: &EventsOf, id: &WebhookId) -> Result<Webhook> {
        let found = self.store.webhook(of.workspace(), id).await?;
        found.ok_or_else(absent)
    }

    pub async fn change(
        &self,
        of: &EventsOf,
        id: &WebhookId,
        change: WebhookChange,
    ) -> Result<Webhook> {
        let mut webhook = self.get(of, id).await?;
        if let Some(url) = change.url {
            self.check(&url).await?;
            webhook.url = url;
        }
        if let Some(types) = change.types {
            webhook.types = types;
        }
        match change.description {
            Change::Keep => {}
            Change::Clear => webhook.description = None,
            Change::Set(description) => webhook.description = Some(description),
        }
        if let Some(is_enabled) = change.is_enabled {
            webhook.is_enabled = is_enabled;
            // Its receiver is asked again.
            webhook.is_gone &= !is_enabled;
        }
        match self.store.change_webhook(&webhook).await? {
            true => Ok(webhook),
            false => Err(absent()),
        }
    }

    /// Deletes the webhook. What was not sent yet is not sent any more.
    pub async fn delete(&self, of: &EventsOf, id: &WebhookId) -> Result<()> {
        match self.store.delete_webhook(of.workspace(), id).await? {
            true => Ok(()),
            false => Err(absent()),
        }
    }

    /// Gives the webhook another secret. For a day both sign.
    pub async fn rotate(
        &self,
        of: &EventsOf,
        id: &WebhookId,
        keep: Keep<'_, WithSecret>,
    ) -> Result<WithSecret> {
        let mut webhook = self.get(of, id).await?;
        let (secret, sealed) = self.new_secret(id)?;
        let rotation = SecretRotation {
            secret: sealed.clone(),
            previous_until: self.clock.now() + OVERLAP,
        };
        webhook.previous = Some(PreviousSecret {
            sealed: std::mem::replace(&mut webhook.secret, sealed),
            until: rotation.previous_until,
        });
        let rotated = (webhook, secret);
        let answer = keep.answer(&rotated)?;
        let stored = self
            .store
            .rotate_webhook_secret(of.workspace(), id, &rotation, answer.as_ref())
            .await?;
        match stored {
            true => Ok(rotated),
            false => Err(absent()),
        }
    }

    /// Sends an event of the type `webhook.test` now and once, and says what came of it.
    pub async fn test(&self, of: &EventsOf, id: &WebhookId) -> Result<Attempt> {
        let webhook = self.get(of, id).await?;
        let workspace = match &webhook.workspace {
            Some(workspace) => self.store.workspace(workspace).await?,
            None => None,
        };
        let external_id = workspace.and_then(|workspace| workspace.external_id);
        let event = EventId::generate();
        self.courier
            .test(&webhook, external_id.as_ref(), event.as_str())
            .await
    }

    /// Newest first.
    pub async fn deliveries(
        &self,
        of: &EventsOf,
        id: &WebhookId,
        window: &Window,
    ) -> Result<Vec<Delivery>> {
        self.get(of, id).await?;
        Ok(self.store.list_deliveries(id, window).await?)
    }

    /// Sends the delivery again, with the same event ID, whatever came of it before.
    pub async fn redeliver(
        &self,
        of: &EventsOf,
        id: &WebhookId,
        delivery: &DeliveryId,
    ) -> Result<()> {
        self.get(of, id).await?;
        let now = self.clock.now();
        match self.store.redeliver(id, delivery, now).await? {
            true => Ok(()),
            false => Err(Error::not_found("delivery")),
        }
    }

    /// Refuses a URL that leads to the service's own network. It is looked at again for each connection, because a
    /// name may lead elsewhere by then.
    async fn check(&self, url: &WebhookUrl) -> Result<()> {
        if !self.courier.sender.leads_inside(url).await {
            return Ok(());
        }
        Err(Error::field(
            "url",
            Invalid::new(
                "internal_address",
                "This URL leads to an address that is not public, and events are not sent there.",
            ),
        )
        .remedy("Use a public address, or ask the operator to allow the network with SALLYPORT_ENDPOINT_NETWORKS. Without a public address, read the events with `GET /v1/events`."))
    }

    fn new_secret(&self, id: &WebhookId) -> Result<(SecretString, Vec<u8>)> {
        let secret = new_secret()?;
        let sealed = self.vault.seal(
            Purpose::WebhookSecret,
            id.as_str().as_bytes(),
            secret.expose_secret().as_bytes(),
        )?;
        Ok((secret, sealed))
    }
}

fn absent() -> Error {
    Error::not_found("webhook")
}
