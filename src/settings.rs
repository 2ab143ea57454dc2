//! Settings: from the environment and flags, parsed once, at start.
//!
//! [`Options`] is what is written; [`Settings`] is what it means. An empty value counts as none, so that
//! a compose file may pass variables on that are not set. All faults are told at once.

use crate::application::vault::MasterKey;
use crate::database::DatabaseUrl;
use crate::domain::bucket_name::BucketName;
use crate::domain::origin::Origin;
use crate::domain::service_identity::ServicePrincipal;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The settings as written. Each is also an environment variable, named in `--help`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Address and port to listen on; port 0 takes a free one.
    /// Default: 127.0.0.1:8080. Example: 0.0.0.0:8080
    #[arg(long, env = "SALLYPORT_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,

    /// The database. SQLite serves one process, PostgreSQL any number.
    /// Default: the file sallyport.db in the data folder.
    /// Example: postgres://sallyport:PASSWORD@db.example.com:5432/sallyport
    #[arg(
        long,
        env = "SALLYPORT_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,

    /// The folder for what the service keeps itself: the SQLite database and the master key's file.
    /// Default: data. Example: /var/lib/sallyport
    #[arg(long, env = "SALLYPORT_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<String>,

    /// The address that browsers and customers reach the service at.
    /// Default: http:// and the address it listens on. Example: https://sallyport.example.com
    #[arg(long, env = "SALLYPORT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// The operator's token, of at least 32 characters. Prefer the variable: other users of a machine
    /// can see flags.
    /// Default: made and printed once, on the first start. Example: the output of `openssl rand -hex 32`
    #[arg(
        long,
        env = "SALLYPORT_OPERATOR_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub operator_token: Option<String>,

    /// The web origins that customers' buckets must let in by CORS, separated by commas.
    /// Default: the public URL's origin. Example: https://app.example.com,https://eu.example.com
    #[arg(long, env = "SALLYPORT_ALLOWED_ORIGINS", value_name = "ORIGINS")]
    pub allowed_origins: Option<String>,

    /// The ARN that customers' trust policies name.
    /// Default: the root of the account that the service's AWS credentials belong to.
    /// Example: arn:aws:iam::123456789012:role/sallyport
    #[arg(long, env = "SALLYPORT_SERVICE_PRINCIPAL", value_name = "ARN")]
    pub service_principal: Option<String>,

    /// The bucket of the built-in storage, used with the service's own AWS credentials.
    /// Default: none, and there is no built-in storage. Example: acme-product-files
    #[arg(long, env = "SALLYPORT_BUILT_IN_BUCKET", value_name = "BUCKET")]
    pub built_in_bucket: Option<String>,

    /// How long a setup stays open.
    /// Default: 7d. Example: 12h
    #[arg(long, env = "SALLYPORT_SETUP_TTL", value_name = "DURATION")]
    pub setup_ttl: Option<String>,

    /// The key that secrets in the database are encrypted with: 32 bytes in base64. Losing it loses
    /// them. Required with PostgreSQL, by this setting or the next.
    /// Default with SQLite: made on the first start, in the file master.key in the data folder.
    /// Example: the output of `openssl rand -base64 32`
    #[arg(
        long,
        env = "SALLYPORT_MASTER_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub master_key: Option<String>,

    /// A file with the master key, instead of the key itself.
    /// Default: none. Example: /run/secrets/sallyport-master-key
    #[arg(long, env = "SALLYPORT_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<String>,

    /// Networks that are not public and that custom S3 endpoints may be in, as CIDRs separated by
    /// commas.
    /// Default: none. Example: 10.20.0.0/16,fd00:20::/32
    #[arg(long, env = "SALLYPORT_ENDPOINT_NETWORKS", value_name = "NETWORKS")]
    pub endpoint_networks: Option<String>,

    /// How long a sign-in link to the pages works, unless it is used before.
    /// Default: 10m. Example: 5m
    #[arg(long, env = "SALLYPORT_SIGN_IN_LINK_TTL", value_name = "DURATION")]
    pub sign_in_link_ttl: Option<String>,

    /// After how long without use a session on the pages ends.
    /// Default: 2h. Example: 30m
    #[arg(long, env = "SALLYPORT_SESSION_IDLE", value_name = "DURATION")]
    pub session_idle: Option<String>,

    /// After how long a session on the pages ends whatever happens.
    /// Default: 12h. Example: 8h
    #[arg(long, env = "SALLYPORT_SESSION_MAX", value_name = "DURATION")]
    pub session_max: Option<String>,

    /// How long the link works that shows a customer's AWS administrator what to apply.
    /// Default: 7d. Example: 3d
    #[arg(long, env = "SALLYPORT_INSTRUCTION_LINK_TTL", value_name = "DURATION")]
    pub instruction_link_ttl: Option<String>,

    /// The web origins whose pages may embed these pages, separated by commas.
    /// Default: none. Example: https://app.example.com
    #[arg(long, env = "SALLYPORT_FRAME_ANCESTORS", value_name = "ORIGINS")]
    pub frame_ancestors: Option<String>,

    /// How many connection checks a workspace may start in a minute.
    /// Default: 60. Example: 10
    #[arg(long, env = "SALLYPORT_CHECKS_PER_MINUTE", value_name = "NUMBER")]
    pub checks_per_minute: Option<String>,

    /// How often each stored connection is checked again.
    /// Default: 1h. Example: 15m
    #[arg(long, env = "SALLYPORT_RECHECK_INTERVAL", value_name = "DURATION")]
    pub recheck_interval: Option<String>,

    /// How long a client may take to send a request's headers, and its body of JSON.
    /// Default: 30s. Example: 10s
    #[arg(long, env = "SALLYPORT_REQUEST_TIMEOUT", value_name = "DURATION")]
    pub request_timeout: Option<String>,

    /// How long requests may go on after the service was told to stop.
    /// Default: 30s. Example: 2m
    #[arg(long, env = "SALLYPORT_SHUTDOWN_GRACE", value_name = "DURATION")]
    pub shutdown_grace: Option<String>,

    /// The longest life of a signed URL; at most 7d, which is S3's own limit.
    /// Default: 12h. Example: 1h
    #[arg(long, env = "SALLYPORT_SIGNED_URL_MAX", value_name = "DURATION")]
    pub signed_url_max: Option<String>,

    /// What is logged: a level, or levels for parts. Logs of the AWS SDK below `warn` can hold secrets
    /// and are left out unless they are named.
    /// Default: info. Example: info,sallyport=debug
    #[arg(long, env = "SALLYPORT_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// The log's form: text or json.
    /// Default: text. Example: json
    #[arg(long, env = "SALLYPORT_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// The settings, parsed. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Settings {
    pub listen: SocketAddr,
    pub database: DatabaseUrl,
    pub data_dir: PathBuf,
    /// Where the service is reached: the address it listens on, unless the operator says otherwise.
    pub public_url: Url,
    /// `None`: made on the first start.
    pub operator_token: Option<SecretString>,
    /// What the CORS document allows and the check tries: the public URL's origin by default.
    pub allowed_origins: Vec<Origin>,
    /// `None`: the account root of the service's own identity.
    pub service_principal: Option<ServicePrincipal>,
    pub built_in_bucket: Option<BucketName>,
    pub setup_ttl: Duration,
    pub master_key: MasterKeySource,
    pub sign_in_link_ttl: Duration,
    pub session_idle: Duration,
    pub session_max: Duration,
    pub instruction_link_ttl: Duration,
    /// Who may embed the pages.
    pub frame_ancestors: Vec<Origin>,
    /// Networks that custom endpoints may be in although they are not public.
    pub endpoint_networks: Vec<IpNet>,
    /// For each workspace.
    pub checks_per_minute: NonZeroU32,
    pub recheck_interval: Duration,
    pub request_timeout: Duration,
    pub shutdown_grace: Duration,
    pub signed_url_max: Duration,
    pub log: LogSettings,
}

