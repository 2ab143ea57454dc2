//! The AWS CLI script.

use crate::domain::Invalid;
use crate::domain::policy_document::bucket_rules::{CorsRule, LifecycleRule};
use crate::domain::policy_document::documents::{POLICY_NAME, Parts, unwritable};
use crate::domain::policy_document::escape;
use serde_json::{Value, json};

/// What the script says and does is a file, and the same for everybody; a customer's values are
/// assigned to its variables first, each quoted.
const HEAD: &str = include_str!("../../../templates/documents/connect_head.sh");
const BODY: &str = include_str!("../../../templates/documents/connect.sh");

pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let parameters = parts.parameters;
    let file = |value: &Value| escape::json_file(value).map_err(unwritable);
    let cors = match parts.cors {
        Some(rule) => file(&json!({ "CORSRules": [rule] }))?,
        None => String::new(),
    };
    let lifecycle = match parts.lifecycle {
        Some(lifecycle) => file(&json!(lifecycle))?,
        None => String::new(),
    };
    let lifecycle_lines: Vec<String> = parts
        .lifecycle
        .iter()
        .flat_map(|lifecycle| &lifecycle.rules)
        .map(lifecycle_line)
        .collect();
    let variables = [
        ("bucket", parameters.bucket.to_string()),
        (
            "region",
            parameters.region.map(|r| r.to_string()).unwrap_or_default(),
        ),
        (
            "account",
            parameters
                .role_arn
                .as_ref()
                .map(|role| role.account().to_string())
                .unwrap_or_default(),
        ),
        ("role_name", parts.role.name.clone()),
        ("role_path", parts.role.path.clone()),
        ("external_id", parameters.external_id.to_string()),
        ("policy_name", POLICY_NAME.to_owned()),
        ("trust_policy", file(parts.trust_policy)?),
        ("permission_policy", file(parts.permission_policy)?),
        ("cors", cors),
        ("cors_rules", parts.cors.map(cors_line).unwrap_or_default()),
        ("lifecycle", lifecycle),
        ("lifecycle_rules", lifecycle_lines.join("\n")),
    ];
    let mut script = HEAD.to_owned();
    for (name, value) in variables {
        script.push_str(&format!("{name}={}\n", escape::for_shell(&value)));
    }
    script.push_str(BODY);
    Ok(script)
}

/// A rule as the script's query lists it, to tell it from a rule that is not ours.
fn cors_line(rule: &CorsRule<Vec<String>>) -> String {
    [
        rule.allowed_origins.join(","),
        rule.allowed_methods.join(","),
        rule.allowed_headers.join(","),
        rule.expose_headers.join(","),
        rule.max_age_seconds.to_string(),
    ]
    .join("\t")
}

fn lifecycle_line(rule: &LifecycleRule<String>) -> String {
    [
        rule.id.clone(),
        rule.filter.prefix.clone(),
        rule.expiration.days.to_string(),
        rule.noncurrent_version_expiration
            .noncurrent_days
            .to_string(),
        rule.abort_incomplete_multipart_upload
            .days_after_initiation
            .to_string(),
    ]
    .join("\t")
}
