//! The settings of a connection's bucket: the same in a draft and in a finished connection.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::region::Region;
use crate::domain::origin::OriginPattern;

/// What a call to the bucket depends on besides the bucket's name and the credentials.
///
/// Each field has a valid default, so a draft holds the settings whole from the beginning. A new setting
/// of a connection begins here; `CONTRIBUTING.md` has the list of the other places.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BucketSettings {
    /// The only part of the bucket that is used. Empty: the whole bucket.
    pub prefix: BucketPrefix,
    pub access: Access,
    /// The bucket's Region, as typed or as the last check found it. `None` before the first check.
    pub region: Option<Region>,
    /// The KMS key that encrypts the bucket's objects, where the customer named one.
    pub kms_key: Option<KmsKeyArn>,
    /// The account that owns the bucket, where it is not the role's.
    pub bucket_account: Option<AccountId>,
    /// Whether the caller agrees to pay for requests and transfers, as S3 requires of everybody but the
    /// owner of a Requester Pays bucket (S3 user guide, "Using Requester Pays general purpose buckets").
    pub requester_pays: bool,
    /// Whether pages of the service's origins use the bucket directly. If not, the bucket needs no CORS
    /// rules: none are rendered and none are asked for. URLs can be signed all the same.
    pub browser_access: bool,
    /// Whether the documents grant the ACLs of objects. `None`: as the access says.
    pub object_acls: Option<bool>,
    /// Whether the documents grant the versions of objects. `None`: as the access says.
    pub object_versions: Option<bool>,
    /// Whether the documents let S3 delete what is below `temp/` and `export/` after 7 days.
    pub lifecycle: bool,
    /// The managed policy that bounds the role, where the customer's account demands one. No call depends on
    /// it; the documents make the role with it.
    pub permissions_boundary: Option<BoundaryArn>,
}

impl BucketSettings {
    /// What the documents grant.
    pub fn grants(&self) -> Grants {
        let usual = Grants::usual(self.access);
        Grants {
            acls: self.object_acls.unwrap_or(usual.acls),
            versions: self.object_versions.unwrap_or(usual.versions),
            ..usual
        }
    }

    /// Whether the documents have lifecycle rules. Without access to write the product writes nothing, and the
    /// rules could only delete files of the customer's own.
    pub fn has_lifecycle(&self) -> bool {
        self.lifecycle && self.access.writes()
    }

    /// The origins that use the bucket: of all of them, none without access by browsers.
    pub fn allowed_origins<'a>(&self, all: &'a [OriginPattern]) -> &'a [OriginPattern] {
        match self.browser_access {
            true => all,
            false => &[],
        }
    }
}

impl Default for BucketSettings {
    fn default() -> Self {
        Self {
            prefix: BucketPrefix::default(),
            access: Access::default(),
            region: None,
            kms_key: None,
            bucket_account: None,
            requester_pays: false,
            browser_access: true,
            object_acls: None,
            object_versions: None,
            lifecycle: true,
            permissions_boundary: None,
        }
    }
}
