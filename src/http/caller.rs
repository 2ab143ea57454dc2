//! Authentication, before anything else of a request is read.

use crate::application::error::{Error, Kind};
use crate::application::events::EventsOf;
use crate::application::people::admission::{
    ACTOR_HEADER, Admitted, Gate, Said, WORKSPACE_HEADER, missing_scope,
};
use crate::application::people::audit::LogReader;
use crate::application::people::browser_tokens::Maker;
use crate::application::people::caller::{
    Admin, Caller, Member, Writer, admin_required, outside_of_token,
};
use crate::application::people::in_progress::Running;
use crate::domain::Invalid;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::scope::{Scope, Scopes};
use crate::domain::people::sign_in::LinkMaker;
use crate::domain::people::workspace::Role;
use crate::http::context::SeenCaller;
use crate::http::problem::Problem;
use crate::http::routes::Routes;
use crate::http::state::Services;
use crate::http::tenant::Tenant;
use crate::http::trail::Trail;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Extensions, Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use std::future::{Ready, ready};
use std::time::Duration;

/// Refuses every request without a good token to a face whose callers have tokens. No handler can
/// forget it. Lets the handlers' extractors find the [`Caller`].
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let path = request.match_info().as_str();
    let (needs_token, gate) = match request.app_data::<web::Data<Routes>>() {
        Some(routes) => (
            routes.needs_token(path),
            routes.gate(request.method(), path),
        ),
        // Without a table of routes nothing is open to anybody.
        None => (true, None),
    };
    if needs_token && let Err(error) = admit(&request, gate).await {
        return Ok(request.error_response(error));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Counts the request as in progress, until its response begins and its extensions are dropped with it.
pub fn count(extensions: &mut Extensions, running: Running) {
    match extensions.get_mut::<Vec<Running>>() {
        Some(counted) => counted.push(running),
        None => drop(extensions.insert(vec![running])),
    }
}

/// What a product's key may do, in the request's extensions. Absent: whatever the caller's role may.
struct KeyScopes(Scopes);

/// What a token for a browser is made by, in the request's extensions.
struct MadeBy(Maker);

/// Finds out who calls, and writes down that they may be about to change something.
async fn admit(request: &ServiceRequest, gate: Option<Gate>) -> Result<(), Error> {
    let services = request
        .app_data::<web::Data<Services>>()
        .ok_or_else(|| Error::bug("no services"))?;
    let admitted = identify(request, services, gate).await?;
    if let Some(seen) = request.extensions().get::<SeenCaller>() {
        seen.set(&admitted.caller);
    }
    services.people.admission.enter(&admitted)?;
    let running = services.people.admission.running(&admitted)?;
    let trail = {
        let mut extensions = request.extensions_mut();
        if let Some(running) = running {
            count(&mut extensions, running);
        }
        extensions.insert(admitted.caller);
        if let Some(scopes) = admitted.scopes {
            extensions.insert(KeyScopes(scopes));
        }
        if let Some(maker) = admitted.maker {
            extensions.insert(MadeBy(maker));
        }
        extensions.get::<Trail>().cloned()
    };
    match trail {
        Some(trail) => {
            trail.is_for(admitted.on_behalf_of);
            trail.begin().await
        }
        None => Ok(()),
    }
}

async fn identify(
    request: &ServiceRequest,
    services: &Services,
    gate: Option<Gate>,
) -> Result<Admitted, Error> {
    let headers = request.headers();
    let by_session = match gate {
        Some(gate) if gate.takes_sessions => session_secret(request, services)?,
        Some(_) | None => None,
    };
    let secret = match &by_session {
        Some(secret) => secret.as_str(),
        None => bearer(headers)?,
    };
    if !services.running.started.is_set() {
        return Err(Error::new(
            Kind::Unavailable,
            "database_unavailable",
            "The service has not reached its database yet. Nothing was changed.",
        )
        .remedy("Try again in a moment.")
        .retry_after(Duration::from_secs(2)));
    }
    let said = Said {
        secret,
        workspace: only(headers, WORKSPACE_HEADER)?,
        actor: only(headers, ACTOR_HEADER)?,
        // Two origins are none.
        origin: only(headers, header::ORIGIN.as_str()).unwrap_or_default(),
    };
    let admission = &services.people.admission;
    // Before anybody looks into the database.
    let running = admission
        .in_progress
        .of_caller(said.secret, said.workspace)?;
    count(&mut request.extensions_mut(), running);
    match by_session {
        Some(_) => admission.session(&said).await,
        None => admission.admit(&said, gate).await,
    }
}

/// The secret of a session's cookie, where the request has no token. A browser adds the cookie to what other
/// sites' pages send as well, so the request must say that it comes from one of the service's own.
fn session_secret(request: &ServiceRequest, services: &Services) -> Result<Option<String>, Error> {
    let headers = request.headers();
    // A page whose address names its workspace says so in the header.
    let named = headers.get(WORKSPACE_HEADER).and_then(|v| v.to_str().ok());
    let tenant = named
        .and_then(|id| WorkspaceId::parse(id).ok())
        .map(|id| Tenant::of(&id));
    let site = &services.site;
    let beside = tenant.and_then(|tenant| request.cookie(&site.session_cookie(Some(&tenant))));
    let cookie = beside.or_else(|| request.cookie(&site.session_cookie(None)));
    let Some(cookie) = cookie.filter(|_| !headers.contains_key(header::AUTHORIZATION)) else {
        return Ok(None);
    };
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let public = services.site.public_url.origin().ascii_serialization();
    let is_own = text(header::ORIGIN).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        origin == public || authority.is_some() && authority == text(header::HOST)
    });
    match is_own {
        true => Ok(Some(cookie.value().to_owned())),
        false => Err(Error::new(
            Kind::Forbidden,
            "cross_site",
            "A session's cookie is taken from the service's own pages alone, and this came from elsewhere.",
        )
        .remedy("Send a token as `Authorization: Bearer TOKEN`.")),
    }
}

