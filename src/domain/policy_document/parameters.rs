//! What the documents are rendered for.

use crate::domain::connection::access::Auth;
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::ids::SetupId;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::lifecycle_folders::LifecycleFolders;
use crate::domain::policy_document::role_name::RoleName;

/// What the documents are rendered for.
#[derive(Debug, Clone)]
pub struct DocumentParameters {
    /// The setup that role or user are tagged with, where one is known.
    pub setup_id: Option<SetupId>,
    /// Whether the documents make a role, or a user with an access key.
    pub auth: Auth,
    /// Whether the bucket is at an S3-compatible store, which has no IAM.
    pub at_store: bool,
    /// The customer's, for the ARNs of bucket and objects.
    pub partition: Partition,
    pub service_principal: ServicePrincipal,
    pub external_id: ExternalId,
    pub bucket: BucketName,
    pub prefix: BucketPrefix,
    pub grants: Grants,
    /// Whether S3 shall delete what is below the lifecycle folders after 7 days.
    pub lifecycle: bool,
    pub lifecycle_folders: LifecycleFolders,
    pub kms_key: Option<KmsKeyArn>,
    /// May be empty: then no CORS rule is rendered in any document.
    pub allowed_origins: Vec<OriginPattern>,
    pub region: Option<Region>,
    /// The customer's role, once it is known; until then the documents make one with a suggested name.
    /// Known before the role exists, where the customer's account is.
    pub role_arn: Option<RoleArn>,
    /// Whether the role exists already, as far as anybody has said or found. S3 and KMS refuse a policy that
    /// names a principal that does not.
    pub role_exists: bool,
    /// The path of a role that the documents make, where its ARN is not known.
    pub role_path: RolePath,
    /// The managed policy that bounds the role that the documents make.
    pub permissions_boundary: Option<BoundaryArn>,
    /// The bucket's account, where somebody has named it; otherwise it is the role's.
    pub bucket_account: Option<AccountId>,
}

impl DocumentParameters {
    /// The role that the documents make or change.
    pub fn role_name(&self) -> RoleName {
        match &self.role_arn {
            Some(role_arn) => RoleName::of(role_arn),
            None => self.suggested_role(),
        }
    }

    /// The role that they make unless the customer has one.
    pub fn suggested_role(&self) -> RoleName {
        RoleName::suggested(&self.bucket, &self.external_id, &self.role_path)
    }

    /// The user that the documents make, for an access key.
    pub fn user_name(&self) -> RoleName {
        self.suggested_role()
    }

    /// The role, where a policy may name it as principal.
    pub fn principal_role(&self) -> Option<&RoleArn> {
        self.role_arn
            .as_ref()
            .filter(|_| self.role_exists && self.auth == Auth::Role)
    }

    /// What role and user are tagged with, so that it can be seen later who made them. A user always has a
    /// tag: it has no external ID to be known by.
    pub(super) fn setup_tag(&self) -> Option<String> {
        match (&self.setup_id, self.auth) {
            (Some(id), _) => Some(id.to_string()),
            (None, Auth::AccessKey) => Some(self.external_id.to_string()),
            (None, Auth::Role) => None,
        }
    }

    /// How the Sids begin in a policy that others have statements in. No other setup's begin like it.
    pub(super) fn sid_prefix(&self) -> String {
        sid_prefix(&self.external_id)
    }
}

/// How the Sids of a setup begin in policies that others have statements in: a Sid is made of letters and
/// digits, and each of a policy's must differ from the others.
pub(crate) fn sid_prefix(external_id: &ExternalId) -> String {
    let id = external_id.to_string();
    let begin: String = id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    format!("Sallyport{begin}")
}
