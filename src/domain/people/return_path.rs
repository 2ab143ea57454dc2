//! Where on the pages somebody arrives after they have signed in.

use crate::domain::Invalid;
use crate::domain::invalid::shown;

/// An address of the service's own pages, without its scheme and host: `/storages/sto_…/files?folder=/a/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// Browsers take `//host` and `/\host` for addresses of other hosts, and leave out tabs and line ends. None of
    /// these is accepted, and neither is a page that signs in again.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let is_own = value.starts_with('/')
            && !value.starts_with("//")
            && !value.contains('\\')
            && value.len() <= 2000
            && value.bytes().all(|byte| byte.is_ascii_graphic());
        let signs_in = value.starts_with("/sign-");
        match is_own && !signs_in {
            true => Ok(Self(value.to_owned())),
            false => Err(Invalid::new(
                "invalid_return_path",
                format!(
                    "`{}` is not an address of these pages: it begins with one `/`, as in `/settings/storages`.",
                    shown(value)
                ),
            )),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_elsewhere() {
        for good in ["/", "/projects", "/storages/built-in/files?folder=/a/"] {
            assert_eq!(ReturnPath::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "projects",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\r\nLocation: https://evil.example",
            "/sign-in/oidc",
            "/sign-out",
            "/ä",
        ] {
            assert!(ReturnPath::parse(bad).is_err(), "{bad:?}");
        }
    }
}
