//! Files that pages load, served from the binary. Their address has the hash of their content in it,
//! so browsers may cache them for a year.

use crate::http::tenant;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use std::sync::LazyLock;

/// One file.
pub struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
    path: LazyLock<String>,
}

/// Declares the files. Each is served: a file without an address cannot be declared.
macro_rules! assets {
    ($($(#[$doc:meta])* $constant:ident, $name:literal, $content_type:literal, $content:expr;)+) => {
        $(
            $(#[$doc])*
            pub static $constant: Asset = Asset {
                name: $name,
                content_type: $content_type,
                content: $content,
                path: LazyLock::new(|| address(&$constant)),
            };
        )+

        static ALL: &[&Asset] = &[$(&$constant),+];
    };
}

assets! {
    /// The style of the pages for people.
    STYLE,
    "app.css",
    "text/css; charset=utf-8",
    concat!(
        include_str!("../../static/base.css"),
        include_str!("../../static/app.css")
    );
    /// The style of the page of the API.
    DOCS_STYLE,
    "docs.css",
    "text/css; charset=utf-8",
    concat!(
        include_str!("../../static/base.css"),
        include_str!("../../static/docs.css")
    );
    /// What the pages do in the browser beyond HTML.
    SCRIPT,
    "app.js",
    "text/javascript; charset=utf-8",
    include_str!("../../static/app.js");
    /// What the pages of files do in the browser.
    FILES_SCRIPT,
    "files.js",
    "text/javascript; charset=utf-8",
    include_str!("../../static/files.js");
    /// The style of the pages of files, beside that of all pages.
    FILES_STYLE,
    "files.css",
    "text/css; charset=utf-8",
    include_str!("../../static/files.css");
    /// What the dialog that adds a storage does in the browser.
    SETUP_SCRIPT,
    "setup.js",
    "text/javascript; charset=utf-8",
    include_str!("../../static/setup.js");
    /// What pages in a frame of the product's do besides.
    EMBED_SCRIPT,
    "embed.js",
    "text/javascript; charset=utf-8",
    include_str!("../../static/embed.js");
    /// The htmx library.
    HTMX,
    "htmx.js",
    "text/javascript; charset=utf-8",
    include_str!("../../static/vendor/htmx.min.js");
    /// The pages' icon.
    ICON,
    "icon.svg",
    "image/svg+xml",
    include_str!("../../static/icon.svg");
    /// The sprite that the pages take their icons from.
    ICONS,
    "icons.svg",
    "image/svg+xml",
    include_str!("../../static/icons.svg");
}

/// The address of an icon, for the page that is being made.
pub fn icon(name: &str) -> String {
    format!("{}#{name}", tenant::shared(ICONS.path()))
}

impl Asset {
    /// Where the service has the file. A template puts the path of the public URL before it (`|shared`).
    pub fn path(&'static self) -> &'static str {
        &self.path
    }
}

fn address(asset: &Asset) -> String {
    let hash: String = crate::application::kept::vault::sha256(asset.content.as_bytes())[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("/static/{hash}/{}", asset.name)
}

pub fn configure(config: &mut web::ServiceConfig) {
    for asset in ALL.iter().copied() {
        config.route(asset.path(), web::get().to(move || serve(asset)));
    }
}

async fn serve(asset: &'static Asset) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content)
}
