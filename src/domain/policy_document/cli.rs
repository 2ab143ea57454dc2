//! The AWS CLI script.

use crate::domain::Invalid;
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
        Some(rule) => file(&json!([rule]))?,
        None => String::new(),
    };
    let lifecycle = match parts.lifecycle {
        Some(lifecycle) => file(&json!(lifecycle.rules))?,
        None => String::new(),
    };
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
        (
            "cors_of_others",
            query_of_others(
                "CORSRules",
                parts.cors.iter().filter_map(|rule| rule.id.as_deref()),
            ),
        ),
        ("lifecycle", lifecycle),
        (
            "lifecycle_of_others",
            query_of_others(
                "Rules",
                parts
                    .lifecycle
                    .iter()
                    .flat_map(|lifecycle| &lifecycle.rules)
                    .map(|rule| rule.id.as_str()),
            ),
        ),
    ];
    let mut script = HEAD.to_owned();
    for (name, value) in variables {
        script.push_str(&format!("{name}={}\n", escape::for_shell(&value)));
    }
    script.push_str(BODY);
    Ok(script)
}

/// A query of the AWS CLI (JMESPath) for the rules that are not ours. Our IDs are made of letters, digits and
/// hyphens, so they need no escaping.
fn query_of_others<'a>(rules: &str, ours: impl Iterator<Item = &'a str>) -> String {
    let others: Vec<String> = ours.map(|id| format!("ID!='{id}'")).collect();
    format!("{rules}[?{}]", others.join(" && "))
}
