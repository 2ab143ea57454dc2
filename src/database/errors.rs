//! Turns the driver's errors into the few that the use cases distinguish.
//!
//! A statement that fails leaves nothing, so its errors are definite. The one exception is what ends a
//! change: a commit, or a statement that commits by itself. When its answer is lost, it may have arrived.

use crate::application::kept::store::StoreError;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Of a statement that is not committed yet, or that only reads: nothing was changed.
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
/// The same for a pooler that lets in nobody who sets something for a session.
const NOT_LET_IN: &str = "the pooler does not let the service in";

/// Adds what to do where TLS failed, or where a pooler refuses connections. They are known by their text only.
fn explained(text: String) -> String {
    // PgBouncer's words.
    if text.contains("unsupported startup parameter") {
        return format!(
            "{NOT_LET_IN}: {text}. For a pooler in transaction mode set SALLYPORT_DATABASE_POOLER; for PgBouncer in session mode set `ignore_startup_parameters = extra_float_digits,options` in its configuration"
        );
    }
    let no_tls = text.contains("server does not support TLS");
    let no_proof = text.contains("invalid peer certificate");
    if !no_tls && !no_proof {
        return text;
    }
    format!(
        "{UNTRUSTED}: {text}. A server on another host needs a certificate for its name, from a public authority or from one in the file that `sslrootcert` in SALLYPORT_DATABASE_URL names (Amazon RDS and Google Cloud SQL have authorities of their own)"
    )
}

/// Whether an error says one of these: no wait helps.
pub(super) fn is_lasting(text: &str) -> bool {
    text.starts_with(UNTRUSTED) || text.starts_with(NOT_LET_IN)
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Whether the error says that the connection has ended. What the server says last on a connection, as when it shuts
/// down, is of a severity of its own.
pub(super) fn hung_up(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            error
                .try_downcast_ref::<PgDatabaseError>()
                .is_some_and(|error| match error.severity() {
                    PgSeverity::Fatal | PgSeverity::Panic => true,
                    PgSeverity::Error
                    | PgSeverity::Warning
                    | PgSeverity::Notice
                    | PgSeverity::Debug
                    | PgSeverity::Info
                    | PgSeverity::Log => false,
                })
        }
        // Of values and rows, on this side.
        _ => false,
    }
}

/// Whether a server that gave no connection may give one in a moment: it is starting, or has too many.
pub(super) fn may_pass_soon(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            error.try_downcast_ref::<PgDatabaseError>().is_some()
                && matches!(&*code, "53300" | "57P03")
        }
        _ => false,
    }
}

/// Whether PostgreSQL answered that it has no room for another connection. Those that it has go on.
pub(super) fn has_no_room(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.try_downcast_ref::<PgDatabaseError>().is_some()
                && error.code().is_some_and(|code| code == "53300")
        }
        _ => false,
    }
}

/// Of what ends a change: it is not known whether it was stored where the answer was lost, or where the
/// engine failed in the middle.
pub(super) fn of_ending(error: sqlx::Error) -> StoreError {
    let unknown = match &error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match error.try_downcast_ref::<PgDatabaseError>() {
                Some(_) => broken_off_in_postgres(&code),
                None => broken_off_in_sqlite(&code),
            }
        }
        // Made before anything is sent, or by the engine's refusal.
        _ => false,
    };
    match unknown {
        true => StoreError::OutcomeUnknown(error.to_string()),
        false => error.into(),
    }
}

/// By SQLSTATE: connection exceptions (08), completion unknown (40003), shut down or crashed (57P01 to
/// 57P03), system and internal errors (58, XX).
fn broken_off_in_postgres(code: &str) -> bool {
    ["08", "58", "XX"]
        .iter()
        .any(|class| code.starts_with(class))
        || matches!(code, "40003" | "57P01" | "57P02" | "57P03")
}

/// By primary result code: I/O error (10), of which SQLite does not say how far it came.
fn broken_off_in_sqlite(code: &str) -> bool {
    primary(code) == Some(10)
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
    let is_postgres = error.try_downcast_ref::<PgDatabaseError>().is_some();
    of_code(is_postgres, &code, text)
}

fn of_code(is_postgres: bool, code: &str, text: String) -> StoreError {
    // Disk full; read-only, as after a failover.
    let (full, read_only, passing) = match is_postgres {
        true => (code == "53100", code == "25006", passing_in_postgres(code)),
        false => (
            primary(code) == Some(13),
            primary(code) == Some(8),
            passing_in_sqlite(code),
        ),
    };
    if full {
        StoreError::Full(text)
    } else if read_only {
        StoreError::ReadOnly(text)
    } else if passing {
        StoreError::Unavailable(explained(text))
    } else {
        StoreError::Failed(text)
    }
}

/// By SQLSTATE: connection exceptions (08), out of memory (53200), too many connections (53300), a statement
/// that took too long (57014), shut down or starting (57P01 to 57P03), an idle session ended (57P05, 25P03),
/// a lock that was not to be had (55P03), and transactions that the server broke off (40001, 40P01).
fn passing_in_postgres(code: &str) -> bool {
    code.starts_with("08")
        || matches!(
            code,
            "53200"
                | "53300"
                | "57014"
                | "57P01"
                | "57P02"
                | "57P03"
                | "57P05"
                | "25P03"
                | "55P03"
                | "40001"
                | "40P01"
        )
}

/// By primary result code: busy (5), locked (6), I/O error (10), file cannot be opened (14).
fn passing_in_sqlite(code: &str) -> bool {
    matches!(primary(code), Some(5 | 6 | 10 | 14))
}

/// SQLite's primary result code: the lowest byte.
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

/// Whether SQLite did nothing because another process had the file.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| primary(&code) == Some(5))
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
    fn a_full_or_read_only_database_has_words_of_its_own() {
        let of = |is_postgres, code| of_code(is_postgres, code, String::new());
        let full = StoreError::Full(String::new());
        assert_eq!((of(true, "53100"), of(false, "13")), (full.clone(), full));
        let read_only = StoreError::ReadOnly(String::new());
        // SQLITE_READONLY_DBMOVED is an extended form.
        for found in [of(true, "25006"), of(false, "8"), of(false, "1032")] {
            assert_eq!(found, read_only);
        }
        assert!(matches!(of(true, "57014"), StoreError::Unavailable(_)));
    }

    #[test]
    fn a_pooler_that_lets_nobody_in_is_told_from_a_lost_connection() {
        let why = |text: &str| match of_code(true, "08P01", text.to_owned()) {
            StoreError::Unavailable(why) => why,
            other => panic!("{other:?}"),
        };
        let not_let_in = why("unsupported startup parameter: extra_float_digits");
        assert!(is_lasting(&not_let_in), "{not_let_in}");
        for part in ["extra_float_digits", "SALLYPORT_DATABASE_POOLER"] {
            assert!(not_let_in.contains(part), "{not_let_in}");
        }
        assert!(!is_lasting(&why("the connection was closed")));
    }

    #[test]
    fn the_outcome_is_unknown_only_where_a_change_ends() {
        let lost = || sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(lost().into(), StoreError::Unavailable(_)));
        assert!(matches!(of_ending(lost()), StoreError::OutcomeUnknown(_)));
        let never_sent = of_ending(sqlx::Error::PoolTimedOut);
        assert!(matches!(never_sent, StoreError::Unavailable(_)));
        assert!(broken_off_in_postgres("57P01") && broken_off_in_postgres("XX000"));
        assert!(!broken_off_in_postgres("23505") && !broken_off_in_postgres("40001"));
        assert!(broken_off_in_sqlite("778") && !broken_off_in_sqlite("13"));
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
