//! The JSON API, one file for each resource. Requests and answers are declared beside their handlers.

pub mod audit_events;
mod check_reports;
pub mod documents;
pub mod file_copies;
pub mod file_queries;
pub mod file_writes;
pub mod files;
pub mod projects;
pub mod service;
pub mod sessions;
pub mod sign_in_links;
pub mod signed_uploads;
pub mod storage_setups;
pub mod storages;
pub mod tokens;
pub mod workspace;
pub mod workspaces;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the OpenAPI document. Static segments before parameters in the same place.
pub fn configure(config: &mut ServiceConfig) {
    service::configure(config);
    workspaces::configure(config);
    tokens::configure(config);
    workspace::configure(config);
    storage_setups::configure(config);
    storages::configure(config);
    sign_in_links::configure(config);
    sessions::configure(config);
    files::configure(config);
    projects::configure(config);
    file_writes::configure(config);
    file_copies::configure(config);
    file_queries::configure(config);
    signed_uploads::configure(config);
    audit_events::configure(config);
}
