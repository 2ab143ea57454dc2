//! The dialog's two ends: adding the storage, and closing the setup.

use crate::application::error::{Reason, Result};
use crate::application::kept::idempotency::Keep;
use crate::domain::ids::SetupId;
use crate::domain::people::sign_in::DialogEnd;
use crate::domain::setup::SetupStatus;
use crate::http::context::AuditedTarget;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::page;
use crate::http::pages::setups::page::Content;
use crate::http::pages::setups::step::DialogStep;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Confirmed;
use crate::http::pages::shell::headers::AlsoAllowed;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::{AdminVisitor, Visitor};
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/settings/setups/{setup_id}/close", "close_storage_setup")
                .shows(ask)
                .changes(close),
        )
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/complete",
                "complete_storage_setup",
            )
            .changes(complete),
        );
}

/// The question, for whoever has no script.
#[derive(Template)]
#[template(path = "pages/setup/close.html")]
struct ClosePage {
    chrome: Chrome,
    id: String,
    expires: Moment,
}

async fn ask(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
) -> Result<HttpResponse> {
    let view = services.setups.get(&visitor.admin, &id.0).await?;
    if view.status != SetupStatus::Open {
        return Ok(see_other(&format!("/settings/setups/{}", id.0)));
    }
    let mut response = html(&ClosePage {
        chrome: Chrome::of(&visitor.visitor, Section::Settings),
        id: id.0.to_string(),
        expires: Moment(view.setup.expires_at),
    })?;
    let allowed = AlsoAllowed::to_the_product(&visitor.visitor);
    response.extensions_mut().insert(allowed);
    Ok(response)
}

async fn close(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    services.setups.close(&visitor.admin, &id.0).await?;
    let end = DialogEnd::Closed {
        setup: id.0.clone(),
    };
    Ok(see_other(&after(
        &visitor.visitor,
        &end,
        "/settings/storages?done=setup_closed",
    )))
}

/// Where the browser goes at the end of the dialog: back to the product, if it sent somebody here. In a frame of
/// the product's that would show the product inside itself, so there a last page sends it a message.
fn after(visitor: &Visitor, end: &DialogEnd, here: &str) -> String {
    let way_back = &visitor.session.way_back;
    match (&way_back.return_url, way_back.embed) {
        (_, true) => format!("/settings/setups/{}", end.setup()),
        (Some(url), false) => url.with(end),
        (None, false) => here.to_owned(),
    }
}

/// Adds the storage, and ends the dialog.
async fn complete(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let completed = services
        .setups
        .complete(&visitor.admin, &id.0, Keep::nothing())
        .await;
    let storage = match completed {
        Ok(added) => added.storage,
        // The page was open for longer than a check counts: the dialog offers another one.
        Err(error) if error.reason == Some(Reason::CheckRequired) => {
            let view = services.setups.get(&visitor.admin, &id.0).await?;
            if !view.has_outlived_its_check() {
                return Err(error);
            }
            let content = Content {
                done: Some("check_needed".to_owned()),
                ..Content::default()
            };
            let page = page::respond(&visitor, &services, view, DialogStep::Check, content);
            let mut response = page.await?;
            *response.status_mut() = StatusCode::CONFLICT;
            return Ok(response);
        }
        Err(error) => return Err(error),
    };
    let here = format!("/settings/storages/{}?done=storage_added", storage.id);
    let end = DialogEnd::Completed {
        setup: id.0.clone(),
        storage: storage.id.clone(),
    };
    let mut response = see_other(&after(&visitor.visitor, &end, &here));
    // The redirect leads elsewhere, and the audit log says what was made.
    let target = AuditedTarget(storage.id.to_string());
    response.extensions_mut().insert(target);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    #[test]
    fn closing_asks_first() {
        let page = ClosePage {
            chrome: Chrome::bare(),
            id: "set_1".into(),
            expires: Moment(OffsetDateTime::UNIX_EPOCH),
        };
        let html = page.render().unwrap();
        assert!(html.contains("Keep for later") && html.contains("Discard"));
        assert!(html.contains("datetime=\"1970-01-01T00:00:00Z\""));
    }
}
