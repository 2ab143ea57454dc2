//! `/v1/audit-events`

use crate::application::closed_sets;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::AuditFilter;
use crate::application::people::audit::LogReader;
use crate::application::people::audit_export::SHIPPED;
use crate::domain::Invalid;
use crate::domain::day_or_time::DayOrTime;
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult, AuditedFile};
use crate::domain::people::subject::SubjectId;
use crate::http::api::files::keys::file_key;
use crate::http::caller::AuditReader;
use crate::http::page;
use crate::http::page::PageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::routes::Routes;
use crate::http::state::Services;
use actix_web::http::header;
use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpRequest, HttpResponse, get};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_audit_events)
        .service(list_audit_event_files);
}

/// One entry of the audit log: a change, or a refusal.
#[derive(Serialize, ToSchema)]
struct AuditEvent {
    #[schema(example = "aud_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[serde(with = "crate::domain::rfc3339")]
    at: OffsetDateTime,
    /// Null for what concerns no single workspace.
    workspace_id: Option<String>,
    /// `operator`, `service`, `anonymous`, or the ID of a token, key, session or link.
    #[schema(example = "operator")]
    actor: String,
    /// With a product's key: the name that it had then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "web tier")]
    actor_name: Option<String>,
    /// The product's ID of the person for whom it was done, as the header `Sallyport-Actor` or the sign-in link said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "user-4711")]
    on_behalf_of: Option<String>,
    /// The operation's ID in the OpenAPI document. `suspend_workspace` and `activate_workspace` are those changes of a
    /// workspace, `check_pending_change` and `use_pending_change` checks of a storage's change, and
    /// `import_workspace_dry_run` is an import that stores nothing. Of pages: what the page does, like `sign_in`. By the
    /// service itself: `quarantine_storage`, `end_storage_quarantine`, `storage.health_changed`.
    #[schema(example = "create_workspace")]
    action: String,
    /// The ID of what it was done to.
    target: Option<String>,
    #[schema(value_type = closed_sets::AuditResult)]
    result: &'static str,
    #[schema(value_type = Option<closed_sets::AnyAuditCode>)]
    code: Option<String>,
    /// The caller's address.
    remote_addr: Option<String>,
    request_id: Option<String>,
    /// How many files it is about.
    file_count: u64,
    /// The first ten of them; with `key`, the one that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    files: Vec<AuditEventFile>,
    /// The signed URLs that were given out for the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<AuditEventSigned>,
    /// What the target's state was before, and is since: with `storage.health_changed`, a storage's health.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<AuditEventState>,
}

/// A file that an entry of the audit log is about.
#[derive(Serialize, ToSchema)]
struct AuditEventFile {
    #[schema(example = "/some-folder/image.png")]
    key: String,
    /// `file`; for a copy or a move `from` and `to`.
    #[schema(example = "file")]
    part: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    /// What became of this file: `done`, `refused` or `failed`.
    #[schema(example = "done")]
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::AnyAuditCode>)]
    code: Option<String>,
}

/// A state before and after.
#[derive(Serialize, ToSchema)]
struct AuditEventState {
    #[schema(example = "healthy")]
    before: String,
    #[schema(example = "broken")]
    after: String,
}

/// Signed URLs that were given out.
#[derive(Serialize, ToSchema)]
struct AuditEventSigned {
    #[schema(example = "PUT")]
    method: String,
    /// When the last of them stops working; absent where none was given out.
    #[serde(
        with = "crate::domain::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    expires_at: Option<OffsetDateTime>,
}

