//! Why the database did not do what was asked.

use crate::application::error::{Error, Kind, Reason};
use std::time::Duration;

pub type StoreResult<T> = Result<T, StoreError>;

/// Why the database did not do what was asked. Texts are for the operator's log.
///
/// All but [`OutcomeUnknown`](Self::OutcomeUnknown) are definite: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or is too busy; the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// So many calls wait for it that a further one is not let wait.
    #[error("the database has too much to do: {0}")]
    Busy(String),
    /// The change was sent, and what became of it was lost: it is stored as a whole, or not at all.
    #[error("whether the change was stored is unknown: {0}")]
    OutcomeUnknown(String),
    /// There is no room for the change.
    #[error("the database has no room left: {0}")]
    Full(String),
    /// It can be read, and accepts no change.
    #[error("the database is read-only: {0}")]
    ReadOnly(String),
    /// A unique value exists already, or a row that this one needs is gone.
    #[error("the change conflicts with another: {0}")]
    Conflict(String),
    /// Another request has taken over the idempotency key that the change was to be kept with.
    #[error("the idempotency key is not held any more")]
    KeyLost,
    /// A stored row does not parse.
    #[error("the record {record} is damaged: {why}")]
    Damaged { record: String, why: String },
    #[error("the database failed: {0}")]
    Failed(String),
}

/// Whether a change may have been stored although it failed.
pub fn is_outcome_unknown(error: &Error) -> bool {
    error.reason == Some(Reason::OutcomeUnknown)
}

/// Whether the service's own database is the reason: the same work may succeed when it is well again.
pub fn is_of_database(error: &Error) -> bool {
    matches!(
        error.reason,
        Some(Reason::Database | Reason::OutcomeUnknown)
    )
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (code, detail, remedy, wait) = match &error {
            StoreError::Unavailable(_) => (
                "database_unavailable",
                "The service's database cannot be reached at the moment. Nothing was changed.",
                "Try again in a moment.",
                2,
            ),
            StoreError::Busy(_) => (
                "database_busy",
                "The service has more to do at the moment than its database can. Nothing was changed.",
                "Try again in a moment, and with fewer requests at the same time.",
                1,
            ),
            StoreError::OutcomeUnknown(_) => (
                "database_outcome_unknown",
                "The service's database did not confirm the change, so it is not known whether it was made. It was made as a whole or not at all.",
                "Where the request had an idempotency key, repeat it with the same key: it is done once, and the response is its own. Otherwise look whether the change was made before repeating it.",
                2,
            ),
            StoreError::Full(_) => (
                "database_full",
                "The service's database has no room left for the change. Nothing was changed.",
                "The operator must make room for the database. Then repeat the request.",
                30,
            ),
            StoreError::ReadOnly(_) => (
                "database_read_only",
                "The service's database accepts no changes at the moment. Nothing was changed.",
                "Try again later. If the problem persists, the operator must make the database writable.",
                30,
            ),
            StoreError::KeyLost => {
                return Self::new(
                    Kind::Conflict,
                    "idempotency_key_in_progress",
                    "Another request with this idempotency key has taken over. This one changed nothing.",
                )
                .remedy("Repeat it in a moment, to get the response of the other.")
                .retry_after(Duration::from_secs(1))
                .internal(&error);
            }
            StoreError::Damaged { .. } => {
                return Self::new(
                    Kind::Internal,
                    "record_damaged",
                    "A stored record cannot be read, so nothing was done with it.",
                )
                .remedy("Send the operator the request ID.")
                .internal(&error);
            }
            StoreError::Conflict(_) | StoreError::Failed(_) => return Self::bug(&error),
        };
        let reason = match &error {
            StoreError::OutcomeUnknown(_) => Reason::OutcomeUnknown,
            _ => Reason::Database,
        };
        Self::new(Kind::Unavailable, code, detail)
            .because(reason)
            .remedy(remedy)
            .retry_after(Duration::from_secs(wait))
            .internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_definite_failure_promises_that_nothing_was_changed() {
        let errors = [
            StoreError::Unavailable(String::new()),
            StoreError::Busy(String::new()),
            StoreError::OutcomeUnknown(String::new()),
            StoreError::Full(String::new()),
            StoreError::ReadOnly(String::new()),
            StoreError::Conflict(String::new()),
            StoreError::KeyLost,
            StoreError::Failed(String::new()),
        ];
        for store_error in errors {
            let error = Error::from(store_error.clone());
            let promises = error.detail.contains("Nothing was changed");
            let unknown = matches!(store_error, StoreError::OutcomeUnknown(_));
            assert_eq!(is_outcome_unknown(&error), unknown, "{store_error:?}");
            assert!(!(promises && unknown), "{store_error:?}");
            let passing = matches!(
                store_error,
                StoreError::Unavailable(_)
                    | StoreError::Busy(_)
                    | StoreError::OutcomeUnknown(_)
                    | StoreError::Full(_)
                    | StoreError::ReadOnly(_)
            );
            assert_eq!(is_of_database(&error), passing, "{store_error:?}");
        }
    }
}
