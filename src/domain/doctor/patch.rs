//! What to change, in the shape of a problem's patch.

use serde::Serialize;

/// One change of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Patch {
    pub target: PatchTarget,
    pub operation: PatchOperation,
    /// A statement, or a whole document.
    pub document: serde_json::Value,
    /// Commands of the AWS CLI for a POSIX shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
    /// Where in the AWS console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchTarget {
    RolePermissionPolicy,
    TrustPolicy,
    BucketPolicy,
    KeyPolicy,
    Cors,
}

impl PatchTarget {
    /// As in the API: stable.
    #[cfg(test)]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RolePermissionPolicy => "role_permission_policy",
            Self::TrustPolicy => "trust_policy",
            Self::BucketPolicy => "bucket_policy",
            Self::KeyPolicy => "key_policy",
            Self::Cors => "cors",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchOperation {
    /// The document is a statement, without a `Sid`, for the list of statements.
    AddStatement,
    /// The document takes the place of what is there.
    Replace,
}

impl PatchOperation {
    /// As in the API: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AddStatement => "add_statement",
            Self::Replace => "replace",
        }
    }
}
