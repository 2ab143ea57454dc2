//! The principal that a customer's trust policy names.

use crate::application::bucket::probe::Prober;
use crate::application::error::{Error, Kind, Result};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::service_identity::ServicePrincipal;
use std::sync::Arc;
use std::time::Duration;

/// The principal that the operator configured, or else the root of the account that the service's own
/// credentials belong to.
pub struct PrincipalSource {
    configured: Option<ServicePrincipal>,
    prober: Arc<dyn Prober>,
}

impl PrincipalSource {
    pub fn new(configured: Option<ServicePrincipal>, prober: Arc<dyn Prober>) -> Self {
        Self { configured, prober }
    }

    /// Fails while the service's own AWS identity is unknown.
    pub async fn get(&self) -> Result<ServicePrincipal> {
        if let Some(principal) = &self.configured {
            return Ok(principal.clone());
        }
        match self.prober.identity().await {
            Ok(identity) => Ok(ServicePrincipal::account_root(&identity)),
            Err(failure) => Err(Error::new(
                Kind::Unavailable,
                "aws_identity_unknown",
                "The service does not know its own AWS account at the moment, so it cannot say which account a role must trust.",
            )
            .remedy("Try again in a moment. If it stays, the operator must look at the service's AWS credentials.")
            .retry_after(Duration::from_secs(5))
            .internal(format!("{failure}: {:?}", failure.message))),
        }
    }

    /// The principal, if it is known.
    pub async fn known(&self) -> Option<ServicePrincipal> {
        self.get().await.ok()
    }

    /// Whether an account is the service's own: no role of it is a customer's.
    pub async fn is_own_account(&self, account: &AccountId) -> Result<bool> {
        let identity = self.prober.identity().await.ok();
        Ok(self.get().await?.account() == account
            || identity.is_some_and(|identity| identity.account == *account))
    }

    /// The partition that the service calls AWS from: that of its own identity, or else of the principal that
    /// the operator configured.
    pub async fn partition(&self) -> Result<Partition> {
        match self.prober.identity().await {
            Ok(identity) => Ok(identity.partition),
            // Without either, the error is that of the principal.
            Err(_) => Ok(self.get().await?.partition()),
        }
    }

    /// Whether the service's own AWS identity is known.
    pub async fn identity_known(&self) -> bool {
        self.prober.identity().await.is_ok()
    }
}
