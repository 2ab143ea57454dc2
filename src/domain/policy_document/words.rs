//! What documents say of themselves, in their comments and before they act.

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
