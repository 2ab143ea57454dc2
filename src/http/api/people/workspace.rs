//! `/v1/workspace`: the caller's own.

use crate::application::error::{Error, FieldError, Result};
use crate::domain::ids::StorageRef;
use crate::domain::origin::OriginPattern;
use crate::domain::people::workspace::Workspace;
use crate::http::body::Body;
use crate::http::caller::{AdminCaller, MemberCaller};
use crate::http::declare::changes;
use crate::http::state::Services;
use actix_web::web::{Data, Json};
use actix_web::{get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(get_own_workspace)
        .service(changes(set_default_storage))
        .service(get_workspace_origins)
        .service(changes(set_workspace_origins));
}

/// The caller's workspace.
#[derive(Serialize, ToSchema)]
struct OwnWorkspace {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    name: String,
    /// `null`: the built-in storage.
    default_storage_id: Option<String>,
}

/// Which storage is the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DefaultStorage {
    /// One of the workspace's storages; `built-in` or `null` for the product's own. A body without it
    /// chooses nothing and is refused.
    #[schema(example = "built-in", required = true)]
    #[serde(deserialize_with = "Option::deserialize")]
    storage_id: Option<String>,
}

impl From<Workspace> for OwnWorkspace {
    fn from(workspace: Workspace) -> Self {
        Self {
            id: workspace.id.to_string(),
            name: workspace.name.to_string(),
            default_storage_id: workspace.default_storage.own().map(ToString::to_string),
        }
    }
}

/// Read the caller's workspace
#[utoipa::path(
    tag = "Workspace",
    responses((status = 200, description = "The workspace", body = OwnWorkspace)),
)]
#[get("/v1/workspace")]
async fn get_own_workspace(
    member: MemberCaller,
    services: Data<Services>,
) -> Result<Json<OwnWorkspace>> {
    let workspace = services.storages.workspace(&member.0.workspace).await?;
    Ok(Json(workspace.into()))
}

/// Choose the default storage
#[utoipa::path(
    tag = "Workspace",
    request_body = DefaultStorage,
    responses(
        (status = 200, description = "The workspace, changed", body = OwnWorkspace),
        (status = 404, description = "There is no such storage in the workspace"),
        (status = 409, description = "The storage cannot be used yet"),
    ),
)]
#[put("/v1/workspace/default-storage")]
async fn set_default_storage(
    admin: AdminCaller,
    services: Data<Services>,
    body: Body<DefaultStorage>,
) -> Result<Json<OwnWorkspace>> {
    let storage = match &body.value.storage_id {
        None => StorageRef::BuiltIn,
        Some(id) => StorageRef::parse(id).map_err(|invalid| Error::field("storage_id", invalid))?,
    };
    let workspace = services.storages.set_default(&admin.0, &storage).await?;
    Ok(Json(workspace.into()))
}

/// Web origins of other pages.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WorkspaceOrigins {
    /// At most 20 web origins: a scheme, a host and perhaps a port. In place of the host's first labels there may
    /// be a `*`, as in S3's CORS rules.
    #[schema(max_items = 20, example = json!(["https://app.example.com", "https://*.example.org"]))]
    origins: Vec<String>,
}

impl WorkspaceOrigins {
    fn new(origins: &[OriginPattern]) -> Self {
        let origins = origins.iter().map(ToString::to_string).collect();
        Self { origins }
    }
}

/// Read the workspace's origins
///
/// The pages that may call the API from a browser, besides those of `SALLYPORT_ALLOWED_ORIGINS`.
#[utoipa::path(
    tag = "Workspace",
    responses((status = 200, description = "The origins", body = WorkspaceOrigins)),
)]
#[get("/v1/workspace/origins")]
async fn get_workspace_origins(
    admin: AdminCaller,
    services: Data<Services>,
) -> Result<Json<WorkspaceOrigins>> {
    let origins = services.people.origins.list(&admin.0).await?;
    Ok(Json(WorkspaceOrigins::new(&origins)))
}

/// Choose the workspace's origins
///
/// Pages of these origins may call the API from a browser with a token of the workspace (CORS), besides those
/// of `SALLYPORT_ALLOWED_ORIGINS`. The list replaces the one before. A change takes effect within seconds, and
/// browsers keep their answer about an origin for up to ten minutes. The documents of the workspace's setups and
/// storages name them too; a bucket has them once its CORS rules were applied again, and until then a check warns with
/// `cors_origin_missing`.
#[utoipa::path(
    tag = "Workspace",
    request_body = WorkspaceOrigins,
    responses((status = 200, description = "The origins, as they are kept", body = WorkspaceOrigins)),
)]
#[put("/v1/workspace/origins")]
async fn set_workspace_origins(
    admin: AdminCaller,
    services: Data<Services>,
    body: Body<WorkspaceOrigins>,
) -> Result<Json<WorkspaceOrigins>> {
    /// More would make the answer longer than it is of use.
    const MOST_ERRORS: usize = 100;
    let mut origins = Vec::with_capacity(body.value.origins.len());
    let mut errors = Vec::new();
    for (at, text) in body.value.origins.iter().enumerate() {
        match OriginPattern::parse(text) {
            Ok(origin) => origins.push(origin),
            Err(invalid) if errors.len() < MOST_ERRORS => {
                errors.push(FieldError::new(format!("origins[{at}]"), invalid));
            }
            Err(_) => {}
        }
    }
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    let origins = services.people.origins.set(&admin.0, origins).await?;
    Ok(Json(WorkspaceOrigins::new(&origins)))
}
