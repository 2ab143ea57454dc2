//! The service about itself: alive, ready, metrics, and its documentation.

use crate::application::closed_sets;
use crate::application::error::Result;
use crate::application::not_ready::NotReady;
use crate::http::declare::{Address, Declared};
use crate::http::docs::{Documents, POLICY};
use crate::http::listener::Listener;
use crate::http::metrics::MetricsFormat;
use crate::http::state::Services;
use actix_web::http::{Method, header};
use actix_web::middleware::Compress;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, guard, web};
use futures_util::future::join_all;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(listener: Listener, config: &mut ServiceConfig) {
    config.service(healthz);
    if listener.management {
        config.service(readyz).service(metrics);
    }
    if listener.documentation {
        config.service(openapi).service(docs);
    }
}

/// What probes ask, some of them by HEAD.
const PROBED: [&str; 2] = ["/healthz", "/readyz"];

/// Answers HEAD as GET, without the body. Not in the API's description, where it would say nothing new.
pub fn configure_heads(listener: Listener, config: &mut web::ServiceConfig) {
    let at = |path: &str| web::resource(path).guard(guard::Head());
    config.service(at(PROBED[0]).to(alive));
    if listener.management {
        config.service(at(PROBED[1]).to(ready));
    }
}

/// Declares HEAD where it is answered.
pub fn add_heads(address: &mut Address) {
    if !PROBED.contains(&address.pattern.as_str()) {
        return;
    }
    let heads: Vec<Declared> = address
        .operations
        .iter()
        .filter(|operation| operation.method == Method::GET)
        .map(|operation| Declared {
            method: Method::HEAD,
            id: None,
            gate: operation.gate,
            effect: operation.effect,
            query: operation.query.clone(),
            takes_idempotency_key: false,
        })
        .collect();
    address.operations.extend(heads);
}

/// How long one part may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whoever can answer is alive.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only for the OpenAPI document")]
enum AliveWord {
    Alive,
}

/// Whether something can do its work.
#[derive(ToSchema)]
#[schema(as = ReadyStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only for the OpenAPI document")]
enum ReadyWord {
    Ready,
    NotReady,
}

/// That the process runs.
#[derive(Serialize, ToSchema)]
struct Alive {
    #[schema(inline, value_type = AliveWord)]
    status: &'static str,
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// Whether the service can do its work.
#[derive(Serialize, ToSchema)]
struct Ready {
    #[schema(value_type = ReadyWord)]
    status: &'static str,
    checks: Vec<Part>,
}

/// One thing that the service needs.
#[derive(Serialize, ToSchema)]
#[schema(as = ReadyCheck)]
struct Part {
    #[schema(example = "database")]
    name: &'static str,
    #[schema(value_type = ReadyWord)]
    status: &'static str,
    /// Why it is not ready: stable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::NotReadyCode>)]
    code: Option<&'static str>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Part {
    fn new(name: &'static str, state: std::result::Result<(), NotReady>) -> Self {
        let status = word(state.is_ok());
        let (code, detail) = match state {
            Ok(()) => (None, None),
            Err(NotReady { code, detail }) => (Some(code), Some(detail)),
        };
        Self {
            name,
            status,
            code,
            detail,
        }
    }
}

fn word(ready: bool) -> &'static str {
    if ready { "ready" } else { "not_ready" }
}

/// Is the process alive?
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "It is", body = Alive)),
)]
#[get("/healthz")]
async fn healthz() -> HttpResponse {
    alive().await
}

async fn alive() -> HttpResponse {
    no_store().json(Alive {
        status: "alive",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Can the service do its work?
#[utoipa::path(
    tag = "Service",
    responses(
        (status = 200, description = "All that it needs is there", body = Ready),
        (status = 503, description = "A dependency is unavailable: `checks` says which, and why by a code", body = Ready),
    ),
)]
#[get("/readyz")]
async fn readyz(services: Data<Services>) -> HttpResponse {
    ready(services).await
}

async fn ready(services: Data<Services>) -> HttpResponse {
    let asked = services.running.readiness.iter().map(|part| async {
        let state = tokio::time::timeout(PATIENCE, part.check())
            .await
            .unwrap_or_else(|_| Err(NotReady::no_answer()));
        Part::new(part.name(), state)
    });
    let mut checks = join_all(asked).await;
    checks.push(Part::new(
        "start",
        if services.running.started.is_set() {
            Ok(())
        } else {
            Err(NotReady::starting())
        },
    ));
    if services.running.stopping.has_begun() {
        checks.push(Part::new("stop", Err(NotReady::stopping())));
    }
    let is_ready = checks.iter().all(|part| part.detail.is_none());
    let mut response = no_store();
    if !is_ready {
        response.status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE);
    }
    response.json(Ready {
        status: word(is_ready),
        checks,
    })
}

/// Metrics for Prometheus
///
/// In the OpenMetrics text format, or where `Accept` prefers `text/plain` in Prometheus's own.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "The metrics", content(
        (String = "application/openmetrics-text"),
        (String = "text/plain"),
    ))),
)]
#[get("/metrics")]
async fn metrics(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse> {
    let accept: Vec<&str> = request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .collect();
    let format = MetricsFormat::preferred(&accept.join(","));
    let text = format.encode(&services.running.registry)?;
    let mut response = no_store();
    response.insert_header((header::VARY, "accept"));
    Ok(response.content_type(format.content_type()).body(text))
}

/// This document
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)),
)]
#[get("/openapi.json", wrap = "Compress::default()")]
async fn openapi(documents: Data<Documents>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(documents.openapi_json.clone())
}

/// This document, to read
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
#[get("/docs", wrap = "Compress::default()")]
async fn docs(documents: Data<Documents>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(documents.page_html.clone())
}

fn no_store() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}
