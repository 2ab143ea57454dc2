//! The names of the documents, in addresses and as files.

use crate::domain::Invalid;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::invalid::shown;

/// One of the documents that a customer applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentName {
    PermissionPolicy,
    TrustPolicy,
    Cors,
    Lifecycle,
    BucketPolicy,
    Cli,
    Cloudformation,
    Terraform,
    KeyPolicy,
    CliBucket,
    CloudformationBucket,
    CliKey,
}

impl DocumentName {
    pub const ALL: [DocumentName; 12] = [
        Self::PermissionPolicy,
        Self::TrustPolicy,
        Self::Cors,
        Self::Lifecycle,
        Self::BucketPolicy,
        Self::Cli,
        Self::Cloudformation,
        Self::Terraform,
        Self::KeyPolicy,
        Self::CliBucket,
        Self::CloudformationBucket,
        Self::CliKey,
    ];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == value)
            .ok_or_else(|| {
                Invalid::new(
                    "unknown_document",
                    format!(
                        "`{}` is not a document: use one of {}.",
                        shown(value),
                        Self::ALL
                            .map(|name| format!("`{}`", name.as_str()))
                            .join(", ")
                    ),
                )
            })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::PermissionPolicy => "permission_policy",
            Self::TrustPolicy => "trust_policy",
            Self::Cors => "cors",
            Self::Lifecycle => "lifecycle",
            Self::BucketPolicy => "bucket_policy",
            Self::Cli => "cli",
            Self::Cloudformation => "cloudformation",
            Self::Terraform => "terraform",
            Self::KeyPolicy => "key_policy",
            Self::CliBucket => "cli_bucket",
            Self::CloudformationBucket => "cloudformation_bucket",
            Self::CliKey => "cli_key",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Cli | Self::CliBucket | Self::CliKey => "text/x-shellscript; charset=utf-8",
            Self::Cloudformation | Self::CloudformationBucket => "application/yaml",
            Self::Terraform => "text/plain; charset=utf-8",
            Self::PermissionPolicy
            | Self::TrustPolicy
            | Self::Cors
            | Self::Lifecycle
            | Self::BucketPolicy
            | Self::KeyPolicy => "application/json",
        }
    }

    /// What the document is saved as, such as `acme-data-trust-policy.json`. Plain ASCII without
    /// quotes, since a bucket's name is.
    pub fn file_name(self, bucket: &BucketName) -> String {
        let ending = match self {
            Self::PermissionPolicy => "permission-policy.json",
            Self::TrustPolicy => "trust-policy.json",
            Self::Cors => "cors.json",
            Self::Lifecycle => "lifecycle.json",
            Self::BucketPolicy => "bucket-policy.json",
            Self::Cli => "connect.sh",
            Self::Cloudformation => "stack.yaml",
            Self::Terraform => "connect.tf",
            Self::KeyPolicy => "key-policy.json",
            Self::CliBucket => "bucket.sh",
            Self::CloudformationBucket => "bucket.yaml",
            Self::CliKey => "key.sh",
        };
        format!("{bucket}-{ending}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for name in DocumentName::ALL {
            assert_eq!(DocumentName::parse(name.as_str()), Ok(name));
        }
        let unknown = DocumentName::parse("Trust_Policy").unwrap_err();
        assert_eq!(unknown.code, "unknown_document");
    }
}
