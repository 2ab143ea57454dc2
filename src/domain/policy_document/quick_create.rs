//! One click in the customer's console: a generic CloudFormation template, and links that fill it in.
//!
//! The template is the same for everybody and may be public: it holds no name, no external ID and no account.
//! Everything of a setup is in the link, and so in the parameters that the console shows before anything is
//! made.

use crate::domain::Invalid;
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::account::Partition;
use crate::domain::connection::grants::Feature;
use crate::domain::files::file_operation::feature_of;
use crate::domain::policy_document::documents::{Documents, POLICY_NAME, unwritable};
use crate::domain::policy_document::parameters::DocumentParameters;
use aws_lc_rs::digest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// The longest value of a parameter, in bytes (CloudFormation user guide, "Understand CloudFormation quotas").
const MAX_VALUE: usize = 4096;

/// What an address may hold as it is (RFC 3986, unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The template and where it belongs.
pub struct QuickCreateTemplate {
    /// Its name: of its content.
    pub key: String,
    pub text: String,
}

impl QuickCreateTemplate {
    /// `unwritable_document` for policies that are not of the form that `policies/` has, which stop the start.
    pub fn new() -> Result<Self, Invalid> {
        let text = serde_json::to_string_pretty(&template()?).map_err(unwritable)? + "\n";
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let digest: String = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            key: format!("sallyport/cloudformation/{digest}.json"),
            text,
        })
    }
}

fn reference(name: &str) -> Value {
    json!({ "Ref": name })
}

/// `value` under a condition, and nothing without it.
fn only_if(condition: &str, value: Value) -> Value {
    json!({ "Fn::If": [condition, value, reference("AWS::NoValue")] })
}

fn template() -> Result<Value, Invalid> {
    let text = |description: &str| json!({ "Type": "String", "Description": description });
    let optional =
        |description: &str| json!({ "Type": "String", "Default": "", "Description": description });
    let choice = |of: [&str; 2], description: &str| json!({ "Type": "String", "AllowedValues": of, "Description": description });
    let read = include_str!("../../../policies/permission_policy_read.json");
    let write = include_str!("../../../policies/permission_policy_read_write.json");
    let trust = include_str!("../../../policies/trust_policy.json");
    let trust: Value = serde_json::from_str(trust).map_err(unwritable)?;
    let is = |parameter: &str, value: &str| json!({ "Fn::Equals": [reference(parameter), value] });
    let is_given = |parameter: &str| json!({ "Fn::Not": [is(parameter, "")] });
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the product use one S3 bucket through a role that asks for an external ID. It makes the role and its policy, and nothing else: the bucket, its CORS rules and its lifecycle rules stay as they are.",
        "Metadata": {
            "AWS::CloudFormation::Interface": {
                "ParameterGroups": [
                    { "Label": { "default": "Who may use the role" },
                      "Parameters": ["TrustedPrincipal", "ExternalId", "Setup"] },
                    { "Label": { "default": "What the role may do" },
                      "Parameters": ["Access", "ObjectAcls", "ObjectVersions", "BucketArn", "ObjectsArn", "ListedPrefix", "KmsKeyArn"] },
                    { "Label": { "default": "The role" },
                      "Parameters": ["RoleName", "RolePath", "PermissionsBoundary"] },
                ],
            },
        },
        "Parameters": {
            "TrustedPrincipal": text("The ARN that may assume the role: the product's. The account of it is the product's AWS account."),
            "ExternalId": text("What the product must send with each request to assume the role."),
            "Setup": text("The product's ID of this setup. The role is tagged with it."),
            "Access": choice(["read", "read_write"], "read: list and read files. read_write: write and delete them, too."),
            "ObjectAcls": choice(["yes", "no"], "Whether the role may read ACLs of files, and change them with access to write."),
            "ObjectVersions": choice(["yes", "no"], "Whether the role may list versions of files, and read them or, with access to write, delete them."),
            "BucketArn": text("The ARN of the bucket."),
            "ObjectsArn": text("The ARN of the files that the role may use. Ends with an asterisk."),
            "ListedPrefix": optional("What the names of the files begin with that the role may list. Empty: all files of the bucket."),
            "KmsKeyArn": optional("The ARN of the KMS key that the files are encrypted with. Empty: none."),
            "RoleName": text("The name of the role."),
            "RolePath": { "Type": "String", "Default": "/", "Description": "The path of the role." },
            "PermissionsBoundary": optional("The ARN of the policy that bounds the role. Empty: none."),
        },
        "Conditions": {
            "Writes": is("Access", "read_write"),
            "HasAcls": is("ObjectAcls", "yes"),
            "HasVersions": is("ObjectVersions", "yes"),
            "HasPrefix": is_given("ListedPrefix"),
            "HasKey": is_given("KmsKeyArn"),
            "HasBoundary": is_given("PermissionsBoundary"),
        },
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": reference("RoleName"),
                    "Path": reference("RolePath"),
                    "AssumeRolePolicyDocument": filled(trust)?,
                    "PermissionsBoundary": only_if("HasBoundary", reference("PermissionsBoundary")),
                    "Policies": [{
                        "PolicyName": POLICY_NAME,
                        "PolicyDocument": { "Fn::If": ["Writes", policy(write)?, policy(read)?] },
                    }],
                    "Tags": [{ "Key": "sallyport:setup", "Value": reference("Setup") }],
                },
            },
        },
        "Outputs": {
            "RoleArn": {
                "Description": "Enter this ARN where the product asks for the role, if it has not found the role by itself.",
                "Value": { "Fn::GetAtt": ["Role", "Arn"] },
            },
        },
    }))
}

