//! Whether the parts that the service needs are there.

use crate::application::connections::identity::{OwnIdentity, Standing};
use crate::application::kept::store::Store;
use crate::domain::identity_fault::IdentityFault;
use async_trait::async_trait;
use std::sync::Arc;

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

    fn new(code: &'static str, detail: &str) -> Self {
        Self {
            code,
            detail: detail.to_owned(),
        }
    }
}

const DATABASE_UNAVAILABLE: &str = "database_unavailable";
const NO_ANSWER: &str = "no_answer";
const STARTING: &str = "starting";
const STOPPING: &str = "stopping";

/// Every code that a part may have.
pub fn codes() -> Vec<&'static str> {
    let of_identity = IdentityFault::ALL.iter().map(|fault| fault.as_str());
    let others = [DATABASE_UNAVAILABLE, NO_ANSWER, STARTING, STOPPING];
    of_identity.chain(others).collect()
}

/// One part. Adapters implement it; `/readyz` asks them all.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Stable, as shown: `database`, `aws_identity`.
    fn name(&self) -> &'static str;

    /// Why it is not ready. Bounded in time by the caller.
    async fn check(&self) -> Result<(), NotReady>;
}

/// Whether the database answers.
pub struct DatabaseReadiness(pub Arc<dyn Store>);

#[async_trait]
impl Readiness for DatabaseReadiness {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), NotReady> {
        self.0.ping().await.map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            NotReady::new(DATABASE_UNAVAILABLE, "The database does not answer.")
        })
    }
}

/// Whether the service can use its own AWS identity: without it no trust policy can be rendered at first, and no role
/// assumed later. Says what was found last and asks AWS nothing, so that it answers at once.
pub struct IdentityReadiness(pub Arc<OwnIdentity>);

#[async_trait]
impl Readiness for IdentityReadiness {
    fn name(&self) -> &'static str {
        "aws_identity"
    }

    async fn check(&self) -> Result<(), NotReady> {
        match self.0.first_standing().await {
            Standing::Known => Ok(()),
            Standing::Down(fault) => Err(NotReady::new(fault.as_str(), fault.words())),
            Standing::NotAsked => Err(NotReady::no_answer()),
        }
    }
}
