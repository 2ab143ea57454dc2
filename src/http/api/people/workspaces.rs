//! `/v1/workspaces`

use crate::application::closed_sets;
use crate::application::connections::change::Change;
use crate::application::error::{Error, FieldError, Result};
use crate::application::people::workspaces::{LimitChanges, NewWorkspace, WorkspaceChange};
use crate::domain::Invalid;
use crate::domain::ids::WorkspaceId;
use crate::domain::names::Name;
use crate::domain::people::audit_action::AuditAction;
use crate::domain::people::metadata::Metadata;
use crate::domain::people::scope::Scope;
use crate::domain::people::standing::{SuspensionReason, WorkspaceLimits, WorkspaceState};
use crate::domain::people::workspace::{Workspace, WorkspaceExternalId};
use crate::http::api::people::erased::ErasedBody;
use crate::http::body::{Body, read_field};
use crate::http::caller::{FurtherScopes, OperatorCaller};
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::page;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
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
    /// A product's key needs the scope `operator` for it.
    #[schema(value_type = Option<closed_sets::WorkspaceState>)]
    state: Option<String>,
    /// Why it is suspended, where that is its new state: 1 to 500 characters. The workspace does not see it.
    #[schema(
        example = "leaked token, ticket 4711",
        min_length = 1,
        max_length = 500
    )]
    reason: Option<String>,
    /// A product's key needs the scope `operator` for it.
    limits: Option<LimitsChangeBody>,
}

/// What to change of a workspace's limits. What is left out stays, and `null` takes the limit away.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = WorkspaceLimitsChange)]
#[serde(deny_unknown_fields)]
struct LimitsChangeBody {
    /// How many storages it may have. Those that it has already stay.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 1000000, example = 20)]
    storages: Change<u32>,
    /// How many requests each replica of the service takes of it in a minute.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000000, example = 6000)]
    requests_per_minute: Change<u32>,
    /// How many files each replica passes through for it at the same time, in both directions together.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 1000000, example = 16)]
    transfers: Change<u32>,
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
    #[schema(value_type = closed_sets::WorkspaceState)]
    state: &'static str,
    /// `null` while it is active.
    suspension: Option<SuspensionBody>,
    limits: LimitsBody,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
}

/// Since when a workspace is suspended, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Suspension)]
struct SuspensionBody {
    #[serde(with = "crate::domain::rfc3339")]
    since: OffsetDateTime,
    #[schema(example = "leaked token, ticket 4711")]
    reason: Option<String>,
}

/// What a workspace may have and do at most. `null`: as much as every workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceLimits)]
struct LimitsBody {
    #[schema(example = 20)]
    storages: Option<u32>,
    /// Of each replica of the service.
    #[schema(example = 6000)]
    requests_per_minute: Option<u32>,
    /// At the same time, of each replica.
    #[schema(example = 16)]
    transfers: Option<u32>,
}

impl From<WorkspaceLimits> for LimitsBody {
    fn from(limits: WorkspaceLimits) -> Self {
        Self {
            storages: limits.storages,
            requests_per_minute: limits.requests_per_minute,
            transfers: limits.transfers,
        }
    }
}

impl LimitsChangeBody {
    fn parse(self, errors: &mut Vec<FieldError>) -> LimitChanges {
        let mut read = |field: &str, least: u32, change: Change<u32>| {
            let within = least..=WorkspaceLimits::LARGEST;
            if let Change::Set(most) = &change
                && !within.contains(most)
            {
                let detail = format!(
                    "`{field}` is from {least} to {}. `null` takes the limit away.",
                    WorkspaceLimits::LARGEST
                );
                errors.push(FieldError::new(
                    format!("limits.{field}"),
                    Invalid::new("invalid_value", detail),
                ));
            }
            change
        };
        LimitChanges {
            storages: read("storages", 0, self.storages),
            requests_per_minute: read("requests_per_minute", 1, self.requests_per_minute),
            transfers: read("transfers", 0, self.transfers),
        }
    }
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
        let state = self
            .state
            .as_deref()
            .and_then(|state| read_field(&mut errors, "state", WorkspaceState::parse(state)));
        let reason = self
            .reason
            .as_deref()
            .and_then(|reason| read_field(&mut errors, "reason", SuspensionReason::parse(reason)));
        if reason.is_some() && state != Some(WorkspaceState::Suspended) {
            errors.push(FieldError::new(
                "reason",
                Invalid::new(
                    "unexpected_field",
                    "A reason is that of a suspension: send it with `\"state\": \"suspended\"`.",
                ),
            ));
        }
        let limits = self.limits.unwrap_or_default().parse(&mut errors);
        match errors.is_empty() {
            true => Ok(WorkspaceChange {
                name,
                external_id,
                metadata,
                state,
                reason,
                limits,
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
            state: workspace.standing.state().as_str(),
            suspension: workspace
                .standing
                .suspension
                .map(|suspension| SuspensionBody {
                    since: suspension.since,
                    reason: suspension.reason.map(|reason| reason.as_str().to_owned()),
                }),
            limits: workspace.standing.limits.into(),
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
///
/// Suspended, everything of it is 403 `workspace_suspended`: the API, pages, links and tokens for browsers. Checks,
/// imports and the waiting for roles rest. The replica that answers refuses requests at once, the others within a second.
/// Nothing is deleted, and `active` brings it back. Signed URLs that were given out work until they expire.
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
    further: FurtherScopes,
    trail: Trail,
    services: Data<Services>,
    id: Id<WorkspaceId>,
    body: Body<WorkspaceChangeBody>,
) -> Result<Json<WorkspaceBody>> {
    let change = body.value.parse()?;
    match change.state {
        Some(WorkspaceState::Suspended) => trail.was(AuditAction::SuspendWorkspace),
        Some(WorkspaceState::Active) => trail.was(AuditAction::ActivateWorkspace),
        None => {}
    }
    if change.state.is_some() || !change.limits.is_empty() {
        further.need(Scope::Operator)?;
    }
    let workspace = services.people.workspaces.change(&id.0, change).await?;
    Ok(Json(workspace.into()))
}

/// How a workspace is deleted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EraseQuery {
    /// `true`: the audit log loses what names a person, and the answer says what was deleted and what stays. Also for a
    /// workspace that was deleted before.
    #[serde(default)]
    #[param(default = false)]
    erase: bool,
}

/// Delete a workspace
///
/// With its tokens, setups, storages and projects. Nothing changes in the customers' buckets, and the
/// audit log stays.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID"), EraseQuery),
    responses(
        (status = 200, description = "Erased, with `erase=true`: what there was, and what stays", body = ErasedBody),
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
        let erased = workspaces.erase(&id.0).await?;
        return Ok(HttpResponse::Ok().json(ErasedBody::of(&id.0, &erased)));
    }
    workspaces.delete(&id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
