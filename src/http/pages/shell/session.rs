//! Who is looking at a page.

use crate::application::error::{Error, Kind, Result};
use crate::application::people::allowance::refuse_suspended;
use crate::application::people::caller::{Admin, Caller, Member};
use crate::application::people::sign_in::Found;
use crate::domain::files::file_key::FileKey;
use crate::domain::people::sign_in::{Session, WayBack};
use crate::domain::people::workspace::Role;
use crate::http::brand::Brand;
use crate::http::caller::count;
use crate::http::context::SeenCaller;
use crate::http::pages::shell::cookies;
use crate::http::pages::shell::cookies::SessionCookie;
use crate::http::pages::shell::csrf::Csrf;
use crate::http::state::Services;
use crate::http::tenant::Tenant;
use crate::http::trail::Trail;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
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
    /// The cookie that the session came in.
    pub cookie: SessionCookie,
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

/// A session that is of another workspace than the address names is not looked at, whatever cookie it came in.
async fn who(request: &HttpRequest) -> Result<Who> {
    let services = request
        .app_data::<web::Data<Services>>()
        .ok_or_else(|| Error::bug("no services"))?;
    let tenant = Tenant::of_request(request);
    let is_here = |session: &Session| {
        let tenant = tenant.as_ref();
        tenant.is_none_or(|tenant| tenant.is_of(&session.workspace))
    };
    let mut ended = None;
    for cookie in cookies::of_address(request, &services.site) {
        match services.people.sign_ins.session(&cookie.secret).await? {
            Found::Going(session) if is_here(&session) => {
                return signed_in(request, services, cookie, *session).await;
            }
            Found::Ended(session) if is_here(&session) => ended = ended.or(Some(session.way_back)),
            Found::Going(_) | Found::Ended(_) | Found::Unknown => {}
        }
    }
    Ok(ended.map_or(Who::Nobody, Who::Ended))
}

async fn signed_in(
    request: &HttpRequest,
    services: &Services,
    cookie: SessionCookie,
    session: Session,
) -> Result<Who> {
    let member = Member::from(&session);
    let workspace = services.storages.workspace(&session.workspace).await?;
    let caller = Caller::Workspace(member.clone());
    SeenCaller::note(request, &caller);
    // A request counts once, however often it is asked who looks at the page.
    let has_entered = request.extensions().contains::<Caller>();
    match has_entered {
        true => refuse_suspended(&workspace.standing)?,
        false => {
            let allowances = &services.people.admission.allowances;
            allowances.enter(&workspace.id, &workspace.standing)?;
            let in_progress = &services.people.admission.in_progress;
            let running = in_progress.of_workspace(&workspace.id)?;
            count(&mut request.extensions_mut(), running);
        }
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(cookie.clone());
    Ok(Who::SignedIn(Box::new(Visitor {
        member,
        workspace_name: workspace.name.to_string(),
        return_url: session
            .way_back
            .return_url
            .as_ref()
            .map(|url| url.as_str().to_owned()),
        csrf: Csrf::of_secret(&cookie.secret),
        brand: services.site.brand.clone(),
        cookie,
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
    .remedy("Go back to the product that you came from, and open this page again from there.")
}

/// The member `return_url` says where to sign in again.
fn session_ended(way_back: &WayBack) -> Error {
    let error = not_signed_in();
    match way_back.elsewhere() {
        Some(url) => error.member("return_url", url.as_str()),
        None => error,
    }
}
