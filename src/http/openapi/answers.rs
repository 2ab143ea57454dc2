//! The answers that follow from what an operation has. Those with a meaning of their own are declared by
//! the handler and stay.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response, ResponseBuilder};

pub const PROBLEM: &str = "application/problem+json";
const REQUEST_ID: &str = "019a1f0e-7c1b-7d43-9a52-0c8c2f6f6b1e";

/// An answer that many operations give.
struct Shared {
    status: u16,
    /// Its name among the document's components.
    name: &'static str,
    description: &'static str,
    /// A code that the status comes with, and its text.
    code: &'static str,
    detail: &'static str,
}

const fn shared(
    status: u16,
    name: &'static str,
    description: &'static str,
    code: &'static str,
    detail: &'static str,
) -> Shared {
    Shared {
        status,
        name,
        description,
        code,
        detail,
    }
}

/// Every status that a problem can have, in order.
const SHARED: [Shared; 17] = [
    shared(
        400,
        "BadRequest",
        "The request cannot be read",
        "malformed_json",
        "The body is not JSON: expected value at line 1 column 1.",
    ),
    shared(
        401,
        "Unauthorized",
        "There is no good token",
        "unauthenticated",
        "This request needs a token.",
    ),
    shared(
        403,
        "Forbidden",
        "The token's role may not do this",
        "admin_required",
        "Only an admin of the workspace may do this.",
    ),
    shared(
        404,
        "NotFound",
        "Absent, or not the caller's",
        "not_found",
        "There is no such storage in this workspace.",
    ),
    shared(
        408,
        "RequestTimeout",
        "The body did not come in time",
        "request_timeout",
        "The request's body did not come within 30 seconds.",
    ),
    shared(
        409,
        "Conflict",
        "Not in the present state",
        "changed_meanwhile",
        "Another request has changed it at the same time.",
    ),
    shared(
        412,
        "PreconditionFailed",
        "A condition of the request does not hold",
        "precondition_failed",
        "The file is not in the state that the request asks for.",
    ),
    shared(
        413,
        "ContentTooLarge",
        "The body is too large",
        "body_too_large",
        "The request's body has more than the 1048576 bytes that are accepted here.",
    ),
    shared(
        415,
        "UnsupportedMediaType",
        "The body is not of the type that is accepted",
        "unsupported_media_type",
        "The body of this request must be JSON.",
    ),
    shared(
        416,
        "RangeNotSatisfiable",
        "The file has no such range",
        "range_not_satisfiable",
        "The file has no bytes in this range.",
    ),
    shared(
        422,
        "UnprocessableContent",
        "A field or parameter cannot be accepted",
        "invalid_request",
        "`page_size` is from 1 to 1000.",
    ),
    shared(
        424,
        "FailedDependency",
        "The customer's bucket, role, key or endpoint does not allow it",
        "storage_access_denied",
        "The storage does not permit this.",
    ),
    shared(
        429,
        "TooManyRequests",
        "More requests than the workspace may make",
        "too_many_checks",
        "The workspace runs more checks than it may.",
    ),
    shared(
        500,
        "InternalServerError",
        "A fault of the service",
        "internal_error",
        "The service failed to do this, and it is not your fault.",
    ),
    shared(
        502,
        "BadGateway",
        "AWS or the store failed, or a policy on the service's own side refused",
        "storage_unavailable",
        "The storage cannot be reached at the moment.",
    ),
    shared(
        503,
        "ServiceUnavailable",
        "A dependency is unavailable",
        "database_unavailable",
        "The database cannot be reached at the moment.",
    ),
    shared(
        504,
        "GatewayTimeout",
        "AWS did not answer in time",
        "storage_timeout",
        "AWS did not answer in time.",
    ),
];

/// Operations with other tags than `Files` that call a storage's bucket and answer with its failures.
const CALL_BUCKETS: [&str; 8] = [
    "create_project",
    "add_project_files",
    "list_project_files",
    "sign_project_files",
    "list_setup_buckets",
    "list_setup_folders",
    "read_project_file",
    "read_project_file_head",
];

/// Adds the shared answers to the document's components.
pub fn add_shared(components: &mut Components) {
    for shared in &SHARED {
        let answer = problem(
            shared.status,
            shared.description,
            shared.code,
            shared.detail,
        );
        components
            .responses
            .insert(shared.name.to_owned(), RefOr::T(answer));
    }
}