/// The one value of a header. Who a request is for must not depend on which of two values is read.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Error> {
    let refuse = || {
        Error::field(
            name,
            Invalid::new(
                "invalid_header",
                format!("`{name}` has one value, of visible ASCII characters."),
            ),
        )
    };
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        (Ok(_), Some(_)) | (Err(_), _) => Err(refuse()),
    }
}

/// The token of `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let refuse = |detail: &str| {
        Err(Error::new(Kind::Unauthenticated, "unauthenticated", detail)
            .remedy("Send the header `Authorization: Bearer TOKEN`."))
    };
    let mut values = headers.get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else {
        return refuse("This request needs a token.");
    };
    if values.next().is_some() {
        return refuse("This request has more than one `Authorization` header.");
    }
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_start())
        .filter(|token| !token.is_empty() && !token.contains(' '));
    match token {
        Some(token) => Ok(token),
        None => refuse("The `Authorization` header is not a bearer token."),
    }
}

/// The operator, or a product's key with the scope of the route. Put callers before a
/// [`Body`](crate::http::body::Body): extractors fail in their order.
pub struct OperatorCaller;

/// Somebody of a workspace.
pub struct MemberCaller(pub Member);

/// An admin of a workspace, who reaches all of it.
pub struct AdminCaller(pub Admin);

/// Somebody who writes files: an admin, or a token that names folders for it.
pub struct WriterCaller(pub Writer);

/// What a list over all workspaces and a list of one are for.
pub enum ListReader {
    /// The operator, or a product's key, without a workspace.
    Everywhere,
    Workspace(Member),
}

/// Scopes that only a part of a route's requests needs.
pub struct FurtherScopes(Option<Scopes>);

impl FurtherScopes {
    /// Refuses a product's key without this scope.
    pub fn need(&self, scope: Scope) -> Result<(), Error> {
        match &self.0 {
            Some(scopes) if !scopes.allow(scope) => Err(missing_scope(scope)),
            Some(_) | None => Ok(()),
        }
    }
}

/// What a token for a browser is made by.
pub struct TokenMaker(pub Maker);

/// What a sign-in link is made with, where that is a token or a product's key.
pub struct SignInMaker(pub Option<LinkMaker>);

/// Somebody who may read the audit log: the operator, or an admin of a workspace.
pub struct AuditReader(pub LogReader);

/// Somebody who may read events and manage webhooks: the operator those of all workspaces, an admin those of the
/// own one.
pub struct EventsCaller(pub EventsOf);

impl TryFrom<Caller> for OperatorCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Operator | Caller::Key(_) => Ok(Self),
            Caller::Workspace(_) | Caller::InstructionLink { .. } => Err(Error::new(
                Kind::Forbidden,
                "operator_required",
                "Only the operator's token may do this; this is a workspace's token.",
            )),
        }
    }
}

