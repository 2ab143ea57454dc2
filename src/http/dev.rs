//! The routes of `sallyport dev`, and of it alone: what happens on the customer's side, by a call.
//!
//! They are no part of the API: they need no token and are not in its document. They are registered only where the
//! service was started with the address of a helper, which plays the administrator of the emulated account. A page of
//! another site cannot use them: it cannot send JSON without a preflight, which nobody answers here, and the `Host`
//! must be this machine.

use crate::application::error::Error;
use crate::http::body::Body;
use crate::http::context::RequestId;
use crate::http::problem::Problem;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

/// The helper's own patience with AWS is shorter.
const PATIENCE: Duration = Duration::from_secs(120);
const APPLY: &str = "/dev/customer/apply";
const BREAK: &str = "/dev/break";
const REPAIR: &str = "/dev/repair";

/// The program that plays the customer's administrator.
#[derive(Clone)]
pub struct DevHelper {
    url: Url,
    http: reqwest::Client,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    setup_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Break {
    storage_id: String,
    how: How,
}

/// What goes wrong on the customer's side.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    RoleDeleted,
    ExternalId,
    Permission,
    Cors,
    Throttle,
    BucketDeleted,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repair {
    storage_id: String,
}

/// Registers the routes.
pub fn configure(config: &mut web::ServiceConfig, helper: DevHelper) {
    let helper = web::Data::new(helper);
    config
        .service(
            web::resource(APPLY)
                .app_data(helper.clone())
                .route(web::post().to(apply)),
        )
        .service(
            web::resource(BREAK)
                .app_data(helper.clone())
                .route(web::post().to(break_storage)),
        )
        .service(
            web::resource(REPAIR)
                .app_data(helper)
                .route(web::post().to(repair)),
        );
}

async fn apply(
    request: HttpRequest,
    helper: web::Data<DevHelper>,
    body: Body<Apply>,
) -> Result<HttpResponse, Problem> {
    helper.pass_on(&request, APPLY, &body.value).await
}

async fn break_storage(
    request: HttpRequest,
    helper: web::Data<DevHelper>,
    body: Body<Break>,
) -> Result<HttpResponse, Problem> {
    helper.pass_on(&request, BREAK, &body.value).await
}

async fn repair(
    request: HttpRequest,
    helper: web::Data<DevHelper>,
    body: Body<Repair>,
) -> Result<HttpResponse, Problem> {
    helper.pass_on(&request, REPAIR, &body.value).await
}

impl DevHelper {
    pub fn at(url: Url) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(Error::bug)?;
        Ok(Self { url, http })
    }

    /// Asks the helper, and answers what it answers.
    async fn pass_on(
        &self,
        request: &HttpRequest,
        path: &str,
        body: &impl Serialize,
    ) -> Result<HttpResponse, Problem> {
        if !names_this_machine(request) {
            return Err(Problem::http(
                StatusCode::FORBIDDEN,
                "dev_host_refused",
                "The routes of `sallyport dev` answer to the names of this machine only.",
            )
            .remedy("Call them at 127.0.0.1 or localhost."));
        }
        let mut url = self.url.clone();
        url.set_path(path);
        let text = serde_json::to_string(body).map_err(Error::bug)?;
        let answer = self
            .http
            .post(url)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(text)
            .send()
            .await
            .map_err(no_answer)?;
        let status = StatusCode::from_u16(answer.status().as_u16()).map_err(Error::bug)?;
        let bytes = answer.bytes().await.map_err(no_answer)?;
        let (kind, body) = match status.is_success() {
            true => ("application/json", bytes.to_vec()),
            false => ("application/problem+json", named(&bytes, request)?),
        };
        Ok(HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, kind))
            .body(body))
    }
}

/// The helper's problem with the ID of the request, which every problem has.
fn named(body: &[u8], request: &HttpRequest) -> Result<Vec<u8>, Problem> {
    let mut problem: Map<String, Value> = serde_json::from_slice(body).map_err(no_answer)?;
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>().map(|id| id.0.clone());
    problem.insert("request_id".to_owned(), id.into());
    serde_json::to_vec(&problem).map_err(|error| Error::bug(error).into())
}

/// Whether the client called this machine by a name that nobody else can have: another site may let its own name
/// lead here.
fn names_this_machine(request: &HttpRequest) -> bool {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

fn no_answer(error: impl std::fmt::Display) -> Problem {
    let mut problem = Problem::http(
        StatusCode::BAD_GATEWAY,
        "dev_helper_unreachable",
        "The helper that plays the customer's administrator gave no usable answer.",
    )
    .remedy("Look at what `sallyport dev` says in its terminal, and start it again.");
    problem.error = problem.error.internal(error);
    problem
}
