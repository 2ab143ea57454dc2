//! The AWS CLI scripts: one for each account. Only the shell's own means, sed, tr and the AWS CLI.
//!
//! A script looks, says what it will do, asks, and does it. Rules and statements are merged by the AWS CLI's
//! own queries (JMESPath), in which a JSON value stands between backticks. That is why no value given to a
//! script has one.

use crate::domain::Invalid;
use crate::domain::connection::account::AccountId;
use crate::domain::policy_document::bucket_rules::earlier_lifecycle_id;
use crate::domain::policy_document::documents::{POLICY_NAME, Parts, unwritable};
use crate::domain::policy_document::escape;
use crate::domain::policy_document::words;
use serde_json::{Value, json};

/// What the scripts say and do is in files, and the same for everybody; a customer's values are assigned to
/// variables first, each quoted.
macro_rules! pieces {
    ($($name:literal),+) => {
        [$(include_str!(concat!("../../../templates/documents/", $name, ".sh"))),+].concat()
    };
}

type Variables = Vec<(&'static str, String)>;

/// The role's script. Where one account has the role and the bucket, it does everything.
pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let parameters = parts.parameters;
    let apart = parameters.bucket_account_apart().is_some();
    let mut variables = identity_variables(parts, parts.role.name.clone(), "role_name")?;
    variables.extend([
        ("external_id", parameters.external_id.to_string()),
        (
            "service_principal",
            parameters.service_principal.arn().to_owned(),
        ),
        ("trust_policy", file(parts.trust_policy)?),
    ]);
    if apart {
        let head = pieces!("head_role_apart", "head_role_trust", "head_all", "head_kms");
        let body = pieces!("common", "look_role", "ask", "do_role", "end_role");
        return Ok(script(&head, "", &variables, &body));
    }
    // Until the role's account is known, the script sees whether it is the bucket's.
    let bucket_account = match parameters.role_account() {
        Some(_) => String::new(),
        None => text(parameters.bucket_account.as_ref()),
    };
    variables.push(("bucket_account", bucket_account));
    variables.extend(bucket_variables(parts)?);
    let head = pieces!(
        "head_role",
        "head_role_trust",
        "head_rules",
        "head_all",
        "head_kms"
    );
    let body = pieces!(
        "common",
        "look_bucket",
        "look_role",
        "look_rules",
        "ask",
        "do_role",
        "do_rules",
        "end_role"
    );
    let paths = words::lifecycle_comment(parts.lifecycle);
    Ok(script(&head, &paths, &variables, &body))
}

/// The script for an access key: user, policy, key, and the bucket's rules.
pub fn render_for_user(parts: &Parts<'_>) -> Result<String, Invalid> {
    let mut variables = identity_variables(parts, parts.user.name.clone(), "user_name")?;
    variables.push(("bucket_account", String::new()));
    variables.extend(bucket_variables(parts)?);
    let head = pieces!("head_user", "head_rules", "head_all");
    let body = pieces!(
        "common",
        "look_bucket",
        "look_user",
        "look_rules",
        "ask",
        "do_user",
        "do_rules",
        "end_user"
    );
    let paths = words::lifecycle_comment(parts.lifecycle);
    Ok(script(&head, &paths, &variables, &body))
}

/// The script for the bucket's account, where that is not the role's.
pub fn render_for_bucket(parts: &Parts<'_>) -> Result<Option<String>, Invalid> {
    let (Some(account), Some(policy)) =
        (parts.parameters.bucket_account_apart(), parts.bucket_policy)
    else {
        return Ok(None);
    };
    let mut variables = vec![
        ("account", account.to_string()),
        ("bucket_account", String::new()),
    ];
    variables.extend(statement_variables(parts, policy)?);
    variables.extend(bucket_variables(parts)?);
    let head = pieces!("head_bucket", "head_rules", "head_all");
    let body = pieces!(
        "common",
        "look_bucket",
        "policy",
        "look_bucket_policy",
        "look_rules",
        "ask",
        "do_policy",
        "do_rules"
    );
    let paths = words::lifecycle_comment(parts.lifecycle);
    Ok(Some(script(&head, &paths, &variables, &body)))
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
    let mut variables = vec![
        ("account", account.to_string()),
        ("key", key.to_string()),
        ("region", key.region().to_string()),
    ];
    variables.extend(statement_variables(parts, policy)?);
    let head = pieces!("head_key", "head_all");
    let body = pieces!("common", "policy", "look_key_policy", "ask", "do_policy");
    Ok(Some(script(&head, "", &variables, &body)))
}

