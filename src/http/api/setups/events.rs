//! `/v1/storage-setups/{setup_id}/events`

use crate::application::error::Result;
use crate::domain::ids::SetupId;
use crate::http::caller::AdminCaller;
use crate::http::path::Id;
use crate::http::setup_events;
use crate::http::state::Services;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};

/// Follow a setup
///
/// Server-sent events: `role_appeared` (`{role_arn, at}`), `check_finished` (`{check_id, outcome, is_current}`) and
/// `completed` (`{storage_id}`). A stream begins with what has happened already, or with what has happened since the
/// event of `Last-Event-ID`. While it is open, the setup's role is tried every three seconds, and a role that
/// appears is checked at once. A line of comment comes every 15 seconds. The stream ends with the setup, and after
/// five minutes in any case: then open it again.
#[utoipa::path(
    tag = "Storage setups",
    params(
        ("setup_id" = String, Path, description = "The setup's ID"),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was received. Only later ones come."),
    ),
    responses(
        (status = 200, description = "The events, as they come: `id`, `event` and `data`, which is a JSON object", body = Value, content_type = "text/event-stream"),
        (status = 204, description = "The setup has ended, and every event has been sent"),
        (status = 429, description = "`too_many_streams`: the workspace follows more setups at the same time than it may"),
    ),
)]
#[get("/v1/storage-setups/{setup_id}/events")]
pub(super) async fn follow_storage_setup(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let workspace = admin.0.workspace().clone();
    setup_events::respond(services, workspace, id.0, &request).await
}
