//! `/v1/sessions` and `/v1/workspaces/{workspace_id}/sessions`

use crate::application::closed_sets;
use crate::application::error::Result;
use crate::application::kept::page_tokens::PageRequest;
use crate::domain::ids::{SessionId, WorkspaceId};
use crate::domain::people::sign_in::Session;
use crate::http::caller::{AdminCaller, OperatorCaller};
use crate::http::declare::changes;
use crate::http::page::PageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_sessions)
        .service(changes(revoke_session))
        .service(list_workspace_sessions)
        .service(changes(end_workspace_sessions))
        .service(changes(end_workspace_session));
}

/// Somebody signed in to the pages, by a sign-in link.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionBody {
    #[schema(example = "ses_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(value_type = closed_sets::Role)]
    role: &'static str,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
    /// When it was last used, to the minute.
    #[serde(with = "crate::domain::rfc3339")]
    seen_at: OffsetDateTime,
    /// The person of the product's that the sign-in link was for.
    subject: Option<SubjectBody>,
    /// The sign-in link that it began with. `null`: it began with a token, or with a link of an earlier release.
    #[schema(example = "sil_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    link_id: Option<String>,
    /// The token or product key that its sign-in link was made with: it ends with that. `null`: the operator's token.
    #[schema(example = "tok_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    made_by: Option<String>,
    /// When it ends if nothing more is done in it. In the past: it has ended.
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
}

/// A person of the product's.
#[derive(Serialize, ToSchema)]
#[schema(as = Subject)]
struct SubjectBody {
    /// The product's own ID of the person.
    #[schema(example = "user-4711")]
    id: String,
    name: Option<String>,
}

/// A page of sessions, in the order of their beginning.
#[derive(Serialize, ToSchema)]
struct SessionList {
    sessions: Vec<SessionBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl SessionList {
    /// The page of a list at `place` whose rows were read for `request`.
    fn of(
        services: &Services,
        place: &str,
        request: &PageRequest,
        rows: Vec<Session>,
    ) -> Result<Self> {
        let page = services
            .page_tokens
            .page(place, request, rows, |session| session.id.to_string())?;
        Ok(Self {
            sessions: page
                .items
                .iter()
                .map(|session| SessionBody::of(session, services))
                .collect(),
            next_page_token: page.next_page_token,
        })
    }
}

impl SessionBody {
    fn of(session: &Session, services: &Services) -> Self {
        Self {
            id: session.id.to_string(),
            role: session.role.as_str(),
            subject: session.subject.as_ref().map(|subject| SubjectBody {
                id: subject.id.as_str().to_owned(),
                name: subject.name.as_ref().map(ToString::to_string),
            }),
            link_id: session.link.as_ref().map(ToString::to_string),
            made_by: session
                .made_by
                .as_ref()
                .map(|maker| maker.as_str().to_owned()),
            created_at: session.created_at,
            seen_at: session.seen_at,
            expires_at: services.people.sign_ins.idle_end(session),
        }
    }
}

/// List who is signed in to the workspace's pages
#[utoipa::path(
    tag = "Sign-in",
    params(PageQuery),
    responses((status = 200, description = "A page of sessions", body = SessionList)),
)]
#[get("/v1/sessions")]
async fn list_sessions(
    admin: AdminCaller,
    services: Data<Services>,
    query: Query<PageQuery>,
) -> Result<Json<SessionList>> {
    let place = format!("{}/sessions", admin.0.workspace());
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.people.sign_ins.list(&admin.0, &window).await?;
    SessionList::of(&services, &place, &request, rows).map(Json)
}

/// End a session
///
/// Requests in it are refused: at once by the replica that answers, within a second by the others.
#[utoipa::path(
    tag = "Sign-in",
    params(("session_id" = String, Path, description = "The session's ID")),
    responses((status = 204, description = "Ended")),
)]
#[delete("/v1/sessions/{session_id}")]
async fn revoke_session(
    admin: AdminCaller,
    services: Data<Services>,
    session: Id<SessionId>,
) -> Result<HttpResponse> {
    services
        .people
        .sign_ins
        .revoke(&admin.0, &session.0)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List who is signed in to a workspace's pages, for the operator
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID"), PageQuery),
    responses((status = 200, description = "A page of sessions", body = SessionList)),
)]
#[get("/v1/workspaces/{workspace_id}/sessions")]
async fn list_workspace_sessions(
    _: OperatorCaller,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    query: Query<PageQuery>,
) -> Result<Json<SessionList>> {
    let place = format!("operator/{}/sessions", workspace.0);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let sign_ins = &services.people.sign_ins;
    let rows = sign_ins.list_of(&workspace.0, &window).await?;
    SessionList::of(&services, &place, &request, rows).map(Json)
}

/// End every session of a workspace
///
/// Requests in any of them are refused: at once by the replica that answers, within a second by the others. Sign-in
/// links that were not used stop working.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID")),
    responses((status = 204, description = "Ended")),
)]
#[delete("/v1/workspaces/{workspace_id}/sessions")]
async fn end_workspace_sessions(
    _: OperatorCaller,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
) -> Result<HttpResponse> {
    services.people.sign_ins.revoke_all(&workspace.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End a session of a workspace
///
/// Requests in it are refused: at once by the replica that answers, within a second by the others.
#[utoipa::path(
    tag = "Workspaces",
    params(
        ("workspace_id" = String, Path, description = "The workspace's ID"),
        ("session_id" = String, Path, description = "The session's ID"),
    ),
    responses((status = 204, description = "Ended")),
)]
#[delete("/v1/workspaces/{workspace_id}/sessions/{session_id}")]
async fn end_workspace_session(
    _: OperatorCaller,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    session: Id<SessionId>,
) -> Result<HttpResponse> {
    let sign_ins = &services.people.sign_ins;
    sign_ins.revoke_of(&workspace.0, &session.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
