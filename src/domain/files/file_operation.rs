//! What can be done with files, and which AWS permissions each operation needs.
//!
//! Two tables, and everything else follows from them: what a denial names, and the session policies. Tests
//! compare them with the policies in `policies/` and with the table of `docs/permissions.md`.

use crate::domain::connection::access::Access;
use crate::domain::connection::grants::{Feature, Grants};
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
    /// With which access the customer's documents grant it, and the usual session with them.
    pub documents: InDocuments,
    /// The access from which on the wider session grants it: the session for operations whose permissions
    /// a customer may have granted besides the documents'.
    pub wider: Option<Access>,
    /// What it belongs to, where customers choose whether to grant it.
    pub feature: Option<Feature>,
}

/// With which access the customer's documents grant a permission.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InDocuments {
    Never,
    /// With this access and with any that allows more.
    From(Access),
    /// With access to read alone.
    ReadAlone,
}

impl PermissionRow {
    pub fn in_documents(&self, grants: Grants) -> bool {
        let by_access = match self.documents {
            InDocuments::Never => false,
            InDocuments::From(Access::Read) => true,
            InDocuments::From(Access::ReadWrite) => grants.writes(),
            InDocuments::ReadAlone => !grants.writes(),
        };
        by_access && grants.has(self.feature)
    }

    /// The bucket's own actions are left to the usual session where that has them. What the customer has
    /// switched off is in none.
    pub fn in_wider_session(&self, grants: Grants) -> bool {
        let repeats = self.permission.on == Target::Bucket && self.in_documents(grants);
        granted(self.wider, grants.access) && !repeats
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
const GET_VERSION_TAGS: Permission = on(Target::Objects, "s3:GetObjectVersionTagging");
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

const NO: InDocuments = InDocuments::Never;
const FROM_READ: InDocuments = InDocuments::From(Access::Read);
const FROM_WRITE: InDocuments = InDocuments::From(Access::ReadWrite);

/// Every permission, in the order in which policies name them. The tags' permissions belong to copies,
/// which keep an object's tags where the customer grants it; those on the key to whatever reads or writes
/// content that is encrypted with it.
pub(crate) const PERMISSIONS: [PermissionRow; 17] = [
    row(LOCATION, FROM_READ, None),
    row(LIST, FROM_READ, None),
    of(Feature::Versions, row(LIST_VERSIONS, FROM_READ, READ)),
    row(GET, FROM_READ, READ),
    of(Feature::Acls, row(GET_ACL, FROM_READ, READ)),
    of(
        Feature::Versions,
        row(GET_VERSION, InDocuments::ReadAlone, READ),
    ),
    row(GET_TAGS, NO, READ),
    of(Feature::Versions, row(GET_VERSION_TAGS, NO, READ)),
    row(PUT, FROM_WRITE, WRITE),
    of(Feature::Acls, row(PUT_ACL, FROM_WRITE, None)),
    row(PUT_TAGS, NO, WRITE),
    row(ABORT, FROM_WRITE, WRITE),
    row(DELETE, FROM_WRITE, None),
    of(Feature::Versions, row(DELETE_VERSION, FROM_WRITE, None)),
    row(DECRYPT, FROM_READ, READ),
    row(DATA_KEY, FROM_WRITE, READ),
    row(ALL_BUCKETS, NO, None),
];

/// What an action is granted on. `None`: no operation needs it.
pub(crate) fn target_of(action: &str) -> Option<Target> {
    let mut rows = PERMISSIONS.iter();
    let row = rows.find(|row| row.permission.action == action)?;
    Some(row.permission.on)
}

const fn row(
    permission: Permission,
    documents: InDocuments,
    wider: Option<Access>,
) -> PermissionRow {
    PermissionRow {
        permission,
        documents,
        wider,
        feature: None,
    }
}

/// The row as one of a feature.
const fn of(feature: Feature, row: PermissionRow) -> PermissionRow {
    PermissionRow {
        feature: Some(feature),
        ..row
    }
}

/// The feature that an action belongs to. `None`: it is always granted with the access, or never.
pub(crate) fn feature_of(action: &str) -> Option<Feature> {
    let mut rows = PERMISSIONS.iter();
    rows.find(|row| row.permission.action == action)?.feature
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
    CopyVersion         "copying versions of files"                 Writes [GET_VERSION, GET, PUT];
    Move                "moving files"                              Writes [GET, PUT, DELETE];
    ReadAcl             "reading the ACL of files"                  Reads  [GET_ACL];
    WriteAcl            "changing the ACL of files"                 Writes [PUT_ACL];
    Location            "reading the bucket's Region"               Reads  [LOCATION];
    ListBuckets         "listing the account's buckets"             Reads  [ALL_BUCKETS];
}

impl FileOperation {
    /// The feature that has to be granted for it.
    pub fn feature(self) -> Option<Feature> {
        let mut permissions = self.permissions().iter();
        permissions.find_map(|permission| feature_of(permission.action))
    }

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
                        row.in_documents(Grants::all(access))
                            || row.in_wider_session(Grants::all(access))
                            || permission.on == Target::Everything,
                        "{operation} with {access:?}: {permission:?}"
                    );
                }
            }
        }
    }
}
