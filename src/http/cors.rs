//! What browsers may do with the API on pages of other origins (CORS; WHATWG, "Fetch", 3.2).
//!
//! Only an origin that is allowed is named, never `*`, and cookies are never asked for: a caller is known by its
//! token. The pages answer none of this.

use crate::application::error::{Error, Kind};
use crate::application::people::caller::Caller;
use crate::http::face::Callers;
use crate::http::file_headers::METADATA_PREFIX;
use crate::http::routes::Routes;
use crate::http::state::Services;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};

/// How long a browser keeps the answer to a preflight, in seconds: so long it goes on after an origin was taken out.
const MAX_AGE: &str = "600";

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// What a request may carry, besides the families in [`is_of_a_family`].
const REQUEST_HEADERS: &[&str] = &[
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "if-range",
    "range",
    "cache-control",
    "content-disposition",
    "content-language",
    "content-digest",
    "content-md5",
    "digest",
    "expires",
    "repr-digest",
    "idempotency-key",
    "sallyport-actor",
    "sallyport-workspace",
    "traceparent",
    "x-request-id",
];

/// What a page's script may read of an answer besides its body.
const EXPOSED: &[&str] = &[
    "accept-ranges",
    "content-disposition",
    "content-encoding",
    "content-range",
    "deprecation",
    "etag",
    "idempotent-replayed",
    "link",
    "location",
    "retry-after",
    "sunset",
    "www-authenticate",
    "x-request-id",
];

/// Whose page sends a request.
pub enum Asking {
    /// It does not matter: the address is not the API's.
    NotTheApi,
    /// The request names no origin, as programs do.
    NoPage,
    /// A page of this origin.
    Page(String),
}

impl Asking {
    pub fn of(callers: Option<Callers>, headers: &HeaderMap) -> Self {
        match callers {
            None | Some(Callers::Anybody) => Self::NotTheApi,
            Some(Callers::Tokens) => match origin(headers) {
                Some(origin) => Self::Page(origin.to_owned()),
                None => Self::NoPage,
            },
        }
    }

    /// What the answer to this caller says of it.
    pub async fn answer(self, services: &Services, caller: Option<&Caller>) -> Sharing {
        let origin = match self {
            Self::NotTheApi => return Sharing::Unsaid,
            Self::NoPage => return Sharing::WithNobody,
            Self::Page(origin) => origin,
        };
        let allowed = services.people.origins.allow(&origin, caller).await;
        match (allowed, HeaderValue::from_str(&origin)) {
            (Ok(true), Ok(origin)) => Sharing::With(origin),
            (Ok(_), _) => Sharing::WithNobody,
            (Err(error), _) => {
                tracing::warn!(%error, cause = error.internal.as_deref(), "cannot read the allowed origins");
                Sharing::WithNobody
            }
        }
    }
}

/// Who may read an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sharing {
    /// It says nothing of it.
    Unsaid,
    WithNobody,
    /// Pages of this origin.
    With(HeaderValue),
}

impl Sharing {
    /// Says it in the answer's headers.
    pub fn mark(&self, headers: &mut HeaderMap) {
        let origin = match self {
            Self::Unsaid => return,
            Self::WithNobody => None,
            Self::With(origin) => Some(origin),
        };
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            if let Ok(names) = HeaderValue::from_str(&EXPOSED.join(", ")) {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names);
            }
        }
    }
}

/// Answers what a browser asks before it calls. That has no token: it comes before authentication.
pub async fn preflight(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(origin) = asks_before_it_calls(&request) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let Some(services) = request.app_data::<web::Data<Services>>().cloned() else {
        return Ok(request.error_response(Error::bug("no services")));
    };
    match services.people.origins.allow(&origin, None).await {
        Err(error) => Ok(request.error_response(error)),
        Ok(false) => Ok(request.error_response(not_allowed())),
        Ok(true) => {
            // The origin itself is named around this, as in every answer.
            let answer = HttpResponse::NoContent()
                .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
                .insert_header((
                    header::ACCESS_CONTROL_ALLOW_HEADERS,
                    request_headers(request.headers()),
                ))
                .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
                .append_header((header::VARY, "access-control-request-headers"))
                .finish();
            Ok(request.into_response(answer))
        }
    }
}

