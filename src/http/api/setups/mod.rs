//! `/v1/storage-setups`

pub mod administrator_links;
pub mod documents;
mod events;
pub mod places;

use crate::application::closed_sets;
use crate::application::connections::input::ConnectionInput;
use crate::application::connections::view::ConnectionView;
use crate::application::error::Result;
use crate::application::setups::SetupView;
use crate::application::storages::StorageView;
use crate::domain::ids::SetupId;
use crate::domain::origin::OriginPattern;
use crate::domain::overlap::AddedStorage;
use crate::domain::role_wait::{RoleWait, TryOutcome};
use crate::http::api::checks::{CheckQuery, CheckReportBody};
use crate::http::api::setups::documents::{DocumentFile, DocumentsBody};
use crate::http::api::storages::{PlaceWarningBody, StorageBody};
use crate::http::body::{Body, Nothing};
use crate::http::caller::AdminCaller;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::page::NamedPageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(open_storage_setup))
        .service(list_storage_setups)
        .service(get_storage_setup)
        .service(changes(change_storage_setup))
        .service(changes(close_storage_setup))
        .service(get_setup_documents)
        .service(get_setup_document)
        .service(changes(check_storage_setup))
        .service(changes(complete_storage_setup))
        .service(events::follow_storage_setup);
    administrator_links::configure(config);
    places::configure(config);
}

/// A setup: what leads to a storage. It owns one external ID.
#[derive(Serialize, ToSchema)]
#[schema(as = StorageSetup)]
struct SetupBody {
    #[schema(example = "set_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(value_type = closed_sets::SetupStatus)]
    status: &'static str,
    /// The storage that a completed setup has become. `null` before, and once the storage was deleted.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    storage_id: Option<String>,
    /// Made by the service for this setup alone; the role's trust policy must ask for it.
    #[schema(example = "0b0b5d4c-6c5f-4f0e-9d1c-0d9f6d0c9a53")]
    external_id: String,
    /// The principal that the role's trust policy must name.
    #[schema(example = "arn:aws:iam::111111111111:root")]
    service_principal: String,
    #[schema(example = "111111111111")]
    account_id: String,
    display_name: Option<String>,
    bucket: Option<String>,
    #[schema(value_type = closed_sets::Auth)]
    auth: &'static str,
    /// The account that the role is made in, where it was given.
    customer_account_id: Option<String>,
    /// The path that the documents make the role in, or with an access key the user.
    role_path: String,
    /// The role that the documents make, as it is called in the customer's account, whether it exists or not.
    /// The check uses it until a `role_arn` is given. `null` until the account and the bucket are known.
    #[schema(example = "arn:aws:iam::123456789012:role/sallyport-acme-data-0b0b5d4c")]
    expected_role_arn: Option<String>,
    #[serde(flatten)]
    connection: ConnectionView,
    /// Whether a secret access key is stored.
    has_secret_access_key: bool,
    allowed_origins: Vec<String>,
    /// The ID of the token or session that opened it. `null` for one of an earlier release.
    created_by: Option<String>,
    /// What is odd about these settings, though they may work: another storage has the same files. Absent where
    /// nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<PlaceWarningBody>,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
    /// Waiting for the role. `null` where there is nothing to wait for.
    waiting: Option<WaitingBody>,
    /// When the role let the service in. The check finds out who else it lets in.
    #[serde(with = "crate::domain::rfc3339::option")]
    role_appeared_at: Option<OffsetDateTime>,
    last_check: Option<CheckReportBody>,
    /// Whether the last check is of exactly these settings.
    check_is_current: bool,
}

/// Waiting for the role of a setup. The service tries to use the role: every three seconds while somebody watches,
/// and ever more rarely while nobody does.
#[derive(Serialize, ToSchema)]
#[schema(as = RoleWait)]
struct WaitingBody {
    #[serde(with = "crate::domain::rfc3339")]
    since: OffsetDateTime,
    /// `null` before the first try.
    #[serde(with = "crate::domain::rfc3339::option")]
    last_tried_at: Option<OffsetDateTime>,
    tries: u32,
    /// `not_yet`: the role is not there, or it refuses the service. AWS answers the same to both. `undecided`: the
    /// try says nothing about the role. `null` before the first try.
    #[schema(value_type = Option<closed_sets::TryOutcome>)]
    outcome: Option<&'static str>,
}