/// Where the master key is.
#[derive(Debug, Clone)]
pub enum MasterKeySource {
    /// Its text, which parses.
    Given(SecretString),
    File(PathBuf),
    /// In this file, which is made when it is absent.
    Made(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// A setting that cannot be used: its name, what is wrong, and one that could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    pub name: &'static str,
    pub why: String,
    pub example: &'static str,
}

/// Every setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadSettings(pub Vec<BadSetting>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, bad) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let flag = bad.name.trim_start_matches("SALLYPORT_").to_lowercase();
            write!(
                f,
                "{} (--{}): {} Example: {}",
                bad.name,
                flag.replace('_', "-"),
                bad.why,
                bad.example
            )?;
        }
        Ok(())
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Settings {
    /// Parses what is written. Reads no file.
    pub fn parse(options: Options) -> Result<Self, BadSettings> {
        let mut read = Reader::default();
        let data_dir = read
            .text(
                "SALLYPORT_DATA_DIR",
                options.data_dir,
                "/var/lib/sallyport",
                path,
            )
            .unwrap_or_else(|| PathBuf::from("data"));
        let database = read
            .text(
                "SALLYPORT_DATABASE_URL",
                options.database_url,
                "postgres://sallyport:PASSWORD@db.example.com:5432/sallyport",
                |t| DatabaseUrl::parse(t).map_err(|e| e.detail),
            )
            .unwrap_or_else(|| DatabaseUrl::sqlite_file(&data_dir.join("sallyport.db")));
        let given = read.text(
            "SALLYPORT_MASTER_KEY",
            options.master_key,
            "the output of `openssl rand -base64 32`",
            |t| {
                MasterKey::parse(t)
                    .map(|_| SecretString::from(t))
                    .map_err(|e| format!("{e}."))
            },
        );
        let file = read.text(
            "SALLYPORT_MASTER_KEY_FILE",
            options.master_key_file,
            "/run/secrets/sallyport-master-key",
            path,
        );
        let master_key = match (given, file, &database) {
            (Some(_), Some(file), _) => {
                read.fault(
                    "SALLYPORT_MASTER_KEY",
                    "The master key is given twice: here and by SALLYPORT_MASTER_KEY_FILE.".into(),
                    "one of the two only",
                );
                MasterKeySource::File(file)
            }
            (Some(key), None, _) => MasterKeySource::Given(key),
            (None, Some(file), _) => MasterKeySource::File(file),
            (None, None, DatabaseUrl::Sqlite(_)) => {
                MasterKeySource::Made(data_dir.join("master.key"))
            }
            (None, None, DatabaseUrl::Postgres(_)) => {
                // A value that was refused has been told already.
                if !read.has_fault("SALLYPORT_MASTER_KEY") {
                    read.fault(
                        "SALLYPORT_MASTER_KEY",
                        "With PostgreSQL the master key must be given, because every replica needs the same one.".into(),
                        "the output of `openssl rand -base64 32`",
                    );
                }
                MasterKeySource::Made(data_dir.join("master.key"))
            }
        };
        let log = LogSettings {
            filter: read
                .text("SALLYPORT_LOG", options.log, "info,sallyport=debug", |t| {
                    crate::logging::check_filter(t).map(|()| t.to_owned())
                })
                .unwrap_or_else(|| "info".to_owned()),
            format: read
                .text(
                    "SALLYPORT_LOG_FORMAT",
                    options.log_format,
                    "json",
                    |t| match t {
                        "text" => Ok(LogFormat::Text),
                        "json" => Ok(LogFormat::Json),
                        _ => Err(format!("`{}` is neither `text` nor `json`.", shown(t))),
                    },
                )
                .unwrap_or(LogFormat::Text),
        };
        let listen = read
            .text("SALLYPORT_LISTEN", options.listen, "127.0.0.1:8080", |t| {
                t.parse()
                    .map_err(|_| format!("`{}` is not an IP address and a port.", shown(t)))
            })
            .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = read.text(
            "SALLYPORT_PUBLIC_URL",
            options.public_url,
            "https://sallyport.example.com",
            public_url,
        );
        let public_url = match public_url {
            Some(url) => url,
            None => Url::parse(&format!("http://{listen}"))
                .unwrap_or_else(|_| unreachable!("an address and a port make a URL")),
        };
        let settings = Self {
            listen,
            database,
            operator_token: read.text(
                "SALLYPORT_OPERATOR_TOKEN",
                options.operator_token,
                "the output of `openssl rand -hex 32`",
                operator_token,
            ),
            allowed_origins: read
                .text(
                    "SALLYPORT_ALLOWED_ORIGINS",
                    options.allowed_origins,
                    "https://app.example.com,https://eu.example.com",
                    |t| list(t, |part| Origin::parse(part).map_err(|e| e.detail)),
                )
                .unwrap_or_else(|| vec![Origin::of(&public_url)]),
            public_url,
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
                    "https://app.example.com",
                    |t| list(t, |part| Origin::parse(part).map_err(|e| e.detail)),
                )
                .unwrap_or_default(),
            master_key,
            endpoint_networks: read
                .text(
                    "SALLYPORT_ENDPOINT_NETWORKS",
                    options.endpoint_networks,
                    "10.20.0.0/16,fd00:20::/32",
                    |t| list(t, network),
                )
                .unwrap_or_default(),
            checks_per_minute: read
                .text(
                    "SALLYPORT_CHECKS_PER_MINUTE",
                    options.checks_per_minute,
                    "60",
                    |t| {
                        t.parse().map_err(|_| {
                            format!("`{}` is not a whole number above zero.", shown(t))
                        })
                    },
                )
                .unwrap_or(const { NonZeroU32::new(60).unwrap() }),
            recheck_interval: read.duration(
                "SALLYPORT_RECHECK_INTERVAL",
                options.recheck_interval,
                "1h",
                Duration::from_secs(3_600),
                30 * DAY,
            ),
            request_timeout: read.duration(
                "SALLYPORT_REQUEST_TIMEOUT",
                options.request_timeout,
                "30s",
                Duration::from_secs(30),
                Duration::from_secs(3_600),
            ),
            shutdown_grace: read.duration(
                "SALLYPORT_SHUTDOWN_GRACE",
                options.shutdown_grace,
                "30s",
                Duration::from_secs(30),
                Duration::from_secs(3_600),
            ),
            signed_url_max: read.duration(
                "SALLYPORT_SIGNED_URL_MAX",
                options.signed_url_max,
                "12h",
                Duration::from_secs(12 * 3_600),
                7 * DAY,
            ),
            data_dir,
            log,
        };
        if read.faults.is_empty() {
            Ok(settings)
        } else {
            Err(BadSettings(read.faults))
        }
    }
}

