//! Where the database is.

use crate::domain::Invalid;
use crate::domain::policy_document::escape;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Neither `Display` nor `Debug` shows
/// the password.
#[derive(Clone)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// How the connection to a PostgreSQL server on another host may be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseTls {
    /// Encrypted, to a server whose certificate proves its name.
    Verified,
    /// As the URL's `sslmode` says, which may be less.
    Unverified,
}

impl DatabaseTls {
    pub fn parse(value: &str) -> Result<Self, String> {
        match value {
            "verified" => Ok(Self::Verified),
            "unverified" => Ok(Self::Unverified),
            _ => Err("It is neither `verified` nor `unverified`.".to_owned()),
        }
    }
}

impl DatabaseUrl {
    /// The path of a SQLite URL is taken as it is written: `sqlite://data/x.db` is relative to the
    /// current folder, `sqlite:///data/x.db` absolute, and nothing in it is decoded.
    ///
    /// A PostgreSQL server on another host is asked to prove its name (`sslmode=verify-full`). The URL may
    /// name a weaker mode where `tls` permits it.
    pub fn parse(value: &str, tls: DatabaseTls) -> Result<Self, Invalid> {
        let refuse = |detail: String| {
            Err(Invalid::new(
                "invalid_database_url",
                format!(
                    "{detail} Use `sqlite:///var/lib/sallyport/sallyport.db` or `postgres://user:password@host:5432/sallyport`."
                ),
            ))
        };
        if let Some(path) = value.strip_prefix("sqlite://") {
            if path.is_empty() || path.ends_with('/') || path.contains(['?', '\0']) {
                return refuse("A SQLite URL names a file, and has no parameters.".into());
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if value.starts_with("postgres://") || value.starts_with("postgresql://") {
            // The URL is not repeated in errors, because it may hold a password.
            let url = match url::Url::parse(value) {
                Ok(url) => url,
                // The parser's words are fixed texts.
                Err(error) => {
                    return refuse(format!("The PostgreSQL URL cannot be read: {error}."));
                }
            };
            let named = url.path().len() > 1;
            let names_mode = names_ssl_mode(&url);
            return match PgConnectOptions::from_str(value) {
                Ok(options) if named => protected(options, names_mode, tls)
                    .map(|options| Self::Postgres(Box::new(options))),
                Ok(_) => refuse("The PostgreSQL URL names no database.".into()),
                // The driver repeats the value that it does not know, and that can be a part of a
                // password with an unescaped `?`.
                Err(_) => refuse(
                    "The PostgreSQL URL has a part or parameter that is not known; `sslmode` is `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`. A `?`, `@`, `:` or `/` in the password is written in percent-encoding."
                        .into(),
                ),
            };
        }
        refuse("The database URL begins with neither `sqlite://` nor `postgres://`.".into())
    }

    /// Where a PostgreSQL database is, as its own programs take it, quoted for a shell and without the password. Of
    /// SQLite the URL.
    pub fn for_programs(&self) -> String {
        let Self::Postgres(options) = self else {
            return escape::for_shell(&self.to_string());
        };
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let parts = [
            ("host", host),
            ("port", options.get_port().to_string()),
            ("user", options.get_username().to_owned()),
            (
                "dbname",
                options.get_database().unwrap_or_default().to_owned(),
            ),
            ("sslmode", mode_word(options.get_ssl_mode()).to_owned()),
        ];
        let words = parts.map(|(name, value)| format!("{name}={}", libpq_value(&value)));
        escape::for_shell(&words.join(" "))
    }

    /// The SQLite database in this file.
    pub fn sqlite_file(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }
}

fn names_ssl_mode(url: &url::Url) -> bool {
    let is_mode = |key: Cow<'_, str>| matches!(key.as_ref(), "sslmode" | "ssl-mode");
    url.query_pairs().any(|(key, _)| is_mode(key))
}

fn mode_word(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::VerifyFull => "verify-full",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::Require => "require",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Allow => "allow",
        PgSslMode::Disable => "disable",
    }
}

/// A value of a connection string (PostgreSQL, "Connection Strings"): quoted where it must be.
fn libpq_value(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    match !value.is_empty() && value.chars().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'")),
    }
}