fn script(head: &str, comment: &str, variables: &Variables, body: &str) -> String {
    let mut script = format!("{head}{comment}");
    // The values and the queries are in single quotes on purpose.
    script.push_str("#\n# A $ in single quotes is meant as it is, and so is a backtick.\n");
    script.push_str("# shellcheck disable=SC2016,SC2034\nset -eu\n\n");
    for (name, value) in variables {
        script.push_str(&format!("{name}={}\n", escape::for_shell(value)));
    }
    script.push_str(body);
    script
}

/// Who is made in the account, and what they may do.
fn identity_variables(
    parts: &Parts<'_>,
    name: String,
    variable: &'static str,
) -> Result<Variables, Invalid> {
    let parameters = parts.parameters;
    Ok(vec![
        ("account", text(parameters.role_account())),
        ("setup", parameters.setup_tag().unwrap_or_default()),
        (variable, name),
        ("role_path", parts.role.path.clone()),
        (
            "boundary",
            parameters
                .permissions_boundary
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        ("policy_name", POLICY_NAME.to_owned()),
        ("permission_policy", file(parts.permission_policy)?),
        ("grants", words::grants(parts.permission_policy)),
    ])
}

fn text(account: Option<&AccountId>) -> String {
    account.map(ToString::to_string).unwrap_or_default()
}

/// JSON in plain ASCII, without a backtick: it would end the value in a query.
fn file(value: &Value) -> Result<String, Invalid> {
    let json = escape::json_file(value).map_err(unwritable)?;
    Ok(json.replace('`', "\\u0060"))
}

/// Our statements of a policy that others have statements in.
fn statement_variables(parts: &Parts<'_>, policy: &Value) -> Result<Variables, Invalid> {
    Ok(vec![
        ("sid_begins", parts.parameters.sid_prefix()),
        ("statements", file(&policy["Statement"])?),
        ("grants", words::grants(policy)),
    ])
}

/// The bucket, and our rules for it.
fn bucket_variables(parts: &Parts<'_>) -> Result<Variables, Invalid> {
    let parameters = parts.parameters;
    let cors = match parts.cors {
        Some(rule) => file(&json!([rule]))?,
        None => String::new(),
    };
    let lifecycle = match parts.lifecycle {
        Some(lifecycle) => file(&json!(lifecycle.rules))?,
        None => String::new(),
    };
    let own_cors: Vec<&str> = parts
        .cors
        .iter()
        .filter_map(|rule| rule.id.as_deref())
        .collect();
    let own_lifecycle: Vec<&str> = parts
        .lifecycle
        .iter()
        .flat_map(|lifecycle| &lifecycle.rules)
        .flat_map(|rule| [Some(rule.id.as_str()), earlier_lifecycle_id(&rule.id)])
        .flatten()
        .collect();
    Ok(vec![
        ("bucket", parameters.bucket.to_string()),
        (
            "region",
            parameters.region.map(|r| r.to_string()).unwrap_or_default(),
        ),
        ("cors", cors),
        ("cors_is_ours", is_ours(&own_cors)),
        (
            "cors_is_first",
            format!(
                "CORSRules[0].ID == '{}'",
                own_cors.first().copied().unwrap_or_default()
            ),
        ),
        ("lifecycle", lifecycle),
        ("lifecycle_is_ours", is_ours(&own_lifecycle)),
        ("lifecycle_paths", words::lifecycle_paths(parts.lifecycle)),
    ])
}

/// A condition of a query for our rules. Our IDs are made of letters, digits and hyphens, so they need no
/// escaping.
fn is_ours(ids: &[&str]) -> String {
    let conditions: Vec<String> = ids.iter().map(|id| format!("ID == '{id}'")).collect();
    conditions.join(" || ")
}