/// Reads settings and collects what is wrong with them.
#[derive(Default)]
struct Reader {
    faults: Vec<BadSetting>,
}

impl Reader {
    fn fault(&mut self, name: &'static str, why: String, example: &'static str) {
        self.faults.push(BadSetting { name, why, example });
    }

    fn has_fault(&self, name: &str) -> bool {
        self.faults.iter().any(|fault| fault.name == name)
    }

    /// `None` when it is not set, or cannot be used, which is noted.
    fn text<T>(
        &mut self,
        name: &'static str,
        value: Option<String>,
        example: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = value.filter(|text| !text.trim().is_empty())?;
        match parse(value.trim()) {
            Ok(parsed) => Some(parsed),
            Err(why) => {
                self.fault(name, why, example);
                None
            }
        }
    }

    /// From one second to `longest`.
    fn duration(
        &mut self,
        name: &'static str,
        value: Option<String>,
        example: &'static str,
        default: Duration,
        longest: Duration,
    ) -> Duration {
        self.text(name, value, example, |text| {
            let duration = parse_duration(text)?;
            if (Duration::from_secs(1)..=longest).contains(&duration) {
                Ok(duration)
            } else {
                Err(format!(
                    "`{}` is out of range: from 1s to {}s.",
                    shown(text),
                    longest.as_secs()
                ))
            }
        })
        .unwrap_or(default)
    }
}

