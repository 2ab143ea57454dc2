//! Pages for people: askama templates over the same use cases as the API.
//!
//! Handlers here answer with HTML. They work without a script; htmx and `static/app.js` only improve
//! them. Errors become pages in [`error`]; every change is a POST that carries a CSRF token
//! ([`form::Form`]) and answers with a redirect.

mod files;
pub mod people;
mod projects;
mod setups;
pub mod shell;
mod storages;

use actix_web::web::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    people::sign_in::configure(config);
    storages::configure(config);
    files::configure(config);
    projects::configure(config);
    setups::configure(config);
    storages::storage::configure(config);
    setups::instructions::configure(config);
}