/// Adds the answers that follow from what the operation has, and completes those that it declares.
pub fn complete(needs_token: bool, path: &str, method: &Method, operation: &mut Operation) {
    let statuses = statuses(needs_token, path, operation);
    let answers = &mut operation.responses.responses;
    for shared in SHARED.iter().filter(|s| statuses.contains(&s.status)) {
        answers
            .entry(shared.status.to_string())
            .or_insert_with(|| RefOr::Ref(Ref::from_response_name(shared.name)));
    }
    for (status, answer) in answers.iter_mut() {
        let status = status.parse().unwrap_or_default();
        if *method == Method::HEAD {
            // An answer to HEAD has the headers of a body, and no body.
            let description = match &answer {
                RefOr::T(answer) => answer.description.clone(),
                RefOr::Ref(_) => description(status),
            };
            let headers = match answer {
                RefOr::T(answer) => std::mem::take(&mut answer.headers),
                RefOr::Ref(_) => Default::default(),
            };
            let mut bare = Response::new(description);
            bare.headers = headers;
            *answer = RefOr::T(bare);
        } else if let RefOr::T(declared) = answer
            && declared.content.is_empty()
            && status >= 400
        {
            *declared = declared_problem(status, declared);
        }
        if let RefOr::T(answer) = answer {
            add_headers(status, answer);
        }
    }
}

/// The statuses that follow from what the operation has.
fn statuses(needs_token: bool, path: &str, operation: &Operation) -> Vec<u16> {
    let parameters: Vec<&Parameter> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .collect();
    let has = |place: ParameterIn| parameters.iter().any(|p| p.parameter_in == place);
    let is = |tag: &str| operation.tags.iter().flatten().any(|own| own == tag);
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let (has_query, has_header) = (has(ParameterIn::Query), has(ParameterIn::Header));
    let has_body = operation.request_body.is_some();
    let is_kept = parameters.iter().any(|p| p.name == "Idempotency-Key");
    let mut statuses = vec![500];
    if needs_token {
        // 404 and 422: of the headers that say for whom and in which workspace it is done.
        // 429: of the workspace's own limit.
        statuses.extend([401, 403, 404, 422, 429, 503]);
    }
    if path.contains('{') && !needs_token {
        statuses.push(404);
    }
    if has_query || has_body {
        statuses.push(400);
    }
    if has_query || has_header || has_body {
        statuses.push(422);
    }
    if has_body {
        statuses.extend([408, 413, 415]);
    }
    if is_kept {
        statuses.push(409);
    }
    if is("Files") || CALL_BUCKETS.contains(&id) {
        statuses.extend([409, 424, 502, 504]);
    }
    statuses
}

fn description(status: u16) -> String {
    let shared = SHARED.iter().find(|shared| shared.status == status);
    shared.map_or("", |shared| shared.description).to_owned()
}

/// A refusal that the handler describes. The first code of its description is that of the example.
fn declared_problem(status: u16, declared: &Response) -> Response {
    let shared = SHARED.iter().find(|shared| shared.status == status);
    let code = declared
        .description
        .strip_prefix('`')
        .and_then(|rest| rest.split('`').next())
        .or(shared.map(|shared| shared.code))
        .unwrap_or("bad_request");
    let mut answer = problem(status, &declared.description, code, &declared.description);
    answer.headers.extend(declared.headers.clone());
    answer
}

/// An answer that is a problem, with an example.
fn problem(status: u16, description: &str, code: &str, detail: &str) -> Response {
    let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
    content.example = Some(example(status, code, detail));
    let mut answer = ResponseBuilder::new()
        .description(description)
        .content(PROBLEM, content)
        .build();
    add_headers(status, &mut answer);
    answer
}

fn example(status: u16, code: &str, detail: &str) -> Value {
    let title = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    let mut example = json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": REQUEST_ID,
    });
    if status == 422 {
        example["errors"] =
            json!([{"field": "page_size", "code": "invalid_page_size", "detail": detail}]);
    }
    example
}

/// The headers that go with a status.
fn add_headers(status: u16, answer: &mut Response) {
    let mut add = |name: &str, kind, description: &str| {
        answer
            .headers
            .entry(name.to_owned())
            .or_insert_with(|| RefOr::T(header(kind, description)));
    };
    add(
        "X-Request-Id",
        Type::String,
        "The operator finds the request in the log by it",
    );
    match status {
        401 => add("WWW-Authenticate", Type::String, "`Bearer`"),
        429 | 502 | 503 | 504 => add(
            "Retry-After",
            Type::Integer,
            "Seconds to wait before another try, where it is known",
        ),
        _ => {}
    }
}

fn header(kind: Type, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .description(Some(description))
        .build()
}
