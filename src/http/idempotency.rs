//! `Idempotency-Key` on requests that create something.

use crate::application::error::{Error, Kind, Result};
use crate::application::kept::idempotency::{BegunRequest, IdempotencyKey, Keep, Once};
use crate::application::kept::store::SecretHash;
use crate::application::kept::vault::sha256;
use crate::application::people::caller::{Caller, Member};
use crate::http::context::AuditedTarget;
use crate::http::fingerprint;
use crate::http::routes::Routes;
use crate::http::state::Services;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::future::{Ready, ready};
use std::sync::{Mutex, PoisonError};

/// An operation whose document has this header takes an [`Idempotent`]; others refuse it.
pub const NAME: &str = fingerprint::KEY_HEADER;
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The request's idempotency key, if it has one. A handler does its work within [`run`](Self::run).
pub struct Idempotent {
    /// Whose key it is.
    caller: String,
    /// The method and the path.
    route: String,
    key: Option<IdempotencyKey>,
    /// What the caller may do. An answer is for callers with the same role alone.
    role: &'static str,
    /// The product's person for whom it is done, where the answer is for nobody else.
    person: Option<String>,
}

impl FromRequest for Idempotent {
    type Error = actix_web::Error;
    type Future = Ready<std::result::Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map_err(Into::into))
    }
}

fn read(request: &HttpRequest) -> Result<Idempotent> {
    let (caller, role) = match request.extensions().get::<Caller>() {
        Some(Caller::Operator) => ("operator".to_owned(), "operator"),
        Some(Caller::Key(key)) => (key.id.to_string(), "key"),
        // A kept answer may show what a narrowed token does not reach.
        Some(Caller::Workspace(member)) if !member.reach.is_everything() => {
            (alone(member), member.role.as_str())
        }
        Some(Caller::Workspace(member)) => (member.workspace.to_string(), member.role.as_str()),
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
        caller,
        route: format!("{} {}", request.method(), request.match_info().as_str()),
        key,
        role,
        person: None,
    })
}

/// One caller of a workspace, in whose name nobody else repeats a request.
fn alone(member: &Member) -> String {
    format!("{}/{}", member.workspace, member.credential.as_str())
}

/// The answer of success, as it is sent and kept.
#[derive(Serialize, Deserialize)]
pub struct MadeAnswer {
    status: u16,
    location: Option<String>,
    /// The ID of what was made, for the audit log, where no address leads to it.
    #[serde(default)]
    target: Option<String>,
    body: String,
}

impl MadeAnswer {
    pub fn new(status: StatusCode, body: &impl Serialize) -> Result<Self> {
        Ok(Self {
            status: status.as_u16(),
            location: None,
            target: None,
            body: serde_json::to_string(body).map_err(Error::bug)?,
        })
    }

    /// With the path of what was made.
    pub fn at(self, location: String) -> Self {
        let location = Some(location);
        Self { location, ..self }
    }

    /// With the ID of what was made, which has no address of its own.
    pub fn about(self, id: String) -> Self {
        let target = Some(id);
        Self { target, ..self }
    }

    fn response(self) -> Result<HttpResponse> {
        let status = StatusCode::from_u16(self.status).map_err(Error::bug)?;
        let mut builder = HttpResponse::build(status);
        if let Some(location) = self.location {
            builder.insert_header((header::LOCATION, location));
        }
        let mut response = match self.body.is_empty() {
            true => builder.finish(),
            false => builder.content_type("application/json").body(self.body),
        };
        if let Some(target) = self.target {
            response.extensions_mut().insert(AuditedTarget(target));
        }
        Ok(response)
    }
}

impl Idempotent {
    /// The same where the answer is for this caller alone, and for the person that the request names: not for others
    /// of the workspace with the same role.
    pub fn of_caller_alone(self, member: &Member) -> Self {
        Self {
            caller: alone(member),
            person: member.person().map(str::to_owned),
            ..self
        }
    }

    /// Makes something by `work`, once for each key and `fingerprint` (of the body): a repetition by somebody
    /// with the same role gets the first answer again, with `Idempotent-Replayed: true`.
    ///
    /// `work` gives its [`Keep`] to a use case, which renders the answer before it stores anything and
    /// stores it with what it makes. Only answers of success are kept.
    pub async fn run<T>(
        self,
        services: &Services,
        fingerprint: SecretHash,
        render: impl Fn(&T) -> Result<MadeAnswer> + Sync,
        work: impl AsyncFnOnce(Keep<'_, T>) -> Result<T>,
    ) -> Result<HttpResponse> {
        let held = match self.key {
            None => None,
            Some(key) => {
                // Not in the scope: there a repetition by another role, or for another person, would make a second
                // thing.
                let mut fingerprint = bound_to(self.role, &fingerprint);
                if let Some(person) = &self.person {
                    fingerprint = bound_to(person, &fingerprint);
                }
                let once = Once {
                    scope: format!("{} {}", self.caller, self.route),
                    key,
                    fingerprint,
                };
                match services.idempotency.begin(once).await? {
                    BegunRequest::First(held) => Some(held),
                    BegunRequest::Done(answer) => return replay(&answer),
                }
            }
        };
        let rendered = Mutex::new(None);
        let render = |made: &T| {
            let answer = render(made)?;
            let bytes = serde_json::to_vec(&answer).map_err(Error::bug)?;
            *rendered.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            Ok(bytes)
        };
        match work(Keep::new(held.as_ref(), &render)).await {
            Ok(_) => rendered
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .ok_or_else(|| Error::bug("something was made without an answer"))?
                .response(),
            Err(error) => {
                if let Some(held) = held {
                    held.give_back(&error).await;
                }
                Err(error)
            }
        }
    }
}

/// The fingerprint of a body that somebody with this role sends, or that is sent for this person.
fn bound_to(who: &str, fingerprint: &SecretHash) -> SecretHash {
    sha256(&[fingerprint.as_slice(), who.as_bytes()].concat())
}

fn replay(answer: &[u8]) -> Result<HttpResponse> {
    let kept: MadeAnswer = serde_json::from_slice(answer).map_err(Error::bug)?;
    let mut response = kept.response()?;
    let replayed = header::HeaderValue::from_static("true");
    response.headers_mut().insert(REPLAYED, replayed);
    Ok(response)
}

/// Refuses a key where it would be ignored: a client that sends one counts on it.
///
/// Only on a POST that changes something: other methods have the same effect when they are repeated.
pub async fn refuse_unsupported(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> std::result::Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let ignores = || {
        let path = request.match_info().as_str();
        let routes = request.app_data::<web::Data<Routes>>();
        routes.is_some_and(|routes| routes.ignores_idempotency_key(request.method(), path))
    };
    if request.headers().contains_key(NAME) && ignores() {
        return Err(Error::new(
            Kind::Unprocessable,
            "idempotency_not_supported",
            "This operation does not support idempotency keys: when it is repeated, it is done again. Nothing was done.",
        )
        .remedy("Send the request without the header `Idempotency-Key`.")
        .into());
    }
    next.call(request).await
}
