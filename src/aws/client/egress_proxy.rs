//! The proxy that calls to AWS go through.
//!
//! The SDK and the CORS preflight take it from here, so both take the same way. Calls to a customer's own
//! endpoint never go through it: a proxy resolves names itself, which would go around the look at each
//! address ([`GuardedResolver`](crate::aws::client::endpoint_guard::GuardedResolver)).

use aws_smithy_http_client::proxy::ProxyConfig;

/// Where the proxy's address is looked for; the first that is set counts.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Where the hosts are that are reached directly.
const DIRECT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A proxy for `https` addresses, or none. Plain `http` goes directly: AWS is asked over TLS, and what is
/// left are an emulator and the services that give containers and instances their credentials.
#[derive(Clone, Default)]
pub struct EgressProxy {
    /// With the user's name and password, where the address has them.
    url: Option<String>,
    direct: String,
}

impl EgressProxy {
    /// As the environment says.
    ///
    /// # Errors
    /// The variable whose value is not the address of an HTTP proxy.
    pub fn from_environment() -> Result<Self, String> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let first = |names: &[&'static str]| {
            names
                .iter()
                .find_map(|name| Some((*name, read(name)?)).filter(|(_, text)| !text.is_empty()))
        };
        let Some((name, text)) = first(&PROXY) else {
            return Ok(Self::default());
        };
        let url = match text.contains("://") {
            true => text,
            false => format!("http://{text}"),
        };
        // The value may hold a password, so neither it nor the parser's words are repeated.
        let unusable = || {
            format!(
                "{name}: not the address of an HTTP proxy. Example: http://proxy.example.com:3128"
            )
        };
        ProxyConfig::https(url.as_str()).map_err(|_| unusable())?;
        reqwest::Proxy::https(url.as_str()).map_err(|_| unusable())?;
        Ok(Self {
            url: Some(url),
            direct: first(&DIRECT).map(|(_, text)| text).unwrap_or_default(),
        })
    }

    /// For the SDK.
    pub fn of_sdk(&self) -> ProxyConfig {
        // Both forms of the address were tried when it was read.
        self.url
            .as_deref()
            .and_then(|url| ProxyConfig::https(url).ok())
            .map_or_else(ProxyConfig::disabled, |proxy| proxy.no_proxy(&self.direct))
    }

    /// For the preflight.
    ///
    /// # Errors
    /// As [`reqwest::Proxy::https`], which the address has passed already.
    pub fn of_preflight(
        &self,
        client: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        let client = client.no_proxy();
        let Some(url) = &self.url else {
            return Ok(client);
        };
        let proxy = reqwest::Proxy::https(url.as_str())?;
        Ok(client.proxy(proxy.no_proxy(reqwest::NoProxy::from_string(&self.direct))))
    }
}

impl std::fmt::Debug for EgressProxy {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = if self.url.is_some() { "set" } else { "none" };
        write!(f, "EgressProxy({set})")
    }
}

#[cfg(test)]
impl EgressProxy {
    /// A proxy at this address, and hosts that are reached directly.
    pub fn at(url: &str, direct: &str) -> Self {
        Self::from_variables(|name| match name {
            "HTTPS_PROXY" => Some(url.to_owned()),
            "NO_PROXY" => Some(direct.to_owned()),
            _ => None,
        })
        .unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_counts() {
        let url = |set: &[(&str, &str)]| {
            let proxy = EgressProxy::from_variables(|name| {
                let found = set.iter().find(|(n, _)| *n == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            proxy.unwrap().url
        };
        assert_eq!(url(&[]), None);
        assert_eq!(
            url(&[("HTTPS_PROXY", ""), ("HTTP_PROXY", "http://a")]),
            None
        );
        let bare = url(&[("ALL_PROXY", "http://b:1"), ("https_proxy", "a:3128")]);
        assert_eq!(bare.as_deref(), Some("http://a:3128"));
    }

    #[test]
    fn an_unusable_address_is_named_without_its_password() {
        for text in [
            "socks5://user:PASSWORD@a:1080",
            "http://user:PASSWORD@",
            "http://",
        ] {
            let proxy = EgressProxy::from_variables(|name| {
                (name == "HTTPS_PROXY").then(|| text.to_owned())
            });
            let why = proxy.unwrap_err();
            assert!(why.starts_with("HTTPS_PROXY: "), "{why}");
            assert!(!why.contains("PASSWORD"), "{why}");
        }
        let proxy = EgressProxy::at("http://user:PASSWORD@a:3128", "");
        assert!(!format!("{proxy:?}").contains("PASSWORD"));
    }
}
