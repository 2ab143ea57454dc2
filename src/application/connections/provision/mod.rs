//! What the customer's AWS administrator applies in their own account: the role with its two policies, or the user
//! with its policy and its access key, and the bucket's CORS and lifecycle rules. The adapter is `aws::provision`.

mod documents;
mod names;
mod outcome;

pub use crate::domain::connection::permissions_boundary::BoundaryArn;
pub use crate::domain::connection::role_path::RolePath as IamPath;
pub use documents::{GivenCorsRule, GivenDocuments, GivenLifecycleRule, GivenUser, RuleStatus};
pub use names::IamName;
pub use outcome::{MadeKey, ProvisionChange, ProvisionError, Provisioned, ProvisionedPart};

use crate::domain::Invalid;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;

/// What to apply, and where.
///
/// Invariants: the documents are for this bucket; those that make a user say which setup it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Provisioning {
    documents: GivenDocuments,
    bucket: BucketName,
    name: IamName,
    policy_name: IamName,
    /// Where the role or user is made. `None`: at `/`; one that exists stays where it is.
    pub path: Option<IamPath>,
    /// What bounds the role or user. `None`: a boundary that it has stays.
    pub permissions_boundary: Option<BoundaryArn>,
    /// The account that the role is in. `None`: the one that the command runs in.
    pub role_account: Option<AccountId>,
    /// The account that owns the bucket. `None`: the role's.
    pub bucket_account: Option<AccountId>,
    /// Leaves the bucket's CORS rules alone.
    pub skip_cors: bool,
    /// Leaves the bucket's lifecycle rules alone.
    pub skip_lifecycle: bool,
    /// Takes away what the documents describe, instead of applying it.
    pub remove: bool,
    /// Looks and reports, and changes nothing.
    pub dry_run: bool,
}

impl Provisioning {
    pub fn new(
        documents: GivenDocuments,
        bucket: BucketName,
        name: IamName,
        policy_name: IamName,
    ) -> Result<Self, Invalid> {
        if documents.user().is_some() && documents.setup_tag().is_none() {
            return Err(Invalid::new(
                "setup_tag_missing",
                "The documents do not say which setup the user is of. Fetch them again from the server.",
            ));
        }
        if !documents.are_for(&bucket) {
            return Err(Invalid::new(
                "documents_for_another_bucket",
                format!(
                    "The permission policy in the documents does not name the bucket `{bucket}`. Fetch the documents again after the bucket has been entered."
                ),
            ));
        }
        Ok(Self {
            documents,
            bucket,
            name,
            policy_name,
            path: None,
            permissions_boundary: None,
            role_account: None,
            bucket_account: None,
            skip_cors: false,
            skip_lifecycle: false,
            remove: false,
            dry_run: false,
        })
    }

    pub fn documents(&self) -> &GivenDocuments {
        &self.documents
    }

    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The name of the role or user.
    pub fn name(&self) -> &IamName {
        &self.name
    }

    /// Whether it makes a user with an access key, and no role.
    pub fn makes_user(&self) -> bool {
        self.documents.user().is_some()
    }

    pub fn policy_name(&self) -> &IamName {
        &self.policy_name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn documents(resource: &str) -> GivenDocuments {
        let value = json!({
            "trust_policy": {"Version": "2012-10-17", "Statement": []},
            "permission_policy": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [resource]}
            ]},
            "cors": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"], "MaxAgeSeconds": 300}],
            "lifecycle": {"Rules": [
                {"ID": "t", "Status": "Enabled", "Filter": {"Prefix": "temp/"}, "Expiration": {"Days": 7}}
            ]},
            "cli": "not read"
        });
        GivenDocuments::parse(value.to_string().as_bytes()).unwrap()
    }

    fn provisioning(resource: &str, bucket: &str) -> Result<Provisioning, Invalid> {
        Provisioning::new(
            documents(resource),
            BucketName::parse(bucket).unwrap(),
            IamName::role("r").unwrap(),
            IamName::policy("p").unwrap(),
        )
    }

    #[test]
    fn documents_are_refused_for_a_bucket_they_do_not_name() {
        assert!(provisioning("arn:aws:s3:::acme-data/team/*", "acme-data").is_ok());
        assert!(provisioning("arn:aws-cn:s3:::acme-data", "acme-data").is_ok());
        for other in ["arn:aws:s3:::acme-data-2/*", "*", "arn:aws:s3:::acme"] {
            let refusal = provisioning(other, "acme-data").unwrap_err();
            assert_eq!(refusal.code, "documents_for_another_bucket", "{other}");
        }
    }
}
