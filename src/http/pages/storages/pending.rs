//! The change of a storage that waits for its check, on the storage's page.

use crate::application::connections::view::Difference;
use crate::application::error::{Reason, Result};
use crate::application::storages::Which;
use crate::application::storages::pending::PendingView;
use crate::domain::connection::Credentials;
use crate::domain::ids::{StorageId, StorageRef};
use crate::domain::people::audit_action::AuditAction;
use crate::http::api::setups::documents as raw_documents;
use crate::http::context::AuditedAs;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::check::CheckForm;
use crate::http::pages::setups::report::ReportView;
use crate::http::pages::setups::setting_words::{Apply, SettingWords, label, value, words};
use crate::http::pages::shell::answer::see_other;
use crate::http::pages::shell::form::{Confirmed, Form};
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at(
                "/settings/storages/{storage_id}/pending/check",
                "check_pending_change",
            )
            .changes(check),
        )
        .add(
            PageRoute::at(
                "/settings/storages/{storage_id}/pending/discard",
                "discard_pending_change",
            )
            .changes(discard),
        )
        .add(
            PageRoute::at(
                "/settings/storages/{storage_id}/pending/documents/{document_name}",
                "get_storage_document",
            )
            .shows(one_document),
        );
}

/// A change as its part of the page.
pub struct PendingCard {
    pub rows: Vec<ChangeRow>,
    pub changed: Moment,
    /// Without a summary before the first check.
    pub report: ReportView,
}

/// A setting before and after.
pub struct ChangeRow {
    pub label: String,
    pub before: SettingWords,
    pub after: SettingWords,
}

impl PendingCard {
    /// `apply` changes the change.
    pub fn of(view: &PendingView, apply: Option<&Apply>) -> Self {
        Self {
            rows: view.differences.iter().map(ChangeRow::from).collect(),
            changed: Moment(view.changed_at),
            report: match &view.last_check {
                Some(check) => ReportView::of(check, apply),
                None => ReportView::waiting(matches!(
                    view.connection.credentials,
                    Credentials::Role { .. }
                )),
            },
        }
    }
}

impl From<&Difference> for ChangeRow {
    fn from(difference: &Difference) -> Self {
        let field = difference.field.as_str();
        let (before, after) = match field {
            "secret_access_key" => (words("The one before"), words("Another one")),
            _ => (
                value(field, difference.before.as_deref()),
                value(field, difference.after.as_deref()),
            ),
        };
        Self {
            label: label(field).to_owned(),
            before,
            after,
        }
    }
}

fn page(storage: &StorageRef, done: Option<&str>) -> HttpResponse {
    let done = done.map(|done| format!("?done={done}")).unwrap_or_default();
    see_other(&format!("/settings/storages/{storage}{done}"))
}

/// Checks the change; when the check passes, the storage uses it.
async fn check(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    form: Form<CheckForm>,
) -> Result<HttpResponse> {
    let wait = form.0.wait();
    let storages = &services.storages;
    match storages
        .check_pending(&visitor.admin, &id.0, wait, None)
        .await
    {
        Ok(report) if report.outcome().is_pass() => {
            let mut response = page(&id.0, Some("change_used"));
            let action = AuditedAs(AuditAction::UsePendingChange);
            response.extensions_mut().insert(action);
            Ok(response)
        }
        Ok(_) => Ok(page(&id.0, Some("change_failed"))),
        // Sent twice, or somebody else was faster: the page shows how it is.
        Err(error) if error.reason == Some(Reason::NoPendingChange) => Ok(page(&id.0, None)),
        Err(error) => Err(error),
    }
}

async fn discard(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let storages = &services.storages;
    storages.discard_pending(&visitor.admin, &id.0).await?;
    Ok(page(&id.0, Some("change_discarded")))
}

async fn one_document(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageId>,
    path: Path<(String, String)>,
) -> Result<HttpResponse> {
    let storages = &services.storages;
    let (documents, parameters) = storages
        .documents(&visitor.admin, &id.0, Which::Pending)
        .await?;
    raw_documents::file(&path.1, &documents, &parameters.bucket)
}
