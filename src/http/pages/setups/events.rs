//! What happens to a setup, for the page of its dialog.

use crate::application::error::Result;
use crate::domain::ids::SetupId;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::setup_events;
use crate::http::state::Services;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

pub fn configure(routes: &mut PageRoutes) {
    routes.add(
        PageRoute::at("/settings/setups/{setup_id}/events", "follow_storage_setup").shows(follow),
    );
}

async fn follow(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let workspace = visitor.admin.workspace().clone();
    setup_events::respond(services, workspace, id.0, &request).await
}
