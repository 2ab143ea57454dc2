//! Hostile values: what parses, renders, and stays a value in every format.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::Partition;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{
    DocumentName, DocumentParameters, Documents, PolicyTemplates,
};
use crate::it::documents::rendering::parameters;
use crate::it::documents::script;
use hcl::eval::Evaluate;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Pieces that mean something to some format.
const PIECES: [&str; 36] = [
    "a",
    "team",
    "temp",
    "/",
    "*",
    "?",
    "$",
    "${*}",
    "${aws:username}",
    "%{ if true }",
    "$${",
    "%%{",
    "'",
    "\"",
    "\\",
    "`touch pwned`",
    "$(touch pwned)",
    "';touch pwned;'",
    "#",
    ": ",
    "- ",
    "{",
    "}",
    "JSON",
    "!",
    "&",
    "|",
    "<",
    ">",
    " ",
    "\\u0041",
    "é",
    "中",
    "😀",
    "\u{2028}",
    "~",
];

fn hostile(most: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(&PIECES[..]), 0..most)
            .prop_map(|pieces| pieces.concat()),
        "\\PC{0,40}",
    ]
}

prop_compose! {
    fn any_parameters()(
        partition in prop::sample::select(&Partition::ALL[..]),
        access in prop::sample::select(&Access::ALL[..]),
        (acls, versions, lifecycle) in any::<(bool, bool, bool)>(),
        bucket in prop_oneof!["[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", hostile(4)],
        prefix in hostile(12),
        origins in prop::collection::vec(hostile(4).prop_map(|host| format!("https://{host}")), 0..3),
        role in prop::option::of(prop_oneof!["[!-~]{1,20}/[A-Za-z0-9+=,.@_-]{1,64}", hostile(4)]),
    ) -> DocumentParameters {
        let usual = parameters(partition);
        DocumentParameters {
            grants: Grants { access, acls, versions },
            lifecycle: access.writes() && lifecycle,
            bucket: BucketName::parse(&bucket).unwrap_or(usual.bucket),
            prefix: BucketPrefix::parse(&prefix).unwrap_or_default(),
            allowed_origins: origins.iter().filter_map(|origin| OriginPattern::parse(origin).ok()).collect(),
            role_arn: role.and_then(|role| {
                RoleArn::parse(&format!("arn:{partition}:iam::444455556666:role/{role}")).ok()
            }),
            ..usual
        }
    }
}

fn templates() -> PolicyTemplates {
    PolicyTemplates::load().unwrap()
}

/// Reads an IAM pattern: the text before its wildcard, and whether there is one, at its end. Panics at
/// any other wildcard or variable.
fn read_pattern(pattern: &str) -> (String, bool) {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("${") {
            let escaped = after.chars().next().filter(|c| "*?$".contains(*c));
            text.push(escaped.unwrap_or_else(|| panic!("a variable in {pattern}")));
            rest = after[1..].strip_prefix('}').expect("a closed escape");
            continue;
        }
        match c {
            '*' => {
                assert_eq!(rest, "*", "a wildcard within {pattern}");
                return (text, true);
            }
            '?' | '$' => panic!("{c} in {pattern}"),
            other => text.push(other),
        }
        rest = &rest[c.len_utf8()..];
    }
    (text, false)
}

/// Every resource is the bucket or what is below the prefix, and every condition the prefix.
fn assert_limited(policy: &Value, parameters: &DocumentParameters) {
    let (partition, bucket, prefix) =
        (parameters.partition, &parameters.bucket, &parameters.prefix);
    let bucket_arn = format!("arn:{partition}:s3:::{bucket}");
    for statement in policy["Statement"].as_array().unwrap() {
        let resource = read_pattern(statement["Resource"][0].as_str().unwrap());
        match statement.get("Condition") {
            Some(condition) => {
                let listed = condition["StringLike"]["s3:prefix"][0].as_str().unwrap();
                assert_eq!(read_pattern(listed), (prefix.to_string(), true));
                assert_eq!(resource, (bucket_arn.clone(), false));
            }
            None => assert!(
                resource == (bucket_arn.clone(), false)
                    || resource == (format!("{bucket_arn}/{prefix}"), true),
                "{resource:?}"
            ),
        }
    }
}

