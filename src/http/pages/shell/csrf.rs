//! The token that shows that a form is from the visitor's own session.

use crate::application::kept::vault::{random_bytes, sha256};
use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A session's CSRF token. Derived from the session's secret, which only the cookie has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csrf([u8; 32]);

impl Csrf {
    pub fn of_secret(secret: &str) -> Self {
        Self(sha256(format!("csrf {secret}").as_bytes()))
    }

    /// The token under a fresh mask. A fault of the generator makes it useless, not guessable.
    pub fn masked(&self) -> String {
        let mask: [u8; 32] = random_bytes().unwrap_or([0; 32]);
        let mut text = [0; 64];
        for at in 0..32 {
            text[at] = mask[at];
            text[32 + at] = self.0[at] ^ mask[at];
        }
        URL_SAFE_NO_PAD.encode(text)
    }

    pub fn matches(&self, text: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) else {
            return false;
        };
        let Some((mask, masked)) = bytes.split_at_checked(32).filter(|(_, m)| m.len() == 32) else {
            return false;
        };
        let token: Vec<u8> = mask.iter().zip(masked).map(|(a, b)| a ^ b).collect();
        constant_time::verify_slices_are_equal(&token, &self.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_session_and_looks_different_each_time() {
        let (a, b) = (Csrf::of_secret("a"), Csrf::of_secret("b"));
        let (one, two) = (a.masked(), a.masked());
        assert_ne!(one, two);
        assert!(a.matches(&one) && a.matches(&two));
        assert!(!b.matches(&one));
        for text in ["", "x", &one[1..], "%%%"] {
            assert!(!a.matches(text), "{text:?}");
        }
    }
}
