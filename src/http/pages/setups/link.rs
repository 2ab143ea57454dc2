//! The link for the customer's AWS administrator, as an admin makes and revokes it.

use crate::application::error::Result;
use crate::application::kept::idempotency::Keep;
use crate::domain::ids::SetupId;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::page;
use crate::http::pages::setups::page::Content;
use crate::http::pages::setups::step;
use crate::http::pages::setups::step::DialogStep;
use crate::http::pages::setups::way::Way;
use crate::http::pages::shell::answer::see_other;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/settings/setups/{setup_id}/link", "make_instruction_link")
                .changes(make),
        )
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/link/revoke",
                "revoke_instruction_link",
            )
            .changes(revoke),
        );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromStep {
    step: Option<String>,
}

/// Shows the link in the answer itself: it is stored nowhere that a redirect could show it from.
async fn make(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    form: Form<FromStep>,
) -> Result<HttpResponse> {
    let (_, secret) = services
        .dialog
        .instructions
        .make(&visitor.admin, &id.0, Keep::nothing())
        .await?;
    let view = services.setups.get(&visitor.admin, &id.0).await?;
    let step = DialogStep::asked(form.0.step.as_deref(), &view);
    let content = Content {
        way: Some(Way::Administrator),
        new_link: Some(secret),
        ..Content::default()
    };
    page::respond(&visitor, &services, view, step, content).await
}

async fn revoke(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    form: Form<FromStep>,
) -> Result<HttpResponse> {
    services
        .dialog
        .instructions
        .revoke_any(&visitor.admin, &id.0)
        .await?;
    let view = services.setups.get(&visitor.admin, &id.0).await?;
    let step = DialogStep::asked(form.0.step.as_deref(), &view);
    let address = step::address_of(&id.0, step, Some(Way::Administrator));
    Ok(see_other(&format!("{address}&done=link_revoked")))
}
