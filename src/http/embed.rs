//! What pages of the product's own load from the service: the file picker, `/embed/picker.js`.

use crate::application::kept::vault::sha256;
use crate::http::state::Services;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// In a scope of its own: a page may load the script twice, and has names of its own.
const PICKER: &str = concat!(
    "(() => {\n",
    include_str!("../../static/picker/texts.js"),
    include_str!("../../static/picker/style.js"),
    include_str!("../../static/picker/api.js"),
    include_str!("../../static/picker/uploads.js"),
    include_str!("../../static/picker/element.js"),
    "})();\n"
);
/// Stands in the script for the folders that the lifecycle rules empty.
const WORKING_FOLDERS: &str = "@working_folders@";
/// The address stays the same, so a browser asks for a newer script after an hour, and goes on with the one it
/// has meanwhile.
const CACHING: &str = "public, max-age=3600, stale-while-revalidate=604800";

pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/embed/picker.js", web::get().to(picker));
}

async fn picker(request: HttpRequest, services: Data<Services>) -> HttpResponse {
    let folders = &services.setups.connections.lifecycle_folders;
    // Letters, digits and `._-/`: nothing of these ends a text of the script.
    let script = PICKER.replace(WORKING_FOLDERS, &folders.both().join(","));
    let hash = sha256(script.as_bytes());
    // Weak: it is the same script in each content encoding.
    let tag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..12]));
    let mut answer = match has(&request, &tag) {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    answer
        .insert_header((header::ETAG, tag.as_str()))
        .insert_header((header::CACHE_CONTROL, CACHING))
        // The script is public, and the page's own `crossorigin` and `integrity` need it.
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header(("Cross-Origin-Resource-Policy", "cross-origin"));
    match has(&request, &tag) {
        true => answer.finish(),
        false => answer
            .content_type("text/javascript; charset=utf-8")
            .body(script),
    }
}

/// Whether the client has this version.
fn has(request: &HttpRequest, tag: &str) -> bool {
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_has_one_place_for_the_working_folders() {
        assert_eq!(PICKER.matches(WORKING_FOLDERS).count(), 1);
    }
}
