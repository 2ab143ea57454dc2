//! Secrets that the service gives out: 256 random bits behind a prefix that says what they open.

use crate::application::error::Result;
use crate::application::kept::store::SecretHash;
use crate::application::kept::vault::{random_bytes, sha256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

/// What a secret opens. Secrets are found by their hash, so those that earlier releases gave another prefix
/// stay good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A token of a workspace, or the operator's.
    Token,
    /// A key of the product's.
    ProductKey,
    /// A link that signs somebody in, or one for a customer's administrator.
    Link,
    /// A session on the pages.
    Session,
}

impl SecretKind {
    /// What every secret of the kind begins with, so that scanners find a leaked one and say what it is.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Token => "spt_",
            Self::ProductKey => "sk_",
            Self::Link => "sl_",
            Self::Session => "ss_",
        }
    }
}

/// What every token for a browser begins with. It is sealed, and has no row.
pub const BROWSER_TOKEN_PREFIX: &str = "sb_";

/// A new secret for its holder, and the hash to keep.
pub fn new_secret(kind: SecretKind) -> Result<(SecretString, SecretHash)> {
    let random = URL_SAFE_NO_PAD.encode(random_bytes::<32>()?);
    let secret = format!("{}{random}", kind.prefix());
    let hash = sha256(secret.as_bytes());
    Ok((secret.into(), hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn each_kind_has_a_prefix_of_its_own_and_43_letters() {
        let kinds = [
            SecretKind::Token,
            SecretKind::ProductKey,
            SecretKind::Link,
            SecretKind::Session,
        ];
        for kind in kinds {
            let (secret, hash) = new_secret(kind).unwrap();
            let secret = secret.expose_secret();
            assert_eq!(hash, sha256(secret.as_bytes()));
            let random = secret.strip_prefix(kind.prefix()).unwrap();
            assert_eq!(random.len(), 43, "{secret}");
            for other in kinds.into_iter().filter(|other| *other != kind) {
                assert!(!secret.starts_with(other.prefix()), "{secret}");
            }
            assert!(!secret.starts_with(BROWSER_TOKEN_PREFIX));
        }
    }
}
