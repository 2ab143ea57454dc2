//! The path of the customer's role or user.

use crate::domain::Invalid;
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::role_arn::RoleArn;
use std::fmt;

/// The path of an IAM role or user: begins and ends with a slash; at most 512 printable ASCII characters (IAM API
/// reference, CreateRole and CreateUser). As in a role's ARN, without wildcards and quotes. `/` unless it is said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RolePath(String);

impl RolePath {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let inner = match value {
            "/" => Some(""),
            longer => longer
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'))
                .filter(|inner| !inner.is_empty()),
        };
        let fits = |c: char| c.is_ascii_graphic() && !"*?$\"\\'`<>".contains(c);
        let parts_fit =
            |inner: &str| inner.is_empty() || inner.split('/').all(|part| !part.is_empty());
        match inner {
            Some(inner) if value.len() <= 512 && inner.chars().all(fits) && parts_fit(inner) => {
                Ok(Self(value.to_owned()))
            }
            _ => Err(Invalid::new(
                "invalid_iam_path",
                "A path begins and ends with `/` and has at most 512 printable ASCII characters, without spaces, wildcards, quotes and empty parts. Example: /vendors/",
            )),
        }
    }

    /// The path of the role with this ARN.
    pub fn of(role_arn: &RoleArn) -> Self {
        Self(role_arn.path().to_owned())
    }

    /// The ARN of the role with this name in this path of the account.
    pub fn role(
        &self,
        partition: Partition,
        account: &AccountId,
        name: &str,
    ) -> Result<RoleArn, Invalid> {
        RoleArn::parse(&format!("arn:{partition}:iam::{account}:role{self}{name}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RolePath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl fmt::Display for RolePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_and_ends_with_a_slash() {
        let longest = format!("/{}/", "a".repeat(510));
        for right in ["/", "/vendors/", "/a/b+c=d,e.f@g_h-i/", &longest] {
            assert_eq!(RolePath::parse(right).unwrap().as_str(), right);
        }
        let longer = format!("/{}/", "a".repeat(511));
        for wrong in [
            "", "a", "/a", "a/", "//", "/a//b/", "/a b/", "/\u{e4}/", "/*/", "/a?/", "/a\n/",
            "/${x}/", &longer,
        ] {
            assert!(RolePath::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
