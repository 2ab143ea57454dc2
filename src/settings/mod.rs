//! Settings: from the environment and flags, parsed once, at start.
//!
//! [`Options`] is what is written; [`Settings`] is what it means. An empty value counts as none, so
//! a compose file may pass variables on that are not set. All faults are reported at once.

mod bad;
mod brand;
mod files;
mod in_force;
mod migration;
mod options;
mod read;
mod secrets;
mod signing_in;
mod unknown;

pub use bad::{BadSetting, BadSettings};
pub use brand::{BRAND_LOGO_EXAMPLE, BrandSettings};
pub use in_force::names;
pub use migration::MigrationSettings;
pub use options::Options;
pub use read::parse_duration;
pub use secrets::MasterKeySource;
pub use signing_in::{ClientSecret, JwtSettings, OidcSettings};
pub use unknown::{UnknownVariable, UnknownVariables, refuse_unknown};

use crate::application::kept::retention::Retention;
use crate::application::people::in_progress;
use crate::application::storages::QuarantineMode;
use crate::database::{DatabaseUrl, Pooler, SchemaChanges};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::origin::{Origin, OriginPattern};
use crate::domain::policy_document::LifecycleFolders;
use crate::logging::LogSettings;
use ipnet::IpNet;
use migration::{data_dir, database, log};
use read::{
    Reader, list, memory_budget, network, on_or_off, public_url, retention, shown, socket_address,
    transfer_rate,
};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The settings, parsed. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Settings {
    pub listen: SocketAddr,
    /// Where readiness and metrics are; `None`: where everything is.
    pub management_listen: Option<SocketAddr>,
    pub docs: DocsPlace,
    /// Whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether reads of files are in the audit log.
    pub audit_reads: bool,
    /// Whether role sessions are named by the product's person for whom they are.
    pub attribution: bool,
    /// Whether a storage is refused that has files of another one.
    pub refuse_overlapping_storages: bool,
    pub database: DatabaseUrl,
    /// What is between the service and PostgreSQL.
    pub database_pooler: Pooler,
    /// Whether a start brings the schema up to date.
    pub schema_changes: SchemaChanges,
    pub data_dir: PathBuf,
    /// Where the service is reached: the address it listens on, unless the operator says otherwise.
    pub public_url: Url,
    /// Whether the operator says so.
    pub has_public_url: bool,
    /// `None`: made on the first start.
    pub operator_token: Option<SecretString>,
    /// Taken too. `None` without the one above.
    pub operator_token_previous: Option<SecretString>,
    /// What the CORS document allows and the check tries, and where people may be sent back to: the public URL's
    /// origin by default.
    pub allowed_origins: Vec<Origin>,
    /// The folders that the lifecycle rules empty.
    pub lifecycle_folders: LifecycleFolders,
    /// `None`: the account root of the service's own identity.
    pub service_principal: Option<ServicePrincipal>,
    pub built_in_bucket: Option<BucketName>,
    /// Where the template of quick-create links is put.
    pub template_bucket: Option<BucketName>,
    pub setup_ttl: Duration,
    pub master_key: MasterKeySource,
    /// Texts of further keys, which parse.
    pub master_key_previous: Vec<SecretString>,
    /// The text of the key that is shared with another service, which parses.
    pub transfer_key: Option<SecretString>,
    pub retention: Retention,
    pub sign_in_link_ttl: Duration,
    pub session_idle: Duration,
    pub session_max: Duration,
    pub instruction_link_ttl: Duration,
    /// Where people sign in besides by links. `None`: nowhere.
    pub oidc: Option<OidcSettings>,
    /// Whose tokens sign people in. `None`: nobody's.
    pub jwt: Option<JwtSettings>,
    /// Who may embed the pages.
    pub frame_ancestors: Vec<OriginPattern>,
    pub brand: BrandSettings,
    /// Networks that custom endpoints and webhooks may be in although they are not public.
    pub endpoint_networks: Vec<IpNet>,
    /// For each workspace.
    pub checks_per_minute: NonZeroU32,
    /// For each workspace.
    pub browser_tokens_per_minute: NonZeroU32,
    /// For each workspace.
    pub sign_in_links_per_minute: NonZeroU32,
    /// For each workspace, in each replica.
    pub requests_at_once: NonZeroU32,
    /// For each workspace, and for the operator.
    pub webhooks_per_hour: NonZeroU32,
    pub recheck_interval: Duration,
    /// What becomes of a storage whose role lets others in.
    pub quarantine: QuarantineMode,
    pub request_timeout: Duration,
    /// In bytes.
    pub memory_budget: u64,
    /// How fast a client must send or take a file, in bytes a second. 0: at any rate.
    pub least_transfer_rate: u64,
    /// From the signal to the end.
    pub shutdown_grace: Duration,
    /// How much of that the service goes on for, without being ready.
    pub drain: Duration,
    pub signed_url_max: Duration,
    pub log: LogSettings,
    /// Where what `sallyport dev` plays the customer with answers. No variable sets it: the routes that act for
    /// the customer exist in `sallyport dev` alone.
    pub dev_helper: Option<Url>,
}

