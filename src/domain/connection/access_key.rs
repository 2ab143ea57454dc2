//! Access keys, for connections that do not assume a role.

use crate::domain::Invalid;
use std::fmt;

/// The public half of an access key: 1 to 128 printable ASCII characters, without spaces and without `/`, `,`
/// and `=`.
///
/// AWS issues 16 to 128 word characters. S3-compatible stores choose what they like, such as the name of a
/// service account (`svc@objects.example`). Signature version 4 puts the ID before a slash, into a header
/// whose parts are separated by commas (S3 API reference, "Authenticating requests: using the Authorization
/// header"), so these characters cannot be in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let fits = (1..=128).contains(&value.len())
            && value
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"/,=".contains(&b));
        if fits {
            Ok(Self(value.to_owned()))
        } else {
            // Not repeated: a secret pasted into the wrong field must not come back in an error.
            Err(Invalid::new(
                "invalid_access_key_id",
                "An access key ID has 1 to 128 printable ASCII characters, and no spaces, `/`, `,` or `=`. Is this the secret key?",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one that AWS issues for a temporary session (IAM user guide, "IAM identifiers", prefixes of
    /// unique IDs). Such a key is worth nothing without the session's token.
    pub fn is_temporary_at_aws(&self) -> bool {
        self.0.starts_with("ASIA")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_signature_can_carry() {
        for good in [
            "AKIAIOSFODNN7EXAMPLE",
            "svc@objects.example",
            "a",
            "GK1:2+3~",
            &"k".repeat(128),
        ] {
            assert!(AccessKeyId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a,b", "a=b", "ä", "a\n", &"k".repeat(129)] {
            assert!(AccessKeyId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
