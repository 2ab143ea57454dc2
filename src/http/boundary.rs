//! What is done around every request: its ID, one line in the log, its counts, the security headers,
//! and the rendering of errors.

use crate::application::error::{Error, Kind};
use crate::application::people::caller::Caller;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::usage::Used;
use crate::http::client_addr::ClientAddr;
use crate::http::context::{RequestId, SeenCaller};
use crate::http::cors::{Asking, Sharing};
use crate::http::delivery::{AnsweredLine, Delivery, FileContent};
use crate::http::face::ErrorLook;
use crate::http::hardening::Hardening;
use crate::http::metering::{Received, count_sent};
use crate::http::pages;
use crate::http::pages::shell::cookies::are_beside;
use crate::http::problem::Problem;
use crate::http::repeated::Repeated;
use crate::http::request_id::{request_id, trace_id};
use crate::http::routes::Routes;
use crate::http::state::Services;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tracing::{Instrument, field};

/// Lets a request come to its end when its client leaves: a change is made and written to the audit
/// log as a whole.
pub async fn detach(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let work = next.call(request);
    match actix_web::rt::spawn(work).await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        Err(error) => Err(Error::bug(error).into()),
    }
}

/// Makes a panic of a handler a 500 like any other.
pub async fn panics(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        // The panic hook has logged it.
        Err(_) => Err(Error::bug("the handler panicked").into()),
    }
}

/// Gives the request its ID, measures, logs, and renders errors with the ID.
pub async fn boundary(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = request_id(request.headers());
    let span = tracing::info_span!("request", request_id = %id, trace_id = field::Empty);
    if let Some(trace) = trace_id(request.headers()) {
        span.record("trace_id", trace);
    }
    handle(request, next, id).instrument(span).await
}