/// Where the API's description is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocsPlace {
    Public,
    /// At the listener of its own for readiness and metrics.
    Management,
    Nowhere,
}

const DEFAULT_MEMORY_BUDGET: u64 = 256 << 20;
const DEFAULT_TRANSFER_RATE: u64 = 1 << 10;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Settings {
    /// Parses what is written, and reads the files of secrets. The files of the master key and of the logo are read
    /// at start.
    pub fn parse(options: Options) -> Result<Self, BadSettings> {
        let mut read = Reader::default();
        let oidc = signing_in::oidc(&mut read, &options);
        let jwt = signing_in::jwt(&mut read, &options);
        let mut options = files::with_files(options, &mut read);
        let data_dir = data_dir(&mut read, &mut options);
        let database = database(&mut read, &mut options, &data_dir);
        let log = log(&mut read, &mut options);
        let master_key = secrets::master_key(&mut read, &mut options, &database, &data_dir);
        let (operator_token, operator_token_previous) =
            secrets::operator_tokens(&mut read, &mut options);
        let brand = brand::brand(&mut read, &mut options);
        let listen = read
            .text(
                "SALLYPORT_LISTEN",
                options.listen,
                "127.0.0.1:8080",
                socket_address,
            )
            .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let management_listen = read.text(
            "SALLYPORT_MANAGEMENT_LISTEN",
            options.management_listen,
            "127.0.0.1:9090",
            socket_address,
        );
        if management_listen == Some(listen) && listen.port() != 0 {
            read.fault(
                "SALLYPORT_MANAGEMENT_LISTEN",
                "It is the same address as that of SALLYPORT_LISTEN.".into(),
                "127.0.0.1:9090",
            );
        }
        let docs = read
            .text("SALLYPORT_DOCS", options.docs, "public", |t| match t {
                "public" => Ok(DocsPlace::Public),
                "management" if management_listen.is_some() => Ok(DocsPlace::Management),
                "management" => Err("`management` needs SALLYPORT_MANAGEMENT_LISTEN.".to_owned()),
                "off" => Ok(DocsPlace::Nowhere),
                _ => Err(format!(
                    "`{}` is neither `public`, `management` nor `off`.",
                    shown(t)
                )),
            })
            .unwrap_or(DocsPlace::Public);
        let shutdown_grace = read.duration(
            "SALLYPORT_SHUTDOWN_GRACE",
            options.shutdown_grace,
            "25s",
            Duration::from_secs(25),
            Duration::from_secs(3_600),
        );
        let drain = read.text("SALLYPORT_DRAIN", options.drain, "5s", |t| {
            let drain = parse_duration(t)?;
            if drain < shutdown_grace {
                Ok(drain)
            } else {
                Err(format!(
                    "`{}` is not shorter than SALLYPORT_SHUTDOWN_GRACE, which includes it.",
                    shown(t)
                ))
            }
        });
        // A short grace leaves time for requests.
        let drain = drain.unwrap_or_else(|| Duration::from_secs(5).min(shutdown_grace / 4));
        let public_url = read.text(
            "SALLYPORT_PUBLIC_URL",
            options.public_url,
            "https://sallyport.example.com",
            public_url,
        );
        let has_public_url = public_url.is_some();
        let public_url = match public_url {
            Some(url) => url,
            None => Url::parse(&format!("http://{listen}"))
                .unwrap_or_else(|_| unreachable!("an address and a port make a URL")),
        };
        let settings = Self {
            oidc,
            jwt,
            listen,
            management_listen,
            docs,
            trusted_proxies: read
                .text(
                    "SALLYPORT_TRUSTED_PROXIES",
                    options.trusted_proxies,
                    "10.0.0.0/8,fd00::/8",
                    |t| list(t, network),
                )
                .unwrap_or_default(),
            audit_reads: read
                .text(
                    "SALLYPORT_AUDIT_READS",
                    options.audit_reads,
                    "on",
                    on_or_off,
                )
                .unwrap_or(false),
            attribution: read
                .text(
                    "SALLYPORT_ATTRIBUTION",
                    options.attribution,
                    "on",
                    on_or_off,
                )
                .unwrap_or(false),
            refuse_overlapping_storages: read
                .text(
                    "SALLYPORT_REFUSE_OVERLAPPING_STORAGES",
                    options.refuse_overlapping_storages,
                    "on",
                    on_or_off,
                )
                .unwrap_or(false),
            database,
            database_pooler: read
                .text(
                    "SALLYPORT_DATABASE_POOLER",
                    options.database_pooler,
                    "transaction",
                    Pooler::parse,
                )
                .unwrap_or_default(),
            schema_changes: read
                .text("SALLYPORT_MIGRATE", options.migrate, "off", on_or_off)
                .map_or(SchemaChanges::Made, |on| match on {
                    true => SchemaChanges::Made,
                    false => SchemaChanges::Refused,
                }),
            operator_token,
            operator_token_previous,
            allowed_origins: read
                .text(
                    "SALLYPORT_ALLOWED_ORIGINS",
                    options.allowed_origins,
                    "https://app.example.com,https://eu.example.com",
                    |t| list(t, |part| Origin::parse(part).map_err(|e| e.detail)),
                )
                .unwrap_or_else(|| vec![Origin::of(&public_url)]),
            lifecycle_folders: read
                .text(
                    "SALLYPORT_LIFECYCLE_FOLDERS",
                    options.lifecycle_folders,
                    ".sallyport/temp,.sallyport/export",
                    |t| LifecycleFolders::parse(t).map_err(|e| e.detail),
                )
                .unwrap_or_default(),
            public_url,
            has_public_url,
            service_principal: read.text(
                "SALLYPORT_SERVICE_PRINCIPAL",
                options.service_principal,
                "arn:aws:iam::123456789012:role/sallyport",
                |t| ServicePrincipal::parse(t).map_err(|e| e.detail),
            ),
            built_in_bucket: read.text(
                "SALLYPORT_BUILT_IN_BUCKET",
                options.built_in_bucket,
                "acme-product-files",
                |t| BucketName::parse(t).map_err(|e| e.detail),
            ),
            template_bucket: read.text(
                "SALLYPORT_TEMPLATE_BUCKET",
                options.template_bucket,
                "acme-cloudformation-templates",
                |t| BucketName::parse(t).map_err(|e| e.detail),
            ),
            setup_ttl: read.duration(
                "SALLYPORT_SETUP_TTL",
                options.setup_ttl,
                "7d",
                7 * DAY,
                365 * DAY,
            ),
            sign_in_link_ttl: read.duration(
                "SALLYPORT_SIGN_IN_LINK_TTL",
                options.sign_in_link_ttl,
                "10m",
                Duration::from_secs(600),
                DAY,
            ),
            session_idle: read.duration(
                "SALLYPORT_SESSION_IDLE",
                options.session_idle,
                "2h",
                Duration::from_secs(2 * 3_600),
                7 * DAY,
            ),
            session_max: read.duration(
                "SALLYPORT_SESSION_MAX",
                options.session_max,
                "12h",
                Duration::from_secs(12 * 3_600),
                30 * DAY,
            ),
            instruction_link_ttl: read.duration(
                "SALLYPORT_INSTRUCTION_LINK_TTL",
                options.instruction_link_ttl,
                "7d",
                7 * DAY,
                90 * DAY,
            ),
            frame_ancestors: read
                .text(
                    "SALLYPORT_FRAME_ANCESTORS",
                    options.frame_ancestors,
                    "https://app.example.com,https://*.acme.example",
                    |t| list(t, |part| OriginPattern::parse(part).map_err(|e| e.detail)),
                )
                .unwrap_or_default(),
            brand,
            master_key,
            master_key_previous: read
                .text(
                    "SALLYPORT_MASTER_KEY_PREVIOUS",
                    options.master_key_previous,
                    "the output of `openssl rand -base64 32`",
                    |t| list(t, secrets::master_key_text),
                )
                .unwrap_or_default(),
            transfer_key: read.text(
                "SALLYPORT_TRANSFER_KEY",
                options.transfer_key,
                "the output of `openssl rand -base64 32`",
                secrets::master_key_text,
            ),
            retention: Retention {
                checks: read
                    .text(
                        "SALLYPORT_RETENTION_CHECKS",
                        options.retention_checks,
                        "365d",
                        retention,
                    )
                    .unwrap_or(Some(90 * DAY)),
                audit: read
                    .text(
                        "SALLYPORT_RETENTION_AUDIT",
                        options.retention_audit,
                        "730d",
                        retention,
                    )
                    .unwrap_or(None),
                setups: read
                    .text(
                        "SALLYPORT_RETENTION_SETUPS",
                        options.retention_setups,
                        "30d",
                        retention,
                    )
                    .unwrap_or(Some(90 * DAY)),
            },
            endpoint_networks: read
                .text(
                    "SALLYPORT_ENDPOINT_NETWORKS",
                    options.endpoint_networks,
                    "10.20.0.0/16,fd00:20::/32",
                    |t| list(t, network),
                )
                .unwrap_or_default(),
            checks_per_minute: read.count(
                "SALLYPORT_CHECKS_PER_MINUTE",
                options.checks_per_minute,
                "60",
                const { NonZeroU32::new(60).unwrap() },
            ),
            browser_tokens_per_minute: read.count(
                "SALLYPORT_BROWSER_TOKENS_PER_MINUTE",
                options.browser_tokens_per_minute,
                "600",
                const { NonZeroU32::new(600).unwrap() },
            ),
            sign_in_links_per_minute: read.count(
                "SALLYPORT_SIGN_IN_LINKS_PER_MINUTE",
                options.sign_in_links_per_minute,
                "60",
                const { NonZeroU32::new(60).unwrap() },
            ),
            requests_at_once: read.count(
                "SALLYPORT_REQUESTS_AT_ONCE",
                options.requests_at_once,
                "200",
                in_progress::DEFAULT_MOST,
            ),
            webhooks_per_hour: read.count(
                "SALLYPORT_WEBHOOKS_PER_HOUR",
                options.webhooks_per_hour,
                "10",
                const { NonZeroU32::new(10).unwrap() },
            ),
            recheck_interval: read.duration(
                "SALLYPORT_RECHECK_INTERVAL",
                options.recheck_interval,
                "1h",
                Duration::from_secs(3_600),
                30 * DAY,
            ),
            quarantine: read
                .text(
                    "SALLYPORT_QUARANTINE",
                    options.quarantine,
                    "warn",
                    |t| match t {
                        "on" => Ok(QuarantineMode::On),
                        "warn" => Ok(QuarantineMode::Warn),
                        _ => Err(format!("`{}` is neither `on` nor `warn`.", shown(t))),
                    },
                )
                .unwrap_or(QuarantineMode::On),
            request_timeout: read.duration(
                "SALLYPORT_REQUEST_TIMEOUT",
                options.request_timeout,
                "30s",
                Duration::from_secs(30),
                Duration::from_secs(3_600),
            ),
            memory_budget: read
                .text(
                    "SALLYPORT_MEMORY_BUDGET",
                    options.memory_budget,
                    "1GiB",
                    memory_budget,
                )
                .unwrap_or(DEFAULT_MEMORY_BUDGET),
            least_transfer_rate: read
                .text(
                    "SALLYPORT_MIN_TRANSFER_RATE",
                    options.min_transfer_rate,
                    "16KiB",
                    transfer_rate,
                )
                .unwrap_or(DEFAULT_TRANSFER_RATE),
            shutdown_grace,
            drain,
            signed_url_max: read.duration(
                "SALLYPORT_SIGNED_URL_MAX",
                options.signed_url_max,
                "12h",
                Duration::from_secs(12 * 3_600),
                7 * DAY,
            ),
            data_dir,
            log,
            dev_helper: None,
        };
        if read.faults.is_empty() {
            Ok(settings)
        } else {
            Err(BadSettings(read.faults))
        }
    }
}

impl Settings {
    /// All settings as the log shows them, without secrets. `written` is what these were parsed from.
    pub fn in_force(&self, written: &Options) -> String {
        let parsed = [
            // Without its password.
            ("SALLYPORT_DATABASE_URL", self.database.to_string()),
            ("SALLYPORT_PUBLIC_URL", self.public_url.to_string()),
        ];
        in_force::in_force(written, &parsed)
    }
}

#[cfg(test)]
mod tests;
