//! The dialog's two ends: adding the storage, and closing the setup.

use crate::application::error::{Reason, Result};
use crate::application::kept::idempotency::Keep;
use crate::domain::ids::SetupId;
use crate::domain::setup::SetupStatus;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::page;
use crate::http::pages::setups::page::Content;
use crate::http::pages::setups::step::DialogStep;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::form::Confirmed;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::AdminVisitor;
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
    html(&ClosePage {
        chrome: Chrome::of(&visitor.visitor, Section::Settings),
        id: id.0.to_string(),
        expires: Moment(view.setup.expires_at),
    })
}

async fn close(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    services.setups.close(&visitor.admin, &id.0).await?;
    Ok(see_other("/settings/storages?done=setup_closed"))
}

/// Adds the storage. Whoever came from the product is shown the way back to it: a link, because a form
/// may not lead to another site.
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
    Ok(match visitor.visitor.return_url {
        Some(_) => see_other(&format!("/settings/setups/{}", id.0)),
        None => see_other(&format!(
            "/settings/storages/{}?done=storage_added",
            storage.id
        )),
    })
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
