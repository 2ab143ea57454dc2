//! The CloudFormation templates.

use crate::domain::Invalid;
use crate::domain::policy_document::documents::{POLICY_NAME, Parts, unwritable};
use crate::domain::policy_document::words;
use serde_json::{Map, Value, json};

const HEAD: &str = "\
# Makes the role that lets the product use the bucket; its ARN is the output RoleArn.
# The stack needs the capability CAPABILITY_NAMED_IAM, because the role has a fixed name.
# To take everything back, delete the stack.
";

const USER_HEAD: &str = "\
# Makes the IAM user that lets the product use the bucket, and its policy. It makes no access key: the secret
# would stand in the stack's outputs. Make the key afterwards, in the console (IAM > Users > the user > Security
# credentials > Create access key) or by the command
#   aws iam create-access-key --user-name USER
# with the output UserName. Delete the user's keys before the stack.
# The stack needs the capability CAPABILITY_NAMED_IAM, because the user has a fixed name.
";

const RULES: &str = "\
# CloudFormation cannot change a bucket that it has not made. What is left to do: ADD the documents' rules
# for the bucket, where the setup has any, to those that the bucket has. The AWS CLI script does it.
";

const APART: &str = "\
# For the account that is to have the role. The bucket belongs to another account, which has a template and
# a script of its own.
";

pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let mut properties = Map::new();
    properties.insert("RoleName".into(), json!(parts.role.name));
    properties.insert("Path".into(), json!(parts.role.path));
    properties.insert(
        "AssumeRolePolicyDocument".into(),
        parts.trust_policy.clone(),
    );
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the product use one S3 bucket through a role that asks for an external ID.",
        "Resources": {
            "Role": { "Type": "AWS::IAM::Role", "Properties": identity(parts, properties) },
        },
        "Outputs": {
            "RoleArn": {
                "Description": "Enter this ARN where the product asks for the role.",
                "Value": { "Fn::GetAtt": ["Role", "Arn"] },
            },
        },
    });
    let rules = match parts.parameters.bucket_account_apart() {
        Some(_) => APART.to_owned(),
        None => left_to_do(parts),
    };
    Ok(format!("{HEAD}{rules}{}", yaml(&template)?))
}

/// The template for an access key.
pub fn render_for_user(parts: &Parts<'_>) -> Result<String, Invalid> {
    let mut properties = Map::new();
    properties.insert("UserName".into(), json!(parts.user.name));
    properties.insert("Path".into(), json!(parts.user.path));
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the product use one S3 bucket as an IAM user.",
        "Resources": {
            "User": { "Type": "AWS::IAM::User", "Properties": identity(parts, properties) },
        },
        "Outputs": {
            "UserName": {
                "Description": "Make an access key for this user.",
                "Value": { "Ref": "User" },
            },
        },
    });
    Ok(format!(
        "{USER_HEAD}{}{}",
        left_to_do(parts),
        yaml(&template)?
    ))
}

/// What a role and a user have in common.
fn identity(parts: &Parts<'_>, mut properties: Map<String, Value>) -> Value {
    let parameters = parts.parameters;
    if let Some(boundary) = &parameters.permissions_boundary {
        properties.insert("PermissionsBoundary".into(), json!(boundary.to_string()));
    }
    properties.insert(
        "Policies".into(),
        json!([{ "PolicyName": POLICY_NAME, "PolicyDocument": parts.permission_policy }]),
    );
    if let Some(setup) = parameters.setup_tag() {
        let tags = json!([{ "Key": "sallyport:setup", "Value": setup }]);
        properties.insert("Tags".into(), tags);
    }
    Value::Object(properties)
}

/// What the template does not do, where there is any of it.
fn left_to_do(parts: &Parts<'_>) -> String {
    if parts.cors.is_none() && parts.lifecycle.is_none() {
        return String::new();
    }
    format!("{RULES}{}", words::lifecycle_comment(parts.lifecycle))
}

/// CloudFormation reads YAML 1.1, which takes words such as `no` and `1_000` for other things than strings:
/// every string is quoted.
fn yaml(template: &Value) -> Result<String, Invalid> {
    let options = serde_saphyr::ser_options! { quote_all: true };
    serde_saphyr::to_string_with_options(template, options).map_err(unwritable)
}

const BUCKET_HEAD: &str = "\
# For the account that owns the bucket: lets the role of another account use it, by the bucket's policy.
# Only for a bucket that has no policy: a stack sets a bucket's policy as a whole. Where the bucket has one,
# use the AWS CLI script, which keeps the statements of others, or add the statements below by hand.
# CloudFormation cannot change the rules of a bucket that it has not made.
";

/// The template for the bucket's account, where that is not the role's.
pub fn render_for_bucket(parts: &Parts<'_>) -> Result<Option<String>, Invalid> {
    let (Some(account), Some(policy)) =
        (parts.parameters.bucket_account_apart(), parts.bucket_policy)
    else {
        return Ok(None);
    };
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets a role of another account use one S3 bucket.",
        "Parameters": {
            "BucketHasNoPolicy": {
                "Type": "String",
                "AllowedValues": ["yes"],
                "Description": "The stack would replace the bucket's policy. Enter yes if it has none.",
            },
        },
        "Rules": {
            "RightAccount": {
                "Assertions": [{
                    "Assert": { "Fn::Equals": [{ "Ref": "AWS::AccountId" }, account.as_str()] },
                    "AssertDescription": format!("This template is for account {account}."),
                }],
            },
            "NoPolicy": {
                "Assertions": [{
                    "Assert": { "Fn::Equals": [{ "Ref": "BucketHasNoPolicy" }, "yes"] },
                    "AssertDescription": "This template is for a bucket that has no policy.",
                }],
            },
        },
        "Resources": {
            "BucketPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": parts.parameters.bucket.as_str(),
                    "PolicyDocument": policy,
                },
            },
        },
    });
    let comment = words::lifecycle_comment(parts.lifecycle);
    Ok(Some(format!("{BUCKET_HEAD}{comment}{}", yaml(&template)?)))
}
