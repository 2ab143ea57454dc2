//! The JSON API, one file for each resource. Requests and answers are declared beside their handlers.

pub mod checks;
pub mod doctor;
pub mod events;
pub mod face;
pub mod files;
pub mod people;
pub mod project_content;
pub mod project_files;
pub mod projects;
pub mod service;
pub mod setups;
pub mod storages;
pub mod webhooks;

use crate::http::listener::Listener;
use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the OpenAPI document.
pub fn configure(config: &mut ServiceConfig) {
    let everything = Listener {
        product: true,
        management: true,
        documentation: true,
    };
    configure_for(everything, config);
}

/// The routes of one listener. Static segments before parameters in the same place.
pub fn configure_for(listener: Listener, config: &mut ServiceConfig) {
    service::configure(listener, config);
    if listener.product {
        configure_product(config);
    }
}

fn configure_product(config: &mut ServiceConfig) {
    // First what is called most: the router compares a path with one pattern after the other.
    files::read::configure(config);
    files::sign::configure(config);
    files::write::configure(config);
    files::copy::configure(config);
    files::query::configure(config);
    files::multipart::configure(config);
    people::workspaces::configure(config);
    people::moving::configure(config);
    people::tokens::configure(config);
    people::keys::configure(config);
    people::browser_tokens::configure(config);
    people::workspace_storages::configure(config);
    people::usage::configure(config);
    people::workspace::configure(config);
    setups::configure(config);
    storages::configure(config);
    doctor::configure(config);
    people::sign_in_links::configure(config);
    people::sessions::configure(config);
    projects::configure(config);
    project_content::configure(config);
    project_files::configure(config);
    people::audit_events::configure(config);
    events::configure(config);
    webhooks::configure(config);
}
