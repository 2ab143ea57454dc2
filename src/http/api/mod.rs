//! The JSON API, one file for each resource. Requests and answers are declared beside their handlers.

pub mod checks;
pub mod face;
pub mod files;
pub mod people;
pub mod projects;
pub mod service;
pub mod setups;
pub mod storages;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the OpenAPI document. Static segments before parameters in the same place.
pub fn configure(config: &mut ServiceConfig) {
    service::configure(config);
    people::workspaces::configure(config);
    people::tokens::configure(config);
    people::workspace::configure(config);
    setups::configure(config);
    storages::configure(config);
    people::sign_in_links::configure(config);
    people::sessions::configure(config);
    files::read::configure(config);
    files::sign::configure(config);
    projects::configure(config);
    files::write::configure(config);
    files::copy::configure(config);
    files::query::configure(config);
    files::multipart::configure(config);
    people::audit_events::configure(config);
}
