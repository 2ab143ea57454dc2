//! What can be done with files, and which AWS permissions each needs. `docs/permissions.md` has the same
//! table, for people.

use std::fmt;

/// An operation on a storage, as its users know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileOperation {
    Browse,
    ReadMetadata,
    ReadVersionMetadata,
    Read,
    ReadVersion,
    ListVersions,
    Upload,
    AbortUpload,
    Delete,
    DeleteVersion,
    Copy,
    Move,
    ReadAcl,
    WriteAcl,
    Location,
    ListBuckets,
}

/// What an action is granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The bucket's ARN.
    Bucket,
    /// The ARN of the objects below the prefix.
    Objects,
    /// The bucket's KMS key. Needed only where objects are encrypted with one.
    Key,
    /// `*`: the action takes no resource.
    Everything,
}

/// An action of IAM, and what it must be granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permission {
    pub action: &'static str,
    pub on: Target,
}

impl FileOperation {
    #[cfg(test)]
    pub const ALL: [Self; 16] = [
        Self::Browse,
        Self::ReadMetadata,
        Self::ReadVersionMetadata,
        Self::Read,
        Self::ReadVersion,
        Self::ListVersions,
        Self::Upload,
        Self::AbortUpload,
        Self::Delete,
        Self::DeleteVersion,
        Self::Copy,
        Self::Move,
        Self::ReadAcl,
        Self::WriteAcl,
        Self::Location,
        Self::ListBuckets,
    ];

    /// Every permission that the operation needs (service authorization reference, "Actions, resources,
    /// and condition keys for Amazon S3"; S3 user guide, "Multipart upload API and permissions").
    pub fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Browse => &[LIST],
            Self::ReadMetadata | Self::Read => &[GET],
            Self::ReadVersionMetadata | Self::ReadVersion => &[GET_VERSION],
            Self::ListVersions => &[LIST_VERSIONS],
            Self::Upload => &[PUT],
            Self::AbortUpload => &[ABORT],
            Self::Delete => &[DELETE],
            Self::DeleteVersion => &[DELETE_VERSION],
            Self::Copy => &[GET, PUT],
            Self::Move => &[GET, PUT, DELETE],
            Self::ReadAcl => &[GET_ACL],
            Self::WriteAcl => &[PUT_ACL],
            Self::Location => &[LOCATION],
            Self::ListBuckets => &[ALL_BUCKETS],
        }
    }

    /// What is refused, in words that follow "does not permit".
    fn words(self) -> &'static str {
        match self {
            Self::Browse => "listing files",
            Self::ReadMetadata => "reading a file's metadata",
            Self::ReadVersionMetadata => "reading the metadata of a file's version",
            Self::Read => "reading files",
            Self::ReadVersion => "reading versions of files",
            Self::ListVersions => "listing the versions of files",
            Self::Upload => "uploading files",
            Self::AbortUpload => "aborting uploads",
            Self::Delete => "deleting files",
            Self::DeleteVersion => "deleting versions of files",
            Self::Copy => "copying files",
            Self::Move => "moving files",
            Self::ReadAcl => "reading the ACL of files",
            Self::WriteAcl => "changing the ACL of files",
            Self::Location => "reading the bucket's Region",
            Self::ListBuckets => "listing the account's buckets",
        }
    }
}

impl fmt::Display for FileOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

const fn on(on: Target, action: &'static str) -> Permission {
    Permission { action, on }
}

const LIST: Permission = on(Target::Bucket, "s3:ListBucket");
const LIST_VERSIONS: Permission = on(Target::Bucket, "s3:ListBucketVersions");
const LOCATION: Permission = on(Target::Bucket, "s3:GetBucketLocation");
const GET: Permission = on(Target::Objects, "s3:GetObject");
const GET_VERSION: Permission = on(Target::Objects, "s3:GetObjectVersion");
const GET_ACL: Permission = on(Target::Objects, "s3:GetObjectAcl");
const PUT: Permission = on(Target::Objects, "s3:PutObject");
const PUT_ACL: Permission = on(Target::Objects, "s3:PutObjectAcl");
const ABORT: Permission = on(Target::Objects, "s3:AbortMultipartUpload");
const DELETE: Permission = on(Target::Objects, "s3:DeleteObject");
const DELETE_VERSION: Permission = on(Target::Objects, "s3:DeleteObjectVersion");
const ALL_BUCKETS: Permission = on(Target::Everything, "s3:ListAllMyBuckets");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_on_the_bucket_are_not_granted_on_objects() {
        for operation in FileOperation::ALL {
            assert!(!operation.permissions().is_empty());
            for permission in operation.permissions() {
                let on_bucket = permission.action.starts_with("s3:List")
                    || permission.action == "s3:GetBucketLocation";
                assert_eq!(
                    permission.on != Target::Objects,
                    on_bucket,
                    "{operation}: {permission:?}"
                );
            }
        }
    }
}
