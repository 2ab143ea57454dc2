//! How IAM calls roles and inline policies.

use crate::domain::Invalid;
use std::fmt;

/// The name of an IAM role or of an inline policy: 1 to 64 (role) or 128 (policy) characters of
/// `[A-Za-z0-9+=,.@_-]` (IAM API reference, CreateRole and PutRolePolicy).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamName(String);

impl IamName {
    pub fn role(value: &str) -> Result<Self, Invalid> {
        Self::parse(value, 64, "role")
    }

    /// As CreateUser takes it: like a role's.
    pub fn user(value: &str) -> Result<Self, Invalid> {
        Self::parse(value, 64, "user")
    }

    pub fn policy(value: &str) -> Result<Self, Invalid> {
        Self::parse(value, 128, "policy")
    }

    fn parse(value: &str, longest: usize, what: &str) -> Result<Self, Invalid> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
        if value.is_empty() || value.len() > longest || !value.bytes().all(fits) {
            return Err(Invalid::new(
                "invalid_iam_name",
                format!("A {what} name has 1 to {longest} letters, digits and `+=,.@_-`."),
            ));
        }
        Ok(Self(value.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iam_names_keep_to_their_limits() {
        assert!(IamName::role(&"a".repeat(64)).is_ok());
        assert!(IamName::role(&"a".repeat(65)).is_err());
        assert!(IamName::policy(&"a".repeat(128)).is_ok());
        for bad in ["", "a b", "a/b", "ä", "a*"] {
            assert!(IamName::role(bad).is_err(), "{bad:?}");
        }
    }
}
