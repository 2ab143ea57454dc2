//! Words about statements that deny: by which condition, and which exception lets the role through.

use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::doctor::condition::Operator;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::{DocumentKind, listed};
use crate::domain::doctor::json::Node;
use crate::domain::doctor::policy::Statement;
use crate::domain::policy_document::escape;
use serde_json::{Value, json};

/// What the statement's conditions ask, in words. `surely`: they hold for Sallyport's requests.
pub fn conditions(statement: &Statement, surely: bool) -> String {
    if statement.conditions.is_empty() {
        return "It has no condition.".to_owned();
    }
    let said: Vec<String> = statement
        .conditions
        .iter()
        .map(|condition| {
            let values: Vec<&str> = condition.values.iter().map(|v| v.text.as_str()).collect();
            format!(
                "`{}` of `{}` with {}{}",
                condition.operator,
                condition.key,
                listed(&values),
                about(&condition.key)
                    .map(|words| format!(" ({words})"))
                    .unwrap_or_default(),
            )
        })
        .collect();
    let holds = match surely {
        true => "which holds for Sallyport's requests",
        false => "and whether that holds for Sallyport's requests is not known here",
    };
    format!("Its condition is {}, {holds}.", said.join(", and "))
}

/// What a condition key is about.
fn about(key: &str) -> Option<&'static str> {
    Some(match key.to_ascii_lowercase().as_str() {
        "aws:sourcevpce" => "the VPC endpoint that a request comes through",
        "aws:sourcevpc" => "the VPC that a request comes from",
        "aws:sourceip" => "the address that a request comes from",
        "aws:vpcsourceip" => "the private address that a request comes from",
        "aws:securetransport" => "whether a request uses HTTPS",
        "s3:tlsversion" => "the version of TLS",
        "s3:x-amz-server-side-encryption" => "the encryption that an upload asks for",
        "s3:x-amz-server-side-encryption-aws-kms-key-id" => "the KMS key that an upload names",
        "aws:multifactorauthpresent" | "aws:multifactorauthage" => {
            "MFA, which the sessions of a service never have"
        }
        "aws:principalorgid" | "aws:principalorgpaths" => {
            "the organization of the caller's account"
        }
        "aws:principalaccount" => "the caller's account",
        "aws:principalarn" => "the caller's role",
        "aws:userid" => "the unique ID of the caller",
        "aws:resourceaccount" | "s3:resourceaccount" => "the account that owns the bucket",
        "aws:requestedregion" => "the Region that a request goes to",
        "aws:currenttime" => "the time",
        "s3:x-amz-acl" => "the ACL that an upload asks for",
        "s3:prefix" => "the prefix that is listed",
        _ => return None,
    })
}

/// The change that lets the role through. Never a statement that allows: nothing does against a denial.
pub fn remedy(statement: &Statement, expected: &Expected, kind: DocumentKind) -> String {
    let encryption = statement.conditions.iter().any(|condition| {
        condition
            .key
            .to_ascii_lowercase()
            .starts_with("s3:x-amz-server-side-encryption")
    });
    let encryption = match (encryption, &expected.kms_key) {
        (true, None) => {
            " Or enter the bucket's KMS key in Sallyport's settings: uploads then name it."
        }
        (true, Some(_)) | (false, _) => "",
    };
    let by_role = statement.conditions.iter().find(|condition| {
        condition.key.eq_ignore_ascii_case("aws:PrincipalArn")
            && Operator::parse(&condition.operator).is_some_and(|operator| operator.negated)
    });
    let Some(role) = &expected.role else {
        return format!(
            "Change the statement so that it leaves out the role's requests.{encryption}"
        );
    };
    match (kind, by_role) {
        (DocumentKind::PermissionPolicy, _) => {
            format!(
                "Remove the actions from the statement that denies, or narrow its `Resource`.{encryption}"
            )
        }
        (_, Some(condition)) => format!(
            "Add `{}` to the values of `aws:PrincipalArn` under `{}` in this statement.{encryption}",
            role.as_str(),
            condition.operator
        ),
        (_, None) => format!(
            "If the role is meant to get through, add to the statement's `Condition`: `\"ArnNotEquals\": {{\"aws:PrincipalArn\": \"{}\"}}`. The statement goes on denying everybody else.{encryption}",
            role.as_str()
        ),
    }
}

/// The policy with the exception in it, for a policy of the bucket or the key.
pub fn exception(
    root: &Node,
    statement: &Statement,
    expected: &Expected,
    kind: DocumentKind,
) -> Option<Patch> {
    let (target, console) = match kind {
        DocumentKind::BucketPolicy => (
            PatchTarget::BucketPolicy,
            "S3 > the bucket > Permissions > Bucket policy",
        ),
        DocumentKind::KeyPolicy => (PatchTarget::KeyPolicy, "KMS > the key > Key policy > Edit"),
        DocumentKind::PermissionPolicy | DocumentKind::TrustPolicy | DocumentKind::Cors => {
            return None;
        }
    };
    let role = expected.role.as_ref()?.as_str();
    let mut document = root.plain();
    let denying = document
        .pointer_mut(&statement.place.path)?
        .as_object_mut()?;
    let block = denying.entry("Condition").or_insert_with(|| json!({}));
    let operators = block.as_object_mut()?;
    let known = operators.iter().find_map(|(operator, keys)| {
        let negated = Operator::parse(operator)?.negated;
        let key = keys
            .as_object()?
            .keys()
            .find(|key| key.eq_ignore_ascii_case("aws:PrincipalArn"))?;
        negated.then(|| (operator.clone(), key.clone()))
    });
    let (operator, key) =
        known.unwrap_or_else(|| ("ArnNotEquals".to_owned(), "aws:PrincipalArn".to_owned()));
    let keys = operators.entry(operator).or_insert_with(|| json!({}));
    let values = keys
        .as_object_mut()?
        .entry(key)
        .or_insert_with(|| json!([]));
    if !values.is_array() {
        *values = json!([values.take()]);
    }
    values.as_array_mut()?.push(json!(role));
    Some(Patch {
        target,
        operation: PatchOperation::Replace,
        cli: put(kind, expected, &document),
        console: Some(console.to_owned()),
        document,
    })
}

fn put(kind: DocumentKind, expected: &Expected, document: &Value) -> Option<String> {
    let text = escape::for_shell(&escape::beyond('\u{7e}', &document.to_string()));
    match kind {
        DocumentKind::BucketPolicy => Some(format!(
            "aws s3api put-bucket-policy --bucket {} --policy {text}",
            expected.bucket.as_ref()?
        )),
        DocumentKind::KeyPolicy => Some(format!(
            "aws kms put-key-policy --key-id {} --region {} --policy-name default --policy {text}",
            expected.kms_key.as_ref()?,
            expected.kms_key.as_ref()?.region(),
        )),
        DocumentKind::PermissionPolicy | DocumentKind::TrustPolicy | DocumentKind::Cors => None,
    }
}
