//! `/v1/workspaces`

use crate::application::error::{Error, Result};
use crate::domain::ids::WorkspaceId;
use crate::domain::names::Name;
use crate::domain::people::workspace::Workspace;
use crate::http::body::Body;
use crate::http::caller::OperatorCaller;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::page::PageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_workspace))
        .service(list_workspaces)
        .service(get_workspace)
        .service(changes(delete_workspace));
}

/// A workspace to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWorkspace {
    /// 1 to 200 characters.
    #[schema(example = "Acme", min_length = 1, max_length = 200)]
    name: String,
}

/// A workspace: one tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Workspace)]
struct WorkspaceBody {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(example = "Acme")]
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// A page of workspaces, in the order of their creation.
#[derive(Serialize, ToSchema)]
struct WorkspaceList {
    workspaces: Vec<WorkspaceBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl From<Workspace> for WorkspaceBody {
    fn from(workspace: Workspace) -> Self {
        Self {
            id: workspace.id.to_string(),
            name: workspace.name.to_string(),
            created_at: workspace.created_at,
        }
    }
}

/// Make a workspace
#[utoipa::path(
    tag = "Workspaces",
    request_body = NewWorkspace,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new.")),
    responses((status = 201, description = "Made", body = WorkspaceBody, headers(("Location" = String, description = "The workspace's path")))),
)]
#[post("/v1/workspaces")]
async fn create_workspace(
    _: OperatorCaller,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewWorkspace>,
) -> Result<HttpResponse> {
    let name = Name::parse(&body.value.name).map_err(|e| Error::field("name", e))?;
    let answer = |workspace: &Workspace| {
        let body = WorkspaceBody::from(workspace.clone());
        Ok(MadeAnswer::new(StatusCode::CREATED, &body)?
            .at(format!("/v1/workspaces/{}", workspace.id)))
    };
    once.run(&services, body.fingerprint, answer, async |keep| {
        services.people.workspaces.create(name, keep).await
    })
    .await
}

/// List workspaces
#[utoipa::path(
    tag = "Workspaces",
    params(PageQuery),
    responses((status = 200, description = "A page of workspaces", body = WorkspaceList)),
)]
#[get("/v1/workspaces")]
async fn list_workspaces(
    _: OperatorCaller,
    services: Data<Services>,
    query: Query<PageQuery>,
) -> Result<Json<WorkspaceList>> {
    let place = "operator/workspaces";
    let request = query.0.request()?;
    let window = services.page_tokens.window(place, &request)?;
    let rows = services.people.workspaces.list(&window).await?;
    let page = services
        .page_tokens
        .page(place, &request, rows, |w| w.id.to_string())?;
    Ok(Json(WorkspaceList {
        workspaces: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Read a workspace
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID")),
    responses((status = 200, description = "The workspace", body = WorkspaceBody)),
)]
#[get("/v1/workspaces/{workspace_id}")]
async fn get_workspace(
    _: OperatorCaller,
    services: Data<Services>,
    id: Id<WorkspaceId>,
) -> Result<Json<WorkspaceBody>> {
    let workspace = services.people.workspaces.get(&id.0).await?;
    Ok(Json(workspace.into()))
}

/// How a workspace is deleted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EraseQuery {
    /// `true`: the answer says what was deleted.
    #[serde(default)]
    #[param(default = false)]
    erase: bool,
}

/// What was deleted with a workspace.
#[derive(Serialize, ToSchema)]
struct ErasedWorkspace {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    deleted: ErasedContents,
    /// What stays: the audit log until it is as old as the operator keeps it, and the external IDs, so that none
    /// is ever used again.
    #[schema(example = json!(["audit_events", "external_ids"]))]
    kept: Vec<&'static str>,
}

/// How many of each.
#[derive(Serialize, ToSchema)]
struct ErasedContents {
    tokens: u64,
    sessions: u64,
    storage_setups: u64,
    storages: u64,
    projects: u64,
    /// Files that the projects named. They are still in their buckets.
    project_files: u64,
}

/// Delete a workspace
///
/// With its tokens, setups, storages and projects. Nothing changes in the customers' buckets, and the
/// audit log stays.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID"), EraseQuery),
    responses(
        (status = 200, description = "Deleted, with `erase=true`: what there was", body = ErasedWorkspace),
        (status = 204, description = "Deleted"),
    ),
)]
#[delete("/v1/workspaces/{workspace_id}")]
async fn delete_workspace(
    _: OperatorCaller,
    services: Data<Services>,
    id: Id<WorkspaceId>,
    query: Query<EraseQuery>,
) -> Result<HttpResponse> {
    let workspaces = &services.people.workspaces;
    if query.0.erase {
        let contents = workspaces.erase(&id.0).await?;
        return Ok(HttpResponse::Ok().json(ErasedWorkspace {
            id: id.0.to_string(),
            deleted: ErasedContents {
                tokens: contents.tokens,
                sessions: contents.sessions,
                storage_setups: contents.storage_setups,
                storages: contents.storages,
                projects: contents.projects,
                project_files: contents.project_files,
            },
            kept: vec!["audit_events", "external_ids"],
        }));
    }
    workspaces.delete(&id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
