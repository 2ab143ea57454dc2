//! Authentication, before anything else of a request is read.

use crate::application::error::{Error, Kind};
use crate::application::events::EventsOf;
use crate::application::people::audit::LogReader;
use crate::application::people::caller::{Admin, Caller, Member};
use crate::http::context::SeenCaller;
use crate::http::problem::Problem;
use crate::http::routes::Routes;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
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
    let needs_token = match request.app_data::<web::Data<Routes>>() {
        Some(routes) => routes.needs_token(request.match_info().as_str()),
        // Without a table of routes nothing is open to anybody.
        None => true,
    };
    if needs_token && let Err(error) = admit(&request).await {
        return Ok(request.error_response(error));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Finds out who calls, and writes down that they may be about to change something.
async fn admit(request: &ServiceRequest) -> Result<(), Error> {
    let caller = identify(request).await?;
    let trail = {
        let mut extensions = request.extensions_mut();
        if let Some(seen) = extensions.get::<SeenCaller>() {
            seen.set(&caller);
        }
        extensions.insert(caller);
        extensions.get::<Trail>().cloned()
    };
    match trail {
        Some(trail) => trail.begin().await,
        None => Ok(()),
    }
}

async fn identify(request: &ServiceRequest) -> Result<Caller, Error> {
    let services = request
        .app_data::<web::Data<Services>>()
        .ok_or_else(|| Error::bug("no services"))?;
    let token = bearer(request.headers())?;
    if !services.running.started.is_set() {
        return Err(Error::new(
            Kind::Unavailable,
            "database_unavailable",
            "The service has not reached its database yet. Nothing was changed.",
        )
        .remedy("Try again in a moment.")
        .retry_after(Duration::from_secs(2)));
    }
    services.people.authenticator.caller(token).await
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

/// The operator. Put callers before a [`Body`](crate::http::body::Body): extractors fail in their order.
pub struct OperatorCaller;

/// Somebody of a workspace.
pub struct MemberCaller(pub Member);

/// An admin of a workspace.
pub struct AdminCaller(pub Admin);

/// Somebody who may read the audit log: the operator, or an admin of a workspace.
pub struct AuditReader(pub LogReader);

/// Somebody who may read events and manage webhooks: the operator those of all workspaces, an admin those of the
/// own one.
pub struct EventsCaller(pub EventsOf);

impl TryFrom<Caller> for OperatorCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Operator => Ok(Self),
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
            Caller::Operator | Caller::InstructionLink { .. } => Err(Error::new(
                Kind::Forbidden,
                "workspace_token_required",
                "This is done within a workspace, and the operator's token belongs to none.",
            )
            .remedy(
                "Make a token for the workspace with `POST /v1/workspaces/{workspace_id}/tokens`.",
            )),
        }
    }
}

impl TryFrom<Caller> for AdminCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        let MemberCaller(member) = caller.try_into()?;
        member.into_admin().map(Self).ok_or_else(|| {
            Error::new(
                Kind::Forbidden,
                "admin_required",
                "Only an admin of the workspace may do this; this token's role is `member`.",
            )
            .remedy("Ask an admin of the workspace, or use a token with the role `admin`.")
        })
    }
}

impl TryFrom<Caller> for AuditReader {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Operator => Ok(Self(LogReader::Operator)),
            member => AdminCaller::try_from(member).map(|admin| Self(LogReader::Admin(admin.0))),
        }
    }
}

impl TryFrom<Caller> for EventsCaller {
    type Error = Error;

    fn try_from(caller: Caller) -> Result<Self, Error> {
        match caller {
            Caller::Operator => Ok(Self(EventsOf::Everything)),
            member => AdminCaller::try_from(member)
                .map(|admin| Self(EventsOf::Workspace(admin.0.workspace().clone()))),
        }
    }
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
    AuditReader,
    EventsCaller
);

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

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
