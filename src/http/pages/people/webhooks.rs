//! Settings > Webhooks: where the workspace's events are sent, and what became of each.

use crate::application::connections::change::Change;
use crate::application::error::{Error, Kind, Result};
use crate::application::events::EventsOf;
use crate::application::events::webhooks::{NewWebhook, WebhookChange, WithSecret};
use crate::application::kept::idempotency::{BegunRequest, IdempotencyKey, Keep, Once};
use crate::application::kept::page_tokens::PageRequest;
use crate::application::kept::vault::sha256;
use crate::domain::event::EventType;
use crate::domain::ids::{DeliveryId, WebhookId};
use crate::domain::names::Name;
use crate::domain::webhook::WebhookUrl;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::people::webhook_words::{DeliveryRow, TestResult, WebhookRow};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::{Confirmed, FormFields};
use crate::http::pages::shell::list::ListQuery;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use askama::Template;
use secrecy::ExposeSecret;

/// How many webhooks or deliveries a page shows.
const PAGE: u32 = 25;

pub fn configure(routes: &mut PageRoutes) {
    let one = "/settings/webhooks/{webhook_id}";
    routes
        .add(
            PageRoute::at("/settings/webhooks", "create_webhook")
                .shows(list)
                .changes(create),
        )
        .add(PageRoute::at(one, "webhook_page").shows(show))
        .add(PageRoute::at(&format!("{one}/test"), "test_webhook").changes(test))
        .add(
            PageRoute::at(&format!("{one}/rotate-secret"), "rotate_webhook_secret").changes(rotate),
        )
        .add(PageRoute::at(&format!("{one}/switch"), "change_webhook").changes(switch))
        .add(PageRoute::at(&format!("{one}/delete"), "delete_webhook").changes(delete))
        .add(
            PageRoute::at(
                &format!("{one}/deliveries/{{delivery_id}}/redeliver"),
                "redeliver_event",
            )
            .changes(redeliver),
        );
}

/// The workspace's webhooks, and the form of a new one.
#[derive(Template)]
#[template(path = "pages/people/webhooks.html")]
pub(super) struct WebhooksPage {
    pub chrome: Chrome,
    pub webhooks: Vec<WebhookRow>,
    pub is_first_page: bool,
    pub next: Option<String>,
    pub form: NewWebhookForm,
    /// The secret of a webhook that was just made: it is on this one page.
    pub made: Option<MadeSecret>,
}

/// A webhook with its deliveries.
#[derive(Template)]
#[template(path = "pages/people/webhook.html")]
pub(super) struct WebhookPage {
    pub chrome: Chrome,
    pub webhook: WebhookRow,
    pub types: Vec<&'static str>,
    pub previous_until: Option<Moment>,
    pub deliveries: Vec<DeliveryRow>,
    pub is_first_page: bool,
    pub next: Option<String>,
    /// Names this one form, so a secret is rotated by it once.
    pub once: String,
    pub tested: Option<TestResult>,
    pub made: Option<MadeSecret>,
}

impl WebhookPage {
    pub fn address(&self) -> String {
        format!("/settings/webhooks/{}", self.webhook.id)
    }
}

pub(super) struct MadeSecret {
    pub url: String,
    pub secret: String,
}

/// The form of a new webhook: what was typed, and what is wrong with it.
#[derive(Default)]
pub(super) struct NewWebhookForm {
    pub url: String,
    pub description: String,
    pub types: Vec<EventType>,
    /// Names this one form, so a webhook is made of it once.
    pub once: String,
    pub url_error: Option<String>,
    pub description_error: Option<String>,
}

impl NewWebhookForm {
    fn new() -> Self {
        Self {
            once: once_key(),
            ..Self::default()
        }
    }

    pub fn has_type(&self, kind: &EventType) -> bool {
        self.types.contains(kind)
    }
}

fn once_key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn of(visitor: &AdminVisitor) -> EventsOf {
    EventsOf::Workspace(visitor.admin.workspace().clone())
}

