//! `/v1/events`

use crate::application::closed_sets;
use crate::application::error::{Error, FieldError, Result};
use crate::application::events::Events;
use crate::application::events::courier::moment;
use crate::domain::Invalid;
use crate::domain::event::{Event, EventType};
use crate::http::caller::EventsCaller;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::get;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(list_events);
}

/// A change that was stored.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventBody {
    /// The same as `webhook-id` of its deliveries.
    #[schema(example = "evt_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[serde(rename = "type")]
    #[schema(value_type = closed_sets::EventTypeName)]
    kind: &'static str,
    #[schema(format = DateTime, example = "2030-01-31T12:00:00.000Z")]
    timestamp: String,
    #[schema(value_type = EventData)]
    data: Map<String, Value>,
}

/// What changed. Which members there are depends on the type; later versions may add some.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only for the OpenAPI document")]
struct EventData {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    workspace_id: String,
    /// The product's own ID of the workspace, where it has one.
    #[schema(example = "tenant-4711")]
    workspace_external_id: Option<String>,
    /// The product's person for whom it was done, where that is known.
    #[schema(example = "user-4711")]
    subject: Option<String>,
    /// The same, by the name that it has in the audit log.
    #[schema(example = "user-4711")]
    on_behalf_of: Option<String>,
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    storage_id: Option<String>,
    #[schema(example = "set_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    setup_id: Option<String>,
    #[schema(example = "prj_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    project_id: Option<String>,
    #[schema(value_type = Option<closed_sets::AnyEventCode>)]
    code: Option<String>,
}

/// A part of the feed, the oldest events first.
#[derive(Serialize, ToSchema)]
struct EventList {
    events: Vec<EventBody>,
    /// Where the feed goes on: keep it, and send it as `after`.
    next: String,
    /// Whether more events are there already.
    has_more: bool,
}

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// Only events after this one: `next` of an earlier answer, or the ID of an event. Without it, from the oldest
    /// that is kept.
    #[param(example = "evt_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    after: Option<String>,
    /// Only events of these types, separated by commas.
    #[param(example = "storage.created,storage.broken")]
    types: Option<String>,
    /// How many events: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// The same as `page_size`, by its earlier name.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

impl EventQuery {
    /// How many events. What is wrong names the parameter that was sent.
    fn size(&self, errors: &mut Vec<FieldError>) -> u32 {
        let (name, code, size) = match (self.page_size, self.limit) {
            (Some(size), Some(_)) => {
                let detail = "`limit` is the same as `page_size`: send one of them.";
                let invalid = Invalid::new("unexpected_field", detail);
                errors.push(FieldError::new("limit", invalid));
                ("page_size", "invalid_page_size", size)
            }
            (None, Some(limit)) => ("limit", "invalid_limit", limit),
            (size, None) => {
                let size = size.unwrap_or(Events::DEFAULT_LIMIT);
                ("page_size", "invalid_page_size", size)
            }
        };
        if !(1..=Events::LARGEST_LIMIT).contains(&size) {
            let detail = format!("`{name}` is from 1 to {}.", Events::LARGEST_LIMIT);
            errors.push(FieldError::new(name, Invalid::new(code, detail)));
        }
        size
    }
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self {
            id: event.id.to_string(),
            kind: event.kind.as_str(),
            timestamp: moment(event.at),
            data: event.data,
        }
    }
}

/// Reads types of events, each once. The faults name the field.
pub(super) fn parse_types<'t>(
    errors: &mut Vec<FieldError>,
    words: impl Iterator<Item = &'t str>,
) -> Vec<EventType> {
    let mut types = Vec::new();
    for word in words {
        match EventType::parse(word) {
            Ok(kind) if types.contains(&kind) => {}
            Ok(kind) => types.push(kind),
            Err(invalid) => errors.push(FieldError::new("types", invalid)),
        }
    }
    types
}

/// Read events
///
/// In the order in which the changes were stored: the operator those of all workspaces, an admin those of the own
/// one. The same events are sent to webhooks. They are kept for 30 days.
#[utoipa::path(
    tag = "Events",
    params(EventQuery),
    responses((status = 200, description = "A part of the feed", body = EventList)),
)]
#[get("/v1/events")]
async fn list_events(
    EventsCaller(of): EventsCaller,
    services: Data<Services>,
    query: Query<EventQuery>,
) -> Result<Json<EventList>> {
    let mut errors = Vec::new();
    let size = query.0.size(&mut errors);
    let EventQuery { after, types, .. } = query.0;
    let words = types.as_deref().unwrap_or_default().split(',');
    let types = parse_types(&mut errors, words.filter(|word| !word.is_empty()));
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    let page = services
        .events
        .list(
            &of,
            after.as_deref().filter(|after| !after.is_empty()),
            types,
            size,
        )
        .await?;
    Ok(Json(EventList {
        events: page.events.into_iter().map(Into::into).collect(),
        next: page.next,
        has_more: page.has_more,
    }))
}
