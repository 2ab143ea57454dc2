//! `/v1/workspaces`

use crate::application::connections::change::Change;
use crate::application::error::{Error, Result};
use crate::application::people::workspaces::{NewWorkspace, WorkspaceChange};
use crate::domain::ids::WorkspaceId;
use crate::domain::names::Name;
use crate::domain::people::metadata::Metadata;
use crate::domain::people::workspace::{Workspace, WorkspaceExternalId};
use crate::http::body::{Body, read_field};
use crate::http::caller::OperatorCaller;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::page;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_workspace))
        .service(list_workspaces)
        .service(get_workspace)
        .service(changes(change_workspace))
        .service(changes(delete_workspace));
}

/// A workspace to make.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWorkspace)]
#[serde(deny_unknown_fields)]
struct NewWorkspaceBody {
    /// 1 to 200 characters.
    #[schema(example = "Acme", min_length = 1, max_length = 200)]
    name: String,
    /// The product's own ID of the workspace: 1 to 128 visible ASCII characters. No two workspaces have the same.
    #[schema(example = "tenant-4711")]
    external_id: Option<String>,
    /// What the product notes for itself: at most 20 pairs, names of up to 40 characters, values of up to 500.
    #[serde(default)]
    #[schema(example = json!({"plan": "pro"}))]
    metadata: BTreeMap<String, String>,
}

/// What to change of a workspace. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = WorkspaceChange)]
#[serde(deny_unknown_fields)]
struct WorkspaceChangeBody {
    /// 1 to 200 characters.
    #[schema(example = "Acme", min_length = 1, max_length = 200)]
    name: Option<String>,
    /// `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "tenant-4711")]
    external_id: Change<String>,
    /// Takes the place of all that was noted.
    #[schema(example = json!({"plan": "pro"}))]
    metadata: Option<BTreeMap<String, String>>,
}

/// A workspace: one tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Workspace)]
struct WorkspaceBody {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(example = "Acme")]
    name: String,
    /// The product's own ID of it.
    #[schema(example = "tenant-4711")]
    external_id: Option<String>,
    #[schema(example = json!({"plan": "pro"}))]
    metadata: BTreeMap<String, String>,
    #[serde(with = "crate::domain::rfc3339")]
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

impl NewWorkspaceBody {
    fn parse(self) -> Result<NewWorkspace> {
        let mut errors = Vec::new();
        let name = read_field(&mut errors, "name", Name::parse(&self.name));
        let external_id = self
            .external_id
            .as_deref()
            .and_then(|id| read_field(&mut errors, "external_id", WorkspaceExternalId::parse(id)));
        let metadata = read_field(&mut errors, "metadata", Metadata::parse(self.metadata));
        match (name, metadata) {
            (Some(name), Some(metadata)) if errors.is_empty() => Ok(NewWorkspace {
                name,
                external_id,
                metadata,
            }),
            _ => Err(Error::invalid(errors)),
        }
    }
}

impl WorkspaceChangeBody {
    fn parse(self) -> Result<WorkspaceChange> {
        let mut errors = Vec::new();
        let name = self.name.as_deref();
        let name = name.and_then(|name| read_field(&mut errors, "name", Name::parse(name)));
        let external_id = match self.external_id {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(id) => {
                match read_field(&mut errors, "external_id", WorkspaceExternalId::parse(&id)) {
                    Some(id) => Change::Set(id),
                    None => Change::Keep,
                }
            }
        };
        let metadata = self
            .metadata
            .and_then(|pairs| read_field(&mut errors, "metadata", Metadata::parse(pairs)));
        match errors.is_empty() {
            true => Ok(WorkspaceChange {
                name,
                external_id,
                metadata,
            }),
            false => Err(Error::invalid(errors)),
        }
    }
}

impl From<Workspace> for WorkspaceBody {
    fn from(workspace: Workspace) -> Self {
        Self {
            id: workspace.id.to_string(),
            name: workspace.name.to_string(),
            external_id: workspace.external_id.map(|id| id.as_str().to_owned()),
            metadata: workspace.metadata.pairs().clone(),
            created_at: workspace.created_at,
        }
    }
}

/// Make a workspace
#[utoipa::path(
    tag = "Workspaces",
    request_body = NewWorkspaceBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new.")),
    responses(
        (status = 201, description = "Made", body = WorkspaceBody, headers(("Location" = String, description = "The workspace's path"))),
        (status = 409, description = "`external_id_taken`"),
    ),
)]
#[post("/v1/workspaces")]
async fn create_workspace(
    _: OperatorCaller,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewWorkspaceBody>,
) -> Result<HttpResponse> {
    let new = body.value.parse()?;
    let answer = |workspace: &Workspace| {
        let body = WorkspaceBody::from(workspace.clone());
        Ok(MadeAnswer::new(StatusCode::CREATED, &body)?
            .at(format!("/v1/workspaces/{}", workspace.id)))
    };
    once.run(&services, body.fingerprint, answer, async |keep| {
        services.people.workspaces.create(new, keep).await
    })
    .await
}

/// Which workspaces are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WorkspaceQuery {
    /// Only the workspace that the product knows by this ID.
    #[param(example = "tenant-4711", max_length = 128)]
    external_id: Option<String>,
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// List workspaces
#[utoipa::path(
    tag = "Workspaces",
    params(WorkspaceQuery),
    responses((status = 200, description = "A page of workspaces", body = WorkspaceList)),
)]
#[get("/v1/workspaces")]
async fn list_workspaces(
    _: OperatorCaller,
    services: Data<Services>,
    query: Query<WorkspaceQuery>,
) -> Result<Json<WorkspaceList>> {
    if let Some(id) = &query.0.external_id {
        let id = WorkspaceExternalId::parse(id).map_err(|e| Error::field("external_id", e))?;
        let found = services.people.workspaces.by_external_id(&id).await?;
        return Ok(Json(WorkspaceList {
            workspaces: found.into_iter().map(Into::into).collect(),
            next_page_token: None,
        }));
    }
    let place = "operator/workspaces";
    let request = page::request(query.0.page_size, query.0.page_token)?;
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

/// Change a workspace
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID")),
    request_body = WorkspaceChangeBody,
    responses(
        (status = 200, description = "The workspace as it is now", body = WorkspaceBody),
        (status = 409, description = "`external_id_taken`"),
    ),
)]
#[patch("/v1/workspaces/{workspace_id}")]
async fn change_workspace(
    _: OperatorCaller,
    services: Data<Services>,
    id: Id<WorkspaceId>,
    body: Body<WorkspaceChangeBody>,
) -> Result<Json<WorkspaceBody>> {
    let change = body.value.parse()?;
    let workspace = services.people.workspaces.change(&id.0, change).await?;
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