/// Whether the server is on this machine, so that nothing crosses a network.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// The options with a mode that is strong enough.
fn protected(
    options: PgConnectOptions,
    names_mode: bool,
    tls: DatabaseTls,
) -> Result<PgConnectOptions, Invalid> {
    if is_local(&options) {
        return Ok(options);
    }
    if !names_mode {
        return Ok(options.ssl_mode(PgSslMode::VerifyFull));
    }
    let mode = match options.get_ssl_mode() {
        PgSslMode::VerifyFull => return Ok(options),
        weaker => mode_word(weaker),
    };
    match tls {
        DatabaseTls::Unverified => Ok(options),
        DatabaseTls::Verified => Err(Invalid::new(
            "unverified_database",
            format!(
                "`sslmode={mode}` does not prove that the server is the right one, and it is not on this machine. Remove it, and name the file with the server's certificate authority by `sslrootcert`. To connect like this all the same, set SALLYPORT_DATABASE_TLS to `unverified`."
            ),
        )),
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(options) => write!(
                f,
                "postgres://{}:{}/{}",
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines() {
        let parse = |text| DatabaseUrl::parse(text, DatabaseTls::Verified);
        let sqlite = parse("sqlite://data/a b%20.db").unwrap();
        assert!(matches!(&sqlite, DatabaseUrl::Sqlite(p) if p == Path::new("data/a b%20.db")));
        let postgres = parse("postgres://me:hush@db.example:6543/port").unwrap();
        assert_eq!(postgres.to_string(), "postgres://db.example:6543/port");
        assert!(!format!("{postgres:?}").contains("hush"));
    }

    #[test]
    fn other_programs_get_everything_but_the_password() {
        let parse = |text| DatabaseUrl::parse(text, DatabaseTls::Verified).unwrap();
        let far = parse("postgres://me:hush@db.example:6543/port");
        assert_eq!(
            far.for_programs(),
            "'host=db.example port=6543 user=me dbname=port sslmode=verify-full'"
        );
        let odd = parse("postgres://it%27s%20me:hush@localhost/x?sslmode=disable");
        let text = odd.for_programs();
        assert!(text.contains(r"user=") && !text.contains("hush"), "{text}");
        assert_eq!(libpq_value(r"it's \me"), r"'it\'s \\me'");
    }

    #[test]
    fn anything_else_is_refused_and_no_password_repeated() {
        for text in [
            "",
            "sqlite://",
            "sqlite:///data/",
            "sqlite::memory:",
            "sqlite://x.db?mode=ro",
            "mysql://me:hush@host/x",
            "postgres://",
            "postgres://me:hush@host",
            "postgres://me:hush@host:99999/x",
            "postgres://me:hush@host/x?sslmode=hushhush",
            "/var/lib/sallyport.db",
        ] {
            let refused = DatabaseUrl::parse(text, DatabaseTls::Unverified).unwrap_err();
            assert!(!refused.detail.contains("me:hush"), "{text:?}");
            assert!(!refused.detail.contains("hushhush"), "{text:?}");
        }
    }

    fn mode(text: &str, tls: DatabaseTls) -> Result<String, String> {
        match DatabaseUrl::parse(text, tls) {
            Ok(DatabaseUrl::Postgres(options)) => Ok(format!("{:?}", options.get_ssl_mode())),
            Ok(DatabaseUrl::Sqlite(_)) => panic!("{text}"),
            Err(invalid) => Err(invalid.code.to_owned()),
        }
    }

    #[test]
    fn another_host_proves_its_name_unless_two_settings_say_otherwise() {
        use DatabaseTls::{Unverified, Verified};
        let far = "postgres://me@db.example/x";
        for tls in [Verified, Unverified] {
            assert_eq!(mode(far, tls).as_deref(), Ok("VerifyFull"));
            let full = format!("{far}?sslmode=verify-full&sslrootcert=/ca.pem");
            assert_eq!(mode(&full, tls).as_deref(), Ok("VerifyFull"));
        }
        for (written, meant) in [
            ("disable", "Disable"),
            ("allow", "Allow"),
            ("prefer", "Prefer"),
            ("require", "Require"),
            ("verify-ca", "VerifyCa"),
        ] {
            let weaker = format!("{far}?sslmode={written}");
            let refused = mode(&weaker, Verified);
            assert_eq!(refused, Err("unverified_database".to_owned()), "{written}");
            assert_eq!(mode(&weaker, Unverified).as_deref(), Ok(meant));
        }
        // The host that the driver uses counts, not the one that the URL begins with.
        for hidden in ["host=db.example", "hostaddr=10.0.0.1"] {
            let url = format!("postgres://me@localhost/x?sslmode=disable&{hidden}");
            assert!(mode(&url, Verified).is_err(), "{hidden}");
        }
    }

    #[test]
    fn a_server_on_this_machine_needs_no_certificate() {
        for local in [
            "postgres://me@localhost/x?sslmode=disable",
            "postgres://me@127.0.0.1/x?sslmode=disable",
            "postgres://me@[::1]/x?sslmode=disable",
            "postgres://me@%2Frun%2Fpostgresql/x?sslmode=disable",
            "postgres://me@db.example/x?sslmode=disable&host=/run/postgresql",
        ] {
            assert_eq!(
                mode(local, DatabaseTls::Verified).as_deref(),
                Ok("Disable"),
                "{local}"
            );
        }
    }
}
