//! Why the database did not do what was asked.

use crate::application::error::{Error, Kind};
use std::time::Duration;

pub type StoreResult<T> = Result<T, StoreError>;

/// Why the database did not do what was asked. Texts are for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or is too busy; the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A unique value exists already, or a row that this one needs is gone.
    #[error("the change conflicts with another: {0}")]
    Conflict(String),
    /// A stored row does not parse.
    #[error("the record {record} is damaged: {why}")]
    Damaged { record: String, why: String },
    #[error("the database failed: {0}")]
    Failed(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => Self::new(
                Kind::Unavailable,
                "database_unavailable",
                "The service's database cannot be reached at the moment. Nothing was changed.",
            )
            .remedy("Try again in a moment.")
            .retry_after(Duration::from_secs(2))
            .internal(&error),
            StoreError::Damaged { .. } => Self::new(
                Kind::Internal,
                "record_damaged",
                "A stored record cannot be read, so nothing was done with it.",
            )
            .remedy("Send the operator the request ID.")
            .internal(&error),
            StoreError::Conflict(_) | StoreError::Failed(_) => Self::bug(&error),
        }
    }
}
