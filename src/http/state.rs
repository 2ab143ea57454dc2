//! What handlers work with.

use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::files::multipart::SignedUploads;
use crate::application::files::query::FileQueries;
use crate::application::files::read::Files;
use crate::application::files::write::FileWrites;
use crate::application::kept::page_tokens::PageTokens;
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::application::people::authenticate::Authenticator;
use crate::application::people::sign_in::SignIns;
use crate::application::projects::Projects;
use crate::application::readiness::Readiness;
use crate::application::setups::Setups;
use crate::application::setups::browser_probe::BrowserProbes;
use crate::application::setups::instructions::Instructions;
use crate::application::storages::Storages;
use crate::domain::origin::Origin;
use crate::http::metrics::HttpMetrics;
use crate::http::openapi;
use crate::http::routes::Routes;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use url::Url;

/// One per running service, shared by its threads; a handler asks for `web::Data<Services>`.
pub struct Services {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub pages: PageTokens,
    pub clock: Arc<dyn Clock>,
    pub authenticator: Arc<Authenticator>,
    pub setups: Arc<Setups>,
    pub storages: Arc<Storages>,
    pub files: Arc<Files>,
    pub projects: Arc<Projects>,
    pub instructions: Instructions,
    pub browser_probes: BrowserProbes,
    pub sign_ins: SignIns,
    pub site: Site,
    pub file_writes: Arc<FileWrites>,
    pub file_queries: Arc<FileQueries>,
    pub signed_uploads: Arc<SignedUploads>,
    pub readiness: Vec<Arc<dyn Readiness>>,
    pub metrics: HttpMetrics,
    /// Everything that `/metrics` shows.
    pub registry: Registry,
    /// How long a client may take to send a body of JSON.
    pub request_timeout: Duration,
    pub started: Started,
    pub http: HttpParts,
}

/// Where the pages are, and who may embed them.
pub struct Site {
    pub public_url: Url,
    pub frame_ancestors: Vec<Origin>,
}

impl Site {
    /// The address of one of the service's own paths.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// What the HTTP layer makes for itself at start.
pub struct HttpParts {
    pub routes: Routes,
    /// The OpenAPI document, as served.
    pub openapi_json: String,
    /// The page about it.
    pub docs_html: String,
    pub(super) anonymous: crate::http::audit::AnonymousLimit,
}

impl HttpParts {
    pub fn new() -> Result<Self> {
        let document = openapi::document();
        let json = document
            .to_pretty_json()
            .map_err(|error| Error::bug(format!("the OpenAPI document: {error}")))?;
        Ok(Self {
            routes: Routes::of(&document),
            docs_html: crate::http::docs::page(&json)?,
            openapi_json: json,
            anonymous: crate::http::audit::AnonymousLimit::default(),
        })
    }
}

/// Whether the first contact with the database has been made: it has its tables, and this process has
/// the right master key. Before that no request under `/v1` is served.
#[derive(Debug, Default)]
pub struct Started(AtomicBool);

impl Started {
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
