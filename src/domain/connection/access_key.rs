//! Access keys, for connections that do not assume a role.

use crate::domain::Invalid;
use std::fmt;

/// The public half of an access key: 3 to 128 characters of `[A-Za-z0-9_.-]`. AWS issues 16 to 128 word
/// characters; S3-compatible stores also shorter ones and ones with dots and dashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let fits = (3..=128).contains(&value.len())
            && value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if fits {
            Ok(Self(value.to_owned()))
        } else {
            // Not repeated: a secret pasted into the wrong field must not come back in an error.
            Err(Invalid::new(
                "invalid_access_key_id",
                "An access key ID has 3 to 128 letters, digits and `_.-`. Is this the secret key?",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The secret half, encrypted for its record. What it encrypts never leaves the service.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(pub Vec<u8>);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(…)")
    }
}