/// Durations like `30s`, `15m`, `12h`, `7d` or `1h30m`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = || {
        format!(
            "`{}` is not a duration: a number and `s`, `m`, `h` or `d`.",
            shown(text)
        )
    };
    let mut total = Duration::ZERO;
    let mut rest = text;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| refuse())?;
        let (seconds, after) = match rest.as_bytes().get(digits) {
            Some(b's') => (1, digits + 1),
            Some(b'm') => (60, digits + 1),
            Some(b'h') => (3_600, digits + 1),
            Some(b'd') => (24 * 3_600, digits + 1),
            _ => return Err(refuse()),
        };
        total = number
            .checked_mul(seconds)
            .and_then(|seconds| total.checked_add(Duration::from_secs(seconds)))
            .ok_or_else(refuse)?;
        rest = &rest[after..];
        if rest.is_empty() {
            return Ok(total);
        }
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err("A path has no NUL character.".into());
    }
    Ok(PathBuf::from(text))
}

fn public_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none())
        .filter(|url| url.username().is_empty() && url.password().is_none() && url.path() == "/")
        .ok_or_else(|| {
            format!(
                "`{}` is not a web address without path, query and user.",
                shown(text)
            )
        })
}

/// The shortest operator token, in characters.
const OPERATOR_TOKEN_MIN: usize = 32;

