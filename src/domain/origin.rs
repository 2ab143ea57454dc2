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
}
