//! All forms of one setup grant the same: the JSON documents, the AWS CLI script, the CloudFormation template,
//! the Terraform configuration, and the link with the generic template.

use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::account::Partition;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::policy_document::{
    DocumentParameters, Documents, QuickCreateTemplate, quick_create_link,
};
use crate::it::documents::hostile::terraform_values;
use crate::it::documents::rendering::{kms_key, parameters, render};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::process::Command;

/// Everything that a setup may be, with a name.
pub fn every_setup() -> Vec<(String, DocumentParameters)> {
    let mut all = Vec::new();
    let prefixes = ["", "team/", "it's ${a} *?/%{b} \"ü\" `x`/"];
    let switches = |bits: u32| (0..4).map(move |bit| bits & (1 << bit) != 0);
    for partition in Partition::ALL {
        for auth in [Auth::Role, Auth::AccessKey] {
            for access in Access::ALL {
                for prefix in prefixes {
                    for with_key in [false, true] {
                        for bits in 0..16 {
                            let [acls, versions, with_cors, lifecycle]: [bool; 4] =
                                Vec::from_iter(switches(bits)).try_into().unwrap();
                            all.push((
                                format!("{partition} {auth:?} {access:?} {prefix} key {with_key} {bits:04b}"),
                                setup(partition, auth, (access, acls, versions), (prefix, with_key), (with_cors, lifecycle)),
                            ));
                        }
                    }
                }
            }
        }
    }
    all
}

fn setup(
    partition: Partition,
    auth: Auth,
    (access, acls, versions): (Access, bool, bool),
    (prefix, with_key): (&str, bool),
    (with_cors, lifecycle): (bool, bool),
) -> DocumentParameters {
    let usual = parameters(partition);
    let boundary = format!("arn:{partition}:iam::444455556666:policy/edge");
    DocumentParameters {
        auth,
        grants: Grants {
            access,
            acls,
            versions,
        },
        lifecycle: lifecycle && access.writes(),
        prefix: BucketPrefix::parse(prefix).unwrap(),
        kms_key: with_key.then(|| kms_key(partition)),
        allowed_origins: match with_cors {
            true => usual.allowed_origins.clone(),
            false => Vec::new(),
        },
        role_arn: None,
        role_exists: false,
        role_path: RolePath::parse("/vendors/").unwrap(),
        permissions_boundary: with_key.then(|| BoundaryArn::parse(&boundary).unwrap()),
        ..usual
    }
}

