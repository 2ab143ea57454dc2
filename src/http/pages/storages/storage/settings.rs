//! Changing a storage's settings.

use crate::application::connections::input::ConnectionInput;
use crate::application::error::{FieldError, Kind, Result};
use crate::application::storages::{StorageView, not_built_in};
use crate::domain::Invalid;
use crate::domain::ids::StorageRef;
use crate::domain::policy_document::LifecycleFolders;
use crate::domain::setup::Draft;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::fields::{ConnectionFields, ConnectionForm};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::{AdminVisitor, Visitor};
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

pub(super) fn configure(routes: &mut PageRoutes) {
    routes.add(
        PageRoute::at("/settings/storages/{storage_id}/settings", "change_storage")
            .shows(edit)
            .changes(change),
    );
}

/// The form with a storage's settings.
#[derive(Template)]
#[template(path = "pages/storage_settings.html")]
pub(super) struct SettingsPage {
    pub chrome: Chrome,
    pub id: String,
    pub name: String,
    pub fields: ConnectionFields,
    /// Whether the fields are those of a change that waits for its check.
    pub is_pending: bool,
    /// Projects that fix bucket and prefix.
    pub projects: i64,
}

impl SettingsPage {
    fn of(visitor: &Visitor, view: &StorageView, folders: &LifecycleFolders) -> Result<Self> {
        let draft = match view.own() {
            Some(storage) => {
                let pending = view.pending.as_ref().map(|pending| &pending.connection);
                let connection = pending.unwrap_or(&storage.connection);
                Draft::of(&storage.display_name, connection)
            }
            None => Draft::default(),
        };
        Ok(Self {
            chrome: Chrome::of(visitor, Section::Settings),
            id: view.reference().to_string(),
            name: view.display_name().to_owned(),
            fields: ConnectionFields::of(&draft)?.with_lifecycle_folders(folders),
            is_pending: view.pending.is_some(),
            projects: view.own().map_or(0, |s| s.project_count),
        })
    }
}

async fn edit(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<HttpResponse> {
    not_built_in(&id.0, "changed")?;
    let view = services
        .storages
        .get(&visitor.visitor.member, &id.0)
        .await?;
    let folders = &services.setups.connections.lifecycle_folders;
    html(&SettingsPage::of(&visitor.visitor, &view, folders)?)
}

/// The form sends every choice of what is granted, as it was shown. One that stays as it follows from the access is
/// no choice that was made, unless the access is another one now: what was shown then holds for that, too.
fn with_choices_that_were_made(
    mut input: ConnectionInput,
    shown: &ConnectionFields,
) -> ConnectionInput {
    let sent = input.texts();
    let text = |name: &str| {
        let mut of_name = sent.iter().filter(|(sent, _)| *sent == name);
        of_name.next().and_then(|(_, text)| text.as_deref())
    };
    if text("access").is_some_and(|access| !shown.is("access", access)) {
        return input;
    }
    let stays: Vec<&str> = ["object_acls", "object_versions", "lifecycle"]
        .into_iter()
        .filter(|name| text(name).is_some_and(|text| shown.is(name, text)))
        .collect();
    for name in stays {
        input.keep(name);
    }
    input
}

async fn change(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    form: Form<ConnectionForm>,
) -> Result<HttpResponse> {
    not_built_in(&id.0, "changed")?;
    let form = form.0;
    let member = &visitor.visitor.member;
    let before = services.storages.get(member, &id.0).await?;
    let mut refused = Vec::new();
    let folders = &services.setups.connections.lifecycle_folders;
    let shown = SettingsPage::of(&visitor.visitor, &before, folders)?.fields;
    let input = with_choices_that_were_made(form.input(), &shown);
    match services.storages.change(&visitor.admin, &id.0, input).await {
        Ok(after) => {
            let revision = |view: &StorageView| view.pending.as_ref().map(|p| p.revision);
            let done = match (revision(&before), revision(&after)) {
                (before, Some(after)) if before != Some(after) => "change_waits",
                (Some(_), None) => "change_discarded",
                (_, _) if before.display_name() != after.display_name() => "storage_renamed",
                (_, _) => "saved",
            };
            return Ok(see_other(&format!(
                "/settings/storages/{}?done={done}",
                id.0
            )));
        }
        Err(error) if matches!(error.kind, Kind::Unprocessable | Kind::Conflict) => {
            match error.fields.is_empty() {
                true => refused.push(FieldError::new(
                    "",
                    Invalid::new(error.code, error.detail.clone()),
                )),
                false => refused.extend(error.fields.iter().cloned()),
            }
        }
        Err(error) => return Err(error),
    }
    let mut page = SettingsPage::of(&visitor.visitor, &before, folders)?;
    page.fields = page.fields.typed(&form.typed, &refused);
    let mut response = html(&page)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}
