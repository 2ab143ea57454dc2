//! `/v1/webhooks`

use crate::application::closed_sets;
use crate::application::connections::change::Change;
use crate::application::error::{Error, FieldError, Result};
use crate::application::events::courier::Attempt;
use crate::application::events::webhooks::{NewWebhook, WebhookChange, WithSecret};
use crate::application::kept::vault::sha256;
use crate::domain::event::EventType;
use crate::domain::ids::{DeliveryId, WebhookId};
use crate::domain::names::Name;
use crate::domain::webhook::{AttemptError, Delivery, Webhook, WebhookUrl};
use crate::http::api::events::parse_types;
use crate::http::body::{Body, read_field};
use crate::http::caller::EventsCaller;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::page::PageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_webhook))
        .service(list_webhooks)
        .service(get_webhook)
        .service(changes(change_webhook))
        .service(changes(delete_webhook))
        .service(changes(rotate_webhook_secret))
        .service(changes(test_webhook))
        .service(list_webhook_deliveries)
        .service(changes(redeliver_event));
}

/// A webhook to make.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhook)]
#[serde(deny_unknown_fields)]
struct NewWebhookBody {
    /// `https`; or `http` to this machine, where the operator allows that network. At most 2000 characters.
    #[schema(example = "https://app.example.com/hooks/sallyport", max_length = 2000)]
    url: String,
    /// Only events of these types; left out or empty: all, also those of later versions.
    #[serde(default)]
    #[schema(value_type = Vec<closed_sets::EventTypeName>, example = json!(["storage.created", "storage.broken"]))]
    types: Vec<String>,
    /// 1 to 200 characters.
    #[schema(example = "Production", min_length = 1, max_length = 200)]
    description: Option<String>,
}

/// What to change of a webhook. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookChange)]
#[serde(deny_unknown_fields)]
struct WebhookChangeBody {
    #[schema(example = "https://app.example.com/hooks/sallyport", max_length = 2000)]
    url: Option<String>,
    /// Takes the place of all that were there. Empty: all types.
    #[schema(value_type = Option<Vec<closed_sets::EventTypeName>>, example = json!(["storage.broken"]))]
    types: Option<Vec<String>>,
    /// `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Production")]
    description: Change<String>,
    /// Events that happen while it is disabled are not sent to it.
    is_enabled: Option<bool>,
}

/// Where events are sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
struct WebhookBody {
    #[schema(example = "whk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    /// Null: it gets the events of all workspaces.
    workspace_id: Option<String>,
    #[schema(example = "https://app.example.com/hooks/sallyport")]
    url: String,
    /// Empty: events of every type.
    #[schema(value_type = Vec<closed_sets::EventTypeName>)]
    types: Vec<&'static str>,
    description: Option<String>,
    is_enabled: bool,
    /// Whether it was disabled because the receiver answered 410.
    is_gone: bool,
    /// Since when no attempt has succeeded. Null: the last one did, or there was none.
    #[serde(with = "crate::domain::rfc3339::option")]
    failing_since: Option<OffsetDateTime>,
    /// Until when the secret of before signs too, where it was rotated.
    #[serde(with = "crate::domain::rfc3339::option")]
    previous_secret_until: Option<OffsetDateTime>,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
}

/// A webhook with its new secret.
#[derive(Serialize, ToSchema)]
struct WebhookWithSecret {
    #[serde(flatten)]
    about: WebhookBody,
    /// The key of its signatures, as the Standard Webhooks libraries take it. It is shown this once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

/// A page of webhooks, in the order of their creation.
#[derive(Serialize, ToSchema)]
struct WebhookList {
    webhooks: Vec<WebhookBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// What came of an attempt.
#[derive(Serialize, ToSchema)]
struct WebhookTest {
    /// Whether the receiver answered with a 2xx.
    succeeded: bool,
    /// The answer's status. Null: there was no answer.
    #[schema(example = 204)]
    response_status: Option<u16>,
    #[schema(value_type = Option<closed_sets::AttemptError>)]
    error: Option<&'static str>,
    #[schema(example = 87)]
    duration_ms: u64,
}

/// One event on its way to one webhook.
#[derive(Serialize, ToSchema)]
struct WebhookDelivery {
    #[schema(example = "dlv_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(example = "evt_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    event_id: String,
    #[schema(value_type = closed_sets::EventTypeName)]
    event_type: &'static str,
    #[schema(value_type = closed_sets::DeliveryStatus)]
    status: &'static str,
    /// How many attempts were begun.
    attempts: u32,
    #[serde(with = "crate::domain::rfc3339::option")]
    last_attempt_at: Option<OffsetDateTime>,
    /// The status of the last answer.
    #[schema(example = 500)]
    response_status: Option<u16>,
    /// Why the last attempt had no answer.
    #[schema(value_type = Option<closed_sets::AttemptError>)]
    error: Option<&'static str>,
    /// Null: there is no further attempt.
    #[serde(with = "crate::domain::rfc3339::option")]
    next_attempt_at: Option<OffsetDateTime>,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
}

/// A page of deliveries, newest first.
#[derive(Serialize, ToSchema)]
struct WebhookDeliveryList {
    deliveries: Vec<WebhookDelivery>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            workspace_id: webhook.workspace.map(|id| id.to_string()),
            url: webhook.url.to_string(),
            types: webhook.types.iter().map(|kind| kind.as_str()).collect(),
            description: webhook.description.map(|text| text.to_string()),
            is_enabled: webhook.is_enabled,
            is_gone: webhook.is_gone,
            failing_since: webhook.failing_since,
            previous_secret_until: webhook.previous.map(|previous| previous.until),
            created_at: webhook.created_at,
        }
    }
}

