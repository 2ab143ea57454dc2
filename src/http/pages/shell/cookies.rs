//! The cookies of sessions. A browser has one for the addresses without a workspace, and one for each further
//! workspace, so that a tab stays in its workspace whatever happens in the others.

use crate::application::error::{Error, Result};
use crate::application::people::sign_in::{Found, SignIns};
use crate::domain::ids::WorkspaceId;
use crate::http::state::{Services, Site};
use crate::http::tenant::Tenant;
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How many workspaces a browser has beside its first one. The one that came first gives way to another one: browsers
/// and servers bound what cookies of a request may take.
const MOST_BESIDE: usize = 16;
/// How long a cookie stays after the longest life of its session: as long as the session is known. Until then its tab
/// says that the session has ended, and no other workspace takes its place.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A session's cookie, as a browser sends it.
#[derive(Clone)]
pub struct SessionCookie {
    pub secret: String,
    /// The workspace whose addresses it is for. `None`: those without a workspace.
    pub tenant: Option<Tenant>,
}

/// The cookies that may be that of a page at this address. At an address with a workspace the one without comes
/// second: its session may be of the same workspace.
pub fn of_address(request: &HttpRequest, site: &Site) -> Vec<SessionCookie> {
    let tenant = Tenant::of_request(request);
    let all = all(request, site);
    let of = |wanted: &Option<Tenant>| all.iter().find(|cookie| cookie.tenant == *wanted).cloned();
    let own = tenant.is_some().then(|| of(&tenant)).flatten();
    own.into_iter().chain(of(&None)).collect()
}

/// Every session cookie of the browser, in the order that it sends them.
pub fn all(request: &HttpRequest, site: &Site) -> Vec<SessionCookie> {
    let Ok(cookies) = request.cookies() else {
        return Vec::new();
    };
    let session = |cookie: &Cookie<'static>| {
        Some(SessionCookie {
            tenant: site.tenant_of_cookie(cookie.name())?,
            secret: cookie.value().to_owned(),
        })
    };
    let found = cookies.iter().filter_map(session);
    found.take(2 * MOST_BESIDE).collect()
}

/// Whether the browser has sessions of workspaces, and the address names none.
pub fn are_beside(request: &HttpRequest, site: &Site) -> bool {
    Tenant::of_request(request).is_none()
        && all(request, site)
            .iter()
            .any(|cookie| cookie.tenant.is_some())
}

/// Which addresses a new session of the workspace has in this browser: those without a workspace, unless they are, or
/// may be, another workspace's. In a frame of a browser without a session it has those of its workspace: several frames
/// may begin at the same time, and none of their requests has the cookie of another.
pub async fn place(
    request: &HttpRequest,
    services: &Services,
    workspace: &WorkspaceId,
) -> Option<Tenant> {
    let own = Tenant::of(workspace);
    let cookies = all(request, &services.site);
    let has = |tenant: Option<&Tenant>| {
        cookies
            .iter()
            .find(|cookie| cookie.tenant.as_ref() == tenant)
    };
    let is_taken = match (has(Some(&own)), has(None)) {
        // The session of a frame has both: see `begin`. Outside of a frame nothing else is at the addresses without.
        (Some(beside), Some(first)) if beside.secret == first.secret => is_in_frame(request),
        (Some(_), _) => true,
        (None, Some(first)) => is_of_another(&services.people.sign_ins, first, workspace).await,
        (None, None) => is_in_frame(request) || is_left_by_another(request, &services.site, &own),
    };
    is_taken.then_some(own)
}

/// Whether the browser says that it shows the answer in a frame.
fn is_in_frame(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let for_what = headers.get("sec-fetch-dest").and_then(|v| v.to_str().ok());
    for_what.is_some_and(|what| ["iframe", "frame", "embed", "object"].contains(&what))
}

/// Whether the addresses without a workspace were another one's until it was left.
fn is_left_by_another(request: &HttpRequest, site: &Site, tenant: &Tenant) -> bool {
    request
        .cookie(&site.left_cookie())
        .is_some_and(|left| Tenant::parse(left.value()).as_ref() != Some(tenant))
}

