//! Why a part of the service is not ready, as `/readyz` says it.

use crate::domain::identity_fault::IdentityFault;

/// Why a part is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// Stable, `snake_case`: one of [`codes`].
    pub code: &'static str,
    /// In words that anybody may read.
    pub detail: String,
}

impl NotReady {
    /// The part did not answer in time.
    pub fn no_answer() -> Self {
        Self::new(NO_ANSWER, "It did not answer in time.")
    }

    /// The first contact with the database has not been made.
    pub fn starting() -> Self {
        Self::new(STARTING, "The database has not been prepared yet.")
    }

    /// The service goes on for load balancers only.
    pub fn stopping() -> Self {
        Self::new(STOPPING, "The service is being stopped.")
    }

    pub(super) fn new(code: &'static str, detail: &str) -> Self {
        Self {
            code,
            detail: detail.to_owned(),
        }
    }
}

pub(super) const DATABASE_UNAVAILABLE: &str = "database_unavailable";
const NO_ANSWER: &str = "no_answer";
const STARTING: &str = "starting";
const STOPPING: &str = "stopping";

/// Every code that a part may have.
pub fn codes() -> Vec<&'static str> {
    let of_identity = IdentityFault::ALL.iter().map(|fault| fault.as_str());
    let others = [DATABASE_UNAVAILABLE, NO_ANSWER, STARTING, STOPPING];
    of_identity.chain(others).collect()
}
