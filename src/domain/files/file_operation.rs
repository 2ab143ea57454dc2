//! What can be done with files, and which AWS permissions each operation needs.
//!
//! Two tables, and everything else follows from them: what a denial names, and the session policies. Tests
//! compare them with the policies in `policies/` and with the table of `docs/permissions.md`.

use crate::domain::connection::access::Access;
use std::fmt;

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

/// A permission, and which policies grant it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PermissionRow {
    pub permission: Permission,
    /// The access from which on the customer's documents grant it, and the usual session with them.
    pub documents: Option<Access>,
    /// The access from which on the wider session grants it: the session for operations whose permissions
    /// a customer may have granted besides the documents'.
    pub wider: Option<Access>,
}

impl PermissionRow {
    pub fn in_documents(&self, access: Access) -> bool {
        granted(self.documents, access)
    }

    /// The bucket's own actions are left to the usual session where that has them.
    pub fn in_wider_session(&self, access: Access) -> bool {
        let repeats = self.permission.on == Target::Bucket && self.in_documents(access);
        granted(self.wider, access) && !repeats
    }

    /// Whether the action is limited by a condition on `s3:prefix`: listings.
    pub fn below_prefix(&self) -> bool {
        [LIST, LIST_VERSIONS].contains(&self.permission)
    }
}

fn granted(from: Option<Access>, access: Access) -> bool {
    match from {
        None => false,
        Some(Access::Read) => true,
        Some(Access::ReadWrite) => access.writes(),
    }
}

const LOCATION: Permission = on(Target::Bucket, "s3:GetBucketLocation");
const LIST: Permission = on(Target::Bucket, "s3:ListBucket");
const LIST_VERSIONS: Permission = on(Target::Bucket, "s3:ListBucketVersions");
const GET: Permission = on(Target::Objects, "s3:GetObject");
const GET_ACL: Permission = on(Target::Objects, "s3:GetObjectAcl");
const GET_VERSION: Permission = on(Target::Objects, "s3:GetObjectVersion");
const GET_TAGS: Permission = on(Target::Objects, "s3:GetObjectTagging");
const PUT: Permission = on(Target::Objects, "s3:PutObject");
const PUT_ACL: Permission = on(Target::Objects, "s3:PutObjectAcl");
const PUT_TAGS: Permission = on(Target::Objects, "s3:PutObjectTagging");
const ABORT: Permission = on(Target::Objects, "s3:AbortMultipartUpload");
const DELETE: Permission = on(Target::Objects, "s3:DeleteObject");
const DELETE_VERSION: Permission = on(Target::Objects, "s3:DeleteObjectVersion");
const DECRYPT: Permission = on(Target::Key, "kms:Decrypt");
const DATA_KEY: Permission = on(Target::Key, "kms:GenerateDataKey");
const ALL_BUCKETS: Permission = on(Target::Everything, "s3:ListAllMyBuckets");

const fn on(on: Target, action: &'static str) -> Permission {
    Permission { action, on }
}

const READ: Option<Access> = Some(Access::Read);
const WRITE: Option<Access> = Some(Access::ReadWrite);

/// Every permission, in the order in which policies name them. The tags' permissions belong to copies,
/// which keep an object's tags where the customer grants it; those on the key to whatever reads or writes
/// content that is encrypted with it.
pub(crate) const PERMISSIONS: [PermissionRow; 16] = [
    row(LOCATION, READ, None),
    row(LIST, READ, None),
    row(LIST_VERSIONS, WRITE, READ),
    row(GET, READ, READ),
    row(GET_ACL, WRITE, READ),
    row(GET_VERSION, None, READ),
    row(GET_TAGS, None, READ),
    row(PUT, WRITE, WRITE),
    row(PUT_ACL, WRITE, None),
    row(PUT_TAGS, None, WRITE),
    row(ABORT, None, WRITE),
    row(DELETE, WRITE, None),
    row(DELETE_VERSION, WRITE, None),
    row(DECRYPT, READ, READ),
    row(DATA_KEY, WRITE, READ),
    row(ALL_BUCKETS, None, None),
];