/// The origin of a preflight for the API.
fn asks_before_it_calls(request: &ServiceRequest) -> Option<String> {
    let headers = request.headers();
    let is_preflight = *request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let routes = request.app_data::<web::Data<Routes>>()?;
    let face = routes.face(request.match_info().as_str())?;
    match face.callers {
        Callers::Tokens if is_preflight => origin(headers).map(str::to_owned),
        Callers::Tokens | Callers::Anybody => None,
    }
}

fn not_allowed() -> Error {
    Error::new(
        Kind::Forbidden,
        "origin_not_allowed",
        "Pages of this origin may not call the API from a browser.",
    )
    .remedy("Add the origin with `PUT /v1/workspace/origins`, or for all workspaces in `SALLYPORT_ALLOWED_ORIGINS`.")
}

/// The one origin that a request names.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::ORIGIN);
    let origin = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(origin)
}

/// The headers that a request may carry: the known ones, and those of a family that this one asks for.
fn request_headers(headers: &HeaderMap) -> String {
    let asked = headers
        .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(is_of_a_family);
    let mut all = REQUEST_HEADERS.join(", ");
    for name in asked {
        all.push_str(", ");
        all.push_str(name.as_str());
    }
    all
}

/// A file's own metadata, and what S3 calls its headers.
fn is_of_a_family(name: &HeaderName) -> bool {
    name.as_str().starts_with(METADATA_PREFIX) || name.as_str().starts_with("x-amz-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        headers
    }

    #[test]
    fn a_request_names_one_origin() {
        let one = headers(&[("origin", "https://a.example.com")]);
        assert_eq!(origin(&one), Some("https://a.example.com"));
        assert_eq!(origin(&headers(&[])), None);
        let two = headers(&[
            ("origin", "https://a.example.com"),
            ("origin", "https://b.example.com"),
        ]);
        assert_eq!(origin(&two), None);
    }

    #[test]
    fn headers_of_a_family_are_allowed_as_they_are_asked_for() {
        let asked = headers(&[(
            "access-control-request-headers",
            "Authorization, x-sallyport-meta-owner,X-Amz-Acl, x-evil, a b",
        )]);
        let allowed = request_headers(&asked);
        let allowed: Vec<&str> = allowed.split(", ").collect();
        for name in [
            "authorization",
            "idempotency-key",
            "sallyport-workspace",
            "range",
            "x-sallyport-meta-owner",
            "x-amz-acl",
        ] {
            assert!(allowed.contains(&name), "{name}");
        }
        assert!(!allowed.contains(&"x-evil") && !allowed.contains(&"*"));
    }

    #[test]
    fn only_an_allowed_origin_is_named() {
        let marked = |sharing: Sharing| {
            let mut headers = HeaderMap::new();
            sharing.mark(&mut headers);
            headers
        };
        assert!(marked(Sharing::Unsaid).is_empty());
        let nobody = marked(Sharing::WithNobody);
        assert_eq!(nobody.get(header::VARY).unwrap(), "origin");
        assert!(!nobody.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        let origin = HeaderValue::from_static("https://a.example.com");
        let with = marked(Sharing::With(origin.clone()));
        assert_eq!(with.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), Some(&origin));
        assert!(!with.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let exposed = with.get(header::ACCESS_CONTROL_EXPOSE_HEADERS).unwrap();
        let exposed = exposed.to_str().unwrap();
        for name in [
            "etag",
            "content-range",
            "retry-after",
            "x-request-id",
            "link",
        ] {
            assert!(exposed.split(", ").any(|one| one == name), "{name}");
        }
    }
}
