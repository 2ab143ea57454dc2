//! What documents say of themselves, in their comments and before they act.

use crate::domain::files::file_operation::PermissionRow;
use crate::domain::policy_document::bucket_rules::Lifecycle;
use crate::domain::policy_document::escape;
use serde_json::Value;

/// What a policy allows: one line for each statement.
pub(super) fn grants(policy: &Value) -> String {
    let statements = policy["Statement"].as_array();
    let lines: Vec<String> = statements
        .into_iter()
        .flatten()
        .map(|statement| {
            let texts = |member: &str| -> Vec<&str> {
                match &statement[member] {
                    Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
                    Value::String(text) => vec![text.as_str()],
                    _ => Vec::new(),
                }
            };
            let prefix = &statement["Condition"]["StringLike"]["s3:prefix"][0];
            let limit = match prefix.as_str() {
                Some(prefix) => format!(", only for what begins with {prefix}"),
                None => String::new(),
            };
            format!(
                "    {} on {}{limit}",
                texts("Action").join(", "),
                texts("Resource").join(", ")
            )
        })
        .collect();
    lines.join("\n")
}

/// The paths that the lifecycle rules empty: one line for each.
pub(super) fn lifecycle_paths(lifecycle: Option<&Lifecycle<String>>) -> String {
    let rules = lifecycle.into_iter().flat_map(|lifecycle| &lifecycle.rules);
    let lines: Vec<String> = rules.map(|rule| quoted(&rule.filter.prefix)).collect();
    lines.join("\n")
}

/// The same as a comment, for every form that begins its comments with `#`. Empty without lifecycle rules.
pub(super) fn lifecycle_comment(lifecycle: Option<&Lifecycle<String>>) -> String {
    if lifecycle.is_none() {
        return String::new();
    }
    let paths = lifecycle_paths(lifecycle).replace('\n', "\n# ");
    format!(
        "#\n# WARNING: by the lifecycle rules, S3 deletes everything below these paths of the bucket after 7 days,\n# earlier versions included, whoever wrote it:\n# {paths}\n"
    )
}

/// A path as a JSON string in plain ASCII, so that no character of it can end a comment.
fn quoted(path: &str) -> String {
    let json = escape::beyond('\u{7e}', &Value::from(path).to_string());
    format!("    {json}")
}

/// Why the documents grant an action, and which feature needs it.
pub struct ActionInWords {
    pub action: &'static str,
    /// What the product can do with it.
    pub allows: &'static str,
    /// What in the product needs it.
    pub needed_for: &'static str,
}

/// The table of what is granted, in the order of the policies. Actions of choices that are off are not in it.
pub fn actions_in_words(policy: &Value) -> Vec<ActionInWords> {
    let statements = policy["Statement"].as_array();
    let actions = statements
        .into_iter()
        .flatten()
        .flat_map(|statement| statement["Action"].as_array())
        .flatten()
        .filter_map(Value::as_str);
    actions.filter_map(in_words).collect()
}

pub(crate) fn of_row(row: &PermissionRow) -> Option<ActionInWords> {
    in_words(row.permission.action)
}

fn in_words(action: &str) -> Option<ActionInWords> {
    let all = [
        (
            "s3:GetBucketLocation",
            "Reads the bucket’s Region.",
            "Finding the Region by itself. Without it the check warns.",
        ),
        (
            "s3:ListBucket",
            "Lists the files in the folder.",
            "Browsing, choosing files, finding missing files.",
        ),
        (
            "s3:ListBucketVersions",
            "Lists earlier versions and delete markers.",
            "The list of a file’s versions; removing what a check wrote.",
        ),
        (
            "s3:GetObject",
            "Reads files.",
            "Opening and downloading files, signed URLs, copies.",
        ),
        (
            "s3:GetObjectAcl",
            "Reads who else may use a file (its ACL).",
            "Showing a file’s ACL.",
        ),
        (
            "s3:GetObjectVersion",
            "Reads an earlier version of a file.",
            "Opening an earlier version.",
        ),
        (
            "s3:PutObject",
            "Writes files, and replaces files of the same name.",
            "Uploading, copying and moving files, and the check’s test file.",
        ),
        (
            "s3:PutObjectAcl",
            "Changes who else may use a file. It can make a file public, unless the bucket blocks public access.",
            "Setting a file’s ACL.",
        ),
        (
            "s3:AbortMultipartUpload",
            "Ends an upload in parts and removes its parts.",
            "Cleaning up after uploads that failed.",
        ),
        (
            "s3:DeleteObject",
            "Deletes files. In a bucket with versions, the earlier versions stay.",
            "Deleting and moving files, and removing the check’s test file.",
        ),
        (
            "s3:DeleteObjectVersion",
            "Deletes versions for good: versioning does not protect from it.",
            "Deleting a file’s version; removing what a check wrote.",
        ),
        (
            "kms:Decrypt",
            "Decrypts with your KMS key.",
            "Reading files that are encrypted with the key; uploads in parts.",
        ),
        (
            "kms:GenerateDataKey",
            "Encrypts with your KMS key.",
            "Writing files that are encrypted with the key.",
        ),
    ];
    let (action, allows, needed_for) = all.into_iter().find(|(name, _, _)| *name == action)?;
    Some(ActionInWords {
        action,
        allows,
        needed_for,
    })
}
