//! Canned ACLs: S3's ready-made access control lists.

use crate::domain::Invalid;
use crate::domain::invalid::shown;

/// The canned ACLs that an object can be given (S3 user guide, "Canned ACL").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CannedAcl(&'static str);

impl CannedAcl {
    pub const ALL: [&'static str; 7] = [
        "private",
        "public-read",
        "public-read-write",
        "aws-exec-read",
        "authenticated-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    ];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|known| *known == value)
            .map(Self)
            .ok_or_else(|| {
                Invalid::new(
                    "unknown_acl",
                    format!(
                        "`{}` is not a canned ACL: use one of `{}`.",
                        shown(value),
                        Self::ALL.join("`, `")
                    ),
                )
            })
    }

    /// Whether it says what holds where ACLs are disabled: the bucket's owner has all permissions.
    pub fn is_owner_s(self) -> bool {
        self.0 == "bucket-owner-full-control"
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_acls() {
        for known in CannedAcl::ALL {
            assert_eq!(CannedAcl::parse(known).unwrap().as_str(), known);
        }
        for unknown in ["", "Private", "log-delivery-write", "public-read "] {
            assert_eq!(CannedAcl::parse(unknown).unwrap_err().code, "unknown_acl");
        }
    }
}