/// A file of `policies/` in which each action of a choice is under its condition.
fn policy(file: &str) -> Result<Value, Invalid> {
    let mut policy: Value = serde_json::from_str(file).map_err(unwritable)?;
    let statements = policy["Statement"].as_array_mut();
    for statement in statements.into_iter().flatten() {
        for action in statement["Action"].as_array_mut().into_iter().flatten() {
            let condition = match action.as_str().and_then(feature_of) {
                None => continue,
                Some(Feature::Acls) => "HasAcls",
                Some(Feature::Versions) => "HasVersions",
            };
            *action = only_if(condition, action.take());
        }
        if let Some(condition) = statement.get_mut("Condition") {
            *condition = only_if("HasPrefix", condition.take());
        }
        if statement["Resource"] == json!(["{key_arn}"]) {
            *statement = only_if("HasKey", statement.take());
        }
    }
    filled(policy)
}

/// The same with a parameter in place of each placeholder.
fn filled(value: Value) -> Result<Value, Invalid> {
    Ok(match value {
        Value::String(text) if text.starts_with('{') => match text.as_str() {
            "{service_principal}" => reference("TrustedPrincipal"),
            "{external_id}" => reference("ExternalId"),
            "{bucket_arn}" => reference("BucketArn"),
            "{objects_arn}" => reference("ObjectsArn"),
            "{list_prefixes}" => reference("ListedPrefix"),
            "{key_arn}" => reference("KmsKeyArn"),
            other => return Err(unwritable(format!("unknown placeholder {other}"))),
        },
        Value::Array(list) => Value::Array(list.into_iter().map(filled).collect::<Result<_, _>>()?),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| Ok((name, filled(value)?)))
                .collect::<Result<Map<_, _>, Invalid>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    })
}

