//! What handlers work with.

use crate::application::doctor::Doctor;
use crate::application::events::Events;
use crate::application::events::webhooks::Webhooks;
use crate::application::files::shared::Files;
use crate::application::kept::idempotency::IdempotentRequests;
use crate::application::kept::page_tokens::PageTokens;
use crate::application::people::admission::Admission;
use crate::application::people::audit::AuditLog;
use crate::application::people::authenticate::Authenticator;
use crate::application::people::browser_tokens::BrowserTokens;
use crate::application::people::keys::ProductKeys;
use crate::application::people::origins::AllowedOrigins;
use crate::application::people::sign_in::SignIns;
use crate::application::people::tokens::Tokens;
use crate::application::people::workspaces::Workspaces;
use crate::application::projects::Projects;
use crate::application::readiness::Readiness;
use crate::application::setups::Setups;
use crate::application::setups::browser_probe::BrowserProbes;
use crate::application::setups::events::SetupEvents;
use crate::application::setups::instructions::Instructions;
use crate::application::setups::places::Places;
use crate::application::storages::Storages;
use crate::domain::origin::Origin;
use crate::http::brand::Brand;
use crate::http::metrics::HttpMetrics;
use crate::http::stopping::Stopping;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use ipnet::IpNet;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use url::Url;

/// One per running service, shared by its threads; a handler asks for `web::Data<Services>`.
pub struct Services {
    pub people: PeopleServices,
    pub setups: Arc<Setups>,
    pub dialog: DialogServices,
    pub storages: Arc<Storages>,
    pub doctor: Doctor,
    pub files: Arc<Files>,
    pub projects: Arc<Projects>,
    pub events: Events,
    pub webhooks: Webhooks,
    pub idempotency: IdempotentRequests,
    pub page_tokens: PageTokens,
    pub site: Site,
    pub running: RunningService,
}

/// Who may do what, and who did it.
pub struct PeopleServices {
    pub authenticator: Arc<Authenticator>,
    pub admission: Admission,
    pub browser_tokens: Arc<BrowserTokens>,
    pub keys: ProductKeys,
    pub workspaces: Arc<Workspaces>,
    pub tokens: Tokens,
    pub origins: AllowedOrigins,
    pub sign_ins: Arc<SignIns>,
    pub audit_log: AuditLog,
}

/// What the dialog that adds a storage has besides the setup.
pub struct DialogServices {
    pub instructions: Instructions,
    pub browser_probes: BrowserProbes,
    pub events: SetupEvents,
    pub places: Places,
}

/// The service as its operator sees it.
pub struct RunningService {
    pub started: Started,
    pub readiness: Vec<Arc<dyn Readiness>>,
    pub metrics: HttpMetrics,
    /// Everything that `/metrics` shows.
    pub registry: Registry,
    /// How long a client may take to send a body of JSON, or a form.
    pub request_timeout: Duration,
    /// Whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub stopping: Arc<Stopping>,
}

/// Where the pages are, who may embed them, and whose they are.
pub struct Site {
    pub public_url: Url,
    pub frame_ancestors: Vec<Origin>,
    pub brand: Arc<Brand>,
}

impl Site {
    /// What stands before each of the service's own paths in a browser: the path of the public URL, which the proxy
    /// strips. Empty, or like `/sallyport`.
    pub fn base(&self) -> &str {
        self.public_url.path().trim_end_matches('/')
    }

    /// The address of one of the service's own paths.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// Whether browsers take a session's cookie in somebody's frame: over https, and from a loopback address.
    pub fn takes_embedded_cookies(&self) -> bool {
        let is_loopback = match self.public_url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.is_https() || is_loopback
    }

    /// The name of a session's cookie. `__Host-` binds it to this very host; browsers take it over https only, and
    /// with the path `/` alone, which would send it to everything else on a host with several services.
    pub fn session_cookie(&self) -> &'static str {
        match (self.is_https(), self.base().is_empty()) {
            (true, true) => "__Host-sallyport_session",
            (true, false) => "__Secure-sallyport_session",
            (false, _) => "sallyport_session",
        }
    }

    /// The paths that a session's cookie is sent to.
    pub fn cookie_path(&self) -> &str {
        match self.base() {
            "" => "/",
            base => base,
        }
    }

    /// Makes a redirect to one of the service's own paths one that a browser can follow.
    pub fn complete_location(&self, headers: &mut HeaderMap) {
        if self.base().is_empty() {
            return;
        }
        let location = headers.get(header::LOCATION);
        let path = location
            .and_then(|value| value.to_str().ok())
            .filter(|value| value.starts_with('/') && !value.starts_with("//"));
        let whole = path.map(|path| format!("{}{path}", self.base()));
        if let Some(Ok(value)) = whole.map(|whole| HeaderValue::from_str(&whole)) {
            headers.insert(header::LOCATION, value);
        }
    }

    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
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
