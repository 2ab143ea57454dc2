//! Who is looking at a page.

use crate::application::error::{Error, Kind, Result};
use crate::application::people::caller::{Admin, Caller, Member};
use crate::application::people::sign_in::Found;
use crate::domain::files::file_key::FileKey;
use crate::domain::people::sign_in::{Session, WayBack};
use crate::domain::people::workspace::Role;
use crate::http::brand::Brand;
use crate::http::context::SeenCaller;
use crate::http::pages::shell::csrf::Csrf;
use crate::http::state::{Services, Site};
use crate::http::trail::Trail;
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Visitor {
    pub session: Session,
    pub member: Member,
    pub workspace_name: String,
    pub return_url: Option<String>,
    pub csrf: Csrf,
    pub brand: Arc<Brand>,
    trail: Option<Trail>,
}

impl Visitor {
    /// Notes for the audit log that the visitor reads the file.
    pub fn reads(&self, key: &FileKey) {
        if let Some(trail) = &self.trail {
            trail.reads([key]);
        }
    }

    /// The same for a URL by which the file is read.
    pub fn reads_by_url(&self, key: &FileKey) {
        if let Some(trail) = &self.trail {
            trail.signs_reads([key]);
        }
    }

    pub fn is_admin(&self) -> bool {
        self.session.role == Role::Admin
    }

    pub fn admin(&self) -> Result<Admin> {
        self.member.clone().into_admin().ok_or_else(|| {
            Error::new(
                Kind::Forbidden,
                "admin_required",
                "Only an admin of the workspace may do this; you are signed in as a member.",
            )
            .remedy("Ask an admin of the workspace.")
        })
    }
}

/// An admin who is signed in.
pub struct AdminVisitor {
    pub visitor: Visitor,
    pub admin: Admin,
}

/// The secret of a session cookie.
pub struct SessionCookie(pub String);

impl FromRequest for Visitor {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match who(&request).await? {
                Who::SignedIn(visitor) => Ok(*visitor),
                Who::Ended(way_back) => Err(actix_web::Error::from(session_ended(&way_back))),
                Who::Nobody => Err(actix_web::Error::from(not_signed_in())),
            }
        })
    }
}

impl FromRequest for AdminVisitor {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let visitor = Visitor::from_request(request, payload);
        Box::pin(async move {
            let visitor = visitor.await?;
            let admin = visitor.admin()?;
            Ok(Self { visitor, admin })
        })
    }
}

/// Who a request comes from.
enum Who {
    SignedIn(Box<Visitor>),
    /// Somebody whose session has ended.
    Ended(WayBack),
    Nobody,
}

/// The visitor, if a session is there and has not ended. The caller is left in the request for the log
/// and the audit log.
pub async fn visitor(request: &HttpRequest) -> Result<Option<Visitor>> {
    Ok(match who(request).await? {
        Who::SignedIn(visitor) => Some(*visitor),
        Who::Ended(_) | Who::Nobody => None,
    })
}

async fn who(request: &HttpRequest) -> Result<Who> {
    let Some(SessionCookie(secret)) = visitor_secret(request) else {
        return Ok(Who::Nobody);
    };
    let services = request
        .app_data::<web::Data<Services>>()
        .ok_or_else(|| Error::bug("no services"))?;
    let session = match services.people.sign_ins.session(&secret).await? {
        Found::Going(session) => *session,
        Found::Ended(way_back) => return Ok(Who::Ended(way_back)),
        Found::Unknown => return Ok(Who::Nobody),
    };
    let member = Member::from(&session);
    let workspace = services.storages.workspace(&session.workspace).await?;
    let caller = Caller::Workspace(member.clone());
    SeenCaller::note(request, &caller);
    request.extensions_mut().insert(caller);
    Ok(Who::SignedIn(Box::new(Visitor {
        member,
        workspace_name: workspace.name.to_string(),
        return_url: session
            .way_back
            .return_url
            .as_ref()
            .map(|url| url.as_str().to_owned()),
        csrf: Csrf::of_secret(&secret),
        brand: services.site.brand.clone(),
        trail: Trail::of(request),
        session,
    })))
}

pub fn not_signed_in() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "not_signed_in",
        "You are not signed in, or your session has ended.",
    )
    .remedy("Go back to where you came from and open Sallyport from there again.")
}

/// The member `return_url` says where to sign in again.
fn session_ended(way_back: &WayBack) -> Error {
    let error = not_signed_in();
    match way_back.elsewhere() {
        Some(url) => error.member("return_url", url.as_str()),
        None => error,
    }
}

pub fn visitor_secret(request: &HttpRequest) -> Option<SessionCookie> {
    let services = request.app_data::<web::Data<Services>>()?;
    request
        .cookie(services.site.session_cookie())
        .map(|cookie| SessionCookie(cookie.value().to_owned()))
}

/// The cookie of a new session. `Lax` lets a link from the product arrive signed in; where other
/// origins may embed the pages, only `None` reaches them, in a jar of each embedder's own. Browsers take such a
/// cookie over https, and over http from the machine itself.
pub fn cookie(site: &Site, secret: &SecretString, life: std::time::Duration) -> Cookie<'static> {
    let embedded = site.takes_embedded_cookies() && !site.frame_ancestors.is_empty();
    Cookie::build(site.session_cookie(), secret.expose_secret().to_owned())
        .path(site.cookie_path().to_owned())
        .http_only(true)
        .secure(site.is_https() || embedded)
        .same_site(match embedded {
            true => SameSite::None,
            false => SameSite::Lax,
        })
        .max_age(CookieDuration::seconds(
            i64::try_from(life.as_secs()).unwrap_or(i64::MAX),
        ))
        .finish()
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

/// What takes the cookie away.
pub fn removal(site: &Site) -> Cookie<'static> {
    let mut cookie = cookie(
        site,
        &SecretString::from(String::new()),
        std::time::Duration::ZERO,
    );
    cookie.make_removal();
    cookie
}
