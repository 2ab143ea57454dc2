//! The JSON API, one file for each resource. Requests and answers are declared beside their handlers.

pub mod audit_events;
pub mod service;
pub mod tokens;
pub mod workspaces;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the OpenAPI document. Static segments before parameters in the same place.
pub fn configure(config: &mut ServiceConfig) {
    service::configure(config);
    workspaces::configure(config);
    tokens::configure(config);
    audit_events::configure(config);
}
