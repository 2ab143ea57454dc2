//! Turns the driver's errors into the few that the use cases distinguish.

use crate::application::kept::store::StoreError;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => from_database(error.as_ref()),
            // A server that goes away in the middle of a handshake shows as one of the last two.
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(explained(error.to_string())),
            sqlx::Error::Migrate(error) => (*error).into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// What the texts begin with that say that the server did not prove who it is.
const UNTRUSTED: &str = "the PostgreSQL server is not trusted";

/// Adds what to do where TLS failed. The driver knows it by the text only.
fn explained(text: String) -> String {
    let no_tls = text.contains("server does not support TLS");
    let no_proof = text.contains("invalid peer certificate");
    if !no_tls && !no_proof {
        return text;
    }
    format!(
        "{UNTRUSTED}: {text}. A server on another host needs a certificate for its name, from a public authority or from one in the file that `sslrootcert` in SALLYPORT_DATABASE_URL names (Amazon RDS and Google Cloud SQL have authorities of their own)"
    )
}

/// Whether an error says so.
pub(super) fn is_untrusted(text: &str) -> bool {
    text.starts_with(UNTRUSTED)
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

fn from_database(error: &dyn DatabaseError) -> StoreError {
    let text = error.to_string();
    if matches!(
        error.kind(),
        ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation
    ) {
        return StoreError::Conflict(text);
    }
    let code = error.code().unwrap_or_default();
    let passing = if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        passing_in_postgres(&code)
    } else {
        passing_in_sqlite(&code)
    };
    if passing {
        StoreError::Unavailable(text)
    } else {
        StoreError::Failed(text)
    }
}

/// By SQLSTATE: connection exceptions (08), too many connections (53300), shut down or starting
/// (57P01 to 57P03), an idle session ended (57P05, 25P03), read-only after a failover (25006), a lock
/// that was not to be had (55P03), and transactions that the server broke off (40001, 40P01).
fn passing_in_postgres(code: &str) -> bool {
    code.starts_with("08")
        || matches!(
            code,
            "53300"
                | "57P01"
                | "57P02"
                | "57P03"
                | "57P05"
                | "25P03"
                | "25006"
                | "55P03"
                | "40001"
                | "40P01"
        )
}

/// By primary result code, the lowest byte: busy (5), locked (6), I/O error (10), disk full (13), file
/// cannot be opened (14).
fn passing_in_sqlite(code: &str) -> bool {
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14))
}

/// Whether SQLite did nothing because another process had the file.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        assert!(passing_in_postgres("08006") && passing_in_postgres("57P03"));
        assert!(!passing_in_postgres("42601") && !passing_in_postgres("28P01"));
        // SQLITE_BUSY and its extended form SQLITE_BUSY_SNAPSHOT; SQLITE_CORRUPT does not pass.
        assert!(passing_in_sqlite("5") && passing_in_sqlite("517"));
        assert!(!passing_in_sqlite("11") && !passing_in_sqlite(""));
    }

    #[test]
    fn a_lost_connection_is_unavailable() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(lost.into(), StoreError::Unavailable(_)));
        assert!(matches!(
            sqlx::Error::PoolTimedOut.into(),
            StoreError::Unavailable(_)
        ));
    }
}
