//! A sign-in that was begun and is not finished: sealed, in the browser that began it.

use crate::application::error::{Error, Result};
use crate::application::kept::vault::{Purpose, Vault, random_bytes, sha256};
use crate::domain::people::return_path::ReturnPath;
use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What the sealed text is good for.
const PLACE: &str = "sign-in/oidc";

/// A sign-in on its way. It ties the answer of the provider to the browser, and the ID token to the request.
#[derive(Serialize, Deserialize)]
pub struct Pending {
    state: String,
    nonce: String,
    /// The secret of PKCE (RFC 7636).
    verifier: String,
    /// The workspace that was asked for.
    workspace: Option<String>,
    return_to: Option<String>,
    /// Seconds since 1970.
    ends: i64,
}

impl Pending {
    pub fn new(
        workspace: Option<String>,
        return_to: Option<&ReturnPath>,
        ends: OffsetDateTime,
    ) -> Result<Self> {
        let random = || Ok::<_, Error>(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?));
        Ok(Self {
            state: random()?,
            nonce: random()?,
            verifier: random()?,
            workspace,
            return_to: return_to.map(|path| path.as_str().to_owned()),
            ends: ends.unix_timestamp(),
        })
    }

    pub fn seal(&self, vault: &Vault) -> Result<String> {
        let text = serde_json::to_string(self).map_err(Error::bug)?;
        vault.seal_token(Purpose::SignInState, PLACE, &text)
    }

    /// `None`: it was not made by this service, or its time is up.
    pub fn open(vault: &Vault, sealed: &str, now: OffsetDateTime) -> Option<Self> {
        let text = vault.open_token(Purpose::SignInState, PLACE, sealed).ok()?;
        let pending: Self = serde_json::from_str(&text).ok()?;
        (now.unix_timestamp() < pending.ends).then_some(pending)
    }

    pub fn state(&self) -> &str {
        &self.state
    }

    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// What the provider compares the verifier with.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(self.verifier.as_bytes()))
    }

    pub fn has_state(&self, state: &str) -> bool {
        constant_time::verify_slices_are_equal(self.state.as_bytes(), state.as_bytes()).is_ok()
    }

    pub fn workspace(&self) -> Option<&str> {
        self.workspace.as_deref()
    }

    pub fn return_to(&self) -> Option<ReturnPath> {
        ReturnPath::parse(self.return_to.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::kept::vault::MasterKey;
    use time::Duration;
    use time::macros::datetime;

    #[test]
    fn it_opens_in_time_and_nowhere_else() {
        let vault = || Vault::new(&MasterKey::generate().unwrap().0).unwrap();
        let own = vault();
        let now = datetime!(2026-11-27 12:00:00 UTC);
        let path = ReturnPath::parse("/projects").unwrap();
        let pending =
            Pending::new(Some("acme".into()), Some(&path), now + Duration::MINUTE).unwrap();
        let sealed = pending.seal(&own).unwrap();
        assert!(!sealed.contains(pending.state()));
        let opened = Pending::open(&own, &sealed, now).unwrap();
        assert!(opened.has_state(pending.state()) && !opened.has_state(pending.nonce()));
        assert_eq!(opened.workspace(), Some("acme"));
        assert_eq!(opened.return_to(), Some(path));
        assert!(Pending::open(&own, &sealed, now + Duration::MINUTE).is_none());
        assert!(Pending::open(&vault(), &sealed, now).is_none());
        assert!(Pending::open(&own, "", now).is_none());
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let pending = Pending {
            state: String::new(),
            nonce: String::new(),
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
            workspace: None,
            return_to: None,
            ends: 0,
        };
        assert_eq!(
            pending.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
