//! The API's documentation as a page, made from the OpenAPI document at start.

pub mod schema;
mod text;
mod view;

use crate::application::error::{Error, Result};
use crate::http::assets;
use askama::Template;

/// What the page may load: its own style sheet.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    style: String,
    api: view::Api,
}

/// What describes the API, as served.
pub struct Documents {
    /// The OpenAPI document.
    pub openapi_json: String,
    /// The page about it.
    pub page_html: String,
}

impl Documents {
    pub fn of(openapi_json: String) -> Result<Self> {
        Ok(Self {
            page_html: page(&openapi_json)?,
            openapi_json,
        })
    }
}

/// Renders the document.
fn page(document: &str) -> Result<String> {
    let document = serde_json::from_str(document).map_err(Error::bug)?;
    let page = DocsPage {
        style: assets::DOCS_STYLE.path().to_owned(),
        api: view::Api::of(&document),
    };
    page.render().map_err(Error::bug)
}
