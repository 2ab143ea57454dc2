//! Pages for people: askama templates over the same use cases as the API.
//!
//! Handlers here answer with HTML. They work without a script; htmx and `static/app.js` only improve
//! them. Errors become pages in [`error`]; every change is a POST that carries a CSRF token
//! ([`form::Form`]) and answers with a redirect.

mod doctor;
pub mod face;
mod files;
pub mod people;
mod projects;
mod setups;
pub mod shell;
mod storages;

use crate::http::declare::PageRoutes;

/// Every page's routes.
pub fn routes() -> PageRoutes {
    let mut routes = PageRoutes::of(&face::FACE);
    // Before the addresses of links: theirs would be taken for a link's secret.
    people::openid::configure(&mut routes);
    people::product_token::configure(&mut routes);
    people::sign_in::configure(&mut routes);
    people::tokens::configure(&mut routes);
    people::sessions::configure(&mut routes);
    people::webhooks::configure(&mut routes);
    people::audit_log::configure(&mut routes);
    storages::configure(&mut routes);
    files::configure(&mut routes);
    projects::configure(&mut routes);
    setups::configure(&mut routes);
    doctor::configure(&mut routes);
    storages::storage::configure(&mut routes);
    setups::instructions::configure(&mut routes);
    routes
}
