//! The OpenAPI 3.1 document, generated from the handlers.

use crate::http::api;
use crate::http::declare::{Address, Declared, take_effect};
use crate::http::face::{Actions, Callers, Face};
use crate::http::idempotency;
use crate::http::problem::{FieldProblem, ProblemBody};
use actix_web::App;
use actix_web::http::Method;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa_actix_web::AppExt;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sallyport",
        description = "Lets a product's customers connect their own Amazon S3 bucket by cross-account role assumption, and lets the product use the files in it by file key.\n\nTimes are RFC 3339 in UTC, sizes are in bytes. IDs are opaque strings. Unknown fields and query parameters are refused. Every answer has the header `X-Request-Id`."
    ),
    components(schemas(ProblemBody, FieldProblem)),
    tags(
        (name = "Workspaces", description = "Tenants, managed by the operator."),
        (name = "Tokens", description = "API tokens of a workspace, managed by the operator."),
        (name = "Workspace", description = "The caller's own workspace."),
        (name = "Sign-in", description = "Links that sign people in to the pages, and the sessions that they began."),
        (name = "Storage setups", description = "The dialog that connects a bucket: it owns one external ID, renders what the customer applies, and checks the connection."),
        (name = "Storages", description = "Connected buckets, and the built-in one."),
        (name = "Files", description = "A storage's files, by file key: the path below bucket and prefix. With or without a leading slash it means the same."),
        (name = "Projects", description = "Named sets of files."),
        (name = "Audit log", description = "Every change and every refusal."),
        (name = "Service", description = "The service about itself. No token is needed here."),
    ),
)]
struct Base;

/// The document of every route that [`api::configure`] has.
pub fn document() -> OpenApi {
    declared().0
}

/// The document, and what the routes say of themselves.
pub fn declared() -> (OpenApi, Vec<Address>) {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(api::configure)
        .split_for_parts();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A workspace's token or the operator's."))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let paths = &mut document.paths.paths;
    let addresses = paths.iter_mut().map(address).collect();
    (document, addresses)
}

/// Completes the operations of a path, and says what they declare.
fn address((path, item): (&String, &mut PathItem)) -> Address {
    let face = api::face::of(path);
    let operations: Vec<Declared> = operations(item)
        .map(|(method, operation)| {
            complete(face, path, operation);
            Declared {
                method,
                id: operation.operation_id.clone(),
                takes_idempotency_key: has_header(operation, idempotency::NAME),
                effect: take_effect(operation),
            }
        })
        .collect();
    let action = match face.actions {
        Actions::ByOperation => None,
        Actions::ByAddress => operations.first().and_then(|o| o.id.clone()),
    };
    Address {
        pattern: path.clone(),
        face,
        action,
        operations,
    }
}

fn has_header(operation: &Operation, name: &str) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .any(|p| matches!(p.parameter_in, ParameterIn::Header) && p.name == name)
}

/// The operations of a path, with their methods.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::HEAD, &mut item.head),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds what holds for every operation: who may call it, and how it refuses.
fn complete(face: &Face, path: &str, operation: &mut Operation) {
    let needs_token = face.callers == Callers::Tokens;
    if needs_token {
        operation.security = Some(vec![SecurityRequirement::new(
            "bearer",
            Vec::<String>::new(),
        )]);
    }
    let mut refusals = Vec::new();
    if needs_token {
        refusals.push(("401", "There is no good token"));
        refusals.push(("403", "The token's role may not do this"));
        refusals.push(("422", "A field or parameter cannot be accepted"));
        refusals.push(("503", "A dependency is unavailable"));
    }
    if path.contains('{') {
        refusals.push(("404", "Absent, or not the caller's"));
    }
    if operation.request_body.is_some() {
        refusals.push(("400", "The body cannot be read"));
        refusals.push(("413", "The body is too large"));
        refusals.push(("415", "The body is not of the type that is accepted"));
    }
    refusals.push(("default", "Any other problem"));
    for (status, description) in refusals {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(description)));
    }
}

fn problem(description: &str) -> Response {
    ResponseBuilder::new()
        .description(description)
        .content(
            "application/problem+json",
            Content::new(Some(Ref::from_schema_name("Problem"))),
        )
        .build()
}