/// What one form says.
#[derive(Debug, PartialEq)]
struct Granted {
    name: String,
    path: String,
    boundary: Option<String>,
    tag: String,
    permission_policy: Value,
    trust_policy: Option<Value>,
    cors: Option<Value>,
    lifecycle: Option<Value>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn given(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn of_documents(documents: &Documents, parameters: &DocumentParameters) -> Granted {
    let (name, path) = match parameters.auth {
        Auth::Role => {
            let role = documents.role.as_ref().unwrap();
            (role.name.clone(), role.path.clone())
        }
        Auth::AccessKey => {
            let user = documents.user.as_ref().unwrap();
            (user.name.clone(), user.path.clone())
        }
    };
    Granted {
        name,
        path,
        boundary: parameters
            .permissions_boundary
            .as_ref()
            .map(ToString::to_string),
        tag: parameters.setup_id.as_ref().unwrap().to_string(),
        permission_policy: documents.permission_policy.clone(),
        trust_policy: documents.trust_policy.clone(),
        cors: documents.cors.clone(),
        lifecycle: documents.lifecycle.clone(),
    }
}

/// The values that scripts assign, as a shell reads them. What they do with them is tested by running them.
fn of_scripts(scripts: &[(&str, Auth)]) -> Vec<Granted> {
    let mut program = String::new();
    for (script, auth) in scripts {
        let end = script.find("\nsay() {").expect("the variables end");
        let name = match auth {
            Auth::Role => "role_name",
            Auth::AccessKey => "user_name",
        };
        program.push_str(&format!(
            "(\n{}\nprintf '%s\\0' \"${name}\" \"$role_path\" \"$boundary\" \"$setup\" \"$permission_policy\" \"${{trust_policy-}}\" \"$cors\" \"$lifecycle\"\n)\n",
            &script[..end]
        ));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.sh");
    std::fs::write(&file, program).unwrap();
    let output = Command::new("sh").arg(&file).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    let values: Vec<&str> = printed.split_terminator('\0').collect();
    let json =
        |text: &str| (!text.is_empty()).then(|| serde_json::from_str::<Value>(text).unwrap());
    let granted = |values: &[&str]| Granted {
        name: values[0].to_owned(),
        path: values[1].to_owned(),
        boundary: (!values[2].is_empty()).then(|| values[2].to_owned()),
        tag: values[3].to_owned(),
        permission_policy: json(values[4]).unwrap(),
        trust_policy: json(values[5]),
        cors: json(values[6]),
        lifecycle: json(values[7]).map(|rules| json!({ "Rules": rules })),
    };
    values.chunks(8).map(granted).collect()
}

/// CloudFormation cannot set the rules of a bucket: those of the documents are said to be left to do.
fn of_cloudformation(template: &Value, left: (Option<Value>, Option<Value>)) -> Granted {
    let resource = template["Resources"]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap();
    let properties = &resource["Properties"];
    let name = match given(&properties["RoleName"]) {
        Some(name) => name,
        None => text(&properties["UserName"]),
    };
    Granted {
        name,
        path: text(&properties["Path"]),
        boundary: given(&properties["PermissionsBoundary"]),
        tag: text(&properties["Tags"][0]["Value"]),
        permission_policy: properties["Policies"][0]["PolicyDocument"].clone(),
        trust_policy: properties.get("AssumeRolePolicyDocument").cloned(),
        cors: left.0,
        lifecycle: left.1,
    }
}

fn of_terraform(terraform: &str) -> Granted {
    let values = terraform_values(terraform);
    let resources = &values["resource"];
    let json = |value: &Value| serde_json::from_str::<Value>(value.as_str().unwrap()).unwrap();
    let (identity, policy) = match resources.get("aws_iam_role") {
        Some(role) => (role, "aws_iam_role_policy"),
        None => (&resources["aws_iam_user"], "aws_iam_user_policy"),
    };
    let identity = &identity["sallyport"];
    // A block that stands once is no list.
    let list = |value: &Value| match value {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    let cors = resources
        .get("aws_s3_bucket_cors_configuration")
        .map(|cors| {
            let rules = list(&cors["sallyport"]["cors_rule"]);
            Value::Array(rules.iter().map(renamed).collect())
        });
    let lifecycle = resources
        .get("aws_s3_bucket_lifecycle_configuration")
        .map(|lifecycle| {
            let rules = list(&lifecycle["sallyport"]["rule"]);
            json!({ "Rules": rules.iter().map(renamed).collect::<Vec<_>>() })
        });
    Granted {
        name: text(&identity["name"]),
        path: text(&identity["path"]),
        boundary: given(&identity["permissions_boundary"]),
        tag: text(&identity["tags"]["sallyport:setup"]),
        permission_policy: json(&resources[policy]["sallyport"]["policy"]),
        trust_policy: identity.get("assume_role_policy").map(json),
        cors,
        lifecycle,
    }
}

/// Terraform's names in the form of S3's: `max_age_seconds` is `MaxAgeSeconds`.
fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let name = match name.as_str() {
                        "id" => "ID".to_owned(),
                        other => other.split('_').map(capitalized).collect(),
                    };
                    (name, renamed(value))
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// The link's parameters.
fn parameters_of(link: &str) -> HashMap<String, String> {
    let (_, query) = link.split_once("#/stacks/quickcreate?").unwrap();
    url::form_urlencoded::parse(query.as_bytes())
        .filter_map(|(name, value)| {
            Some((name.strip_prefix("param_")?.to_owned(), value.into_owned()))
        })
        .collect()
}

/// What CloudFormation makes of a template and parameters, as far as the generic template needs it.
fn evaluated(value: &Value, template: &Value, values: &HashMap<String, String>) -> Option<Value> {
    let truth = |name: &str| is_true(&template["Conditions"][name], values);
    Some(match value {
        Value::Object(members) => match members.iter().next() {
            Some((name, Value::String(of))) if name == "Ref" => match of.as_str() {
                "AWS::NoValue" => return None,
                of => json!(values[of]),
            },
            Some((name, Value::Array(parts))) if name == "Fn::If" => {
                let part = if truth(parts[0].as_str().unwrap()) {
                    &parts[1]
                } else {
                    &parts[2]
                };
                return evaluated(part, template, values);
            }
            _ => {
                let kept = members.iter().filter_map(|(name, value)| {
                    Some((name.clone(), evaluated(value, template, values)?))
                });
                Value::Object(kept.collect::<Map<_, _>>())
            }
        },
        Value::Array(list) => {
            let kept = list
                .iter()
                .filter_map(|value| evaluated(value, template, values));
            Value::Array(kept.collect())
        }
        other => other.clone(),
    })
}

fn is_true(condition: &Value, values: &HashMap<String, String>) -> bool {
    if let Some(parts) = condition.get("Fn::Not") {
        return !is_true(&parts[0], values);
    }
    let parts = &condition["Fn::Equals"];
    values[parts[0]["Ref"].as_str().unwrap()] == parts[1].as_str().unwrap()
}

#[test]
fn all_forms_of_one_setup_grant_the_same() {
    let generic: Value = serde_json::from_str(&QuickCreateTemplate::new().unwrap().text).unwrap();
    let setups = every_setup();
    assert_eq!(setups.len(), 8 * 2 * 2 * 3 * 2 * 16);
    let rendered: Vec<Documents> = setups.iter().map(|(_, setup)| render(setup)).collect();
    let scripts: Vec<(&str, Auth)> = setups
        .iter()
        .zip(&rendered)
        .map(|((_, setup), documents)| (documents.cli.as_deref().unwrap(), setup.auth))
        .collect();
    let by_script = of_scripts(&scripts);
    assert_eq!(by_script.len(), setups.len());
    for (((name, setup), documents), by_script) in setups.iter().zip(&rendered).zip(by_script) {
        let expected = of_documents(documents, setup);
        assert_eq!(by_script, expected, "{name}: script");
        let left = || (documents.cors.clone(), documents.lifecycle.clone());
        let text = documents.cloudformation.as_deref().unwrap();
        let template: Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(
            of_cloudformation(&template, left()),
            expected,
            "{name}: CloudFormation"
        );
        let is_left = documents.cors.is_some() || documents.lifecycle.is_some();
        assert_eq!(text.contains("What is left to do"), is_left, "{name}");
        let terraform = documents.terraform.as_deref().unwrap();
        assert_eq!(of_terraform(terraform), expected, "{name}: Terraform");
        // Who applies it reads which folders S3 empties, in every form.
        for form in [documents.cli.as_deref().unwrap(), text, terraform] {
            assert_eq!(
                form.contains("S3 deletes everything below"),
                documents.lifecycle.is_some(),
                "{name}"
            );
        }

        let link = quick_create_link("https://templates.example.com/a.json", setup, documents);
        let has_console = setup.partition.console_host().is_some();
        assert_eq!(
            link.is_some(),
            setup.auth == Auth::Role && has_console,
            "{name}"
        );
        if let Some(link) = link {
            let values = parameters_of(&link);
            let declared = generic["Parameters"].as_object().unwrap();
            assert!(
                declared.keys().all(|name| values.contains_key(name))
                    && declared.len() == values.len()
            );
            let stack = evaluated(&generic, &generic, &values).unwrap();
            assert_eq!(of_cloudformation(&stack, left()), expected, "{name}: link");
        }
    }
}

#[test]
fn no_link_hands_on_what_iam_takes_only_escaped() {
    let setup = DocumentParameters {
        prefix: BucketPrefix::parse("中/").unwrap(),
        ..parameters(Partition::Aws)
    };
    let documents = render(&setup);
    assert_eq!(quick_create_link("https://a", &setup, &documents), None);
}

#[test]
fn an_s3_compatible_store_gets_what_applies_there() {
    let documents = render(&DocumentParameters {
        auth: Auth::AccessKey,
        at_store: true,
        role_arn: None,
        ..parameters(Partition::Aws)
    });
    assert!(documents.cors.is_some() && documents.lifecycle.is_some());
    assert_eq!(documents.trust_policy, None);
    assert_eq!(
        (
            &documents.cli,
            &documents.cloudformation,
            &documents.terraform
        ),
        (&None, &None, &None)
    );
    assert!(documents.role.is_none() && documents.user.is_none() && documents.accounts.is_none());
}

#[test]
fn an_access_key_s_documents_have_no_role() {
    let documents = render(&DocumentParameters {
        auth: Auth::AccessKey,
        role_arn: None,
        kms_key: Some(kms_key(Partition::Aws)),
        ..parameters(Partition::Aws)
    });
    assert_eq!(
        (
            &documents.trust_policy,
            &documents.bucket_policy,
            &documents.key_policy
        ),
        (&None, &None, &None)
    );
    assert_eq!(
        (documents.role.is_none(), documents.user.is_some()),
        (true, true)
    );
    for form in [documents.cli, documents.cloudformation, documents.terraform] {
        let form = form.unwrap();
        for word in [
            "sts:AssumeRole",
            "ExternalId",
            "create-role",
            "aws_iam_role",
            "AWS::IAM::Role",
        ] {
            assert!(!form.contains(word), "{word}: {form}");
        }
    }
}

#[test]
fn two_setups_of_one_prefix_have_lifecycle_rules_of_their_own() {
    let ids = |external_id: &str| {
        let external_id =
            crate::domain::connection::external_id::ExternalId::from_record(external_id).unwrap();
        let documents = render(&DocumentParameters {
            external_id,
            prefix: BucketPrefix::parse("team/").unwrap(),
            ..parameters(Partition::Aws)
        });
        let rules = documents.lifecycle.unwrap()["Rules"]
            .as_array()
            .unwrap()
            .clone();
        rules
            .iter()
            .map(|rule| text(&rule["ID"]))
            .collect::<Vec<_>>()
    };
    let one = ids("0f8fad5b-d9cb-469f-a165-70867728950e");
    let other = ids("7c9e6679-7425-40de-944b-e07fc1f90ae7");
    assert!(
        one.iter().all(|id| !other.contains(id)),
        "{one:?} {other:?}"
    );
}
