//! Webhooks. What is sent to them is in [`deliveries`](super::deliveries).

use crate::application::kept::store::{
    ClaimedDelivery, DeliveryClaim, KeptAnswer, SecretRotation, SettledAttempt, StoreResult,
    WebhookStore, Window,
};
use crate::database::engine::{Value, values};
use crate::database::idempotency::keep;
use crate::database::jobs::one_claim_at_a_time;
use crate::database::webhook_rows::webhook;
use crate::database::{Database, after, deliveries};
use crate::domain::event::EventType;
use crate::domain::ids::{DeliveryId, WebhookId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::webhook::{Delivery, Webhook};
use async_trait::async_trait;
use time::OffsetDateTime;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, workspace_id, url, types, description, is_enabled, is_gone, failing_since, \
             secret, previous_secret, previous_until, created_at \
             FROM webhooks ",
            $rest
        )
    };
}

/// The name under which webhooks are made one at a time, so that no owner has more than it may.
const CREATION: &str = "webhooks";

/// The owner as the statements compare it.
fn owner_text(owner: Option<&WorkspaceId>) -> &str {
    owner.map_or("", WorkspaceId::as_str)
}

#[async_trait]
impl WebhookStore for Database {
    async fn create_webhook(
        &self,
        webhook: &Webhook,
        most: u32,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        one_claim_at_a_time(&mut tx, CREATION).await?;
        let there = tx
            .fetch_all(
                "SELECT id FROM webhooks WHERE COALESCE(workspace_id, '') = $1",
                values![owner_text(webhook.workspace.as_ref())],
            )
            .await?;
        if there.len() >= most as usize {
            return Ok(false);
        }
        tx.execute(
            "INSERT INTO webhooks (id, workspace_id, url, types, description, is_enabled, secret, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            values![
                webhook.id.as_str(),
                webhook.workspace.as_ref().map(WorkspaceId::as_str),
                webhook.url.as_str(),
                types_text(&webhook.types),
                webhook.description.as_ref().map(Name::as_str),
                i64::from(webhook.is_enabled),
                webhook.secret.as_slice(),
                webhook.created_at,
            ],
        )
        .await?;
        keep(&mut tx, answer).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn webhook(
        &self,
        owner: Option<&WorkspaceId>,
        id: &WebhookId,
    ) -> StoreResult<Option<Webhook>> {
        self.fetch_record(
            "webhooks",
            select!("WHERE id = $2 AND COALESCE(workspace_id, '') = $1"),
            values![owner_text(owner), id.as_str()],
            webhook,
        )
        .await
    }

    async fn list_webhooks(
        &self,
        owner: Option<&WorkspaceId>,
        window: &Window,
    ) -> StoreResult<Vec<Webhook>> {
        self.fetch_records(
            "webhooks",
            select!("WHERE COALESCE(workspace_id, '') = $1 AND id > $2 ORDER BY id LIMIT $3"),
            values![owner_text(owner), after(window), window.limit],
            webhook,
        )
        .await
    }

    async fn change_webhook(&self, webhook: &Webhook) -> StoreResult<bool> {
        let changed = self
            .execute(
                "UPDATE webhooks SET url = $3, types = $4, description = $5, is_enabled = $6, is_gone = $7
                 WHERE id = $2 AND COALESCE(workspace_id, '') = $1",
                values![
                    owner_text(webhook.workspace.as_ref()),
                    webhook.id.as_str(),
                    webhook.url.as_str(),
                    types_text(&webhook.types),
                    webhook.description.as_ref().map(Name::as_str),
                    i64::from(webhook.is_enabled),
                    i64::from(webhook.is_gone),
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    async fn rotate_webhook_secret(
        &self,
        owner: Option<&WorkspaceId>,
        id: &WebhookId,
        rotation: &SecretRotation,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let rotated = tx
            .execute(
                "UPDATE webhooks SET previous_secret = secret, previous_until = $4, secret = $3
                 WHERE id = $2 AND COALESCE(workspace_id, '') = $1",
                values![
                    owner_text(owner),
                    id.as_str(),
                    rotation.secret.as_slice(),
                    rotation.previous_until
                ],
            )
            .await?;
        if rotated != 1 {
            return Ok(false);
        }
        keep(&mut tx, answer).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn delete_webhook(
        &self,
        owner: Option<&WorkspaceId>,
        id: &WebhookId,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let deleted = tx
            .execute(
                "DELETE FROM webhooks WHERE id = $2 AND COALESCE(workspace_id, '') = $1",
                values![owner_text(owner), id.as_str()],
            )
            .await?;
        if deleted == 1 {
            // What is added meanwhile is never sent, and goes with its event.
            tx.execute(
                "DELETE FROM webhook_deliveries WHERE webhook_id = $1",
                values![id.as_str()],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(deleted == 1)
    }

    async fn list_deliveries(
        &self,
        webhook: &WebhookId,
        window: &Window,
    ) -> StoreResult<Vec<Delivery>> {
        deliveries::list(self, webhook, window).await
    }

    async fn redeliver(
        &self,
        webhook: &WebhookId,
        delivery: &DeliveryId,
        now: OffsetDateTime,
    ) -> StoreResult<bool> {
        deliveries::redeliver(self, webhook, delivery, now).await
    }

    async fn claim_delivery(
        &self,
        claim: &DeliveryClaim<'_>,
    ) -> StoreResult<Option<ClaimedDelivery>> {
        deliveries::claim(self, claim).await
    }

    async fn settle_delivery(
        &self,
        claimed: &ClaimedDelivery,
        settled: &SettledAttempt,
    ) -> StoreResult<()> {
        deliveries::settle(self, claimed, settled).await
    }

    async fn count_deliveries(&self) -> StoreResult<u64> {
        deliveries::count(self).await
    }
}

fn types_text(types: &[EventType]) -> Value {
    let words: Vec<&str> = types.iter().map(|kind| kind.as_str()).collect();
    words.join(",").into()
}