/// A page of the files of an entry.
#[derive(Serialize, ToSchema)]
struct AuditEventFileList {
    files: Vec<AuditEventFile>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only of this workspace. An admin reads the own one's anyway.
    #[param(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    workspace_id: Option<String>,
    /// Only what was done to the file with this key, in any storage of the workspace.
    key: Option<String>,
    /// Only this operation, by its ID; or another action, as in `action`.
    #[param(example = "delete_storage")]
    action: Option<String>,
    /// Only what this one did: as in `actor`.
    #[param(example = "operator")]
    actor: Option<String>,
    /// Only what was done for this person of the product's: as in `on_behalf_of`.
    #[param(example = "user-4711")]
    on_behalf_of: Option<String>,
    /// Only what ended so.
    #[param(value_type = Option<closed_sets::AuditResult>)]
    result: Option<String>,
    /// Only from this time on. With a day like `2030-01-31`: from its start in UTC.
    #[param(example = "2030-01-31T00:00:00Z", max_length = 40)]
    since: Option<String>,
    /// Only from before this time. With a day like `2030-02-28`: to its end in UTC.
    #[param(example = "2030-02-28T00:00:00Z", max_length = 40)]
    until: Option<String>,
    /// The same as `until`, by its earlier name; but with a day: from before its start.
    #[param(example = "2030-02-28T00:00:00Z", max_length = 40)]
    before: Option<String>,
    /// With `Accept: application/x-ndjson`: only entries after the one with this ID, to go on after the last one.
    #[param(example = "aud_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    after: Option<String>,
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

impl AuditQuery {
    fn filter(&self, reader: &LogReader, routes: &Routes) -> Result<AuditFilter> {
        let field = |name, invalid| Error::field(name, invalid);
        let action = self.action.as_deref().filter(|action| !action.is_empty());
        let action = action.map(|action| routes.action(action));
        let key = self.key.as_ref().map(|key| file_key("key", key));
        let actor = self.actor.as_deref().map(Actor::parse);
        let on_behalf_of = self.on_behalf_of.as_deref().map(SubjectId::parse);
        let result = self.result.as_deref().map(AuditResult::parse);
        let until = match (&self.until, &self.before) {
            (Some(_), Some(_)) => {
                let detail = "`before` is the same as `until`: send one of them.";
                return Err(field("before", Invalid::new("unexpected_field", detail)));
            }
            (Some(until), None) => bound("until", Some(until))?.map(DayOrTime::ends),
            (None, before) => bound("before", before.as_deref())?.map(DayOrTime::begins),
        };
        Ok(AuditFilter {
            workspace: self.workspace(reader)?,
            key: key.transpose()?,
            action: action
                .transpose()
                .map_err(|invalid| field("action", invalid))?,
            actor: actor
                .transpose()
                .map_err(|invalid| field("actor", invalid))?,
            on_behalf_of: on_behalf_of
                .transpose()
                .map_err(|invalid| field("on_behalf_of", invalid))?,
            result: result
                .transpose()
                .map_err(|invalid| field("result", invalid))?,
            since: bound("since", self.since.as_deref())?.map(DayOrTime::begins),
            before: until,
        })
    }

    /// The workspace that is asked for; an admin's is the own one.
    fn workspace(&self, reader: &LogReader) -> Result<Option<WorkspaceId>> {
        let asked = self.workspace_id.as_deref().map(WorkspaceId::parse);
        let asked = asked
            .transpose()
            .map_err(|invalid| Error::field("workspace_id", invalid))?;
        match (reader.workspace(), asked) {
            (None, asked) => Ok(asked),
            (Some(own), Some(asked)) if asked != *own => Err(Error::new(
                Kind::Forbidden,
                "other_workspace",
                "An admin reads the audit log of the own workspace, and `workspace_id` names another one.",
            )
            .remedy("Leave the parameter out.")),
            (Some(own), _) => Ok(Some(own.clone())),
        }
    }

    /// Where lines of JSON begin. A page's parameters have no meaning for them.
    fn ship_after(&self) -> Result<Option<AuditId>> {
        let of_pages = [
            ("page_size", self.page_size.is_some()),
            ("page_token", self.page_token.is_some()),
        ];
        if let Some((field, _)) = of_pages.into_iter().find(|(_, is_given)| *is_given) {
            let detail = "Lines of JSON are not sent in pages: go on with `after`.";
            return Err(Error::field(
                field,
                Invalid::new("unexpected_field", detail),
            ));
        }
        let after = self.after.as_deref().map(AuditId::parse);
        after
            .transpose()
            .map_err(|invalid| Error::field("after", invalid))
    }
}

fn bound(field: &str, text: Option<&str>) -> Result<Option<DayOrTime>> {
    let read = text.map(DayOrTime::parse).transpose();
    read.map_err(|invalid| Error::field(field, invalid))
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
            actor_name: entry.actor_name.map(|name| name.to_string()),
            on_behalf_of: entry.on_behalf_of.map(|id| id.as_str().to_owned()),
            action: entry.action,
            target: entry.target,
            result: entry.result.as_str(),
            code: entry.code,
            remote_addr: entry.remote_addr,
            request_id: entry.request_id,
            file_count: entry.file_count,
            files: entry.files.into_iter().map(Into::into).collect(),
            signed: entry.signed.map(|signed| AuditEventSigned {
                method: signed.method,
                expires_at: signed.until,
            }),
            state: entry.state.map(|state| AuditEventState {
                before: state.before,
                after: state.after,
            }),
        }
    }
}

impl From<AuditedFile> for AuditEventFile {
    fn from(audited: AuditedFile) -> Self {
        Self {
            key: audited.file.key.to_string(),
            part: audited.file.part.as_str(),
            version_id: audited.file.version_id,
            result: audited.result.as_str(),
            code: audited.code,
        }
    }
}

/// Lines of JSON for those who ship the log to another place.
const LINES: &str = "application/x-ndjson";
/// How large a piece of them is, about, in bytes.
const PIECE: usize = 64 << 10;

