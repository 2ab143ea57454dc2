//! `/v1/workspace`: the caller's own.

use crate::application::error::{Error, Result};
use crate::domain::ids::StorageRef;
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
        .service(changes(set_default_storage));
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
