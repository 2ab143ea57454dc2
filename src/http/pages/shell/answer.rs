//! What a page's handler answers with.

use crate::application::error::{Error, Result};
use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

/// Somewhere to go, as a redirect after a change or to another page.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Renders a page.
pub fn html(template: &impl Template) -> Result<HttpResponse> {
    let html = template.render().map_err(Error::bug)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(html))
}
