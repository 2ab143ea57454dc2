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
use crate::http::metering::{Received, count_sent};
use crate::http::pages;
use crate::http::pages::shell::cookies::are_beside;
use crate::http::problem::Problem;
use crate::http::repeated::Repeated;
use crate::http::request_ids;
use crate::http::routes::Routes;
use crate::http::state::Services;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tracing::{Instrument, field};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

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
    let is_https = services.site.is_https();
    match result {
        Ok((mut response, _)) => {
            harden(response.headers_mut(), &id, is_cacheable, is_https);
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
            is_https,
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
    is_https: bool,
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
        harden(response.headers_mut(), &self.id, false, self.is_https);
        self.sharing.mark(response.headers_mut());
        response
    }
}

/// Headers of every answer. What a handler has set stays.
fn harden(headers: &mut HeaderMap, id: &str, is_cacheable: bool, is_https: bool) {
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "no-referrer");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    if !is_cacheable {
        default(header::CACHE_CONTROL, "no-store");
    }
    if is_https {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    let policy = headers.get(header::CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|policy| policy.to_str().ok());
    // The older header knows no list of origins, and would contradict one.
    if !policy.is_some_and(lets_others_frame) && !headers.contains_key(header::X_FRAME_OPTIONS) {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Whether a Content-Security-Policy names somebody who may embed the page.
fn lets_others_frame(policy: &str) -> bool {
    policy
        .split(';')
        .filter_map(|directive| directive.trim().strip_prefix("frame-ancestors "))
        .any(|ancestors| ancestors.trim() != "'none'")
}

/// The trace that the request belongs to, by its `traceparent` (W3C Trace Context, version 00 and what
/// later versions keep of it): version, trace, parent and flags, in lower-case hexadecimal digits.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT);
    let text = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let mut parts = text.split('-');
    let mut hex = |length: usize| {
        let part = parts.next()?;
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (part.len() == length && part.bytes().all(is_hex)).then_some(part)
    };
    let (version, trace, parent) = (hex(2)?, hex(32)?, hex(16)?);
    hex(2)?;
    let is_whole = version != "00" || parts.next().is_none();
    let is_set = |part: &str| part.bytes().any(|digit| digit != b'0');
    (version != "ff" && is_whole && is_set(trace) && is_set(parent)).then_some(trace)
}

/// The client's own ID when it is fit for logs and headers, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .map(HeaderValue::as_bytes)
        .filter(|id| (8..=64).contains(&id.len()))
        .filter(|id| {
            id.iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
        .and_then(|id| std::str::from_utf8(id).ok())
        .map_or_else(request_ids::next, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids() {
        let id = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(value));
            request_id(&headers)
        };
        assert_eq!(id("abc_DEF-123"), "abc_DEF-123");
        for refused in ["", "short", "has space inside", "semi;colon;", "a.b.c.d.e"] {
            assert_ne!(id(refused), refused);
            assert_eq!(id(refused).len(), 36);
        }
    }

    #[test]
    fn framing_is_denied_unless_the_policy_names_somebody() {
        for (policy, others) in [
            ("default-src 'none'; frame-ancestors 'none'", false),
            ("default-src 'none'", false),
            (
                "default-src 'none'; frame-ancestors https://app.example.com",
                true,
            ),
        ] {
            assert_eq!(lets_others_frame(policy), others, "{policy}");
            let mut headers = HeaderMap::new();
            headers.insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(policy),
            );
            harden(&mut headers, "id-of-a-request", false, true);
            assert_eq!(headers.contains_key(header::X_FRAME_OPTIONS), !others);
            assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        }
        let mut headers = HeaderMap::new();
        harden(&mut headers, "id-of-a-request", false, false);
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn traces() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
            }
            trace_id(&headers).map(str::to_owned)
        };
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(trace(&[&good]).as_deref(), Some(TRACE));
        let later = format!("cc-{TRACE}-00f067aa0ba902b7-01-more");
        assert_eq!(trace(&[&later]).as_deref(), Some(TRACE));
        for bad in [
            "",
            "00",
            &format!("{good}-more"),
            &good.to_uppercase(),
            &good.replacen("00", "ff", 1),
            &good.replace("00f067aa0ba902b7", "0000000000000000"),
            &good.replace(TRACE, &"0".repeat(32)),
            &good.replace(TRACE, &TRACE[1..]),
        ] {
            assert_eq!(trace(&[bad]), None, "{bad}");
        }
        assert_eq!(trace(&[&good, &good]), None);
        assert_eq!(trace(&[]), None);
    }

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
