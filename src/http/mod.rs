//! The HTTP server's surface: routes, extractors and problem responses.
//!
//! Handlers are thin: they parse, call one use case, and answer. What holds for every request is done
//! around them, from the outside in: [`detach`](boundary::detach), [`tenants`](tabs::tenants),
//! [`boundary`](boundary::boundary), [`preflight`](cors::preflight), [`audit`](audit::audit),
//! [`authenticate`](caller::authenticate), [`only_known`](query::only_known), [`panics`](boundary::panics),
//! [`refuse_unsupported`](idempotency::refuse_unsupported).

pub mod api;
pub mod arrival;
pub mod assets;
pub mod audit;
pub mod body;
pub mod boundary;
pub mod brand;
mod brand_files;
pub mod caller;
pub mod client_addr;
pub mod context;
mod cors;
pub mod declare;
mod delivery;
mod dev;
pub mod docs;
mod embed;
pub mod face;
mod fault;
pub mod file_content;
pub mod file_headers;
pub mod fingerprint;
pub mod gates;
mod hardening;
pub mod idempotency;
mod json_pieces;
pub mod listener;
pub mod metering;
pub mod metrics;
mod new_request_id;
pub mod openapi;
pub mod page;
pub mod pages;
pub mod path;
pub mod problem;
mod pump;
pub mod query;
pub mod repeated;
mod request_id;
pub mod route_tree;
pub mod routes;
pub mod setup_events;
pub mod state;
pub mod step_problem;
pub mod stopping;
mod tabs;
pub mod tenant;
pub mod trail;
pub mod upload;

use crate::application::error::{Error, Result};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App, web};
use audit::AnonymousLimit;
use dev::DevHelper;
use docs::Documents;
use listener::Listener;
use routes::Routes;
use state::Services;
use std::sync::Arc;
use url::Url;

/// What the HTTP layer makes for itself at start, shared by the server's threads.
#[derive(Clone)]
pub struct HttpParts {
    routes: Data<Routes>,
    documents: Data<Documents>,
    anonymous: Data<AnonymousLimit>,
    listener: Listener,
    dev: Option<DevHelper>,
}

impl HttpParts {
    pub fn new(listener: Listener) -> Result<Self> {
        let (document, mut addresses) = openapi::declared();
        addresses.extend(pages::routes().addresses());
        addresses.retain(|address| listener.serves(&address.pattern));
        for address in &mut addresses {
            api::service::add_heads(address);
        }
        let faces = vec![&api::face::API, &pages::face::FACE];
        let json = document
            .to_pretty_json()
            .map_err(|error| Error::bug(format!("the OpenAPI document: {error}")))?;
        Ok(Self {
            routes: Data::new(Routes::of(addresses, faces)?),
            documents: Data::new(Documents::of(json)?),
            anonymous: Data::new(AnonymousLimit::default()),
            listener,
            dev: None,
        })
    }

    /// The same for a proxy that strips this path, where it is not empty: the API's description names it.
    pub fn below(mut self, base: &str) -> Result<Self> {
        if !base.is_empty() {
            self.documents = Data::new(self.documents.below(base)?);
        }
        Ok(self)
    }

    /// The same with the routes of `sallyport dev`, which this helper answers.
    pub fn with_dev(mut self, helper: Option<Url>) -> Result<Self> {
        self.dev = helper.map(DevHelper::at).transpose()?;
        Ok(self)
    }
}

/// The application, as each of the server's threads has it.
pub fn app(
    services: Arc<Services>,
    parts: HttpParts,
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

    let listener = parts.listener;
    let dev = parts.dev.filter(|_| listener.product);
    App::new()
        .app_data(Data::from(services))
        .app_data(parts.routes)
        .app_data(parts.documents)
        .app_data(parts.anonymous)
        .into_utoipa_app()
        .configure(|config| api::configure_for(listener, config))
        .into_app()
        .configure(|config| api::service::configure_heads(listener, config))
        .configure(|config| {
            if let Some(helper) = dev {
                dev::configure(config, helper);
            }
            if listener.product {
                config.service(
                    web::scope("")
                        .wrap(from_fn(pages::shell::headers::secure))
                        .wrap(Compress::default())
                        .configure(assets::configure)
                        .configure(brand_files::configure)
                        .configure(embed::configure)
                        .configure(|config| pages::routes().register(config)),
                );
            }
        })
        .default_service(web::to(routes::nothing_here))
        .wrap(from_fn(idempotency::refuse_unsupported))
        .wrap(from_fn(boundary::panics))
        .wrap(from_fn(query::only_known))
        .wrap(from_fn(caller::authenticate))
        .wrap(from_fn(audit::audit))
        .wrap(from_fn(cors::preflight))
        .wrap(from_fn(boundary::boundary))
        .wrap(from_fn(tabs::tenants))
        .wrap(from_fn(boundary::detach))
}
