//! Whether the parts that the service needs are there.

use crate::application::connections::principal::PrincipalSource;
use crate::application::kept::store::Store;
use async_trait::async_trait;
use std::sync::Arc;

/// One part. Adapters implement it; `/readyz` asks them all.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Stable, as shown: `database`, `aws_identity`.
    fn name(&self) -> &'static str;

    /// Why it is not ready, in words that anybody may read. Bounded in time by the caller.
    async fn check(&self) -> Result<(), String>;
}

/// Whether the database answers.
pub struct DatabaseReadiness(pub Arc<dyn Store>);

#[async_trait]
impl Readiness for DatabaseReadiness {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            "The database does not answer.".to_owned()
        })
    }
}

/// Whether the service's own AWS identity is known: without it no trust policy can be rendered.
pub struct IdentityReadiness(pub Arc<PrincipalSource>);

#[async_trait]
impl Readiness for IdentityReadiness {
    fn name(&self) -> &'static str {
        "aws_identity"
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.identity_known().await {
            true => Ok(()),
            false => Err("The service's own AWS identity is not known yet.".to_owned()),
        }
    }
}
