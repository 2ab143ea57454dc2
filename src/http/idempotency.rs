//! `Idempotency-Key` on requests that create something.

use crate::application::error::{Error, Result};
use crate::application::kept::idempotency::{BegunRequest, Held, IdempotencyKey, Once};
use crate::application::kept::store::SecretHash;
use crate::application::people::caller::Caller;
use crate::http::state::Services;
use actix_web::body::to_bytes;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use std::future::{Future, Ready, ready};

const NAME: &str = "Idempotency-Key";
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The request's idempotency key, if it has one. A handler does its work within [`run`](Self::run).
pub struct Idempotent {
    scope: String,
    key: Option<IdempotencyKey>,
}

impl FromRequest for Idempotent {
    type Error = actix_web::Error;
    type Future = Ready<std::result::Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map_err(Into::into))
    }
}

fn read(request: &HttpRequest) -> Result<Idempotent> {
    let caller = match request.extensions().get::<Caller>() {
        Some(Caller::Operator) => "operator".to_owned(),
        Some(Caller::Workspace(member)) => member.workspace.to_string(),
        Some(Caller::InstructionLink { .. }) | None => {
            return Err(Error::bug("an idempotent route outside of /v1"));
        }
    };
    let key = request
        .headers()
        .get(NAME)
        .map(|value| IdempotencyKey::parse(value.as_bytes()))
        .transpose()
        .map_err(|invalid| Error::field(NAME, invalid))?;
    Ok(Idempotent {
        scope: format!(
            "{caller} {} {}",
            request.method(),
            request.match_info().as_str()
        ),
        key,
    })
}

/// An answer, as kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Idempotent {
    /// Does `work`, once for each key and `fingerprint` (of the body): a repetition gets the first
    /// answer again, with `Idempotent-Replayed: true`. Only answers of success are kept.
    pub async fn run(
        self,
        services: &Services,
        fingerprint: SecretHash,
        work: impl Future<Output = Result<HttpResponse>>,
    ) -> Result<HttpResponse> {
        let Some(key) = self.key else {
            return work.await;
        };
        let once = Once {
            scope: self.scope,
            key,
            fingerprint,
        };
        let held = match services.idempotency.begin(once).await? {
            BegunRequest::First(held) => held,
            BegunRequest::Done(answer) => return replay(&answer),
        };
        match work.await {
            Ok(response) if response.status().is_success() => keep(held, response).await,
            other => {
                if let Err(error) = held.give_back().await {
                    tracing::warn!(
                        cause = error.internal,
                        "an idempotency key was not given back"
                    );
                }
                other
            }
        }
    }
}

async fn keep(held: Held<'_>, response: HttpResponse) -> Result<HttpResponse> {
    let location = response
        .headers()
        .get(header::LOCATION)
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    let (head, body) = response.into_parts();
    let body = to_bytes(body)
        .await
        .map_err(|error| Error::bug(format!("an answer cannot be read: {error}")))?;
    let kept = serde_json::to_vec(&Kept {
        status: head.status().as_u16(),
        location,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
    .map_err(Error::bug)?;
    held.keep(&kept).await;
    Ok(head.set_body(body).map_into_boxed_body())
}

fn replay(answer: &[u8]) -> Result<HttpResponse> {
    let kept: Kept = serde_json::from_slice(answer).map_err(Error::bug)?;
    let status = StatusCode::from_u16(kept.status).map_err(Error::bug)?;
    let mut response = HttpResponse::build(status);
    response.insert_header((REPLAYED, "true"));
    if let Some(location) = kept.location {
        response.insert_header((header::LOCATION, location));
    }
    if kept.body.is_empty() {
        return Ok(response.finish());
    }
    response.content_type("application/json");
    Ok(response.body(kept.body))
}