/// Whether a cookie is, or may be, another workspace's: what is no longer known may have been.
async fn is_of_another(
    sign_ins: &SignIns,
    cookie: &SessionCookie,
    workspace: &WorkspaceId,
) -> bool {
    match sign_ins.session(&cookie.secret).await {
        Ok(Found::Going(session) | Found::Ended(session)) => session.workspace != *workspace,
        Ok(Found::Unknown) | Err(_) => true,
    }
}

/// Gives the cookie of a new session to the browser.
pub fn begin(
    response: &mut HttpResponse,
    request: &HttpRequest,
    services: &Services,
    tenant: Option<&Tenant>,
    secret: &SecretString,
) -> Result<()> {
    let site = &services.site;
    let life = services.people.sign_ins.absolute + KEPT;
    let life = CookieDuration::seconds(i64::try_from(life.as_secs()).unwrap_or(i64::MAX));
    let give = |response: &mut HttpResponse, tenant: Option<&Tenant>| {
        let name = site.session_cookie(tenant);
        let mut cookie = named(site, name, secret.expose_secret().to_owned());
        cookie.set_max_age(life);
        set(response, &cookie)
    };
    give(response, tenant)?;
    let mut has_plain = true;
    if let Some(tenant) = tenant {
        let sent = all(request, site);
        let of =
            |wanted: Option<&Tenant>| sent.iter().find(|cookie| cookie.tenant.as_ref() == wanted);
        // The addresses without a workspace lead to the session of the first frame, too.
        has_plain = match (of(Some(tenant)), of(None)) {
            (None, None) => !is_left_by_another(request, site, tenant),
            (Some(own), Some(first)) => own.secret == first.secret,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if has_plain {
            give(response, None)?;
        }
        let others: Vec<&Tenant> = sent
            .iter()
            .filter_map(|cookie| cookie.tenant.as_ref())
            .filter(|other| *other != tenant)
            .collect();
        let too_many = (others.len() + 1).saturating_sub(MOST_BESIDE);
        for other in others.into_iter().take(too_many) {
            set(response, &removal(site, site.session_cookie(Some(other))))?;
        }
    }
    match has_plain && request.cookie(&site.left_cookie()).is_some() {
        true => set(response, &removal(site, site.left_cookie())),
        false => Ok(()),
    }
}

/// Takes the cookie of a session that was ended by its visitor. The addresses without a workspace stay the
/// workspace's until the browser is closed: its other tabs may still show them.
pub fn end(
    response: &mut HttpResponse,
    site: &Site,
    cookie: &SessionCookie,
    workspace: &WorkspaceId,
) -> Result<()> {
    let tenant = cookie.tenant.as_ref();
    set(response, &removal(site, site.session_cookie(tenant)))?;
    match tenant {
        Some(_) => Ok(()),
        None => {
            let left = Tenant::of(workspace).to_string();
            set(response, &named(site, site.left_cookie(), left))
        }
    }
}

/// `Lax` lets a link from the product arrive signed in; where other origins may embed the pages, only `None` reaches
/// them, in a jar of each embedder's own. Browsers take such a cookie over https, and over http from the machine
/// itself.
fn named(site: &Site, name: String, value: String) -> Cookie<'static> {
    let embedded = site.takes_embedded_cookies() && !site.frame_ancestors.is_empty();
    Cookie::build(name, value)
        .path(site.cookie_path().to_owned())
        .http_only(true)
        .secure(site.is_https() || embedded)
        .same_site(match embedded {
            true => SameSite::None,
            false => SameSite::Lax,
        })
        .finish()
}

/// What takes a cookie away.
fn removal(site: &Site, name: String) -> Cookie<'static> {
    let mut cookie = named(site, name, String::new());
    cookie.make_removal();
    cookie
}

/// Gives a cookie to the browser. An embedded page's goes into a jar of its embedder's own
/// (`Partitioned`, which the cookie type does not know).
pub fn set(response: &mut HttpResponse, cookie: &Cookie<'static>) -> Result<()> {
    let partitioned = match cookie.same_site() {
        Some(SameSite::None) => "; Partitioned",
        _ => "",
    };
    let value = HeaderValue::from_str(&format!("{cookie}{partitioned}")).map_err(Error::bug)?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(())
}