/// Read the audit log
///
/// Admins read their own workspace's, the operator reads all. Newest first. A request that was cut off
/// because its process was stopped is there some minutes later, `failed` with the code
/// `outcome_unknown`: what it was about to change may have been changed.
///
/// With `Accept: application/x-ndjson` all that the filters find, oldest first, an entry on each line with all of its
/// files. Go on with `after`, the ID of the last line; `until` a minute ago misses none that is stored late.
#[utoipa::path(
    tag = "Audit log",
    params(AuditQuery),
    responses((status = 200, description = "A page of the audit log, or lines of it", content(
        (AuditEventList = "application/json"),
        (String = "application/x-ndjson"),
    ))),
)]
#[get("/v1/audit-events")]
async fn list_audit_events(
    AuditReader(reader): AuditReader,
    services: Data<Services>,
    routes: Data<Routes>,
    request: HttpRequest,
    query: Query<AuditQuery>,
) -> Result<HttpResponse> {
    let filter = query.0.filter(&reader, &routes)?;
    if wants_lines(&request) {
        let after = query.0.ship_after()?;
        return ship(services, reader, filter, after).await;
    }
    if query.0.after.is_some() {
        let detail = "`after` goes on with lines of JSON (`Accept: application/x-ndjson`). A page goes on with `page_token`.";
        return Err(Error::field(
            "after",
            Invalid::new("unexpected_field", detail),
        ));
    }
    // A page goes on in the list that it is of.
    let is_of_one = filter.workspace.as_ref() != reader.workspace();
    let place = match filter.key.is_some() || filter.is_narrowed() || is_of_one {
        false => place(&reader),
        true => format!("{}{filter:?}", place(&reader)),
    };
    let request = page::request(query.0.page_size, query.0.page_token)?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.people.audit_log.list(&filter, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |e| e.id.to_string())?;
    Ok(HttpResponse::Ok().json(AuditEventList {
        audit_events: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

fn wants_lines(request: &HttpRequest) -> bool {
    request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|kind| {
            kind.split(';')
                .next()
                .is_some_and(|kind| kind.trim() == LINES)
        })
}

/// Answers with everything that the filter finds after an entry, oldest first.
async fn ship(
    services: Data<Services>,
    reader: LogReader,
    filter: AuditFilter,
    after: Option<AuditId>,
) -> Result<HttpResponse> {
    let mut shipping = Shipping {
        services,
        reader,
        filter,
        after: after.map(|id| id.to_string()),
        waiting: VecDeque::new(),
        is_last: false,
    };
    // What cannot be read at all is refused. What breaks off later is cut off, so that whoever reads it knows.
    shipping.load().await?;
    let lines = stream::try_unfold(shipping, Shipping::next);
    Ok(HttpResponse::Ok()
        .content_type(LINES)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(lines))
}

/// Lines on their way.
struct Shipping {
    services: Data<Services>,
    reader: LogReader,
    filter: AuditFilter,
    /// The last entry that was read.
    after: Option<String>,
    waiting: VecDeque<AuditEntry>,
    is_last: bool,
}

impl Shipping {
    /// Reads further entries, where none wait to be sent.
    async fn load(&mut self) -> Result<()> {
        if self.is_last || !self.waiting.is_empty() {
            return Ok(());
        }
        let log = &self.services.people.audit_log;
        let entries = log.oldest_first(&self.filter, self.after.take()).await?;
        self.is_last = entries.len() < SHIPPED as usize;
        self.after = entries.last().map(|entry| entry.id.to_string());
        self.waiting = entries.into();
        Ok(())
    }

    /// The next lines; `None` at the end.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        self.load().await?;
        if self.waiting.is_empty() {
            return Ok(None);
        }
        let log = &self.services.people.audit_log;
        let mut lines = Vec::new();
        while lines.len() < PIECE
            && let Some(entry) = self.waiting.pop_front()
        {
            let entry = log.with_files(&self.reader, &self.filter, entry).await?;
            serde_json::to_writer(&mut lines, &AuditEvent::from(entry)).map_err(Error::bug)?;
            lines.push(b'\n');
        }
        Ok(Some((Bytes::from(lines), self)))
    }
}

/// List the files of an audit event
///
/// Every file that the entry is about, in the order of the request.
#[utoipa::path(
    tag = "Audit log",
    params(("audit_event_id" = String, Path, description = "The entry's ID"), PageQuery),
    responses((status = 200, description = "A page of the files", body = AuditEventFileList)),
)]
#[get("/v1/audit-events/{audit_event_id}/files")]
async fn list_audit_event_files(
    AuditReader(reader): AuditReader,
    services: Data<Services>,
    id: Id<AuditId>,
    query: Query<PageQuery>,
) -> Result<Json<AuditEventFileList>> {
    let place = format!("{}/{}/files", place(&reader), id.0);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let log = &services.people.audit_log;
    let rows = log.files(&reader, &id.0, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |(position, _)| position.to_string())?;
    Ok(Json(AuditEventFileList {
        files: page
            .items
            .into_iter()
            .map(|(_, file)| file.into())
            .collect(),
        next_page_token: page.next_page_token,
    }))
}

fn place(reader: &LogReader) -> String {
    match reader.workspace() {
        Some(workspace) => format!("{workspace}/audit-events"),
        None => "operator/audit-events".to_owned(),
    }
}
