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

pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let template = json!({
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
    // CloudFormation reads YAML 1.1, which takes words such as `no` and `1_000` for other things than
    // strings: every string is quoted.
    let options = serde_saphyr::ser_options! { quote_all: true };
    let yaml = serde_saphyr::to_string_with_options(&template, options).map_err(unwritable)?;
    let rules = match (parts.cors, parts.lifecycle) {
        (Some(_), _) => BUCKET_RULES,
        (None, Some(_)) => LIFECYCLE_RULES,
        (None, None) => "",
    };
    Ok(format!("{HEAD}{rules}{yaml}"))
}
