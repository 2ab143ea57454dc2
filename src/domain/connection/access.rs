//! What the customer lets the product do, and how the product signs in.

use crate::domain::Invalid;
use crate::domain::invalid::shown;

/// The access the customer grants below the bucket prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Access {
    Read,
    #[default]
    ReadWrite,
}

impl Access {
    #[cfg(test)]
    pub const ALL: [Access; 2] = [Access::Read, Access::ReadWrite];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "read" => Ok(Self::Read),
            "read_write" => Ok(Self::ReadWrite),
            other => Err(Invalid::new(
                "unknown_access",
                format!(
                    "`{}` is not an access: use `read` or `read_write`.",
                    shown(other)
                ),
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read_write",
        }
    }

    pub fn writes(self) -> bool {
        self == Self::ReadWrite
    }
}

/// How the connection signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Auth {
    /// By assuming the customer's role with the external ID: the recommended way.
    #[default]
    Role,
    /// By an IAM user's access key, or an S3-compatible store's.
    AccessKey,
}

impl Auth {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "role" => Ok(Self::Role),
            "access_key" => Ok(Self::AccessKey),
            other => Err(Invalid::new(
                "unknown_auth",
                format!(
                    "`{}` is not a way to sign in: use `role` or `access_key`.",
                    shown(other)
                ),
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::AccessKey => "access_key",
        }
    }
}
