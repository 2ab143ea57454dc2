//! Deleting a storage.

use crate::application::error::{Error, Reason, Result};
use crate::application::kept::store::Window;
use crate::application::storages::{StorageView, not_built_in};
use crate::domain::ids::StorageRef;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::pages::storages::storage::Facts;
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

pub(super) fn configure(routes: &mut PageRoutes) {
    routes.add(
        PageRoute::at("/settings/storages/{storage_id}/delete", "delete_storage")
            .shows(ask)
            .changes(delete),
    );
}

/// The question before a deletion.
#[derive(Template)]
#[template(path = "pages/storage_delete.html")]
pub(super) struct DeletePage {
    pub chrome: Chrome,
    pub storage: Facts,
    /// What can become the default in its place, where it is the default: each with its ID.
    pub next: Vec<(String, String)>,
    /// Why it was refused.
    pub error: Option<String>,
}

/// What is said with a deletion.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteForm {
    /// What is the default from then on.
    default_storage_id: Option<String>,
}

/// How many storages the page offers as the next default.
const MOST_OFFERED: u32 = 100;

/// What can become the default when this storage goes.
async fn next_defaults(
    visitor: &AdminVisitor,
    services: &Services,
    view: &StorageView,
) -> Result<Vec<(String, String)>> {
    if !view.is_default {
        return Ok(Vec::new());
    }
    let member = &visitor.visitor.member;
    let window = Window {
        after: None,
        limit: MOST_OFFERED,
    };
    let built_in = services.storages.built_in_if_any(member).await?;
    let own = services.storages.list(member, &window).await?;
    let offered = built_in.into_iter().chain(own);
    let mut next: Vec<(String, String)> = offered
        .filter(|other| other.reference() != view.reference())
        .map(|other| {
            (
                other.reference().to_string(),
                other.display_name().to_owned(),
            )
        })
        .collect();
    if next.is_empty() {
        next.push((
            StorageRef::BUILT_IN.to_owned(),
            "No default storage".to_owned(),
        ));
    }
    Ok(next)
}

async fn ask(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<HttpResponse> {
    not_built_in(&id.0, "deleted")?;
    let view = services
        .storages
        .get(&visitor.visitor.member, &id.0)
        .await?;
    let next = next_defaults(&visitor, &services, &view).await?;
    html(&DeletePage {
        chrome: Chrome::of(&visitor.visitor, Section::Settings),
        storage: (&view).into(),
        next,
        error: None,
    })
}

async fn delete(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    form: Form<DeleteForm>,
) -> Result<HttpResponse> {
    let next = form.0.default_storage_id.as_deref().map(StorageRef::parse);
    let next = next
        .transpose()
        .map_err(|invalid| Error::field("default_storage_id", invalid))?;
    let storages = &services.storages;
    let error = match storages.delete(&visitor.admin, &id.0, next.as_ref()).await {
        Ok(()) => return Ok(see_other("/settings/storages?done=storage_deleted")),
        Err(error) if error.reason == Some(Reason::StorageInUse) => error,
        Err(error) if error.reason == Some(Reason::StorageIsDefault) => error,
        Err(error) => return Err(error),
    };
    let view = services
        .storages
        .get(&visitor.visitor.member, &id.0)
        .await?;
    let next = next_defaults(&visitor, &services, &view).await?;
    let mut response = html(&DeletePage {
        chrome: Chrome::of(&visitor.visitor, Section::Settings),
        storage: (&view).into(),
        error: Some(if error.reason == Some(Reason::StorageInUse) {
            format!("{} Delete the projects first.", error.detail)
        } else {
            "This storage is the default. Choose what is the default from then on.".to_owned()
        }),
        next,
    })?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}
