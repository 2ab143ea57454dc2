//! What to change, ready to be applied.

use serde::{Deserialize, Serialize};

/// One change of one document. Applied exactly as it is, it removes the cause that it comes with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    pub target: PatchTarget,
    pub operation: PatchOperation,
    /// A statement, a whole document, or the body of a `PATCH` of the settings.
    pub document: serde_json::Value,
    /// Commands of the AWS CLI for a POSIX shell that make the change. They keep what others have in the same
    /// document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
    /// Where in the AWS console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchTarget {
    /// The permission policy of the role, or of an access key's user.
    RolePermissionPolicy,
    TrustPolicy,
    BucketPolicy,
    KeyPolicy,
    Cors,
    Lifecycle,
    /// The connection's settings: the document is the body of a `PATCH` of the setup or storage.
    Settings,
}

impl PatchTarget {
    /// As in the API and in stored reports: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RolePermissionPolicy => "role_permission_policy",
            Self::TrustPolicy => "trust_policy",
            Self::BucketPolicy => "bucket_policy",
            Self::KeyPolicy => "key_policy",
            Self::Cors => "cors",
            Self::Lifecycle => "lifecycle",
            Self::Settings => "settings",
        }
    }
}

/// How it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchOperation {
    /// The document is a statement for the list of statements. It has no `Sid`, or one that only Sallyport uses.
    AddStatement,
    /// The document takes the place of what is there.
    Replace,
    /// The document's members are set, and no others.
    Set,
}

impl PatchOperation {
    /// As in the API and in stored reports: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AddStatement => "add_statement",
            Self::Replace => "replace",
            Self::Set => "set",
        }
    }
}

/// Reads the patch of a stored report. Reports from before patches had a target have a bare document there,
/// which is left out: what it was for is not known.
pub(super) fn of_report<'de, D>(deserializer: D) -> Result<Option<Patch>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Deserialize)]
    struct Stored {
        #[serde(default, deserialize_with = "of_report")]
        patch: Option<Patch>,
    }

    #[test]
    fn a_bare_document_of_an_older_report_is_left_out() {
        let read =
            |value: serde_json::Value| serde_json::from_value::<Stored>(value).unwrap().patch;
        assert_eq!(read(json!({})), None);
        assert_eq!(read(json!({"patch": {"Effect": "Allow"}})), None);
        assert_eq!(read(json!({"patch": [1]})), None);
        let patch = Patch {
            target: PatchTarget::Cors,
            operation: PatchOperation::Replace,
            document: json!([]),
            cli: None,
            console: Some("S3".into()),
        };
        assert_eq!(read(json!({ "patch": patch })), Some(patch));
    }
}
