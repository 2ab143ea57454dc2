//! The AWS CLI scripts: one for each account. Only the shell's own means and the AWS CLI, and jq where
//! statements of others are in a policy.

use crate::domain::Invalid;
use crate::domain::connection::account::AccountId;
use crate::domain::policy_document::documents::{POLICY_NAME, Parts, unwritable};
use crate::domain::policy_document::escape;
use serde_json::{Value, json};

/// What the scripts say and do is in files, and the same for everybody; a customer's values are assigned to
/// variables first, each quoted.
macro_rules! piece {
    ($name:literal) => {
        include_str!(concat!("../../../templates/documents/", $name, ".sh"))
    };
}

/// The role's script. Where one account has the role and the bucket, it does everything.
pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let parameters = parts.parameters;
    let apart = parameters.bucket_account_apart().is_some();
    let role_account = parameters.role_account();
    let mut variables = vec![("account", text(role_account))];
    variables.push((
        "bucket_account",
        match role_account {
            Some(_) => String::new(),
            None => text(parameters.bucket_account.as_ref()),
        },
    ));
    variables.extend([
        ("role_name", parts.role.name.clone()),
        ("role_path", parts.role.path.clone()),
        (
            "boundary",
            parameters
                .permissions_boundary
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        ("external_id", parameters.external_id.to_string()),
        ("policy_name", POLICY_NAME.to_owned()),
        ("trust_policy", file(parts.trust_policy)?),
        ("permission_policy", file(parts.permission_policy)?),
    ]);
    let (heads, bodies): (&[&str], &[&str]) = match apart {
        true => (
            &[piece!("role_apart_head"), piece!("trust_head")],
            &[
                piece!("role_arguments"),
                piece!("common"),
                piece!("role"),
                piece!("role_end"),
            ],
        ),
        false => (
            &[
                piece!("role_head"),
                piece!("rules_head"),
                "#\n",
                piece!("trust_head"),
            ],
            &[
                piece!("role_arguments"),
                piece!("common"),
                piece!("role"),
                piece!("role_or_bucket"),
                piece!("rules"),
                piece!("role_end"),
            ],
        ),
    };
    if !apart {
        variables.extend(bucket_variables(parts)?);
    } else {
        variables.retain(|(name, _)| *name != "bucket_account");
    }
    Ok(script(heads, &variables, bodies))
}

/// The script for the bucket's account, where that is not the role's.
pub fn render_for_bucket(parts: &Parts<'_>) -> Result<Option<String>, Invalid> {
    let (Some(account), Some(policy)) =
        (parts.parameters.bucket_account_apart(), parts.bucket_policy)
    else {
        return Ok(None);
    };
    let mut variables = vec![("account", account.to_string()), ("policy", file(policy)?)];
    variables.extend(bucket_variables(parts)?);
    Ok(Some(script(
        &[piece!("bucket_head"), piece!("rules_head")],
        &variables,
        &[
            piece!("arguments"),
            piece!("common"),
            piece!("statements"),
            piece!("bucket_policy"),
            piece!("rules"),
        ],
    )))
}

/// The script for the key's account, where that is not the role's.
pub fn render_for_key(parts: &Parts<'_>) -> Result<Option<String>, Invalid> {
    let parameters = parts.parameters;
    let (Some(account), Some(policy), Some(key)) = (
        parameters.key_account_apart(),
        parts.key_policy,
        &parameters.kms_key,
    ) else {
        return Ok(None);
    };
    let variables = [
        ("account", account.to_string()),
        ("key", key.to_string()),
        ("region", key.region().to_string()),
        ("policy", file(policy)?),
    ];
    Ok(Some(script(
        &[piece!("key_head")],
        &variables,
        &[
            piece!("arguments"),
            piece!("common"),
            piece!("statements"),
            piece!("key_policy"),
        ],
    )))
}

fn script(heads: &[&str], variables: &[(&str, String)], bodies: &[&str]) -> String {
    let mut script = heads.concat();
    // The values and jq's program are in single quotes on purpose.
    script.push_str("#\n# A $ in single quotes is meant as it is.\n");
    script.push_str("# shellcheck disable=SC2016\nset -eu\n\n");
    for (name, value) in variables {
        script.push_str(&format!("{name}={}\n", escape::for_shell(value)));
    }
    script.push_str(&bodies.concat());
    script
}

fn text(account: Option<&AccountId>) -> String {
    account.map(ToString::to_string).unwrap_or_default()
}

fn file(value: &Value) -> Result<String, Invalid> {
    escape::json_file(value).map_err(unwritable)
}

/// The bucket, and our rules for it.
fn bucket_variables(parts: &Parts<'_>) -> Result<[(&'static str, String); 6], Invalid> {
    let parameters = parts.parameters;
    let cors = match parts.cors {
        Some(rule) => file(&json!([rule]))?,
        None => String::new(),
    };
    let lifecycle = match parts.lifecycle {
        Some(lifecycle) => file(&json!(lifecycle.rules))?,
        None => String::new(),
    };
    let own_cors = parts.cors.iter().filter_map(|rule| rule.id.as_deref());
    let own_lifecycle = parts
        .lifecycle
        .iter()
        .flat_map(|lifecycle| &lifecycle.rules)
        .map(|rule| rule.id.as_str());
    Ok([
        ("bucket", parameters.bucket.to_string()),
        (
            "region",
            parameters.region.map(|r| r.to_string()).unwrap_or_default(),
        ),
        ("cors", cors),
        ("cors_of_others", query_of_others("CORSRules", own_cors)),
        ("lifecycle", lifecycle),
        (
            "lifecycle_of_others",
            query_of_others("Rules", own_lifecycle),
        ),
    ])
}

/// A query of the AWS CLI (JMESPath) for the rules that are not ours. Our IDs are made of letters, digits and
/// hyphens, so they need no escaping.
fn query_of_others<'a>(rules: &str, ours: impl Iterator<Item = &'a str>) -> String {
    let others: Vec<String> = ours.map(|id| format!("ID!='{id}'")).collect();
    format!("{rules}[?{}]", others.join(" && "))
}
