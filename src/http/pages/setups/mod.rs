//! The dialog that adds a storage: the bucket, setting up AWS in one of several ways, connecting.

pub mod instructions;

#[cfg(test)]
mod by_key_tests;
pub mod check;
mod choose;
mod close;
pub mod documents;
mod ended;
mod events;
pub mod fields;
mod grants;
mod link;
mod link_panel;
mod page;
mod probe;
pub mod problem;
pub mod report;
#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod samples;
pub mod setting_words;
mod step;
pub mod wait;
mod way;

use crate::application::error::{Error, FieldError, Result};
use crate::application::setups::SetupView;
use crate::domain::Invalid;
use crate::domain::connection::access::Auth;
use crate::domain::ids::SetupId;
use crate::domain::setup::SetupStatus;
use crate::http::api::setups::documents as raw_documents;
use crate::http::api::setups::documents::DocumentsBody;
use crate::http::context::NothingChanged;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path};
use fields::ConnectionForm;
use page::Content;
use serde::Deserialize;
use step::DialogStep;
use way::Way;

/// Where a new setup begins. Without the step, the page is that of the first unfinished one, and loading it
/// again would move on while somebody types.
pub fn beginning(id: &SetupId) -> String {
    step::address(id, DialogStep::Bucket)
}

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/settings/setups/{setup_id}", "change_storage_setup")
                .shows(show)
                .changes(go_on),
        )
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/autosave",
                "autosave_storage_setup",
            )
            .changes(autosave),
        )
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/documents",
                "get_setup_documents",
            )
            .shows(all_documents),
        )
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/documents/{document_name}",
                "get_setup_document",
            )
            .shows(one_document),
        );
    check::configure(routes);
    choose::configure(routes);
    close::configure(routes);
    events::configure(routes);
    link::configure(routes);
    probe::configure(routes);
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ShowQuery {
    step: Option<String>,
    /// How AWS is set up.
    way: Option<String>,
    done: Option<String>,
    /// `try`: the page may talk to the bucket, and does.
    browser: Option<String>,
}

async fn show(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    query: Query<ShowQuery>,
) -> Result<HttpResponse> {
    let mut view = services.setups.get(&visitor.admin, &id.0).await?;
    let step = DialogStep::asked(query.0.step.as_deref(), &view);
    let done = query.0.done.as_deref();
    if view.status != SetupStatus::Open {
        return html(&ended::ended(&visitor.visitor, &view, done));
    }
    services
        .setups
        .dialog_is_open(&visitor.admin, &id.0, false)
        .await?;
    if step == DialogStep::Check {
        let workspace = visitor.admin.workspace();
        view = services.dialog.events.watch(workspace, &id.0).await?;
    }
    let mut content = Content::stored();
    content.done = query.0.done.clone();
    content.way = Way::parse(query.0.way.as_deref());
    content.probe = query.0.browser.as_deref() == Some("try") && step == DialogStep::Check;
    page::respond(&visitor, &services, view, step, content).await
}

/// Saves a step and goes to the next one. What cannot be accepted is shown beside its field, with all
/// that was typed.
async fn go_on(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    form: Form<ConnectionForm>,
) -> Result<HttpResponse> {
    let form = form.0;
    let (view, mut refused) = services
        .setups
        .save_valid(&visitor.admin, &id.0, &form.input())
        .await?;
    let step = DialogStep::asked(form.step.as_deref(), &view);
    let way = Way::parse(form.way.as_deref());
    if form.stay.is_none() {
        refused.extend(still_needed(step, &view, &form, &refused));
    }
    if refused.is_empty() {
        let address = match (form.stay, step.next()) {
            (None, Some(next)) => step::address(&id.0, next),
            (Some(_), _) | (None, None) => step::address_of(&id.0, step, way),
        };
        return Ok(see_other(&address));
    }
    let content = Content {
        way,
        ..Content::typed(form.typed, refused)
    };
    let mut response = page::respond(&visitor, &services, view, step, content).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Saves what is valid while somebody types. The page takes the parts that follow from it.
async fn autosave(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    form: Form<ConnectionForm>,
) -> Result<HttpResponse> {
    let form = form.0;
    let before = services.setups.get(&visitor.admin, &id.0).await?;
    let (view, refused) = services
        .setups
        .save_valid(&visitor.admin, &id.0, &form.input())
        .await?;
    let unchanged = view.setup.draft == before.setup.draft;
    let step = DialogStep::asked(form.step.as_deref(), &view);
    let content = Content {
        way: Way::parse(form.way.as_deref()),
        ..Content::typed(form.typed, refused)
    };
    let mut response = page::respond(&visitor, &services, view, step, content).await?;
    if unchanged {
        response.extensions_mut().insert(NothingChanged);
    }
    Ok(response)
}

/// What the step is there for and has not got.
fn still_needed(
    step: DialogStep,
    view: &SetupView,
    form: &ConnectionForm,
    refused: &[FieldError],
) -> Option<FieldError> {
    let draft = &view.setup.draft;
    let sent = |name: &str| form.typed.texts().iter().any(|(known, _)| *known == name);
    let (field, missing, words) = match (step, draft.sign_in.by) {
        (DialogStep::Bucket, _) => (
            "bucket",
            draft.bucket.is_none(),
            "Enter the name of the bucket.",
        ),
        (DialogStep::Check, Auth::Role) if sent("customer_account_id") => (
            "customer_account_id",
            draft.sign_in.role_arn.is_none()
                && draft.sign_in.customer.is_none()
                && !refused.iter().any(|error| error.field == "role_arn"),
            "Enter the 12 digits of the AWS account, or the ARN of another role.",
        ),
        (DialogStep::Check, Auth::AccessKey) if sent("access_key_id") => {
            match draft.sign_in.access_key.id.is_none() {
                true => ("access_key_id", true, "Enter the access key ID."),
                false => (
                    "secret_access_key",
                    draft.sign_in.access_key.secret.is_none(),
                    "Enter the secret access key.",
                ),
            }
        }
        (DialogStep::Role | DialogStep::Check, _) => return None,
    };
    let known = refused.iter().any(|error| error.field == field);
    (missing && !known).then(|| FieldError::new(field, Invalid::new("missing", words)))
}

/// Every document in one file, as `sallyport provision` takes it.
async fn all_documents(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
) -> Result<HttpResponse> {
    let (documents, parameters) = services.setups.documents(&visitor.admin, &id.0).await?;
    bundle(documents.into(), parameters.bucket.as_str())
}

pub fn bundle(documents: DocumentsBody, bucket: &str) -> Result<HttpResponse> {
    let text = serde_json::to_string_pretty(&documents).map_err(Error::bug)?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{bucket}-documents.json\""),
        ))
        .body(text))
}

async fn one_document(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    path: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (documents, parameters) = services.setups.documents(&visitor.admin, &id.0).await?;
    raw_documents::file(&path.1, &documents, &parameters.bucket)
}
