//! Writes the audit log, around every route, so no handler can forget it.
//!
//! Written are: whatever came of a request that may change something, and every refusal of a caller
//! (401, 403) for any request. The action is what the route was registered with: for the API the
//! operation's ID in the OpenAPI document.

use crate::application::people::audit::Deed;
use crate::application::people::caller::Caller;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::audit::{Actor, AuditResult};
use crate::http::context::{AuditedAs, NothingChanged, RequestId, SeenCaller};
use crate::http::face::{Actions, RouteEffect};
use crate::http::problem::Problem;
use crate::http::routes::Routes;
use crate::http::state::Services;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;

/// How many refusals of callers without a token are written: a flood of them must not fill the
/// database. Further ones are in the log and counted.
pub struct AnonymousLimit(DefaultDirectRateLimiter);

impl Default for AnonymousLimit {
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
        const AT_ONCE: NonZeroU32 = NonZeroU32::new(1_000).unwrap();
        Self(RateLimiter::direct(
            Quota::per_second(PER_SECOND).allow_burst(AT_ONCE),
        ))
    }
}

pub async fn audit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (Some(services), Some(routes), Some(anonymous)) = (
        request.app_data::<web::Data<Services>>().cloned(),
        request.app_data::<web::Data<Routes>>().cloned(),
        request.app_data::<web::Data<AnonymousLimit>>().cloned(),
    ) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let method = request.method().clone();
    let path = request.path();
    let Some(audited) = routes.audited(&method, path) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let goes_by_address = routes
        .face(path)
        .is_some_and(|face| face.actions == Actions::ByAddress);
    let mut parameters = match goes_by_address {
        true => Vec::new(),
        false => routes.parameters(path),
    };
    let remote_addr = request.peer_addr().map(|addr| addr.ip().to_string());
    let request_id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone());

    let caller = request.extensions().get::<SeenCaller>().cloned();

    let result = next.call(request).await;
    if let (true, Ok(response)) = (goes_by_address, &result) {
        // IDs only: a link's secret is part of its path.
        parameters = response
            .request()
            .match_info()
            .iter()
            .filter(|(name, _)| name.ends_with("_id"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
    }

    let caller = caller.as_ref().and_then(SeenCaller::get);

    let (status, problem, created) = match &result {
        Ok(response) => (
            response.status(),
            response.response().error().map(Problem::of),
            created(response),
        ),
        Err(error) => {
            let problem = Problem::of(error);
            (problem.status, Some(problem), None)
        }
    };
    let unchanged = result.as_ref().is_ok_and(|response| {
        response
            .response()
            .extensions()
            .contains::<NothingChanged>()
    });
    if unchanged || !is_written(audited.effect, status) {
        return Ok(result?.map_into_boxed_body());
    }
    if caller.is_none() && anonymous.0.check().is_err() {
        services.running.metrics.audit_dropped();
        return Ok(result?.map_into_boxed_body());
    }
    let action = result.as_ref().ok().and_then(|response| {
        let extensions = response.response().extensions();
        extensions.get::<AuditedAs>().map(|done| done.0)
    });
    let target = created.or_else(|| parameters.last().map(|(_, id)| id.clone()));
    let deed = Deed {
        workspace: workspace_of(caller, &parameters, target.as_deref()),
        actor: match caller {
            None => Actor::Anonymous,
            Some(Caller::Operator) => Actor::Operator,
            Some(Caller::Workspace(member)) => member.actor(),
            Some(Caller::InstructionLink { link, .. }) => Actor::InstructionLink(link.clone()),
        },
        action: action.unwrap_or(audited.action).to_owned(),
        target: target.map(|target| target.chars().take(200).collect()),
        result: if status.is_server_error() {
            AuditResult::Failed
        } else if status.is_client_error() {
            AuditResult::Refused
        } else {
            AuditResult::Done
        },
        code: problem.map(|p| p.error.code.to_owned()),
        remote_addr,
        request_id,
    };
    services.people.audit_log.record(deed).await;
    Ok(result?.map_into_boxed_body())
}

fn is_written(effect: RouteEffect, status: StatusCode) -> bool {
    let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    refused
        || match effect {
            RouteEffect::Changes => true,
            RouteEffect::Asks => !status.is_success(),
            RouteEffect::Shows => false,
        }
}

/// The ID of what was made: the end of `Location`. A page's redirect may lead anywhere, also to an
/// address with a secret in it; of those only what is an ID is taken.
fn created(response: &ServiceResponse<impl MessageBody>) -> Option<String> {
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let end = location.split('?').next()?.rsplit('/').next()?;
    (response.status() == StatusCode::CREATED || is_id(end)).then(|| end.to_owned())
}

/// Whether it looks like one of our IDs: `set_` and 32 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(kind, digits)| {
        kind.len() == 3 && digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The caller's workspace; for the operator, the one that the request is about.
fn workspace_of(
    caller: Option<&Caller>,
    parameters: &[(String, String)],
    target: Option<&str>,
) -> Option<WorkspaceId> {
    match caller {
        None => None,
        Some(Caller::Workspace(member)) => Some(member.workspace.clone()),
        Some(Caller::InstructionLink { workspace, .. }) => Some(workspace.clone()),
        Some(Caller::Operator) => parameters
            .iter()
            .find(|(name, _)| name == "workspace_id")
            .map(|(_, id)| id.as_str())
            .or(target)
            .and_then(|id| WorkspaceId::parse(id).ok()),
    }
}
