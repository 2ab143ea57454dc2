//! The principal that a customer's trust policy names.

use crate::application::connections::identity::OwnIdentity;
use crate::application::error::{Error, Kind, Result};
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::service_identity::{ServiceIdentity, ServicePrincipal};
use std::sync::Arc;
use std::time::Duration;

/// The principal that the operator configured, or else the root of the account that the service's own
/// credentials belong to.
pub struct PrincipalSource {
    configured: Option<ServicePrincipal>,
    identity: Identity,
}

/// Who says what the service's own AWS identity is.
enum Identity {
    Asked(Arc<OwnIdentity>),
    /// AWS is not asked.
    Given(ServiceIdentity),
}

impl PrincipalSource {
    pub fn new(configured: Option<ServicePrincipal>, identity: Arc<OwnIdentity>) -> Self {
        Self {
            configured,
            identity: Identity::Asked(identity),
        }
    }

    /// One that asks nothing of AWS: the service is who this principal is.
    pub fn given(principal: ServicePrincipal) -> Self {
        let identity = ServiceIdentity {
            account: principal.account().clone(),
            partition: principal.partition(),
        };
        Self {
            configured: Some(principal),
            identity: Identity::Given(identity),
        }
    }

    async fn identity(&self) -> std::result::Result<ServiceIdentity, AwsFailure> {
        match &self.identity {
            Identity::Asked(identity) => identity.get().await,
            Identity::Given(identity) => Ok(identity.clone()),
        }
    }

    /// Fails while the service's own AWS identity is unknown.
    pub async fn get(&self) -> Result<ServicePrincipal> {
        if let Some(principal) = &self.configured {
            return Ok(principal.clone());
        }
        match self.identity().await {
            Ok(identity) => Ok(ServicePrincipal::account_root(&identity)),
            Err(failure) => Err(Error::new(
                Kind::Unavailable,
                "aws_identity_unknown",
                "The service does not know its own AWS account at the moment, so it cannot say which account a role must trust.",
            )
            .remedy("Try again in a moment. If the problem persists, the operator must look at the service's AWS credentials.")
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
        let identity = self.identity().await.ok();
        Ok(self.get().await?.account() == account
            || identity.is_some_and(|identity| identity.account == *account))
    }

    /// The partition that the service calls AWS from: that of its own identity, or else of the principal that
    /// the operator configured.
    pub async fn partition(&self) -> Result<Partition> {
        match self.identity().await {
            Ok(identity) => Ok(identity.partition),
            // Without either, the error is that of the principal.
            Err(_) => Ok(self.get().await?.partition()),
        }
    }
}
