//! Custom endpoints, for S3-compatible stores.

use crate::domain::invalid::{Invalid, shown};
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// The address of an S3-compatible store: `http(s)://host[:port]`, with a path where the store is below one.
///
/// Parsing decides the form only. Whether the addresses that the host resolves to may be reached is
/// decided at each connection, by [`EndpointNetworks`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(Url);

impl Endpoint {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let refuse = |detail: &str| {
            Err(Invalid::new(
                "invalid_endpoint",
                format!("{detail} An endpoint looks like `https://s3.example.com`."),
            ))
        };
        if value.len() > 300 {
            return refuse("An endpoint has at most 300 characters.");
        }
        let Ok(mut url) = Url::parse(value) else {
            return refuse(&format!("`{}` is not a URL.", shown(value)));
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("An endpoint is reached by `https` (or `http`).");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("An endpoint holds no user name or password.");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("An endpoint has no query or fragment.");
        }
        // Signed as they are sent, so nothing that one of both sides could write in another way.
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
        let path = url.path().trim_end_matches('/').to_owned();
        if !path.bytes().all(is_plain) || path.contains("//") {
            return refuse(
                "The path of an endpoint has letters, digits, `-._~` and single slashes.",
            );
        }
        if url.host().is_none() {
            return refuse("An endpoint names a host.");
        }
        // One form for one address, however many slashes it ends in.
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Without a trailing slash.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The host, and the port where it is not the scheme's own.
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// As the base of a request's path: a path ends in a slash, because the SDK appends the bucket's name to
    /// it as it is.
    pub fn base(&self) -> String {
        let slash = if self.0.path() == "/" { "" } else { "/" };
        format!("{}{slash}", self.as_str())
    }

    /// The address, where the host is written as one rather than as a name.
    pub fn literal_address(&self) -> Option<IpAddr> {
        match self.0.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which addresses a customer's endpoint may lead to: every public one, and the networks that the
/// operator allows besides. Without this, an endpoint would be a way to reach the operator's own
/// network and its metadata service.
#[derive(Debug, Clone, Default)]
pub struct EndpointNetworks {
    allowed: Vec<ipnet::IpNet>,
}

impl EndpointNetworks {
    pub fn new(allowed: Vec<ipnet::IpNet>) -> Self {
        Self { allowed }
    }

    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address)) || is_public(address)
    }
}

/// Whether an address is one that the Internet routes (IANA special-purpose address registries).
fn is_public(address: IpAddr) -> bool {
    const SPECIAL: &[&str] = &[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ];
    static NETWORKS: std::sync::LazyLock<Vec<ipnet::IpNet>> = std::sync::LazyLock::new(|| {
        SPECIAL
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect()
    });
    !NETWORKS.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_maybe_a_path() {
        for (text, kept) in [
            (
                "https://a.example/storage/v1/s3",
                "https://a.example/storage/v1/s3",
            ),
            (
                "https://a.example/storage/v1/s3/",
                "https://a.example/storage/v1/s3",
            ),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.as_str(), kept);
            assert_eq!(endpoint.base(), format!("{kept}/"));
        }
        assert_eq!(
            Endpoint::parse("https://s3.example.com/").unwrap().as_str(),
            "https://s3.example.com"
        );
        assert_eq!(
            Endpoint::parse("http://127.0.0.1:9000")
                .unwrap()
                .literal_address(),
            Some([127, 0, 0, 1].into())
        );
        // The URL standard reads these as 127.0.0.1; so must the guard.
        assert_eq!(
            Endpoint::parse("http://0x7f.1").unwrap().literal_address(),
            Some([127, 0, 0, 1].into())
        );
        for text in [
            "",
            "s3.example.com",
            "ftp://a",
            "https://u:p@a",
            "https://a//b",
            "https://a/b%20c",
            "https://a/b?c",
            "https://a?b",
            "https://a#b",
            "https://",
        ] {
            assert!(Endpoint::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_public_addresses_unless_the_operator_allows_more() {
        let none = EndpointNetworks::default();
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "192.168.0.1",
            "172.16.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!none.permits(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "52.218.0.1", "2600:1f18::1"] {
            assert!(none.permits(address.parse().unwrap()), "{address}");
        }
        let lab = EndpointNetworks::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert!(lab.permits("127.0.0.1".parse().unwrap()));
        assert!(lab.permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!lab.permits("10.0.0.1".parse().unwrap()));
    }
}
