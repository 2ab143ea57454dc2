//! How IAM calls roles, inline policies and boundaries.

use crate::domain::Invalid;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::policy_document::RoleName;
use std::fmt;

/// The name of an IAM role or of an inline policy: 1 to 64 (role) or 128 (policy) characters of
/// `[A-Za-z0-9+=,.@_-]` (IAM API reference, CreateRole and PutRolePolicy).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamName(String);

impl IamName {
    pub fn role(value: &str) -> Result<Self, Invalid> {
        Self::parse(value, 64, "role")
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

/// The path of an IAM role: begins and ends with a slash; at most 512 printable ASCII characters (IAM API
/// reference, CreateRole). As in a setup's role ARN, without wildcards and quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamPath(String);

impl IamPath {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let inner = value
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/').or(rest.is_empty().then_some("")));
        let fits = |c: char| c.is_ascii_graphic() && !"*?$\"\\'`<>".contains(c);
        let parts_fit =
            |inner: &str| inner.is_empty() || inner.split('/').all(|part| !part.is_empty());
        match inner {
            Some(inner) if value.len() <= 512 && inner.chars().all(fits) && parts_fit(inner) => {
                Ok(Self(value.to_owned()))
            }
            _ => Err(Invalid::new(
                "invalid_iam_path",
                "A role path begins and ends with `/` and has at most 512 printable ASCII characters, without spaces, wildcards, quotes and empty parts. Example: /vendors/",
            )),
        }
    }

    /// The path of the role with this ARN.
    pub fn of(role_arn: &RoleArn) -> Self {
        Self(RoleName::of(role_arn).path)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of a managed policy that bounds a role: `arn:PARTITION:iam::ACCOUNT:policy/PATH/NAME`, of the
/// customer's own or of AWS's (`aws` as the account).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundaryArn(String);

impl BoundaryArn {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let fields: Vec<&str> = value.splitn(6, ':').collect();
        let fits = match fields[..] {
            ["arn", partition, "iam", "", account, resource] => {
                !partition.is_empty()
                    && (account == "aws" || AccountId::parse(account).is_ok())
                    && resource
                        .strip_prefix("policy/")
                        .is_some_and(|name| !name.is_empty())
            }
            _ => false,
        };
        if !fits || value.len() > 2048 || !value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid::new(
                "invalid_permissions_boundary",
                "A permissions boundary is the ARN of a managed policy. Example: arn:aws:iam::123456789012:policy/boundary",
            ));
        }
        Ok(Self(value.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
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
