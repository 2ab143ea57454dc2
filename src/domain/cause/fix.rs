//! The change that removes a cause, before it is made into a document.

use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;

/// One change that removes a cause. What it looks like is made in `application::diagnosis::patch`, of the
/// connection and of the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// A statement that allows actions on the bucket, its objects or a key, in a policy of the role or user.
    AllowActions {
        actions: Vec<String>,
        /// The key that actions of KMS are about, where it is not that of the settings.
        key: Option<KmsKeyArn>,
    },
    /// A statement for a key, as the documents have it. `action` is the one that was denied.
    UseKey {
        action: String,
        key: Option<KmsKeyArn>,
    },
    /// A statement that allows an action on the check's own files alone, which are in this folder below the prefix.
    AllowOnProbes { action: String, folder: String },
    /// The whole permission policy.
    PermissionPolicy,
    /// The whole trust policy.
    TrustPolicy,
    /// The statements of the bucket policy document, for a bucket of another account.
    BucketPolicy,
    /// A statement in the key's own policy.
    KeyPolicy { key: KmsKeyArn },
    /// The CORS rule of the document.
    Cors,
    /// Another value of one setting.
    Setting(Setting),
}

/// A setting's better value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    KmsKey(KmsKeyArn),
    Region(Region),
    RequesterPays,
    /// Any text field of the settings.
    Endpoint(String),
}
