//! The CloudFormation template.

use crate::domain::Invalid;
use crate::domain::policy_document::documents::{POLICY_NAME, Parts, unwritable};
use serde_json::json;

const HEAD: &str = "\
# Makes the role that lets the product use the bucket; its ARN is the output RoleArn.
# The stack needs the capability CAPABILITY_NAMED_IAM, because the role has a fixed name.
";

const BUCKET_RULES: &str = "\
# CloudFormation cannot change a bucket that it has not made: apply the CORS rules, and the lifecycle
# rules for read and write access, in the S3 console, or by the AWS CLI script or Terraform.
";

const LIFECYCLE_RULES: &str = "\
# CloudFormation cannot change a bucket that it has not made: apply the lifecycle rules in the S3 console,
# or by the AWS CLI script or Terraform.
";

const APART: &str = "\
# For the account that is to have the role. The bucket belongs to another account, which has a template and
# a script of its own.
";

pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let mut template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the product use one S3 bucket through a role that asks for an external ID.",
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": parts.role.name,
                    "Path": parts.role.path,
                    "AssumeRolePolicyDocument": parts.trust_policy,
                    "Policies": [{
                        "PolicyName": POLICY_NAME,
                        "PolicyDocument": parts.permission_policy,
                    }],
                },
            },
        },
        "Outputs": {
            "RoleArn": {
                "Description": "Enter this ARN where the product asks for the role.",
                "Value": { "Fn::GetAtt": ["Role", "Arn"] },
            },
        },
    });
    if let Some(boundary) = &parts.parameters.permissions_boundary {
        template["Resources"]["Role"]["Properties"]["PermissionsBoundary"] =
            json!(boundary.to_string());
    }
    // CloudFormation reads YAML 1.1, which takes words such as `no` and `1_000` for other things than
    // strings: every string is quoted.
    let options = serde_saphyr::ser_options! { quote_all: true };
    let yaml = serde_saphyr::to_string_with_options(&template, options).map_err(unwritable)?;
    let rules = match (parts.cors, parts.lifecycle) {
        _ if parts.parameters.bucket_account_apart().is_some() => APART,
        (Some(_), _) => BUCKET_RULES,
        (None, Some(_)) => LIFECYCLE_RULES,
        (None, None) => "",
    };
    Ok(format!("{HEAD}{rules}{yaml}"))
}

const BUCKET_HEAD: &str = "\
# For the account that owns the bucket: lets the role of another account use it, by the bucket's policy.
# Only for a bucket that has no policy: a stack sets a bucket's policy as a whole. Where the bucket has one,
# use the AWS CLI script, which keeps the statements of others, or add the statements below by hand.
# CloudFormation cannot change the CORS and lifecycle rules of a bucket that it has not made.
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
    let options = serde_saphyr::ser_options! { quote_all: true };
    let yaml = serde_saphyr::to_string_with_options(&template, options).map_err(unwritable)?;
    Ok(Some(format!("{BUCKET_HEAD}{yaml}")))
}
