//! What the documents are rendered for.

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
use crate::domain::origin::Origin;
use crate::domain::policy_document::role_name::RoleName;

/// What the documents are rendered for.
#[derive(Debug, Clone)]
pub struct DocumentParameters {
    /// The customer's, for the ARNs of bucket and objects.
    pub partition: Partition,
    pub service_principal: ServicePrincipal,
    pub external_id: ExternalId,
    pub bucket: BucketName,
    pub prefix: BucketPrefix,
    pub grants: Grants,
    /// Whether S3 shall delete what is below `temp/` and `export/` after 7 days.
    pub lifecycle: bool,
    pub kms_key: Option<KmsKeyArn>,
    /// May be empty: then no CORS rule is rendered in any document.
    pub allowed_origins: Vec<Origin>,
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

    /// The role, where a policy may name it as principal.
    pub fn principal_role(&self) -> Option<&RoleArn> {
        self.role_arn.as_ref().filter(|_| self.role_exists)
    }
}
