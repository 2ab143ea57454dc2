//! Where a customer's endpoint may lead: the addresses that a name resolves to are looked at for each
//! connection, so a name cannot change its mind after it was checked.

use crate::aws::failure::ForbiddenAddress;
use crate::domain::connection::endpoint::{Endpoint, EndpointNetworks};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Resolves names, and gives only addresses that may be reached.
#[derive(Debug, Clone)]
pub struct GuardedResolver {
    networks: Arc<EndpointNetworks>,
}

impl GuardedResolver {
    pub fn new(networks: Arc<EndpointNetworks>) -> Self {
        Self { networks }
    }

    /// Refuses an endpoint that is written as an address, which no resolver is asked for.
    pub fn check_literal(&self, endpoint: &Endpoint) -> Result<(), ForbiddenAddress> {
        match endpoint.literal_address() {
            Some(address) if !self.networks.permits(address) => Err(ForbiddenAddress),
            _ => Ok(()),
        }
    }

    /// Fails when any of the addresses is forbidden: a name that mixes both is not to be trusted.
    pub async fn addresses(
        &self,
        name: &str,
    ) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let addresses: Vec<IpAddr> = tokio::net::lookup_host((name, 0))
            .await?
            .map(|socket| socket.ip())
            .collect();
        if addresses
            .iter()
            .all(|address| self.networks.permits(*address))
        {
            Ok(addresses)
        } else {
            Err(ForbiddenAddress.into())
        }
    }
}

impl ResolveDns for GuardedResolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move { self.addresses(name).await.map_err(ResolveDnsError::new) })
    }
}

impl reqwest::dns::Resolve for GuardedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str()).await?;
            let sockets = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(sockets) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_home_is_refused_unless_allowed() {
        let closed = GuardedResolver::new(Arc::default());
        let refused = closed.addresses("localhost").await.unwrap_err();
        assert!(refused.is::<ForbiddenAddress>());
        let literal = Endpoint::parse("http://169.254.169.254").unwrap();
        assert_eq!(closed.check_literal(&literal), Err(ForbiddenAddress));

        let networks = ["127.0.0.0/8", "::1/128"]
            .iter()
            .map(|n| n.parse().unwrap());
        let open = GuardedResolver::new(Arc::new(EndpointNetworks::new(networks.collect())));
        assert!(!open.addresses("localhost").await.unwrap().is_empty());
    }
}