impl From<&RoleWait> for WaitingBody {
    fn from(wait: &RoleWait) -> Self {
        Self {
            since: wait.since,
            last_tried_at: wait.last_tried_at,
            tries: wait.tries,
            outcome: wait.outcome.map(TryOutcome::as_str),
        }
    }
}

/// A page of setups, in the order they were opened.
#[derive(Serialize, ToSchema)]
struct SetupList {
    storage_setups: Vec<SetupBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl SetupBody {
    fn new(view: SetupView, origins: &[OriginPattern]) -> Self {
        let check_is_current = view.check_is_current();
        let wait = view.present_wait();
        let waiting = wait.map(Into::into);
        let role_appeared_at = wait.and_then(|wait| wait.appeared_at);
        let setup = view.setup;
        let draft = setup.draft;
        Self {
            id: setup.id.to_string(),
            status: view.status.as_str(),
            storage_id: view.storage.as_ref().map(ToString::to_string),
            external_id: setup.external_id.to_string(),
            service_principal: view.principal.arn().to_owned(),
            account_id: view.principal.account().to_string(),
            display_name: draft.display_name.as_ref().map(ToString::to_string),
            bucket: draft.bucket.as_ref().map(ToString::to_string),
            auth: draft.sign_in.by.as_str(),
            customer_account_id: draft.sign_in.customer.as_ref().map(|c| c.id.to_string()),
            role_path: draft.sign_in.role_path.to_string(),
            expected_role_arn: draft
                .expected_role(&setup.external_id)
                .as_ref()
                .map(ToString::to_string),
            connection: (&draft).into(),
            has_secret_access_key: draft.sign_in.access_key.secret.is_some(),
            allowed_origins: origins.iter().map(ToString::to_string).collect(),
            created_by: setup.created_by.as_ref().map(|by| by.as_str().to_owned()),
            warnings: view.overlaps.into_iter().map(Into::into).collect(),
            created_at: setup.created_at,
            expires_at: setup.expires_at,
            waiting,
            role_appeared_at,
            last_check: view.last_check.map(Into::into),
            check_is_current,
        }
    }
}

/// Open a setup
///
/// Every call makes a new external ID.
#[utoipa::path(
    tag = "Storage setups",
    request_body = ConnectionInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new.")),
    responses((status = 201, description = "Opened", body = SetupBody, headers(("Location" = String, description = "The setup's path")))),
)]
#[post("/v1/storage-setups")]
async fn open_storage_setup(
    admin: AdminCaller,
    once: Idempotent,
    services: Data<Services>,
    body: Body<ConnectionInput>,
) -> Result<HttpResponse> {
    let origins = services.setups.origins(&admin.0).await?;
    let answer = |view: &SetupView| {
        let body = SetupBody::new(view.clone(), &origins);
        let location = format!("/v1/storage-setups/{}", view.setup.id);
        Ok(MadeAnswer::new(StatusCode::CREATED, &body)?.at(location))
    };
    once.run(&services, body.fingerprint, answer, async |keep| {
        services.setups.open(&admin.0, body.value, keep).await
    })
    .await
}

/// List setups
#[utoipa::path(
    tag = "Storage setups",
    params(NamedPageQuery),
    responses((status = 200, description = "A page of setups", body = SetupList)),
)]
#[get("/v1/storage-setups")]
async fn list_storage_setups(
    admin: AdminCaller,
    services: Data<Services>,
    query: Query<NamedPageQuery>,
) -> Result<Json<SetupList>> {
    let name = query.0.name()?;
    let place = format!("{}/storage-setups{name:?}", admin.0.workspace());
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let setups = &services.setups;
    let rows = setups.find(&admin.0, name.as_deref(), &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |view| view.setup.id.to_string())?;
    let origins = services.setups.origins(&admin.0).await?;
    Ok(Json(SetupList {
        storage_setups: page
            .items
            .into_iter()
            .map(|view| SetupBody::new(view, &origins))
            .collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Read a setup
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID")),
    responses((status = 200, description = "The setup", body = SetupBody)),
)]
#[get("/v1/storage-setups/{setup_id}")]
async fn get_storage_setup(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
) -> Result<Json<SetupBody>> {
    let view = services.setups.get(&admin.0, &id.0).await?;
    let origins = services.setups.origins(&admin.0).await?;
    Ok(Json(SetupBody::new(view, &origins)))
}

/// Change a setup
///
/// Any change other than of the name asks for a new check. When a field cannot be accepted, every such
/// field is named and nothing is changed.
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID")),
    request_body = ConnectionInput,
    responses(
        (status = 200, description = "The setup, changed", body = SetupBody),
        (status = 409, description = "It is not open any more"),
    ),
)]
#[patch("/v1/storage-setups/{setup_id}")]
async fn change_storage_setup(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    body: Body<ConnectionInput>,
) -> Result<Json<SetupBody>> {
    let view = services.setups.change(&admin.0, &id.0, body.value).await?;
    let origins = services.setups.origins(&admin.0).await?;
    Ok(Json(SetupBody::new(view, &origins)))
}

