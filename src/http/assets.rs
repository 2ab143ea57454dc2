//! Files that pages load, served from the binary. Their address has the hash of their content in it,
//! so that browsers may keep them for ever.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

const STYLE: &str = include_str!("../../static/style.css");

/// Where the style sheet is.
pub fn style_path() -> String {
    format!("/static/{}/style.css", hash(STYLE))
}

pub fn configure(config: &mut web::ServiceConfig) {
    config.route(&style_path(), web::get().to(style));
}

async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(STYLE)
}

fn hash(content: &str) -> String {
    crate::application::vault::sha256(content.as_bytes())[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
