//! The way that connections to the outside take, the same for the SDK and for the CORS preflight.

use crate::aws::client::egress_proxy::EgressProxy;
use crate::aws::client::trust::TrustedAuthorities;

/// A proxy or none, and whom the servers must be certified by.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    pub proxy: EgressProxy,
    pub trust: TrustedAuthorities,
}

impl Egress {
    /// As the environment and the AWS profile in use say.
    ///
    /// # Errors
    /// As [`EgressProxy::from_environment`] and [`TrustedAuthorities::from_environment`].
    pub async fn from_environment() -> Result<Self, String> {
        Ok(Self {
            proxy: EgressProxy::from_environment()?,
            trust: TrustedAuthorities::from_environment().await?,
        })
    }
}
