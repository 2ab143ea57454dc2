//! The files of the product's look, served by ourselves.

use crate::http::state::Services;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

/// What the logo may do where it is opened by itself: be looked at. Within a page it is an image.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/static/{hash}/logo.svg", web::get().to(serve));
    config.route("/static/{hash}/logo.png", web::get().to(serve));
    config.route("/static/{hash}/brand.css", web::get().to(serve));
}

async fn serve(request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    match services.site.brand.file(request.path()) {
        Some(file) => HttpResponse::Ok()
            .content_type(file.content_type)
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(file.content.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}