impl From<&WithSecret> for WebhookWithSecret {
    fn from((webhook, secret): &WithSecret) -> Self {
        Self {
            about: webhook.clone().into(),
            secret: secret.expose_secret().to_owned(),
        }
    }
}

impl From<Attempt> for WebhookTest {
    fn from(attempt: Attempt) -> Self {
        Self {
            succeeded: attempt.is_success(),
            response_status: attempt.answered.ok(),
            error: attempt.answered.err().map(AttemptError::as_str),
            duration_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<Delivery> for WebhookDelivery {
    fn from(delivery: Delivery) -> Self {
        let last = delivery.last.as_ref();
        Self {
            id: delivery.id.to_string(),
            event_id: delivery.event.to_string(),
            event_type: delivery.kind.as_str(),
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            last_attempt_at: last.map(|last| last.at),
            response_status: last.and_then(|last| last.answered),
            error: last.and_then(|last| last.error).map(AttemptError::as_str),
            next_attempt_at: delivery.next_attempt_at,
            created_at: delivery.created_at,
        }
    }
}

fn types(errors: &mut Vec<FieldError>, words: &[String]) -> Vec<EventType> {
    parse_types(errors, words.iter().map(String::as_str))
}

impl NewWebhookBody {
    fn parse(self) -> Result<NewWebhook> {
        let mut errors = Vec::new();
        let url = read_field(&mut errors, "url", WebhookUrl::parse(&self.url));
        let types = types(&mut errors, &self.types);
        let description = self
            .description
            .as_deref()
            .and_then(|text| read_field(&mut errors, "description", Name::parse(text)));
        match url {
            Some(url) if errors.is_empty() => Ok(NewWebhook {
                url,
                types,
                description,
            }),
            _ => Err(Error::invalid(errors)),
        }
    }
}

impl WebhookChangeBody {
    fn parse(self) -> Result<WebhookChange> {
        let mut errors = Vec::new();
        let url = self
            .url
            .as_deref()
            .and_then(|url| read_field(&mut errors, "url", WebhookUrl::parse(url)));
        let types = self.types.map(|words| types(&mut errors, &words));
        let description = match self.description {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(text) => match read_field(&mut errors, "description", Name::parse(&text)) {
                Some(name) => Change::Set(name),
                None => Change::Keep,
            },
        };
        match errors.is_empty() {
            true => Ok(WebhookChange {
                url,
                types,
                description,
                is_enabled: self.is_enabled,
            }),
            false => Err(Error::invalid(errors)),
        }
    }
}

fn created(made: &WithSecret) -> Result<MadeAnswer> {
    let location = format!("/v1/webhooks/{}", made.0.id);
    let body = WebhookWithSecret::from(made);
    Ok(MadeAnswer::new(StatusCode::CREATED, &body)?.at(location))
}

/// Make a webhook
///
/// By the operator's token it gets the events of all workspaces, by an admin's those of the admin's workspace. There
/// are at most 10 of each.
#[utoipa::path(
    tag = "Events",
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new.")),
    request_body = NewWebhookBody,
    responses(
        (status = 201, description = "Made: the only time that the secret is shown", body = WebhookWithSecret, headers(("Location" = String, description = "The webhook's path"))),
        (status = 409, description = "`webhook_limit_reached`; or a request with the same idempotency key is under way"),
        (status = 429, description = "`too_many_webhooks`: more than may be made in an hour"),
    ),
)]
#[post("/v1/webhooks")]
async fn create_webhook(
    EventsCaller(of): EventsCaller,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewWebhookBody>,
) -> Result<HttpResponse> {
    let new = body.value.parse()?;
    once.run(&services, body.fingerprint, created, async |keep| {
        services.webhooks.create(&of, new, keep).await
    })
    .await
}

/// List webhooks
///
/// The operator's are those for all workspaces, an admin's those of the admin's workspace.
#[utoipa::path(
    tag = "Events",
    params(PageQuery),
    responses((status = 200, description = "A page of webhooks", body = WebhookList)),
)]
#[get("/v1/webhooks")]
async fn list_webhooks(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    query: Query<PageQuery>,
) -> Result<Json<WebhookList>> {
    let place = format!("{}/webhooks", of.place());
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.webhooks.list(&of, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |webhook| webhook.id.to_string())?;
    Ok(Json(WebhookList {
        webhooks: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Read a webhook
#[utoipa::path(
    tag = "Events",
    params(("webhook_id" = String, Path, description = "The webhook's ID")),
    responses((status = 200, description = "The webhook", body = WebhookBody)),
)]
#[get("/v1/webhooks/{webhook_id}")]
async fn get_webhook(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    id: Id<WebhookId>,
) -> Result<Json<WebhookBody>> {
    Ok(Json(services.webhooks.get(&of, &id.0).await?.into()))
}

/// Change a webhook
#[utoipa::path(
    tag = "Events",
    params(("webhook_id" = String, Path, description = "The webhook's ID")),
    request_body = WebhookChangeBody,
    responses((status = 200, description = "The webhook as it is now", body = WebhookBody)),
)]
#[patch("/v1/webhooks/{webhook_id}")]
async fn change_webhook(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    id: Id<WebhookId>,
    body: Body<WebhookChangeBody>,
) -> Result<Json<WebhookBody>> {
    let change = body.value.parse()?;
    let changed = services.webhooks.change(&of, &id.0, change).await?;
    Ok(Json(changed.into()))
}

