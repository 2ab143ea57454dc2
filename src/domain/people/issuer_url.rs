//! Where issuers of tokens are.

use crate::domain::Invalid;
use crate::domain::invalid::shown;
use url::{Host, Url};

/// The name of an OpenID provider, which is its address, too. Tokens must name it letter for letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl {
    text: String,
    url: Url,
}

impl IssuerUrl {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Url::parse(value)
            .ok()
            .filter(|url| may_be_asked(url) && url.query().is_none() && value.len() <= 1000)
            .map(|url| Self {
                text: value.to_owned(),
                url,
            })
            .ok_or_else(|| {
                Invalid::new(
                    "invalid_issuer",
                    format!(
                        "`{}` is not the address of an OpenID provider: it begins with `https://` and has no query. `http://` is for this machine alone.",
                        shown(value)
                    ),
                )
            })
    }

    /// As it is in tokens.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where the provider describes itself (OpenID Connect Discovery 1.0, section 4). `None`: it has no such
    /// address.
    pub fn description(&self) -> Option<Url> {
        let base = self.text.trim_end_matches('/');
        Url::parse(&format!("{base}/.well-known/openid-configuration")).ok()
    }
}

/// Whether secrets may be sent there: over TLS, or within this machine. An address with a user or a fragment is
/// none of an issuer's.
pub fn may_be_asked(url: &Url) -> bool {
    let is_safe = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_of_this_machine(url),
        _ => false,
    };
    is_safe && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_https_or_on_this_machine() {
        for good in [
            "https://id.example.com",
            "https://id.example.com/realms/acme/",
            "http://127.0.0.1:4000",
            "http://[::1]:4000",
            "http://localhost:4000/a",
        ] {
            assert_eq!(IssuerUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "id.example.com",
            "http://id.example.com",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "https://user@id.example.com",
            "https://id.example.com?a=b",
            "https://id.example.com#a",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
        ] {
            assert!(IssuerUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_description_is_below_the_issuer() {
        for issuer in ["https://id.example.com/a", "https://id.example.com/a/"] {
            let place = IssuerUrl::parse(issuer).unwrap().description().unwrap();
            assert_eq!(
                place.as_str(),
                "https://id.example.com/a/.well-known/openid-configuration"
            );
        }
    }
}
