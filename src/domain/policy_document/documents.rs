//! The documents.

use crate::domain::Invalid;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::policy_document::accounts::{DocumentAccounts, DocumentRole};
use crate::domain::policy_document::bucket_rules::{CorsRule, Lifecycle};
use crate::domain::policy_document::document_name::DocumentName;
use crate::domain::policy_document::escape;
use crate::domain::policy_document::parameters::DocumentParameters;
use crate::domain::policy_document::role_name::RoleName;
use serde_json::Value;

/// Everything that a customer's AWS administrator needs, filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Documents {
    pub permission_policy: Value,
    /// None for the service's own bucket and for an access key, which no role is assumed for.
    pub trust_policy: Option<Value>,
    /// An array of rules, as the S3 console takes it. None where no origin is allowed.
    pub cors: Option<Value>,
    /// As `aws s3api put-bucket-lifecycle-configuration` takes it. None where the setup has none: for access to
    /// read, and where the customer switched it off.
    pub lifecycle: Option<Value>,
    /// None until the role exists: S3 refuses a bucket policy whose principal does not.
    pub bucket_policy: Option<Value>,
    /// A POSIX shell script. None where there is neither a role nor a user to make, as are the two below.
    pub cli: Option<String>,
    /// YAML.
    pub cloudformation: Option<String>,
    /// The link to the console's page that makes a stack, with the values filled in. None where the operator
    /// has no bucket for the template, and for an access key.
    pub cloudformation_quick_create_url: Option<String>,
    /// HCL.
    pub terraform: Option<String>,
    /// The statement that lets the role use the KMS key, to be added to the key's policy. None without a key,
    /// and until the role exists: KMS refuses a principal that does not.
    pub key_policy: Option<Value>,
    /// A POSIX shell script for the bucket's account. None where that is the role's or not known, and until
    /// the role exists; so are the three below.
    pub cli_bucket: Option<String>,
    /// YAML, for the bucket's account.
    pub cloudformation_bucket: Option<String>,
    /// A POSIX shell script for the key's account.
    pub cli_key: Option<String>,
    /// None for the service's own bucket.
    pub role: Option<DocumentRole>,
    /// The IAM user that the documents make. None without an access key, and at an S3-compatible store.
    pub user: Option<RoleName>,
    /// What the tag `sallyport:setup` of a role or user that the documents make says. None where they make none,
    /// and for a role whose setup is not known.
    pub setup_tag: Option<String>,
    /// What bounds the role or user that they make.
    pub permissions_boundary: Option<BoundaryArn>,
    /// None for the service's own bucket, and at an S3-compatible store.
    pub accounts: Option<DocumentAccounts>,
}

impl Documents {
    /// A document as a file: the scripts as they are, the others as indented JSON in plain ASCII (IAM
    /// takes no character beyond U+00FF in a policy). None for a document that does not apply.
    pub fn text(&self, name: DocumentName) -> Result<Option<String>, Invalid> {
        let json = match name {
            DocumentName::PermissionPolicy => Some(&self.permission_policy),
            DocumentName::TrustPolicy => self.trust_policy.as_ref(),
            DocumentName::Cors => self.cors.as_ref(),
            DocumentName::Lifecycle => self.lifecycle.as_ref(),
            DocumentName::BucketPolicy => self.bucket_policy.as_ref(),
            DocumentName::Cli => return Ok(self.cli.clone()),
            DocumentName::Cloudformation => return Ok(self.cloudformation.clone()),
            DocumentName::Terraform => return Ok(self.terraform.clone()),
            DocumentName::KeyPolicy => self.key_policy.as_ref(),
            DocumentName::CliBucket => return Ok(self.cli_bucket.clone()),
            DocumentName::CloudformationBucket => return Ok(self.cloudformation_bucket.clone()),
            DocumentName::CliKey => return Ok(self.cli_key.clone()),
        };
        json.map(escape::json_file).transpose().map_err(unwritable)
    }
}

/// The name of the inline policy that the scripts put into the customer's role or user.
pub const POLICY_NAME: &str = "sallyport-bucket-access";

/// The parts that the scripts are made of.
pub(super) struct Parts<'a> {
    pub parameters: &'a DocumentParameters,
    pub role: RoleName,
    /// The IAM user, for an access key.
    pub user: RoleName,
    pub permission_policy: &'a Value,
    pub trust_policy: &'a Value,
    /// None as in [`Documents::bucket_policy`].
    pub bucket_policy: Option<&'a Value>,
    /// None as in [`Documents::key_policy`].
    pub key_policy: Option<&'a Value>,
    /// None when no origin is allowed.
    pub cors: Option<&'a CorsRule<Vec<String>>>,
    /// None as in [`Documents::lifecycle`].
    pub lifecycle: Option<&'a Lifecycle<String>>,
}

/// A document that its own format cannot hold. No valid parameters are known to lead here; the writers
/// of JSON, YAML and HCL are fallible, and this service does not panic for it.
pub(super) fn unwritable(cause: impl std::fmt::Display) -> Invalid {
    Invalid::new(
        "unwritable_document",
        format!("The document cannot be written: {cause}"),
    )
}