async fn list(
    visitor: AdminVisitor,
    services: Data<Services>,
    query: Query<ListQuery>,
) -> Result<HttpResponse> {
    let form = NewWebhookForm::new();
    let mut page = list_page(&visitor, &services, query.0.page, form).await?;
    page.chrome = page.chrome.flash(query.0.done.as_deref());
    html(&page)
}

async fn list_page(
    visitor: &AdminVisitor,
    services: &Services,
    token: Option<String>,
    form: NewWebhookForm,
) -> Result<WebhooksPage> {
    let is_first_page = token.is_none();
    let of = of(visitor);
    let place = format!("{}/pages/webhooks", of.place());
    let request = PageRequest { size: PAGE, token };
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.webhooks.list(&of, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |webhook| webhook.id.to_string())?;
    Ok(WebhooksPage {
        chrome: Chrome::of(&visitor.visitor, Section::People),
        webhooks: page.items.iter().map(WebhookRow::of).collect(),
        is_first_page,
        next: page.next_page_token,
        form,
        made: None,
    })
}

/// The form again, with what is wrong.
async fn refused(
    visitor: &AdminVisitor,
    services: &Services,
    form: NewWebhookForm,
) -> Result<HttpResponse> {
    let mut response = html(&list_page(visitor, services, None, form).await?)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Makes a webhook, once for each form. The answer is the only page that ever has its secret.
async fn create(
    visitor: AdminVisitor,
    services: Data<Services>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let types: std::result::Result<Vec<EventType>, _> =
        fields.all("types").map(EventType::parse).collect();
    let mut form = NewWebhookForm {
        url: fields.text("url").trim().to_owned(),
        description: fields.text("description").trim().to_owned(),
        types: types.map_err(|invalid| Error::field("types", invalid))?,
        ..NewWebhookForm::new()
    };
    let url = WebhookUrl::parse(&form.url);
    let description = match form.description.as_str() {
        "" => Ok(None),
        text => Name::parse(text).map(Some),
    };
    let (url, description) = match (url, description) {
        (Ok(url), Ok(description)) => (url, description),
        (url, description) => {
            form.url_error = url.err().map(|invalid| invalid.detail);
            form.description_error = description.err().map(|invalid| invalid.detail);
            return refused(&visitor, &services, form).await;
        }
    };
    let of = of(&visitor);
    let once = Once {
        scope: format!("{} POST /settings/webhooks", of.place()),
        key: IdempotencyKey::parse(fields.text("once").as_bytes())
            .map_err(|invalid| Error::field("once", invalid))?,
        fingerprint: sha256(format!("{:?}", fields.0).as_bytes()),
    };
    let held = match services.idempotency.begin_or_wait(once).await? {
        BegunRequest::First(held) => held,
        BegunRequest::Done(_) => {
            return Ok(see_other("/settings/webhooks?done=webhook_made_before"));
        }
    };
    let new = NewWebhook {
        url,
        types: form.types.clone(),
        description,
    };
    // The secret is not kept for a repetition.
    let render = |(webhook, _): &WithSecret| Ok(webhook.id.to_string().into_bytes());
    let keep = Keep::new(Some(&held), &render);
    let made = match services.webhooks.create(&of, new, keep).await {
        Ok(made) => made,
        Err(error) => {
            held.give_back(&error).await;
            if error.kind != Kind::Unprocessable {
                return Err(error);
            }
            form.url_error = Some(error.detail.clone());
            return refused(&visitor, &services, form).await;
        }
    };
    let mut page = list_page(&visitor, &services, None, NewWebhookForm::new()).await?;
    page.made = Some(MadeSecret::of(&made));
    let mut response = html(&page)?;
    *response.status_mut() = StatusCode::CREATED;
    // The audit log takes from here what was made.
    let location = format!("/settings/webhooks/{}", made.0.id);
    let location = header::HeaderValue::from_str(&location).map_err(Error::bug)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

impl MadeSecret {
    fn of((webhook, secret): &WithSecret) -> Self {
        Self {
            url: webhook.url.to_string(),
            secret: secret.expose_secret().to_owned(),
        }
    }
}

async fn show(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<WebhookId>,
    query: Query<ListQuery>,
) -> Result<HttpResponse> {
    let mut page = one_page(&visitor, &services, &id.0, query.0.page).await?;
    page.chrome = page.chrome.flash(query.0.done.as_deref());
    html(&page)
}

async fn one_page(
    visitor: &AdminVisitor,
    services: &Services,
    id: &WebhookId,
    token: Option<String>,
) -> Result<WebhookPage> {
    let is_first_page = token.is_none();
    let of = of(visitor);
    let webhook = services.webhooks.get(&of, id).await?;
    let place = format!("{}/pages/webhooks/{id}", of.place());
    let request = PageRequest { size: PAGE, token };
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.webhooks.deliveries(&of, id, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |delivery| delivery.id.to_string())?;
    let now = time::OffsetDateTime::now_utc();
    Ok(WebhookPage {
        chrome: Chrome::of(&visitor.visitor, Section::People),
        types: webhook.types.iter().map(|kind| kind.as_str()).collect(),
        previous_until: webhook
            .previous
            .as_ref()
            .map(|previous| previous.until)
            .filter(|until| *until > now)
            .map(Moment),
        webhook: WebhookRow::of(&webhook),
        deliveries: page.items.iter().map(DeliveryRow::of).collect(),
        is_first_page,
        next: page.next_page_token,
        once: once_key(),
        tested: None,
        made: None,
    })
}

async fn test(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<WebhookId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let attempt = services.webhooks.test(&of(&visitor), &id.0).await?;
    let mut page = one_page(&visitor, &services, &id.0, None).await?;
    page.tested = Some(TestResult::of(&attempt));
    html(&page)
}

/// Rotates the secret, once for each form: a second rotation would end the secret that the receiver still has.
async fn rotate(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<WebhookId>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let of = of(&visitor);
    let once = Once {
        scope: format!(
            "{} POST /settings/webhooks/{}/rotate-secret",
            of.place(),
            id.0
        ),
        key: IdempotencyKey::parse(fields.text("once").as_bytes())
            .map_err(|invalid| Error::field("once", invalid))?,
        fingerprint: sha256(id.0.as_str().as_bytes()),
    };
    let held = match services.idempotency.begin_or_wait(once).await? {
        BegunRequest::First(held) => held,
        BegunRequest::Done(_) => {
            let to = format!("/settings/webhooks/{}?done=webhook_made_before", id.0);
            return Ok(see_other(&to));
        }
    };
    // The secret is not kept for a repetition.
    let render = |(webhook, _): &WithSecret| Ok(webhook.id.to_string().into_bytes());
    let keep = Keep::new(Some(&held), &render);
    let rotated = match services.webhooks.rotate(&of, &id.0, keep).await {
        Ok(rotated) => rotated,
        Err(error) => {
            held.give_back(&error).await;
            return Err(error);
        }
    };
    let mut page = one_page(&visitor, &services, &id.0, None).await?;
    page.made = Some(MadeSecret::of(&rotated));
    html(&page)
}

async fn switch(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<WebhookId>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let is_enabled = fields.text("is_enabled") == "true";
    let change = WebhookChange {
        url: None,
        types: None,
        description: Change::Keep,
        is_enabled: Some(is_enabled),
    };
    services
        .webhooks
        .change(&of(&visitor), &id.0, change)
        .await?;
    let done = match is_enabled {
        true => "webhook_enabled",
        false => "webhook_disabled",
    };
    Ok(see_other(&format!(
        "/settings/webhooks/{}?done={done}",
        id.0
    )))
}

async fn delete(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<WebhookId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    services.webhooks.delete(&of(&visitor), &id.0).await?;
    Ok(see_other("/settings/webhooks?done=webhook_deleted"))
}

async fn redeliver(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<WebhookId>,
    delivery: Id<DeliveryId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    services
        .webhooks
        .redeliver(&of(&visitor), &id.0, &delivery.0)
        .await?;
    let to = format!("/settings/webhooks/{}?done=event_sent_again", id.0);
    Ok(see_other(&to))
}
