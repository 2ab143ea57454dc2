//! Pages for people: askama templates over the same use cases as the API.
//!
//! Handlers here answer with HTML. They work without a script; htmx and `static/app.js` only improve
//! them. Errors become pages in [`error`]; every change is a POST that carries a CSRF token
//! ([`form::Form`]) and answers with a redirect.

pub mod chrome;
pub mod error;
pub mod fields;
mod files;
pub mod form;
pub mod headers;
mod instructions;
pub mod moment;
mod projects;
pub mod session;
mod setup;
mod sign_in;
mod storage;
mod storages;

use actix_web::web::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    sign_in::configure(config);
    storages::configure(config);
    files::configure(config);
    projects::configure(config);
    setup::configure(config);
    storage::configure(config);
    instructions::configure(config);
}
