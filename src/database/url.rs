//! Where the database is.

use crate::domain::Invalid;
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Neither `Display` nor `Debug` shows
/// the password.
#[derive(Clone)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseUrl {
    /// The path of a SQLite URL is taken as it is written: `sqlite://data/x.db` is relative to the
    /// current folder, `sqlite:///data/x.db` absolute, and nothing in it is decoded.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
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
            let named = url::Url::parse(value).is_ok_and(|url| url.path().len() > 1);
            return match PgConnectOptions::from_str(value) {
                Ok(options) if named => Ok(Self::Postgres(Box::new(options))),
                Ok(_) => refuse("The PostgreSQL URL names no database.".into()),
                Err(error) => refuse(format!("The PostgreSQL URL cannot be read: {error}.")),
            };
        }
        refuse("The database URL begins with neither `sqlite://` nor `postgres://`.".into())
    }

    /// The SQLite database in this file.
    pub fn sqlite_file(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
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
        let sqlite = DatabaseUrl::parse("sqlite://data/a b%20.db").unwrap();
        assert!(matches!(&sqlite, DatabaseUrl::Sqlite(p) if p == Path::new("data/a b%20.db")));
        let postgres = DatabaseUrl::parse("postgres://me:hush@db.example:6543/port").unwrap();
        assert_eq!(postgres.to_string(), "postgres://db.example:6543/port");
        assert!(!format!("{postgres:?}").contains("hush"));
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
            let refused = DatabaseUrl::parse(text).unwrap_err();
            assert!(!refused.detail.contains("me:hush"), "{text:?}");
        }
    }
}