/// What an action is granted on. `None`: no operation needs it.
pub(crate) fn target_of(action: &str) -> Option<Target> {
    let mut rows = PERMISSIONS.iter();
    let row = rows.find(|row| row.permission.action == action)?;
    Some(row.permission.on)
}

const fn row(
    permission: Permission,
    documents: Option<Access>,
    wider: Option<Access>,
) -> PermissionRow {
    PermissionRow {
        permission,
        documents,
        wider,
    }
}

/// Whether an operation changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OperationKind {
    Reads,
    Writes,
}

/// Makes the enum and its table of one list, so neither can lack what the other has.
macro_rules! operations {
    ($($operation:ident $words:literal $kind:ident [$($permission:ident),+];)+) => {
        /// An operation on a storage, as its users know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FileOperation {
            $($operation),+
        }

        impl FileOperation {
            #[cfg(test)]
            pub const ALL: [Self; [$($words),+].len()] = [$(Self::$operation),+];

            /// Every permission that the operation needs (service authorization reference, "Actions,
            /// resources, and condition keys for Amazon S3"; S3 user guide, "Multipart upload API and
            /// permissions").
            pub fn permissions(self) -> &'static [Permission] {
                match self {
                    $(Self::$operation => &[$($permission),+]),+
                }
            }

            fn kind(self) -> OperationKind {
                match self {
                    $(Self::$operation => OperationKind::$kind),+
                }
            }

            /// What is refused, in words that follow "does not permit".
            fn words(self) -> &'static str {
                match self {
                    $(Self::$operation => $words),+
                }
            }
        }
    };
}

operations! {
    Browse              "listing files"                             Reads  [LIST];
    ReadMetadata        "reading a file's metadata"                 Reads  [GET];
    ReadVersionMetadata "reading the metadata of a file's version"  Reads  [GET_VERSION];
    Read                "reading files"                             Reads  [GET];
    ReadVersion         "reading versions of files"                 Reads  [GET_VERSION];
    ListVersions        "listing the versions of files"             Reads  [LIST_VERSIONS];
    Upload              "uploading files"                           Writes [PUT];
    AbortUpload         "aborting uploads"                          Writes [ABORT];
    Delete              "deleting files"                            Writes [DELETE];
    DeleteVersion       "deleting versions of files"                Writes [DELETE_VERSION];
    Copy                "copying files"                             Writes [GET, PUT];
    Move                "moving files"                              Writes [GET, PUT, DELETE];
    ReadAcl             "reading the ACL of files"                  Reads  [GET_ACL];
    WriteAcl            "changing the ACL of files"                 Writes [PUT_ACL];
    Location            "reading the bucket's Region"               Reads  [LOCATION];
    ListBuckets         "listing the account's buckets"             Reads  [ALL_BUCKETS];
}

impl FileOperation {
    /// Whether a storage with read access refuses it.
    pub fn writes(self) -> bool {
        self.kind() == OperationKind::Writes
    }
}

impl fmt::Display for FileOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

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

    #[test]
    fn each_operation_has_a_session_that_lets_it_be_done() {
        for operation in FileOperation::ALL {
            let accesses = Access::ALL.into_iter();
            for access in accesses.filter(|access| access.writes() || !operation.writes()) {
                for permission in operation.permissions() {
                    let mut rows = PERMISSIONS.iter();
                    let row = rows.find(|row| row.permission == *permission);
                    let row = row.unwrap_or_else(|| panic!("no row of {permission:?}"));
                    assert!(
                        row.in_documents(access)
                            || row.in_wider_session(access)
                            || permission.on == Target::Everything,
                        "{operation} with {access:?}: {permission:?}"
                    );
                }
            }
        }
    }
}
