//! What handlers work with.

use crate::application::doctor::Doctor;
use crate::application::events::Events;
use crate::application::events::webhooks::Webhooks;
use crate::application::files::shared::Files;
use crate::application::kept::idempotency::IdempotentRequests;
use crate::application::kept::page_tokens::PageTokens;
use crate::application::moving::moves::Moves;
use crate::application::pace::LeastPace;
use crate::application::people::admission::Admission;
use crate::application::people::audit::AuditLog;
use crate::application::people::authenticate::Authenticator;
use crate::application::people::browser_tokens::BrowserTokens;
use crate::application::people::keys::ProductKeys;
use crate::application::people::openid::OpenIdSignIn;
use crate::application::people::origins::AllowedOrigins;
use crate::application::people::product_tokens::ProductTokens;
use crate::application::people::sign_in::SignIns;
use crate::application::people::tokens::Tokens;
use crate::application::people::usage::Usage;
use crate::application::people::workspaces::Workspaces;
use crate::application::projects::Projects;
use crate::application::readiness::Readiness;
use crate::application::setups::Setups;
use crate::application::setups::browser_probe::BrowserProbes;
use crate::application::setups::events::SetupEvents;
use crate::application::setups::instructions::Instructions;
use crate::application::setups::places::Places;
use crate::application::storages::Storages;
use crate::domain::origin::{OriginPattern, is_loopback};
use crate::http::brand::Brand;
use crate::http::metrics::HttpMetrics;
use crate::http::repeated::Repeated;
use crate::http::stopping::Stopping;
use crate::http::tenant::Tenant;
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
    pub moves: Moves,
    pub tokens: Tokens,
    pub usage: Usage,
    pub origins: AllowedOrigins,
    pub sign_ins: Arc<SignIns>,
    /// `None`: the operator has named no OpenID provider.
    pub openid: Option<OpenIdSignIn>,
    /// `None`: the operator has named no issuer of tokens.
    pub product_tokens: Option<ProductTokens>,
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
    /// How fast a client must send a file, in bytes a second. 0: at any rate.
    pub least_rate: u64,
    /// Whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub stopping: Arc<Stopping>,
    /// Errors that are in the log already.
    pub repeated: Repeated,
}

impl RunningService {
    /// How fast a client must send a file.
    pub fn sender_pace(&self) -> LeastPace {
        LeastPace {
            rate: self.least_rate,
            patience: self.request_timeout,
        }
    }
}

/// Where the pages are, who may embed them, and whose they are.
pub struct Site {
    pub public_url: Url,
    pub frame_ancestors: Vec<OriginPattern>,
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
        self.is_https() || is_loopback(&self.public_url)
    }

    /// The name of a session's cookie. `tenant`: the workspace whose addresses name it; `None`: that of the addresses
    /// without a workspace.
    pub fn session_cookie(&self, tenant: Option<&Tenant>) -> String {
        let name = self.cookie("sallyport_session");
        match tenant {
            Some(tenant) => format!("{name}_{tenant}"),
            None => name,
        }
    }

    /// The workspace that a session's cookie is for, by its name: `Some(None)` for the addresses without a workspace.
    /// `None`: it is another cookie.
    pub fn tenant_of_cookie(&self, name: &str) -> Option<Option<Tenant>> {
        let rest = name.strip_prefix(self.session_cookie(None).as_str())?;
        match rest.strip_prefix('_') {
            Some(tenant) => Tenant::parse(tenant).map(Some),
            None => rest.is_empty().then_some(None),
        }
    }

    /// The name of the cookie that says which workspace the addresses without one had, after its session was ended.
    pub fn left_cookie(&self) -> String {
        self.cookie("sallyport_left")
    }

    /// The name of the cookie that a browser keeps while its person signs in elsewhere.
    pub fn sign_in_cookie(&self) -> String {
        self.cookie("sallyport_sign_in")
    }

    /// The name of the cookie that has the secret of an administrator's link. Its path is that of the link's page, which
    /// `__Host-` does not take.
    pub fn setup_link_cookie(&self) -> String {
        match self.is_https() {
            true => "__Secure-sallyport_setup_link".to_owned(),
            false => "sallyport_setup_link".to_owned(),
        }
    }

    /// `__Host-` binds a cookie to this very host; browsers take it over https only, and with the path `/` alone,
    /// which would send it to everything else on a host with several services.
    fn cookie(&self, name: &str) -> String {
        match (self.is_https(), self.base().is_empty()) {
            (true, true) => format!("__Host-{name}"),
            (true, false) => format!("__Secure-{name}"),
            (false, _) => name.to_owned(),
        }
    }

    /// The paths that the service's cookies are sent to.
    pub fn cookie_path(&self) -> &str {
        match self.base() {
            "" => "/",
            base => base,
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