fn assert_json_round_trips(documents: &Documents) {
    for (name, value) in [
        (
            DocumentName::PermissionPolicy,
            Some(&documents.permission_policy),
        ),
        (DocumentName::TrustPolicy, documents.trust_policy.as_ref()),
        (DocumentName::Cors, documents.cors.as_ref()),
        (DocumentName::Lifecycle, documents.lifecycle.as_ref()),
        (DocumentName::BucketPolicy, documents.bucket_policy.as_ref()),
    ] {
        let text = documents.text(name).unwrap();
        assert_eq!(text.is_some(), value.is_some());
        if let (Some(text), Some(value)) = (text, value) {
            assert!(text.is_ascii(), "{text}");
            assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}

/// Evaluates the configuration as Terraform would, templates included.
pub fn terraform_values(terraform: &str) -> Value {
    let mut context = hcl::eval::Context::new();
    context.declare_var(
        "var",
        hcl::value!({ bucket_has_no_cors_rules = true, bucket_has_no_lifecycle_rules = true }),
    );
    context.declare_var("bool", "bool");
    context.declare_var(
        "aws_iam_role",
        hcl::value!({ sallyport = { id = "id of the role", arn = "arn of the role" } }),
    );
    context.declare_var(
        "aws_iam_user",
        hcl::value!({ sallyport = { name = "name of the user" } }),
    );
    let body = hcl::parse(terraform).unwrap().evaluate(&context).unwrap();
    serde_json::to_value(hcl::from_body::<hcl::Value>(body).unwrap()).unwrap()
}

fn assert_terraform_holds(documents: &Documents, parameters: &DocumentParameters) {
    let values = terraform_values(documents.terraform.as_deref().unwrap());
    let resource = &values["resource"];
    let text = |value: &Value| serde_json::from_str::<Value>(value.as_str().unwrap()).unwrap();
    let role = &resource["aws_iam_role"]["sallyport"];
    assert_eq!(role["name"], parameters.role_name().name);
    assert_eq!(role["path"], parameters.role_name().path);
    assert_eq!(
        Some(text(&role["assume_role_policy"])),
        documents.trust_policy
    );
    let policy = &resource["aws_iam_role_policy"]["sallyport"];
    assert_eq!(text(&policy["policy"]), documents.permission_policy);
    assert_eq!(policy["role"], "id of the role");
    let cors = &resource["aws_s3_bucket_cors_configuration"]["sallyport"];
    if parameters.allowed_origins.is_empty() {
        assert_eq!(cors, &Value::Null);
    } else {
        assert_eq!(cors["bucket"], parameters.bucket.as_str());
        let (rule, expected) = (&cors["cors_rule"], &documents.cors.as_ref().unwrap()[0]);
        assert_eq!(rule["allowed_origins"], expected["AllowedOrigins"]);
        assert_eq!(rule["allowed_methods"], expected["AllowedMethods"]);
    }
    let lifecycle = &resource["aws_s3_bucket_lifecycle_configuration"]["sallyport"];
    if parameters.lifecycle {
        for (rule, folder) in [(0, "temp/"), (1, "export/")] {
            let prefix = format!("{}{folder}", parameters.prefix);
            assert_eq!(lifecycle["rule"][rule]["filter"]["prefix"], prefix);
        }
    } else {
        assert_eq!(lifecycle, &Value::Null);
    }
}

fn assert_cloudformation_holds(documents: &Documents, parameters: &DocumentParameters) {
    let template: Value =
        serde_saphyr::from_str(documents.cloudformation.as_deref().unwrap()).unwrap();
    let properties = &template["Resources"]["Role"]["Properties"];
    assert_eq!(properties["RoleName"], parameters.role_name().name);
    assert_eq!(properties["Path"], parameters.role_name().path);
    assert_eq!(
        Some(&properties["AssumeRolePolicyDocument"]),
        documents.trust_policy.as_ref()
    );
    assert_eq!(
        properties["Policies"][0]["PolicyDocument"],
        documents.permission_policy
    );
    assert_eq!(
        template["Outputs"]["RoleArn"]["Value"],
        json!({ "Fn::GetAtt": ["Role", "Arn"] })
    );
}

fn assert_script_holds(documents: &Documents, parameters: &DocumentParameters) {
    let run = script::run(documents.cli.as_deref().unwrap(), &[], &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let role = parameters.role_name();
    assert_eq!(run.option("create-role", "--role-name"), role.name);
    assert_eq!(run.option("create-role", "--path"), role.path);
    assert_eq!(
        Some(run.json("create-role", "--assume-role-policy-document")),
        documents.trust_policy
    );
    assert_eq!(
        run.json("put-role-policy", "--policy-document"),
        documents.permission_policy
    );
    if !parameters.allowed_origins.is_empty() {
        assert_eq!(
            run.option("put-bucket-cors", "--bucket"),
            parameters.bucket.as_str()
        );
        assert_eq!(
            run.json("put-bucket-cors", "--cors-configuration"),
            json!({ "CORSRules": documents.cors })
        );
    }
    if parameters.lifecycle {
        let put = run.json(
            "put-bucket-lifecycle-configuration",
            "--lifecycle-configuration",
        );
        assert_eq!(Some(put), documents.lifecycle);
    }
}

proptest! {
    #[test]
    fn what_parses_renders_and_stays_a_value(parameters in any_parameters()) {
        let documents = templates().documents(&parameters).unwrap();
        assert_json_round_trips(&documents);
        assert_limited(&documents.permission_policy, &parameters);
        if let Some(policy) = &documents.bucket_policy {
            assert_limited(policy, &parameters);
        }
        assert_terraform_holds(&documents, &parameters);
        assert_cloudformation_holds(&documents, &parameters);
    }

    #[test]
    fn a_session_policy_is_one_that_sts_takes_or_refused(
        prefix in prop_oneof![hostile(80), "[a-z*$ü]{0,511}"],
        access in prop::sample::select(&Access::ALL[..]),
    ) {
        let usual = DocumentParameters {
            prefix: BucketPrefix::parse(&prefix).unwrap_or_default(),
            ..parameters(Partition::AwsUsGov)
        };
        match templates().session_policy(usual.partition, &usual.bucket, &usual.prefix, Grants::all(access), None) {
            Ok(text) => {
                prop_assert!(text.chars().count() <= 2048);
                prop_assert!(text.chars().all(|c| matches!(c, '\u{20}'..='\u{ff}')), "{}", text);
                assert_limited(&serde_json::from_str(&text).unwrap(), &usual);
            }
            Err(invalid) => {
                prop_assert_eq!(invalid.code, "prefix_too_long");
                prop_assert!(usual.prefix.as_str().len() > 60);
            }
        }
    }
}

proptest! {
    // Each case starts a shell and a dozen small processes.
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_script_hands_every_value_to_aws_as_it_is(parameters in any_parameters()) {
        let documents = templates().documents(&parameters).unwrap();
        assert_script_holds(&documents, &parameters);
    }
}

#[test]
fn the_longest_prefixes() {
    let session = |prefix: &str| {
        let usual = parameters(Partition::Aws);
        let prefix = BucketPrefix::parse(prefix).unwrap();
        templates().session_policy(
            usual.partition,
            &usual.bucket,
            &prefix,
            Grants::all(Access::ReadWrite),
            Some(&crate::it::documents::rendering::kms_key(Partition::Aws)),
        )
    };
    assert!(session(&"a".repeat(511)).is_ok());
    assert_eq!(
        session(&"*".repeat(511)).unwrap_err().code,
        "prefix_too_long"
    );
    assert_eq!(
        session(&"中".repeat(170)).unwrap_err().code,
        "prefix_too_long"
    );
    assert!(session(&"中".repeat(40)).is_ok());
}

#[test]
fn every_piece_by_itself() {
    for piece in PIECES {
        let Ok(prefix) = BucketPrefix::parse(&format!("x{piece}y")) else {
            // Refused, because it cannot be seen.
            assert_eq!(piece, "\u{2028}");
            continue;
        };
        let parameters = DocumentParameters {
            prefix,
            role_arn: None,
            ..parameters(Partition::Aws)
        };
        let documents = templates().documents(&parameters).unwrap();
        assert_limited(&documents.permission_policy, &parameters);
        assert_terraform_holds(&documents, &parameters);
        assert_cloudformation_holds(&documents, &parameters);
        assert_script_holds(&documents, &parameters);
    }
}
