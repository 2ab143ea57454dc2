//! Signatures of webhooks, as Standard Webhooks has them.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, "Signature
//! scheme": the secret is `whsec_` and 24 to 64 bytes in base64; signed are `{id}.{timestamp}.{body}` by HMAC-SHA256;
//! the header has `v1,` and the signature in base64, several of them with a space between while secrets are rotated.

use crate::application::error::{Error, Result};
use crate::application::kept::vault::random_bytes;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

const PREFIX: &str = "whsec_";

/// A new secret with 256 bits of randomness.
pub fn new_secret() -> Result<SecretString> {
    let bytes = random_bytes::<32>()?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)).into())
}

/// The value of `webhook-signature`: a signature by each secret.
pub fn sign(secrets: &[SecretString], id: &str, timestamp: i64, body: &str) -> Result<String> {
    let signed = format!("{id}.{timestamp}.{body}");
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let text = secret.expose_secret();
        let key = text
            .strip_prefix(PREFIX)
            .and_then(|text| STANDARD.decode(text).ok())
            .ok_or_else(|| Error::bug("the secret of a webhook is not in its form"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, signed.as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(tag)));
    }
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_published_example_has_the_published_signature() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = sign(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn each_secret_signs() {
        let (old, new) = (new_secret().unwrap(), new_secret().unwrap());
        let both = sign(&[new.clone(), old.clone()], "evt_1", 5, "{}").unwrap();
        let one = |secret: SecretString| sign(&[secret], "evt_1", 5, "{}").unwrap();
        assert_eq!(both, format!("{} {}", one(new), one(old)));
        assert!(sign(&["secret".into()], "evt_1", 5, "{}").is_err());
    }
}