impl TryFrom<Caller> for MemberCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Workspace(member) => Ok(Self(member)),
            Caller::Operator | Caller::Key(_) | Caller::InstructionLink { .. } => {
                Err(workspace_token_required())
            }
        }
    }
}

impl TryFrom<Caller> for AdminCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        let MemberCaller(member) = caller.try_into()?;
        let role = member.role;
        member.into_admin().map(Self).ok_or_else(|| match role {
            Role::Member => admin_required(),
            Role::Admin => outside_of_token(),
        })
    }
}

impl TryFrom<Caller> for WriterCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        let MemberCaller(member) = caller.try_into()?;
        member.into_writer().map(Self).ok_or_else(admin_required)
    }
}

impl TryFrom<Caller> for ListReader {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Operator | Caller::Key(_) => Ok(Self::Everywhere),
            member => MemberCaller::try_from(member).map(|member| Self::Workspace(member.0)),
        }
    }
}

impl TryFrom<Caller> for AuditReader {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Operator | Caller::Key(_) => Ok(Self(LogReader::Operator)),
            member => AdminCaller::try_from(member).map(|admin| Self(LogReader::Admin(admin.0))),
        }
    }
}

impl TryFrom<Caller> for EventsCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Operator | Caller::Key(_) => Ok(Self(EventsOf::Everything)),
            member @ (Caller::Workspace(_) | Caller::InstructionLink { .. }) => {
                AdminCaller::try_from(member)
                    .map(|admin| Self(EventsOf::Workspace(admin.0.workspace().clone())))
            }
        }
    }
}

/// The answer to a caller who is in no workspace.
pub fn workspace_token_required() -> Error {
    Error::new(
        Kind::Forbidden,
        "workspace_token_required",
        "This is done within a workspace, and the request says in which one neither by its token nor by a header.",
    )
    .remedy(
        "Name the workspace in the header `Sallyport-Workspace`, or use a token of the workspace.",
    )
}

macro_rules! extract_caller {
    ($($extractor:ty),*) => {$(
        impl FromRequest for $extractor {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let caller = request.extensions().get::<Caller>().cloned();
                ready(match caller {
                    Some(caller) => Self::try_from(caller).map_err(Problem::from),
                    // Whatever the address: who is not known is not let in.
                    None => Err(Error::new(
                        Kind::Unauthenticated,
                        "unauthenticated",
                        "This request needs a token.",
                    )
                    .internal("a route without authentication asks for its caller")
                    .into()),
                })
            }
        }
    )*};
}

extract_caller!(
    OperatorCaller,
    MemberCaller,
    AdminCaller,
    WriterCaller,
    ListReader,
    AuditReader,
    EventsCaller
);

impl FromRequest for FurtherScopes {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let scopes = extensions.get::<KeyScopes>().map(|key| key.0.clone());
        ready(Ok(Self(scopes)))
    }
}

impl FromRequest for SignInMaker {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let maker = match extensions.get::<Caller>() {
            Some(Caller::Key(key)) => Some(LinkMaker::Key(key.id.clone())),
            Some(Caller::Workspace(member)) => LinkMaker::of(&member.actor()),
            Some(Caller::Operator | Caller::InstructionLink { .. }) | None => None,
        };
        ready(Ok(Self(maker)))
    }
}

impl FromRequest for TokenMaker {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let maker = request.extensions().get::<MadeBy>().map(|maker| maker.0);
        ready(maker.map(Self).ok_or_else(|| outside_of_token().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn a_header_that_says_for_whom_has_one_value() {
        let mut headers = HeaderMap::new();
        assert_eq!(only(&headers, ACTOR_HEADER).ok(), Some(None));
        let name = header::HeaderName::from_static("sallyport-actor");
        headers.append(name.clone(), HeaderValue::from_static("user-1"));
        assert_eq!(only(&headers, ACTOR_HEADER).ok(), Some(Some("user-1")));
        headers.append(name, HeaderValue::from_static("user-2"));
        assert!(only(&headers, ACTOR_HEADER).is_err());
    }

    #[test]
    fn bearer_tokens() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            bearer(&headers).map(str::to_owned).ok()
        };
        assert_eq!(read("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("bearer abc").as_deref(), Some("abc"));
        for value in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "abc"] {
            assert_eq!(read(value), None, "{value:?}");
        }
        let mut two = HeaderMap::new();
        two.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        two.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(bearer(&two).is_err());
    }
}
