//! The OpenAPI 3.1 document, generated from the handlers.

use crate::http::api;
use crate::http::problem::{FieldProblem, ProblemBody};
use crate::http::routes::operations;
use actix_web::App;
use actix_web::http::Method;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
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
    for (path, item) in &mut document.paths.paths {
        let facts: Vec<Method> = operations(item).map(|(method, _)| method).collect();
        for method in facts {
            if let Some(operation) = operation_mut(item, &method) {
                complete(path, operation);
            }
        }
    }
    document
}

/// Adds what holds for every operation: who may call it, and how it refuses.
fn complete(path: &str, operation: &mut Operation) {
    let api = path.starts_with("/v1/");
    if api {
        operation.security = Some(vec![SecurityRequirement::new(
            "bearer",
            Vec::<String>::new(),
        )]);
    }
    let mut refusals = Vec::new();
    if api {
        refusals.push(("401", "There is no good token"));
        refusals.push(("403", "The token's role may not do this"));
        refusals.push(("422", "A field or parameter cannot be accepted"));
        refusals.push(("503", "A part of the service is away"));
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

fn operation_mut<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    match *method {
        Method::GET => item.get.as_mut(),
        Method::HEAD => item.head.as_mut(),
        Method::POST => item.post.as_mut(),
        Method::PUT => item.put.as_mut(),
        Method::PATCH => item.patch.as_mut(),
        Method::DELETE => item.delete.as_mut(),
        _ => None,
    }
}