/// Delete a webhook
///
/// What was not sent to it yet is not sent any more.
#[utoipa::path(
    tag = "Events",
    params(("webhook_id" = String, Path, description = "The webhook's ID")),
    responses((status = 204, description = "Deleted")),
)]
#[delete("/v1/webhooks/{webhook_id}")]
async fn delete_webhook(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    id: Id<WebhookId>,
) -> Result<HttpResponse> {
    services.webhooks.delete(&of, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give a webhook another secret
///
/// For 24 hours each request has a signature by each of both secrets, the new one's first. A secret that was rotated
/// before ends at once.
#[utoipa::path(
    tag = "Events",
    params(
        ("webhook_id" = String, Path, description = "The webhook's ID"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new."),
    ),
    responses((status = 200, description = "Rotated: the only time that the secret is shown", body = WebhookWithSecret)),
)]
#[post("/v1/webhooks/{webhook_id}/rotate-secret")]
async fn rotate_webhook_secret(
    EventsCaller(of): EventsCaller,
    once: Idempotent,
    services: Data<Services>,
    id: Id<WebhookId>,
) -> Result<HttpResponse> {
    let answer =
        |rotated: &WithSecret| MadeAnswer::new(StatusCode::OK, &WebhookWithSecret::from(rotated));
    // There is no body to compare.
    once.run(&services, sha256(b""), answer, async |keep| {
        services.webhooks.rotate(&of, &id.0, keep).await
    })
    .await
}

/// Try a webhook
///
/// Sends an event of the type `webhook.test` now and once, also while the webhook is disabled. It is in no feed. Its
/// `data` has `webhook_id`, `workspace_id`, which is null for a webhook for all workspaces, and
/// `workspace_external_id`, where the workspace has one.
#[utoipa::path(
    tag = "Events",
    params(("webhook_id" = String, Path, description = "The webhook's ID")),
    responses((status = 200, description = "What came of it", body = WebhookTest)),
)]
#[post("/v1/webhooks/{webhook_id}/test")]
async fn test_webhook(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    id: Id<WebhookId>,
) -> Result<Json<WebhookTest>> {
    Ok(Json(services.webhooks.test(&of, &id.0).await?.into()))
}

/// List a webhook's deliveries
///
/// Newest first. They are kept as long as their events.
#[utoipa::path(
    tag = "Events",
    params(("webhook_id" = String, Path, description = "The webhook's ID"), PageQuery),
    responses((status = 200, description = "A page of deliveries", body = WebhookDeliveryList)),
)]
#[get("/v1/webhooks/{webhook_id}/deliveries")]
async fn list_webhook_deliveries(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    id: Id<WebhookId>,
    query: Query<PageQuery>,
) -> Result<Json<WebhookDeliveryList>> {
    let place = format!("{}/webhooks/{}", of.place(), id.0);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.webhooks.deliveries(&of, &id.0, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |delivery| delivery.id.to_string())?;
    Ok(Json(WebhookDeliveryList {
        deliveries: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Send a delivery again
///
/// With the same event ID, whatever came of it before. A delivery that is being sent at this moment is answered like
/// an absent one.
#[utoipa::path(
    tag = "Events",
    params(
        ("webhook_id" = String, Path, description = "The webhook's ID"),
        ("delivery_id" = String, Path, description = "The delivery's ID"),
    ),
    responses((status = 202, description = "It is sent within a second")),
)]
#[post("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver")]
async fn redeliver_event(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    id: Id<WebhookId>,
    delivery: Id<DeliveryId>,
) -> Result<HttpResponse> {
    services.webhooks.redeliver(&of, &id.0, &delivery.0).await?;
    Ok(HttpResponse::Accepted().finish())
}
