//! The OpenAPI 3.1 document, generated from the handlers.
//!
//! A handler declares its parameters, its body, what it answers with, and those refusals that have a
//! meaning of their own. What holds for many operations is added here: in [`answers`] the refusals that
//! follow from what an operation has (a token, a path with an ID, a body, a bucket), in [`bodies`] which
//! body may be left away, in [`parameters`] what OpenAPI wants of parameters, in [`examples`] an example
//! for each body and answer.

mod answers;
mod bodies;
mod examples;
mod parameters;

use crate::application::closed_sets;
use crate::http::api;
use crate::http::declare::{Address, Declared, take_effect};
use crate::http::face::{Actions, Callers, Face};
use crate::http::gates;
use crate::http::idempotency;
use crate::http::problem::{FieldProblem, ProblemBody};
use actix_web::App;
use actix_web::http::Method;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa_actix_web::AppExt;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sallyport",
        description = "Lets a product's customers connect their own Amazon S3 bucket by cross-account role assumption, and lets the product use the files in it by file key.\n\nTimes are RFC 3339 in UTC with three decimals, sizes are in bytes. IDs are opaque strings. Unknown fields and query parameters are refused. Every answer has the header `X-Request-Id`.\n\nA word from a fixed list is an enumeration here. Codes are enumerations that grow: a field with a code takes any other text too, so that a client of this document reads the codes of later releases."
    ),
    components(schemas(
        ProblemBody,
        FieldProblem,
        closed_sets::DocumentName,
        closed_sets::ProblemCode,
        closed_sets::FieldCode,
        closed_sets::CauseCode,
        closed_sets::CandidateCode,
        closed_sets::FindingCode,
        closed_sets::PlaceWarningCode,
        closed_sets::EventCode,
        closed_sets::AuditCode
    )),
    tags(
        (name = "Workspaces", description = "Tenants, managed by the operator."),
        (name = "Tokens", description = "API tokens of a workspace, managed by the operator."),
        (name = "Keys", description = "Keys of the product, which act in any workspace within their scopes. Managed by the operator."),
        (name = "Workspace", description = "The caller's own workspace."),
        (name = "Sign-in", description = "Links that sign people in to the pages, and the sessions that they began."),
        (name = "Storage setups", description = "The dialog that connects a bucket: it owns one external ID, renders what the customer applies, and checks the connection."),
        (name = "Storages", description = "Connected buckets, and the built-in one."),
        (name = "Files", description = "A storage's files, by file key: the path below bucket and prefix. With or without a leading slash it means the same."),
        (name = "Projects", description = "Named sets of files."),
        (name = "Events", description = "What changed, as a feed and sent to webhooks."),
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
        .description(Some(
            "A workspace's token, a product's key, the operator's token, or a token for a browser. The key and the operator's token act in the workspace that the header `Sallyport-Workspace` names.",
        ))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    answers::add_shared(document.components.get_or_insert_default());
    let paths = &mut document.paths.paths;
    let addresses = paths.iter_mut().map(address).collect();
    bodies::complete(&mut document);
    examples::add(&mut document);
    (document, addresses)
}

/// Completes the operations of a path, and says what they declare.
fn address((path, item): (&String, &mut PathItem)) -> Address {
    let face = api::face::of(path);
    let operations: Vec<Declared> = operations(item)
        .map(|(method, operation)| {
            complete(face, path, &method, operation);
            Declared {
                method,
                id: operation.operation_id.clone(),
                gate: operation.operation_id.as_deref().and_then(gates::of),
                takes_idempotency_key: has_header(operation, idempotency::NAME),
                effect: take_effect(operation),
                query: match face.callers {
                    Callers::Tokens => query_parameters(operation),
                    Callers::Anybody => None,
                },
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

/// The names of an operation's query parameters; `None` where one is described elsewhere.
fn query_parameters(operation: &Operation) -> Option<Vec<String>> {
    let parameters = operation.parameters.iter().flatten();
    let described: Vec<_> = parameters
        .map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .collect::<Option<_>>()?;
    let of_query = described
        .into_iter()
        .filter(|parameter| parameter.parameter_in == ParameterIn::Query);
    Some(of_query.map(|parameter| parameter.name.clone()).collect())
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

/// Adds what holds for every operation: who may call it, how its headers are named, and how it refuses.
fn complete(face: &Face, path: &str, method: &Method, operation: &mut Operation) {
    let needs_token = face.callers == Callers::Tokens;
    if needs_token {
        operation.security = Some(vec![SecurityRequirement::new(
            "bearer",
            Vec::<String>::new(),
        )]);
        let gate = operation.operation_id.as_deref().and_then(gates::of);
        parameters::add_headers(operation, gate);
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameters::complete(parameter);
        }
    }
    answers::complete(needs_token, path, method, operation);
}
