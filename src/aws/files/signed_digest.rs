//! The digest of a body that was hashed before its call, so that the signature does not hash it once more.

use crate::application::bucket::body::Sha256Text;
use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_s3::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// Signs a call with this SHA-256 of its body, in lower-case hexadecimal digits. S3 refuses a body that has
/// another one (`XAmzContentSHA256Mismatch`).
#[derive(Debug, Clone)]
pub(crate) struct SignedDigest(String);

impl SignedDigest {
    /// `None`: the text is no digest.
    pub fn of(sha256: &Sha256Text) -> Option<Self> {
        let digest = STANDARD.decode(&sha256.0).ok()?;
        let mut hex = String::with_capacity(2 * digest.len());
        for byte in &digest {
            write!(hex, "{byte:02x}").ok()?;
        }
        (digest.len() == 32).then_some(Self(hex))
    }
}

impl Intercept for SignedDigest {
    fn name(&self) -> &'static str {
        "SignedDigest"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let digest = PayloadSigningOverride::Precomputed(self.0.clone());
        config.interceptor_state().store_put(digest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_signed_as_hexadecimal_digits() {
        let empty = Sha256Text("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned());
        let digest = SignedDigest::of(&empty).unwrap().0;
        assert_eq!(
            digest,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for text in ["", "AAAA", "?"] {
            assert!(SignedDigest::of(&Sha256Text(text.to_owned())).is_none());
        }
    }
}
