//! Settings > Audit log.

use crate::application::error::Result;
use crate::application::kept::page_tokens::PageRequest;
use crate::application::kept::store::{AuditFilter, Window};
use crate::application::people::audit::LogReader;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::people::audit_words::{AuditQuery, EntryRow, Known, export_name};
use crate::http::pages::shell::answer::html;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use askama::Template;
use futures_util::stream;
use std::collections::HashMap;
use time::OffsetDateTime;

/// How many entries a page shows.
const PAGE: u32 = 50;
/// How many tokens an entry's actor is looked for in.
const MOST_TOKENS: u32 = 1000;

const PATH: &str = "/settings/audit-log";

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(PageRoute::at(PATH, "audit_log_page").shows(list))
        .add(PageRoute::at("/settings/audit-log/export", "export_audit_log").shows(export));
}

/// The workspace's audit log.
#[derive(Template)]
#[template(path = "pages/people/audit_log.html")]
pub(super) struct AuditLogPage {
    pub chrome: Chrome,
    pub query: AuditQuery,
    /// The filter by who did it, in words.
    pub of_actor: Option<String>,
    pub entries: Vec<EntryRow>,
    pub is_first_page: bool,
    pub next: Option<String>,
}

impl AuditLogPage {
    fn export(&self) -> String {
        self.query.address("/settings/audit-log/export", &[])
    }

    fn first(&self) -> String {
        self.query.address(PATH, &[])
    }

    fn following(&self, token: &str) -> String {
        self.query.address(PATH, &[("page", token)])
    }

    /// The list without this filter.
    fn without(&self, filter: &str) -> String {
        self.query.address(PATH, &[(filter, "")])
    }
}

async fn list(
    visitor: AdminVisitor,
    services: Data<Services>,
    query: Query<AuditQuery>,
) -> Result<HttpResponse> {
    let mut query = query.0;
    let workspace = visitor.admin.workspace();
    let filter = query.filter(workspace)?;
    let token = query.page.take();
    let is_first_page = token.is_none();
    // A page belongs to the list with these filters.
    let place = format!("{workspace}/pages/{}", query.address("audit-log", &[]));
    let request = PageRequest { size: PAGE, token };
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.people.audit_log.list(&filter, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |entry| entry.id.to_string())?;
    let known = known(&visitor, &services).await?;
    html(&AuditLogPage {
        chrome: Chrome::of(&visitor.visitor, Section::People),
        of_actor: filter.actor.as_ref().map(|actor| known.who(actor)),
        entries: page
            .items
            .into_iter()
            .map(|entry| EntryRow::of(entry, &query, &known, PATH))
            .collect(),
        is_first_page,
        next: page.next_page_token,
        query,
    })
}

async fn known<'a>(visitor: &'a AdminVisitor, services: &Services) -> Result<Known<'a>> {
    let window = Window {
        after: None,
        limit: MOST_TOKENS,
    };
    let workspace = visitor.admin.workspace();
    let tokens = services.people.tokens.list(workspace, &window).await?;
    let tokens: HashMap<_, _> = tokens
        .into_iter()
        .map(|token| (token.id, token.name.to_string()))
        .collect();
    Ok(Known {
        own: &visitor.visitor.session,
        tokens,
    })
}

/// Where an export is: what it has written last. `None`: everything is written.
struct Exporting {
    services: Data<Services>,
    reader: LogReader,
    filter: AuditFilter,
    after: Option<String>,
}

/// Everything that the filters find, newest first, as lines of JSON with the names of the API. One that cannot
/// be finished is cut off, so that a browser says so.
async fn export(
    visitor: AdminVisitor,
    services: Data<Services>,
    query: Query<AuditQuery>,
) -> Result<HttpResponse> {
    let filter = query.0.filter(visitor.admin.workspace())?;
    let begin = Exporting {
        services,
        reader: LogReader::Admin(visitor.admin),
        filter,
        after: None,
    };
    let lines = stream::try_unfold(Some(begin), |state| async move {
        let Some(mut state) = state else {
            return Ok::<_, crate::application::error::Error>(None);
        };
        let log = &state.services.people.audit_log;
        let part = log
            .export(&state.reader, &state.filter, state.after.take())
            .await?;
        let next = part.last.map(|last| Exporting {
            after: Some(last),
            ..state
        });
        Ok(Some((Bytes::from(part.lines), next)))
    });
    let name = export_name(OffsetDateTime::now_utc());
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(lines))
}
