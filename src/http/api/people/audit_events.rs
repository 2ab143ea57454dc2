//! `/v1/audit-events`

use crate::application::closed_sets;
use crate::application::error::Result;
use crate::application::people::audit::LogReader;
use crate::domain::people::audit::AuditEntry;
use crate::http::caller::AuditReader;
use crate::http::page::PageQuery;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::get;
use actix_web::web::{Data, Json};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(list_audit_events);
}

/// One entry of the audit log: a change, or a refusal.
#[derive(Serialize, ToSchema)]
struct AuditEvent {
    #[schema(example = "aud_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Null for what concerns no single workspace.
    workspace_id: Option<String>,
    /// `operator`, `service`, `anonymous`, or a token's ID.
    #[schema(example = "operator")]
    actor: String,
    /// The operation's ID in the OpenAPI document.
    #[schema(example = "create_workspace")]
    action: String,
    /// The ID of what it was done to.
    target: Option<String>,
    #[schema(value_type = closed_sets::AuditResult)]
    result: &'static str,
    /// The problem's code, where it was refused or failed.
    code: Option<String>,
    /// The caller's address.
    remote_addr: Option<String>,
    request_id: Option<String>,
}

/// A page of the audit log, newest first.
#[derive(Serialize, ToSchema)]
struct AuditEventList {
    audit_events: Vec<AuditEvent>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl From<AuditEntry> for AuditEvent {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            at: entry.at,
            workspace_id: entry.workspace.map(|id| id.to_string()),
            actor: entry.actor.as_str().to_owned(),
            action: entry.action,
            target: entry.target,
            result: entry.result.as_str(),
            code: entry.code,
            remote_addr: entry.remote_addr,
            request_id: entry.request_id,
        }
    }
}

/// Read the audit log
///
/// Admins read their own workspace's, the operator reads all. Newest first.
#[utoipa::path(
    tag = "Audit log",
    params(PageQuery),
    responses((status = 200, description = "A page of the audit log", body = AuditEventList)),
)]
#[get("/v1/audit-events")]
async fn list_audit_events(
    AuditReader(reader): AuditReader,
    services: Data<Services>,
    query: Query<PageQuery>,
) -> Result<Json<AuditEventList>> {
    let place = place(&reader);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.people.audit_log.list(&reader, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |e| e.id.to_string())?;
    Ok(Json(AuditEventList {
        audit_events: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

fn place(reader: &LogReader) -> String {
    match reader.workspace() {
        Some(workspace) => format!("{workspace}/audit-events"),
        None => "operator/audit-events".to_owned(),
    }
}