fn operator_token(text: &str) -> Result<SecretString, String> {
    let length = text.chars().count();
    if length < OPERATOR_TOKEN_MIN {
        return Err(format!(
            "The operator's token has at least {OPERATOR_TOKEN_MIN} characters; this one has {length}."
        ));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("The operator's token has visible ASCII characters only.".into());
    }
    Ok(SecretString::from(text))
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .map(|network| network.trunc())
        .map_err(|_| format!("`{}` is not a network in CIDR form.", shown(text)))
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(parse)
        .collect()
}

fn shown(text: &str) -> String {
    crate::domain::invalid::shown(text)
}

impl MasterKeySource {
    /// The key's text, where it was given.
    pub fn given(&self) -> Option<&str> {
        match self {
            Self::Given(key) => Some(key.expose_secret()),
            Self::File(_) | Self::Made(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Options)) -> Vec<BadSetting> {
        let mut options = Options::default();
        change(&mut options);
        Settings::parse(options).unwrap_err().0
    }

    #[test]
    fn defaults() {
        let settings = Settings::parse(Options::default()).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.database.to_string(), "sqlite://data/sallyport.db");
        assert_eq!(settings.setup_ttl, 7 * DAY);
        assert_eq!(settings.checks_per_minute.get(), 60);
        assert!(matches!(
            settings.master_key,
            MasterKeySource::Made(path) if path == std::path::Path::new("data/master.key")
        ));
        // An empty value is none.
        let options = Options {
            listen: Some(String::new()),
            master_key: Some(" ".into()),
            ..Options::default()
        };
        assert!(Settings::parse(options).is_ok());
    }

