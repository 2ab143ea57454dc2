//! Events, and the webhooks that they are sent to.
//!
//! The methods that make a change write its events in their own transaction, with a delivery for each webhook that is
//! enabled then and takes the type: an event is there exactly when its change is.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::idempotency::KeptAnswer;
use crate::application::kept::store::values::Window;
use crate::domain::event::{Event, EventType};
use crate::domain::ids::{DeliveryId, EventId, SetupId, WebhookId, WorkspaceId};
use crate::domain::people::subject::SubjectId;
use crate::domain::webhook::{AttemptError, Delivery, DeliveryStatus, Webhook};
use async_trait::async_trait;
use time::OffsetDateTime;

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// `None`: of every workspace.
    pub workspace: Option<WorkspaceId>,
    /// Empty: of every type.
    pub types: Vec<EventType>,
}

#[async_trait]
pub trait EventStore: Send + Sync {
    /// Events after a position, with their own, in the order in which their changes were committed. A reader
    /// that has seen one has missed none before it: an earlier one never appears later.
    async fn list_events(
        &self,
        filter: &EventFilter,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<(i64, Event)>>;
    /// The position of the last event of all workspaces; 0 where there is none.
    async fn last_event(&self) -> StoreResult<i64>;
    /// The position of an event, of the workspace where one is named.
    async fn event_position(
        &self,
        workspace: Option<&WorkspaceId>,
        id: &EventId,
    ) -> StoreResult<Option<i64>>;
    /// Writes the events of open setups that have expired and have none yet, of at most `limit`. Returns how many.
    async fn expire_setups(&self, now: OffsetDateTime, limit: u32) -> StoreResult<u64>;
    /// From now on the setup's events name this person of the product's.
    async fn setup_acted_for(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        subject: &SubjectId,
    ) -> StoreResult<()>;
}

/// A new secret, and until when the one of before signs too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRotation {
    /// Sealed.
    pub secret: Vec<u8>,
    pub previous_until: OffsetDateTime,
}

/// Which delivery a worker asks for.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryClaim<'a> {
    /// To a webhook whose last attempt failed or took long, or to one of the others.
    pub slow: bool,
    /// How many deliveries one webhook has in work, on all replicas together.
    pub most_of_webhook: u32,
    pub worker: &'a str,
    pub now: OffsetDateTime,
    pub lease_until: OffsetDateTime,
}

/// A delivery that a worker holds.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    pub id: DeliveryId,
    pub worker: String,
    pub webhook: Webhook,
    pub event: Event,
    /// This attempt included.
    pub attempts: u32,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledAttempt {
    pub status: DeliveryStatus,
    pub answered: Option<u16>,
    pub error: Option<AttemptError>,
    pub at: OffsetDateTime,
    /// When the next attempt is due, where the status is pending.
    pub due: OffsetDateTime,
    /// Whether it took long.
    pub is_slow: bool,
    /// Whether the receiver wants no more: the webhook is disabled.
    pub is_gone: bool,
}

/// A method that takes an owner sees only that workspace's webhooks, or, with `None`, only those for all workspaces.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// False when its owner has `most` of them. `Conflict` when the workspace is gone.
    async fn create_webhook(
        &self,
        webhook: &Webhook,
        most: u32,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<bool>;
    async fn webhook(
        &self,
        owner: Option<&WorkspaceId>,
        id: &WebhookId,
    ) -> StoreResult<Option<Webhook>>;
    async fn list_webhooks(
        &self,
        owner: Option<&WorkspaceId>,
        window: &Window,
    ) -> StoreResult<Vec<Webhook>>;
    /// Replaces URL, types, description, and whether it is enabled. False when there is none.
    async fn change_webhook(&self, webhook: &Webhook) -> StoreResult<bool>;
    /// The secret becomes the previous one, and the one before that is forgotten. False when there is no such webhook.
    async fn rotate_webhook_secret(
        &self,
        owner: Option<&WorkspaceId>,
        id: &WebhookId,
        rotation: &SecretRotation,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<bool>;
    /// With its deliveries. False when there is none.
    async fn delete_webhook(
        &self,
        owner: Option<&WorkspaceId>,
        id: &WebhookId,
    ) -> StoreResult<bool>;
    /// Newest first.
    async fn list_deliveries(
        &self,
        webhook: &WebhookId,
        window: &Window,
    ) -> StoreResult<Vec<Delivery>>;
    /// The delivery is due now, whatever came of it before. False when there is none, or somebody makes an attempt.
    async fn redeliver(
        &self,
        webhook: &WebhookId,
        delivery: &DeliveryId,
        now: OffsetDateTime,
    ) -> StoreResult<bool>;

    /// Takes a delivery that is due and that nobody holds (its lease, if any, ended before `now`), of an enabled
    /// webhook, leases it to the worker and counts an attempt.
    async fn claim_delivery(
        &self,
        claim: &DeliveryClaim<'_>,
    ) -> StoreResult<Option<ClaimedDelivery>>;
    /// Stores what came of an attempt, and what it says of the webhook. Nothing happens when the worker does not
    /// hold the delivery any more.
    async fn settle_delivery(
        &self,
        claimed: &ClaimedDelivery,
        settled: &SettledAttempt,
    ) -> StoreResult<()>;
    /// How many deliveries are not made yet, the disabled webhooks' left out.
    async fn count_deliveries(&self) -> StoreResult<u64>;
}
