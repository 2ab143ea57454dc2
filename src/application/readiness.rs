//! Whether the parts that the service needs are there.

use crate::application::connections::identity::{OwnIdentity, Standing};
use crate::application::kept::store::Store;
use crate::application::not_ready::{DATABASE_UNAVAILABLE, NotReady};
use async_trait::async_trait;
use std::sync::Arc;

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