    #[test]
    fn a_wrong_value_is_told_with_its_name_and_an_example() {
        let set = |value: &str| Some(value.to_owned());
        let cases: Vec<(&str, Vec<BadSetting>)> = vec![
            ("SALLYPORT_LISTEN", refused(|o| o.listen = set("here"))),
            (
                "SALLYPORT_DATABASE_URL",
                refused(|o| o.database_url = set("mysql://x")),
            ),
            (
                "SALLYPORT_PUBLIC_URL",
                refused(|o| o.public_url = set("ftp://x")),
            ),
            (
                "SALLYPORT_PUBLIC_URL",
                refused(|o| o.public_url = set("https://x/path")),
            ),
            (
                "SALLYPORT_OPERATOR_TOKEN",
                refused(|o| o.operator_token = set("short")),
            ),
            (
                "SALLYPORT_ALLOWED_ORIGINS",
                refused(|o| o.allowed_origins = set("https://a,*")),
            ),
            (
                "SALLYPORT_SERVICE_PRINCIPAL",
                refused(|o| o.service_principal = set("*")),
            ),
            (
                "SALLYPORT_BUILT_IN_BUCKET",
                refused(|o| o.built_in_bucket = set("A")),
            ),
            ("SALLYPORT_SETUP_TTL", refused(|o| o.setup_ttl = set("7"))),
            ("SALLYPORT_SETUP_TTL", refused(|o| o.setup_ttl = set("0s"))),
            (
                "SALLYPORT_MASTER_KEY",
                refused(|o| o.master_key = set("short")),
            ),
            (
                "SALLYPORT_ENDPOINT_NETWORKS",
                refused(|o| o.endpoint_networks = set("10.0.0.0/99")),
            ),
            (
                "SALLYPORT_CHECKS_PER_MINUTE",
                refused(|o| o.checks_per_minute = set("0")),
            ),
            (
                "SALLYPORT_RECHECK_INTERVAL",
                refused(|o| o.recheck_interval = set("often")),
            ),
            (
                "SALLYPORT_REQUEST_TIMEOUT",
                refused(|o| o.request_timeout = set("-1s")),
            ),
            (
                "SALLYPORT_SHUTDOWN_GRACE",
                refused(|o| o.shutdown_grace = set("99999999999999999999d")),
            ),
            (
                "SALLYPORT_SIGNED_URL_MAX",
                refused(|o| o.signed_url_max = set("8d")),
            ),
            ("SALLYPORT_LOG", refused(|o| o.log = set("sallyport=loud"))),
            (
                "SALLYPORT_LOG_FORMAT",
                refused(|o| o.log_format = set("xml")),
            ),
        ];
        for (name, faults) in cases {
            assert_eq!(faults.len(), 1, "{name}");
            assert_eq!(faults[0].name, name);
            assert!(!faults[0].example.is_empty());
        }
        let both = refused(|o| {
            o.listen = set("x");
            o.log_format = set("y");
        });
        let text = BadSettings(both).to_string();
        assert!(text.contains("SALLYPORT_LISTEN (--listen): `x`"), "{text}");
        assert!(
            text.contains("SALLYPORT_LOG_FORMAT (--log-format): `y`"),
            "{text}"
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = "0123456789abcdef0123456789abcdef";
        let options = Options {
            operator_token: Some(secret.into()),
            database_url: Some("postgres://me:hunter2@localhost/x".into()),
            master_key: Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
            ..Options::default()
        };
        let shown = format!("{:?}", Settings::parse(options).unwrap());
        for secret in [secret, "hunter2", "AAAA"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        for fault in [
            refused(|o| o.operator_token = Some("hunter2".into())),
            refused(|o| o.master_key = Some("hunter2".into())),
            refused(|o| o.database_url = Some("postgres://me:hunter2@".into())),
        ] {
            assert!(!BadSettings(fault).to_string().contains("hunter2"));
        }
    }

    #[test]
    fn postgresql_needs_a_master_key() {
        let faults = refused(|o| o.database_url = Some("postgres://me@localhost/x".into()));
        assert_eq!(faults[0].name, "SALLYPORT_MASTER_KEY");
        assert!(faults[0].why.contains("PostgreSQL"));
    }

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("45s", 45),
            ("30m", 1_800),
            ("12h", 43_200),
            ("1h30m", 5_400),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "5", "h", "1w", "1h ", "1.5h", "é"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }
}
