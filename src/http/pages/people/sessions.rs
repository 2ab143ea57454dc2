//! Settings > Sessions: who is signed in to the pages.

use crate::application::error::Result;
use crate::domain::ids::SessionId;
use crate::domain::people::sign_in::Session;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::people::tokens::role_in_words;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::cookies;
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Confirmed;
use crate::http::pages::shell::list::ListQuery;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::pages::shell::words::ending;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use time::OffsetDateTime;

/// How many sessions a page shows.
const PAGE: u32 = 25;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(PageRoute::at("/settings/sessions", "sessions_page").shows(list))
        .add(PageRoute::at("/settings/sessions/{session_id}/end", "revoke_session").changes(end));
}

/// The workspace's sessions.
#[derive(Template)]
#[template(path = "pages/people/sessions.html")]
pub(super) struct SessionsPage {
    pub chrome: Chrome,
    pub sessions: Vec<SessionRow>,
    pub is_first_page: bool,
    pub next: Option<String>,
}

/// A session. Its ID names it and opens nothing: the secret is in its holder's cookie alone.
pub(super) struct SessionRow {
    pub id: String,
    pub ending: String,
    pub role: &'static str,
    /// The product's person that the link was for.
    pub subject: Option<String>,
    pub is_own: bool,
    pub has_ended: bool,
    pub began: Moment,
    pub seen: Moment,
    pub ends: Moment,
}

async fn list(
    visitor: AdminVisitor,
    services: Data<Services>,
    query: Query<ListQuery>,
) -> Result<HttpResponse> {
    let is_first_page = query.0.is_first_page();
    let place = format!("{}/pages/sessions", visitor.admin.workspace());
    let request = query.0.request(PAGE);
    let window = services.page_tokens.window(&place, &request)?;
    let sign_ins = &services.people.sign_ins;
    let rows = sign_ins.list(&visitor.admin, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |session| session.id.to_string())?;
    let now = OffsetDateTime::now_utc();
    let row = |session: &Session| {
        let ends = sign_ins.idle_end(session);
        SessionRow {
            id: session.id.to_string(),
            ending: ending(session.id.as_str()),
            role: role_in_words(session.role),
            subject: session.subject.as_ref().map(|subject| match &subject.name {
                Some(name) => name.to_string(),
                None => subject.id.as_str().to_owned(),
            }),
            is_own: session.id == visitor.visitor.session.id,
            has_ended: ends <= now,
            began: Moment(session.created_at),
            seen: Moment(session.seen_at),
            ends: Moment(ends),
        }
    };
    html(&SessionsPage {
        chrome: Chrome::of(&visitor.visitor, Section::People).flash(query.0.done.as_deref()),
        sessions: page.items.iter().map(row).collect(),
        is_first_page,
        next: page.next_page_token,
    })
}

/// Ends a session. Whoever ends their own is signed out.
async fn end(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SessionId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let sign_ins = &services.people.sign_ins;
    sign_ins.revoke(&visitor.admin, &id.0).await?;
    if id.0 != visitor.visitor.session.id {
        return Ok(see_other("/settings/sessions?done=session_ended"));
    }
    let mut response = see_other("/signed-out");
    let own = &visitor.visitor;
    cookies::end(
        &mut response,
        &services.site,
        &own.cookie,
        visitor.admin.workspace(),
    )?;
    Ok(response)
}
