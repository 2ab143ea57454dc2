//! `/v1/storages`

mod body;
mod list;

use crate::application::closed_sets;
use crate::application::connections::input::ConnectionInput;
use crate::application::error::{Error, Result};
use crate::application::storages::Which;
use crate::domain::ids::StorageRef;
use crate::domain::people::audit_action::AuditAction;
use crate::http::api::checks::{CheckReportBody, StorageCheckQuery};
use crate::http::api::setups::documents;
use crate::http::api::setups::documents::{DocumentFile, DocumentsBody};
use crate::http::body::Body;
use crate::http::caller::{AdminCaller, MemberCaller};
use crate::http::declare::changes;
use crate::http::page::PageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) use body::{PlaceWarningBody, StorageBody};
pub(super) use list::StorageList;

pub fn configure(config: &mut ServiceConfig) {
    list::configure(config);
    config
        .service(get_storage)
        .service(changes(change_storage))
        .service(changes(delete_storage))
        .service(changes(check_storage))
        .service(changes(discard_pending_change))
        .service(list_storage_checks)
        .service(get_storage_documents)
        .service(get_storage_document);
}

/// A page of check reports, newest first.
#[derive(Serialize, ToSchema)]
struct CheckList {
    checks: Vec<CheckReportBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// Read a storage
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    responses((status = 200, description = "The storage", body = StorageBody)),
)]
#[get("/v1/storages/{storage_id}")]
async fn get_storage(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<Json<StorageBody>> {
    Ok(Json(services.storages.get(&member.0, &id.0).await?.into()))
}

/// Change a storage
///
/// A new name takes effect at once. Any other change waits in `pending` until a check of it has passed
/// (`POST …/check?pending=true`); the storage goes on with the settings that it has. Further changes are
/// added to it, and a change back to the settings in use removes it. Bucket and prefix are fixed while a
/// project uses the storage.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID")),
    request_body = ConnectionInput,
    responses(
        (status = 200, description = "The storage as it is in use, with the change in `pending`", body = StorageBody),
        (status = 409, description = "`storage_in_use`: projects fix its bucket and prefix; `built_in_storage`; `changed_meanwhile`"),
    ),
)]
#[patch("/v1/storages/{storage_id}")]
async fn change_storage(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    body: Body<ConnectionInput>,
) -> Result<Json<StorageBody>> {
    let view = services
        .storages
        .change(&admin.0, &id.0, body.value)
        .await?;
    Ok(Json(view.into()))
}

/// What comes after a storage.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeletionQuery {
    /// What is the default storage from then on, where this one is: another storage's ID, or `built-in`.
    #[param(example = "built-in")]
    default_storage_id: Option<String>,
}

/// Delete a storage
///
/// Nothing changes in the bucket. Refused while projects use the storage, and where it is the default storage
/// unless `default_storage_id` says which one is the default from then on.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID"), DeletionQuery),
    responses(
        (status = 204, description = "Deleted"),
        (status = 409, description = "`storage_in_use`, with `project_count`; `storage_is_default`; `built_in_storage`"),
    ),
)]
#[delete("/v1/storages/{storage_id}")]
async fn delete_storage(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<DeletionQuery>,
) -> Result<HttpResponse> {
    let next = query.0.default_storage_id.as_deref();
    let next = next
        .map(StorageRef::parse)
        .transpose()
        .map_err(|invalid| Error::field("default_storage_id", invalid))?;
    let storages = &services.storages;
    storages.delete(&admin.0, &id.0, next.as_ref()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Check a storage's connection
///
/// Checks the connection in use, and keeps what came of it as the storage's health. With `pending=true`,
/// checks the change that waits for its check: when it passes, the storage uses it from then on, in one
/// step with the end of the check; when it fails, the storage stays as it is.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), StorageCheckQuery),
    responses(
        (status = 200, description = "What the check found", body = CheckReportBody),
        (status = 409, description = "With `pending=true`: `no_pending_change`; `changed_meanwhile`: the change or the storage is another now; `storage_in_use`: projects fix its bucket and prefix"),
        (status = 429, description = "The workspace runs more checks than it may"),
    ),
)]
#[post("/v1/storages/{storage_id}/check")]
async fn check_storage(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<StorageCheckQuery>,
) -> Result<HttpResponse> {
    let wait = query.0.wait()?;
    let storages = &services.storages;
    if !query.0.pending {
        let report = storages.check(&admin.0, &id.0, wait, None).await?;
        return Ok(HttpResponse::Ok().json(CheckReportBody::from(report)));
    }
    let report = storages.check_pending(&admin.0, &id.0, wait, None).await?;
    let action = match report.outcome().is_pass() {
        true => AuditAction::UsePendingChange,
        false => AuditAction::CheckPendingChange,
    };
    Ok(CheckReportBody::audited_as(report, action))
}

/// Take a pending change back
///
/// The storage goes on with the settings that it has. No check is needed.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID")),
    responses(
        (status = 204, description = "No change waits any more"),
        (status = 409, description = "`built_in_storage`"),
    ),
)]
#[delete("/v1/storages/{storage_id}/pending")]
async fn discard_pending_change(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<HttpResponse> {
    services.storages.discard_pending(&admin.0, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List a storage's checks
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`, whose checks are not kept"), PageQuery),
    responses((status = 200, description = "A page of reports of the connections in use, newest first", body = CheckList)),
)]
#[get("/v1/storages/{storage_id}/checks")]
async fn list_storage_checks(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<PageQuery>,
) -> Result<Json<CheckList>> {
    let place = format!("{}/storages/{}/checks", admin.0.workspace(), id.0);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services
        .storages
        .list_checks(&admin.0, &id.0, &window)
        .await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |check| check.id.to_string())?;
    Ok(Json(CheckList {
        checks: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Read the documents of a storage
///
/// Those of `built-in` are for the service's own identity and this workspace's part of the bucket; there is
/// no role. There is none for an access key either.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), DocumentsQuery),
    responses(
        (status = 200, description = "Every document, filled in", body = DocumentsBody),
        (status = 409, description = "`no_pending_change`"),
    ),
)]
#[get("/v1/storages/{storage_id}/documents")]
async fn get_storage_documents(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<DocumentsQuery>,
) -> Result<Json<DocumentsBody>> {
    let which = query.0.which();
    let storages = &services.storages;
    let (documents, _) = storages.documents_of(&admin.0, &id.0, which).await?;
    Ok(Json(documents.into()))
}

/// Read one document of a storage as a file
#[utoipa::path(
    tag = "Storages",
    params(
        ("storage_id" = String, Path, description = "The storage's ID, or `built-in`"),
        DocumentsQuery,
        ("document_name" = closed_sets::DocumentName, Path, description = "Which document"),
    ),
    responses(DocumentFile, (status = 409, description = "`no_pending_change`")),
)]
#[get("/v1/storages/{storage_id}/documents/{document_name}")]
async fn get_storage_document(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    path: Path<(String, String)>,
    query: Query<DocumentsQuery>,
) -> Result<HttpResponse> {
    let which = query.0.which();
    let storages = &services.storages;
    let (documents, bucket) = storages.documents_of(&admin.0, &id.0, which).await?;
    documents::file(&path.1, &documents, &bucket)
}

/// Which settings documents are made of.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DocumentsQuery {
    /// `true`: those of the change that waits for its check.
    #[serde(default)]
    #[param(default = false)]
    pending: bool,
}

impl DocumentsQuery {
    fn which(&self) -> Which {
        match self.pending {
            true => Which::Pending,
            false => Which::InUse,
        }
    }
}