/// The link to the console's page for making a stack, with everything filled in. `None`: for an access key,
/// where no console is known, and where a value is none that the template could hand on: longer than a
/// parameter may be, or a character that IAM takes only escaped.
pub fn link(
    template_url: &str,
    parameters: &DocumentParameters,
    documents: &Documents,
) -> Option<String> {
    if parameters.auth == Auth::AccessKey {
        return None;
    }
    let role = parameters.role_name();
    let statements = documents.permission_policy["Statement"].as_array()?;
    let resource = |is_it: fn(&str) -> bool| {
        let mut arns = statements
            .iter()
            .filter_map(|one| one["Resource"][0].as_str());
        arns.find(|arn| is_it(arn)).map(str::to_owned)
    };
    let listed = statements
        .iter()
        .find_map(|one| one["Condition"]["StringLike"]["s3:prefix"][0].as_str());
    let yes = |granted: bool| if granted { "yes" } else { "no" }.to_owned();
    let access = match parameters.grants.access {
        Access::Read => "read",
        Access::ReadWrite => "read_write",
    };
    let values = [
        (
            "TrustedPrincipal",
            parameters.service_principal.arn().to_owned(),
        ),
        ("ExternalId", parameters.external_id.to_string()),
        ("Setup", parameters.setup_tag()?),
        ("Access", access.to_owned()),
        ("ObjectAcls", yes(parameters.grants.acls)),
        ("ObjectVersions", yes(parameters.grants.versions)),
        (
            "BucketArn",
            resource(|arn| is_of("s3", arn) && !arn.contains('/'))?,
        ),
        (
            "ObjectsArn",
            resource(|arn| is_of("s3", arn) && arn.contains('/'))?,
        ),
        ("ListedPrefix", listed.unwrap_or_default().to_owned()),
        (
            "KmsKeyArn",
            resource(|arn| is_of("kms", arn)).unwrap_or_default(),
        ),
        ("RoleName", role.name.clone()),
        ("RolePath", role.path),
        (
            "PermissionsBoundary",
            parameters
                .permissions_boundary
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
    ];
    let fits = |value: &str| value.len() <= MAX_VALUE && value.chars().all(|c| c <= '\u{ff}');
    if !values.iter().all(|(_, value)| fits(value)) {
        return None;
    }
    let host = parameters.partition.console_host()?;
    let encoded = |value: &str| utf8_percent_encode(value, RESERVED).to_string();
    let region = match parameters.region {
        Some(region) => format!("?region={region}"),
        None => String::new(),
    };
    let mut link = format!(
        "https://{host}/cloudformation/home{region}#/stacks/quickcreate?templateURL={}&stackName={}",
        encoded(template_url),
        stack_name(&role.name),
    );
    for (name, value) in values {
        link.push_str(&format!("&param_{name}={}", encoded(&value)));
    }
    Some(link)
}

/// Whether an ARN is one of this AWS service. A prefix may have anything in it.
fn is_of(service: &str, arn: &str) -> bool {
    arn.split(':').nth(2) == Some(service)
}

/// A stack's name begins with a letter, and has letters, digits and hyphens (CreateStack). A role's name may
/// have more.
fn stack_name(role: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = role.chars().map(plain).collect();
    match name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => name,
        false => format!("role-{name}"),
    }
}

/// The address of an object in Amazon S3, as CloudFormation takes it.
pub fn object_url(partition: Partition, region: &str, bucket: &str, key: &str) -> String {
    let suffix = match partition {
        Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
        Partition::AwsCn => "amazonaws.com.cn",
        Partition::AwsEusc => "amazonaws.eu",
        Partition::AwsIso => "c2s.ic.gov",
        Partition::AwsIsoB => "sc2s.sgov.gov",
        Partition::AwsIsoE => "cloud.adc-e.uk",
        Partition::AwsIsoF => "csp.hci.ic.gov",
    };
    // A dot in the bucket's name breaks the certificate of its own host.
    match bucket.contains('.') {
        true => format!("https://s3.{region}.{suffix}/{bucket}/{key}"),
        false => format!("https://{bucket}.s3.{region}.{suffix}/{key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_named_by_its_content_and_names_nobody() {
        let (one, again) = (
            QuickCreateTemplate::new().unwrap(),
            QuickCreateTemplate::new().unwrap(),
        );
        assert_eq!((&one.key, &one.text), (&again.key, &again.text));
        // Neither an account nor a placeholder that is left.
        assert!(!one.text.contains("arn:"), "{}", one.text);
        assert!(!one.text.contains("_arn}"), "{}", one.text);
    }

    #[test]
    fn names_of_stacks_and_addresses_of_objects() {
        assert_eq!(
            stack_name("sallyport-a.b-0f8fad5b"),
            "sallyport-a-b-0f8fad5b"
        );
        assert_eq!(stack_name("7@x"), "role-7-x");
        assert_eq!(
            object_url(Partition::AwsCn, "cn-north-1", "acme", "a.json"),
            "https://acme.s3.cn-north-1.amazonaws.com.cn/a.json"
        );
        assert_eq!(
            object_url(Partition::Aws, "eu-west-1", "ac.me", "a.json"),
            "https://s3.eu-west-1.amazonaws.com/ac.me/a.json"
        );
    }
}
