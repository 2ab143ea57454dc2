//! The HTTP server's surface: routes, extractors and problem responses.
//!
//! Handlers are thin: they parse, call one use case, and answer. What holds for every request is done
//! around them, from the outside in: [`detach`](boundary::detach), [`boundary`](boundary::boundary),
//! [`audit`](audit::audit), [`authenticate`](caller::authenticate),
//! [`panics`](boundary::panics).

pub mod api;
pub mod assets;
pub mod audit;
pub mod body;
pub mod boundary;
pub mod caller;
pub mod docs;
mod fault;
pub mod idempotency;
pub mod metrics;
pub mod openapi;
pub mod page;
pub mod pages;
pub mod path;
pub mod problem;
pub mod query;
pub mod routes;
pub mod state;
pub mod upload;

use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, web};
use state::Services;
use std::sync::Arc;

/// The application, as each of the server's threads has it.
pub fn app(
    services: Arc<Services>,
) -> App<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<actix_web::body::BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    use utoipa_actix_web::AppExt;

    App::new()
        .app_data(web::Data::from(services))
        .into_utoipa_app()
        .configure(api::configure)
        .into_app()
        .service(
            web::scope("")
                .wrap(from_fn(pages::shell::headers::secure))
                .wrap(Compress::default())
                .configure(assets::configure)
                .configure(pages::configure),
        )
        .default_service(web::to(routes::nothing_here))
        .wrap(from_fn(boundary::panics))
        .wrap(from_fn(caller::authenticate))
        .wrap(from_fn(audit::audit))
        .wrap(from_fn(boundary::boundary))
        .wrap(from_fn(boundary::detach))
}