/// Close a setup
///
/// Its external ID will never be used.
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID")),
    responses(
        (status = 204, description = "Closed"),
        (status = 409, description = "`setup_completed`: it has become a storage"),
    ),
)]
#[delete("/v1/storage-setups/{setup_id}")]
async fn close_storage_setup(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
) -> Result<HttpResponse> {
    services.setups.close(&admin.0, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Read the documents to apply
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID")),
    responses(
        (status = 200, description = "Every document, filled in", body = DocumentsBody),
        (status = 409, description = "The bucket's name is missing"),
    ),
)]
#[get("/v1/storage-setups/{setup_id}/documents")]
async fn get_setup_documents(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
) -> Result<Json<DocumentsBody>> {
    let (documents, _) = services.setups.documents(&admin.0, &id.0).await?;
    Ok(Json(documents.into()))
}

/// Read one document as a file
#[utoipa::path(
    tag = "Storage setups",
    params(
        ("setup_id" = String, Path, description = "The setup's ID"),
        ("document_name" = closed_sets::DocumentName, Path, description = "Which document"),
    ),
    responses(DocumentFile, (status = 409, description = "`setup_incomplete`: the bucket's name is missing")),
)]
#[get("/v1/storage-setups/{setup_id}/documents/{document_name}")]
async fn get_setup_document(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    path: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (documents, parameters) = services.setups.documents(&admin.0, &id.0).await?;
    documents::file(&path.1, &documents, &parameters.bucket)
}

/// Check the connection
///
/// A failed check is an answer like a passed one: the report says what to change.
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID"), CheckQuery),
    responses(
        (status = 200, description = "What the check found", body = CheckReportBody),
        (status = 409, description = "Settings are missing, or the setup is not open"),
        (status = 429, description = "The workspace runs more checks than it may"),
    ),
)]
#[post("/v1/storage-setups/{setup_id}/check")]
async fn check_storage_setup(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    query: Query<CheckQuery>,
) -> Result<Json<CheckReportBody>> {
    let wait = query.0.wait()?;
    let report = services.setups.check(&admin.0, &id.0, wait, None).await?;
    Ok(Json(report.into()))
}

/// Make the storage
///
/// Only after the latest check passed for exactly these settings.
#[utoipa::path(
    tag = "Storage setups",
    params(
        ("setup_id" = String, Path, description = "The setup's ID"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new."),
    ),
    responses(
        (status = 201, description = "The storage", body = StorageBody, headers(("Location" = String, description = "The storage's path"))),
        (status = 409, description = "`check_required`; `storage_limit_reached`; `storage_overlaps`, where the operator refuses that; or the setup is not open"),
    ),
)]
#[post("/v1/storage-setups/{setup_id}/complete")]
async fn complete_storage_setup(
    admin: AdminCaller,
    once: Idempotent,
    services: Data<Services>,
    id: Id<SetupId>,
    body: Body<Nothing>,
) -> Result<HttpResponse> {
    let answer = |added: &AddedStorage| {
        let body = StorageBody::from(StorageView::of_new(added.clone()));
        let location = format!("/v1/storages/{}", added.storage.id);
        Ok(MadeAnswer::new(StatusCode::CREATED, &body)?.at(location))
    };
    once.run(&services, body.fingerprint, answer, async |keep| {
        services.setups.complete(&admin.0, &id.0, keep).await
    })
    .await
}
