//! Web origins that the product's pages are served from.

use crate::domain::invalid::{Invalid, shown};
use std::fmt;
use url::Url;

/// A web origin, `scheme://host[:port]`, as a browser sends it in `Origin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let refuse = || {
            Invalid::new(
                "invalid_origin",
                format!(
                    "`{}` is not a web origin: it is a scheme, a host and perhaps a port, like `https://app.example.com`.",
                    shown(value)
                ),
            )
        };
        let url = Url::parse(value).map_err(|_| refuse())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        // S3 reads `*` in an allowed origin as a wildcard.
        let literal = !value.contains('*');
        if !matches!(url.scheme(), "http" | "https") || !bare || !literal {
            return Err(refuse());
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The origin that a page at this address has.
    pub fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One origin, or every origin whose host lies below a domain, like `https://*.example.com`. The `*` stands for
/// one label or more, as it does in an allowed origin of S3's CORS rules (S3 user guide, "Elements of a CORS
/// configuration").
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OriginPattern(String);

impl OriginPattern {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let Some((scheme, below)) = value.split_once("://*.") else {
            return Origin::parse(value).map(|origin| Self(origin.0));
        };
        let refuse = || {
            Invalid::new(
                "invalid_origin",
                format!(
                    "`{}` is not a pattern of web origins: after `*.` it has a domain of at least two labels, like `https://*.example.com`.",
                    shown(value)
                ),
            )
        };
        let origin = Origin::parse(&format!("{scheme}://{below}")).map_err(|_| refuse())?;
        let url = Url::parse(origin.as_str()).map_err(|_| refuse())?;
        let domain = url.domain().map(|domain| domain.trim_end_matches('.'));
        // A whole top-level domain belongs to everybody.
        if !domain.is_some_and(|domain| domain == "localhost" || domain.contains('.')) {
            return Err(refuse());
        }
        let (scheme, below) = origin.0.split_once("://").ok_or_else(refuse)?;
        Ok(Self(format!("{scheme}://*.{below}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn matches(&self, origin: &Origin) -> bool {
        match self.0.split_once("*.") {
            None => self.0 == origin.0,
            Some((scheme, domain)) => origin
                .0
                .strip_prefix(scheme)
                .and_then(|host| host.strip_suffix(domain))
                .and_then(|labels| labels.strip_suffix('.'))
                .is_some_and(|labels| !labels.is_empty()),
        }
    }

    /// An origin that it allows, to ask for in its place.
    pub fn sample(&self) -> String {
        self.0.replacen("*.", "sallyport-check.", 1)
    }

    /// Whether what it allows can be changed on its way: `http`, other than on the browser's own machine.
    pub fn is_insecure(&self) -> bool {
        let Some(host) = self.0.strip_prefix("http://") else {
            return false;
        };
        let host = host.strip_prefix("*.").unwrap_or(host);
        match Url::parse(&format!("http://{host}")) {
            Ok(url) => !is_loopback(&url),
            Err(_) => true,
        }
    }

    /// How each pattern is written that could match the origin: the origin itself, and one for each dot in
    /// its host.
    pub fn texts_matching(origin: &Origin) -> Vec<String> {
        let mut texts = vec![origin.0.clone()];
        if let Some((scheme, host)) = origin.0.split_once("://") {
            let domains = host.match_indices('.').map(|(at, _)| &host[at + 1..]);
            texts.extend(domains.map(|domain| format!("{scheme}://*.{domain}")));
        }
        texts
    }
}

/// Whether the host is the machine itself, whoever asks: browsers resolve `localhost` and all below it so (W3C,
/// "Secure Contexts", 3.1).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl From<&Origin> for OriginPattern {
    fn from(origin: &Origin) -> Self {
        Self(origin.0.clone())
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_normalised_and_more_than_an_origin_is_refused() {
        assert_eq!(
            Origin::parse("https://App.Example.com:443/")
                .unwrap()
                .as_str(),
            "https://app.example.com"
        );
        assert_eq!(
            Origin::parse("http://localhost:3000").unwrap().as_str(),
            "http://localhost:3000"
        );
        for text in [
            "",
            "*",
            "https://a/b",
            "https://u@a",
            "ftp://a",
            "https://a?b",
            "app.example.com",
            "https://*.a",
        ] {
            assert!(Origin::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_is_an_origin_or_all_below_a_domain() {
        for (text, parsed) in [
            ("https://App.example.com:443/", "https://app.example.com"),
            ("https://*.Example.com", "https://*.example.com"),
            ("https://*.example.com:8443", "https://*.example.com:8443"),
            ("http://*.localhost:3000", "http://*.localhost:3000"),
        ] {
            assert_eq!(OriginPattern::parse(text).unwrap().as_str(), parsed);
        }
        for text in [
            "*",
            "https://*",
            "https://*.com",
            "https://*.com.",
            "https://*.*.example.com",
            "https://a*.example.com",
            "https://app.*.com",
            "https://*.example.com/path",
            "https://*.127.0.0.1",
            "ftp://*.example.com",
            "://*.example.com",
        ] {
            let refused = OriginPattern::parse(text).unwrap_err();
            assert_eq!(refused.code, "invalid_origin", "{text:?}");
        }
    }

    #[test]
    fn plain_http_is_secure_on_the_browser_s_own_machine_alone() {
        for (text, is_insecure) in [
            ("https://app.example.com", false),
            ("https://*.example.com", false),
            ("http://localhost:3000", false),
            ("http://app.localhost", false),
            ("http://*.localhost:3000", false),
            ("http://127.0.0.1:5000", false),
            ("http://[::1]:5000", false),
            ("http://app.example.com", true),
            ("http://*.example.com", true),
            ("http://x", true),
            ("http://192.168.0.7", true),
            ("http://localhost.example.com", true),
        ] {
            let pattern = OriginPattern::parse(text).unwrap();
            assert_eq!(pattern.is_insecure(), is_insecure, "{text}");
        }
    }

    #[test]
    fn what_matches_is_found_by_its_text() {
        let origin = |text: &str| Origin::parse(text).unwrap();
        for (pattern, matching, other) in [
            (
                "https://app.example.com",
                &["https://app.example.com"][..],
                &[
                    "http://app.example.com",
                    "https://app.example.com:8443",
                    "https://x.app.example.com",
                ][..],
            ),
            (
                "https://*.example.com",
                &["https://app.example.com", "https://a.b.example.com"],
                &[
                    "https://example.com",
                    "https://evilexample.com",
                    "https://app.example.com.evil.com",
                    "http://app.example.com",
                    "https://app.example.com:8443",
                ],
            ),
            (
                "https://*.example.com:8443",
                &["https://app.example.com:8443"],
                &["https://app.example.com", "https://example.com:8443"],
            ),
        ] {
            let parsed = OriginPattern::parse(pattern).unwrap();
            assert!(parsed.matches(&origin(&parsed.sample())), "{pattern}");
            for text in matching {
                assert!(parsed.matches(&origin(text)), "{pattern} {text}");
                let texts = OriginPattern::texts_matching(&origin(text));
                assert!(texts.contains(&pattern.to_owned()), "{pattern} {text}");
            }
            for text in other {
                assert!(!parsed.matches(&origin(text)), "{pattern} {text}");
                let texts = OriginPattern::texts_matching(&origin(text));
                assert!(!texts.contains(&pattern.to_owned()), "{pattern} {text}");
            }
        }
    }
}
