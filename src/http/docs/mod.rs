//! The API's documentation as a page, made from the OpenAPI document at start.

pub mod schema;
mod text;
mod view;

use crate::application::error::{Error, Result};
use crate::http::assets;
use askama::Template;
use serde_json::{Value, json};

/// What the page may load: its own style sheet.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    style: String,
    /// The path of the public URL: nothing, or like `/sallyport`.
    base: String,
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
        Self::at("", openapi_json)
    }

    fn at(base: &str, openapi_json: String) -> Result<Self> {
        Ok(Self {
            page_html: page(base, &openapi_json)?,
            openapi_json,
        })
    }

    /// The same of a service whose paths a proxy has below this one, like `/sallyport`.
    pub fn below(&self, base: &str) -> Result<Self> {
        let mut document: Value = serde_json::from_str(&self.openapi_json).map_err(Error::bug)?;
        document["servers"] = json!([{ "url": base }]);
        let document = serde_json::to_string_pretty(&document).map_err(Error::bug)?;
        Self::at(base, document)
    }
}

/// Renders the document.
fn page(base: &str, document: &str) -> Result<String> {
    let document = serde_json::from_str(document).map_err(Error::bug)?;
    let page = DocsPage {
        style: format!("{base}{}", assets::DOCS_STYLE.path()),
        base: base.to_owned(),
        api: view::Api::of(&document),
    };
    page.render().map_err(Error::bug)
}