async fn handle(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    id: String,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = Instant::now();
    let Some(services) = request.app_data::<web::Data<Services>>().cloned() else {
        return Err(Error::bug("no services").into());
    };
    let method = request.method().clone();
    let path = request.match_info().as_str();
    let routes = request.app_data::<web::Data<Routes>>();
    let route = routes
        .and_then(|routes| routes.pattern(path))
        .map(str::to_owned)
        .or_else(|| request.match_pattern());
    let face = routes.and_then(|routes| routes.face(path));
    let wants_page = match face.map(|face| face.errors) {
        Some(ErrorLook::PageForBrowsers) => accepts_html(request.headers()),
        Some(ErrorLook::Problem) | None => false,
    };
    let is_cacheable = face.is_some_and(|face| face.is_cacheable);
    let asking = Asking::of(face.map(|face| face.callers), request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let address = ClientAddr::of(
        request.peer_addr().map(|addr| addr.ip()),
        request.headers(),
        &services.running.trusted_proxies,
    );
    request.extensions_mut().insert(address);
    let caller = SeenCaller::default();
    request.extensions_mut().insert(caller.clone());
    let is_beside = wants_page && are_beside(request.request(), &services.site);
    let received = Received::count(&mut request);
    let in_flight = services.running.metrics.begin();
    let active = services.running.stopping.request();

    let patience = READING_TIMES * services.running.request_timeout;
    let seen = |error: &actix_web::Error| Problem::of(error).seen_by(is_admin(caller.get()));
    let result = match in_time(&method, patience, next.call(request)).await {
        Ok(response) => {
            let problem = response.response().error().map(seen);
            let response = match &problem {
                Some(problem) => {
                    let page = wants_page
                        .then(|| pages::shell::error::page(problem, &id, &services.site, is_beside))
                        .flatten();
                    response.into_response(page.unwrap_or_else(|| problem.render(Some(&id))))
                }
                None => response.map_into_boxed_body(),
            };
            Ok((response, problem))
        }
        Err(error) => Err(seen(&error)),
    };
    drop(in_flight);

    let (status, bytes, problem) = match &result {
        Ok((response, problem)) => (
            response.status(),
            match response.response().body().size() {
                BodySize::Sized(bytes) => Some(bytes),
                BodySize::None => Some(0),
                BodySize::Stream => None,
            },
            problem.as_ref(),
        ),
        Err(problem) => (problem.status, None, Some(problem)),
    };
    let file = match &result {
        Ok((response, _)) if method != Method::HEAD => {
            let extensions = response.response().extensions();
            extensions.get::<FileContent>().cloned()
        }
        Ok(_) | Err(_) => None,
    };
    let took = began.elapsed();
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    services
        .running
        .metrics
        .observe(&method, &route, status.as_u16(), took);
    if let Some(problem) = problem {
        services.running.metrics.problem(problem.error.code);
        log_cause(problem, &services.running.repeated);
    }
    let (workspace, actor) = match caller.get() {
        Some(Caller::Operator) => (None, "operator"),
        Some(Caller::Key(key)) => (None, key.id.as_str()),
        Some(Caller::Workspace(member)) => {
            (Some(member.workspace.as_str()), member.credential.as_str())
        }
        Some(Caller::InstructionLink { workspace, link }) => {
            (Some(workspace.as_str()), link.as_str())
        }
        None => (None, "anonymous"),
    };
    let line = AnsweredLine {
        method: method.clone(),
        route,
        status: status.as_u16(),
        took,
        bytes,
        workspace: workspace.map(str::to_owned),
        actor: actor.to_owned(),
        address: address.0,
        code: problem.map(|p| p.error.code),
    };
    // How a download ends is not known yet.
    let line = match file {
        Some(file) => Some((line, file.cut)),
        None => {
            line.write();
            None
        }
    };

    let meter = &services.people.usage.meter;
    let workspace = workspace_of(caller.get());
    if let Some(workspace) = workspace {
        let used = Used {
            requests: 1,
            bytes_in: received.bytes(),
            ..Used::default()
        };
        meter.add(workspace, &used);
    }

    let sharing = asking.answer(&services, caller.get()).await;
    let hardening = Hardening::of(&services.site);
    match result {
        Ok((mut response, _)) => {
            hardening.apply(response.headers_mut(), &id, is_cacheable);
            sharing.mark(response.headers_mut());
            if services.running.stopping.has_begun() {
                let head = response.response_mut().head_mut();
                head.set_connection_type(ConnectionType::Close);
            }
            let response = match line {
                None => response,
                Some((line, cut)) => {
                    let metrics = services.running.metrics.clone();
                    response.map_body(|_, body| Delivery::of(body, line, cut, metrics))
                }
            };
            // Counted as on its way before it counts as answered: a stop sees it all the time.
            let response = response.map_body(|_, body| {
                let body = match workspace {
                    // An answer to HEAD has the length of a body, and no body.
                    Some(workspace) if method != Method::HEAD => count_sent(body, meter, workspace),
                    Some(_) | None => body,
                };
                services.running.stopping.watch(body)
            });
            drop(active);
            Ok(response)
        }
        Err(problem) => Err(Rendered {
            problem,
            id,
            sharing,
            hardening,
        }
        .into()),
    }
}

/// A request that changes nothing is answered within the request timeout times this, or given up.
const READING_TIMES: u32 = 2;

/// Gives up a request that changes nothing and is not answered in time: its answer's body may take longer.
/// What may change something comes to its end, because nobody knows how far it is.
async fn in_time<T>(
    method: &Method,
    patience: Duration,
    work: impl Future<Output = Result<T, actix_web::Error>>,
) -> Result<T, actix_web::Error> {
    if !method.is_safe() {
        return work.await;
    }
    tokio::time::timeout(patience, work)
        .await
        .unwrap_or_else(|_| {
            let detail = format!(
                "The request was not answered within {} seconds, so it was given up. Nothing was changed.",
                patience.as_secs()
            );
            Err(Error::new(Kind::UpstreamTimeout, "request_given_up", detail)
                .remedy("Try again in a moment.")
                .retry_after(RETRY)
                .into())
        })
}

/// When it makes sense to repeat such a request.
const RETRY: Duration = Duration::from_secs(2);

/// The workspace whose use a request counts as.
fn workspace_of(caller: Option<&Caller>) -> Option<&WorkspaceId> {
    match caller {
        Some(Caller::Workspace(member)) => Some(&member.workspace),
        Some(Caller::InstructionLink { workspace, .. }) => Some(workspace),
        Some(Caller::Operator | Caller::Key(_)) | None => None,
    }
}

fn is_admin(caller: Option<&Caller>) -> bool {
    match caller {
        Some(Caller::Workspace(member)) => member.is_admin(),
        Some(Caller::Operator | Caller::Key(_) | Caller::InstructionLink { .. }) | None => false,
    }
}

/// Whether a browser asks, for somebody to look at.
fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

/// Writes what clients do not see to the log, once. A failure of our side that comes again and again is written
/// once in a while; the line of each request has its code.
fn log_cause(problem: &Problem, repeated: &Repeated) {
    let error = &problem.error;
    let cause = error.internal.as_deref();
    if problem.status.is_server_error() {
        let now = Instant::now();
        let Some(left_out) = repeated.is_due(error.code, cause.unwrap_or_default(), now) else {
            return;
        };
        tracing::error!(
            code = error.code,
            cause,
            aws_request_id = error.aws_request_id,
            left_out = (left_out > 0).then_some(left_out),
            "{}",
            error.detail
        );
    } else if let Some(cause) = cause {
        tracing::info!(code = error.code, cause, "{}", error.detail);
    }
}

/// An error that has lost its request, with what the answer needs.
#[derive(Debug)]
struct Rendered {
    problem: Problem,
    id: String,
    sharing: Sharing,
    hardening: Hardening,
}

impl fmt::Display for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for Rendered {
    fn status_code(&self) -> actix_web::http::StatusCode {
        self.problem.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.problem.render(Some(&self.id));
        let headers = response.headers_mut();
        self.hardening.apply(headers, &self.id, false);
        self.sharing.mark(response.headers_mut());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_panic_is_an_internal_error_and_the_thread_goes_on() {
        use actix_web::middleware::from_fn;
        use actix_web::{App, test};

        async fn boom() -> HttpResponse {
            panic!("a panic on purpose")
        }
        let app = test::init_service(
            App::new()
                .route("/boom", web::get().to(boom))
                .route("/fine", web::get().to(HttpResponse::Ok))
                .wrap(from_fn(panics))
                .wrap(from_fn(detach)),
        )
        .await;
        let request = || test::TestRequest::get().uri("/boom").to_request();
        let error = test::try_call_service(&app, request()).await.unwrap_err();
        let problem = Problem::of(&error);
        assert_eq!(problem.error.code, "internal_error");
        assert!(!problem.to_string().contains("on purpose"));
        let fine = test::TestRequest::get().uri("/fine").to_request();
        assert_eq!(test::call_service(&app, fine).await.status(), 200);
    }
}
