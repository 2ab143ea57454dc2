//! The AWS CLI scripts, run by a real shell with a stand-in for `aws` that notes its arguments.

use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::account::Partition;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::policy_document::{DocumentParameters, Documents};
use crate::it::documents::rendering::{SETUP, parameters, render};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The stand-in, for the Python of the AWS CLI, which has the CLI's own evaluation of queries.
const AWS: &str = include_str!("aws.py");

fn python() -> String {
    let aws = crate::it::connections::scripts::aws_cli();
    let python = aws.parent().unwrap().join("python");
    python.to_str().unwrap().to_owned()
}

pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    /// The arguments of each call of `aws`.
    pub calls: Vec<Vec<String>>,
}

impl Run {
    /// The calls that change something, by operation.
    pub fn changes(&self) -> Vec<&str> {
        self.calls
            .iter()
            .map(|call| call[1].as_str())
            .filter(|operation| {
                let reads = ["get-", "list-", "head-"];
                !reads.iter().any(|verb| operation.starts_with(verb))
            })
            .collect()
    }

    pub fn call(&self, operation: &str) -> &[String] {
        self.calls
            .iter()
            .find(|call| call[1] == operation)
            .unwrap_or_else(|| panic!("no call of {operation}: {}", self.stderr))
    }

    /// The value of an option of a call, which is written `--option=value`.
    pub fn option(&self, operation: &str, option: &str) -> &str {
        self.call(operation)
            .iter()
            .find_map(|argument| argument.strip_prefix(option)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("{operation} has no {option}"))
    }

    pub fn json(&self, operation: &str, option: &str) -> Value {
        serde_json::from_str(self.option(operation, option)).unwrap()
    }
}

/// Runs the script without being asked, as in [`run_asked`].
pub fn run(script: &str, arguments: &[&str], answers: &[(&str, &str)]) -> Run {
    run_asked(script, &[arguments, &["--yes"]].concat(), answers)
}

/// Runs the script in an empty folder, and asserts that it has left nothing there.
pub fn run_asked(script: &str, arguments: &[&str], answers: &[(&str, &str)]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let (bin, cwd) = (folder.path().join("bin"), folder.path().join("cwd"));
    let calls = folder.path().join("calls");
    let file = folder.path().join("connect.sh");
    fs::create_dir(&bin).unwrap();
    fs::create_dir(&cwd).unwrap();
    fs::write(&calls, "").unwrap();
    fs::write(&file, script).unwrap();
    fs::write(bin.join("aws"), format!("#!{}\n{AWS}", python())).unwrap();
    fs::set_permissions(bin.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
    let parsed = Command::new("sh").arg("-n").arg(&file).status().unwrap();
    assert!(parsed.success(), "sh -n: {script}");
    let path = format!("{}:/usr/bin:/bin", bin.display());
    // Nobody waits in a test.
    let script = script.replace("\npause=3\n", "\npause=0\n");
    fs::write(&file, &script).unwrap();
    let output = Command::new("sh")
        .arg(&file)
        .args(arguments)
        .current_dir(&cwd)
        .stdin(Stdio::null())
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("PATH", path)
        .env("CALLS", &calls)
        .envs(answers.iter().copied())
        .output()
        .unwrap();
    assert_eq!(fs::read_dir(&cwd).unwrap().count(), 0, "{script}");
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        calls: read_calls(&calls),
    }
}

fn read_calls(file: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(file).unwrap();
    text.split("\u{1}\0")
        .filter(|call| !call.is_empty())
        .map(|call| call.split_terminator('\0').map(str::to_owned).collect())
        .collect()
}

pub fn usual() -> DocumentParameters {
    parameters(Partition::Aws)
}

#[test]
fn a_new_role_and_a_bucket_without_rules() {
    let documents = render(&usual());
    let run = run(documents.cli.as_deref().unwrap(), &[], &[]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "arn:of:the:role\n"));
    assert_eq!(
        run.changes(),
        [
            "create-role",
            "put-role-policy",
            "put-bucket-cors",
            "put-bucket-lifecycle-configuration"
        ]
    );
    assert_eq!(
        Some(run.json("create-role", "--assume-role-policy-document")),
        documents.trust_policy
    );
    assert_eq!(
        run.json("put-role-policy", "--policy-document"),
        documents.permission_policy
    );
    assert_eq!(
        run.json("put-bucket-cors", "--cors-configuration"),
        json!({ "CORSRules": documents.cors })
    );
    let put = run.json(
        "put-bucket-lifecycle-configuration",
        "--lifecycle-configuration",
    );
    assert_eq!(Some(put), documents.lifecycle);
    assert_eq!(run.option("put-bucket-cors", "--region"), "eu-west-1");
}

#[test]
fn without_an_origin_the_bucket_s_cors_rules_are_left_alone() {
    let documents = render(&DocumentParameters {
        allowed_origins: Vec::new(),
        ..usual()
    });
    let answers = [("CORS", r#"{"CORSRules": [{"AllowedOrigins": ["*"]}]}"#)];
    let run = run(documents.cli.as_deref().unwrap(), &[], &answers);
    assert_eq!((run.status, run.stdout.as_str()), (0, "arn:of:the:role\n"));
    assert_eq!(
        run.changes(),
        [
            "create-role",
            "put-role-policy",
            "put-bucket-lifecycle-configuration"
        ]
    );
}

/// The role as it is after a run.
pub fn role_of(documents: &Documents) -> String {
    json!({
        "Arn": "arn:of:the:role",
        "AssumeRolePolicyDocument": documents.trust_policy,
        "Tags": [{"Key": "sallyport:setup", "Value": SETUP}],
    })
    .to_string()
}

/// The bucket's rules as they are after a run on an empty bucket.
fn rules_of(documents: &Documents) -> (String, String) {
    (
        json!({ "CORSRules": documents.cors }).to_string(),
        json!(documents.lifecycle).to_string(),
    )
}

#[test]
fn a_second_run_changes_nothing_and_gives_the_arn_again() {
    let documents = render(&usual());
    let (cors, lifecycle) = rules_of(&documents);
    let run = run(
        documents.cli.as_deref().unwrap(),
        &[],
        &[
            ("ROLE", &role_of(&documents)),
            ("INLINE", &documents.permission_policy.to_string()),
            ("CORS", &cors),
            ("LIFECYCLE", &lifecycle),
        ],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(run.changes(), [""; 0]);
    assert_eq!(run.stdout, "arn:of:the:role\n");
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
}

#[test]
fn without_a_terminal_nothing_is_changed_unless_it_is_told_to() {
    for parameters in [usual(), by_key()] {
        let script = render(&parameters).cli.unwrap();
        let asked = run_asked(&script, &[], &[]);
        assert_eq!(
            (asked.status, asked.changes().len()),
            (2, 0),
            "{}",
            asked.stderr
        );
        assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
        // It says where, what, and what is dangerous, before.
        for words in [
            "444455556666",
            "s3:DeleteObject",
            "DELETES",
            "\"temp/\"",
            "\"export/\"",
        ] {
            assert!(asked.stderr.contains(words), "{words}: {}", asked.stderr);
        }
        let dry = run(&script, &["--dry-run"], &[]);
        assert_eq!((dry.status, dry.changes().len()), (0, 0), "{}", dry.stderr);
    }
}

#[test]
fn rules_of_others_stay_whatever_is_in_them() {
    let documents = render(&usual());
    let cors = json!({"CORSRules": [
        {"ID": "their \"own\" `x` 'y' $(id) \\ ü 😀", "AllowedMethods": ["GET"], "AllowedOrigins": ["*"]},
        {"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://app.example.com"], "AllowedHeaders": []},
    ]});
    let mut rules: Vec<Value> = (0..900)
        .map(|n| {
            json!({"ID": format!("archive {n} \"ü\\`'\n$(id)"), "Status": "Enabled",
                "Filter": {"And": {"Prefix": format!("{n}/ %s\u{2028}"), "Tags": [{"Key": "a", "Value": "b"}]}},
                "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]})
        })
        .collect();
    rules.push(json!({"Status": "Disabled", "Prefix": "", "Expiration": {"Date": "2030-01-01T00:00:00+00:00"}}));
    // Ours, as another release wrote it, goes.
    let mut older = documents.lifecycle.clone().unwrap()["Rules"][0].clone();
    older["Expiration"]["Days"] = json!(30);
    let found_rules: Vec<Value> = [&rules[..1], &[older], &rules[1..]].concat();
    let found = json!({
        "TransitionDefaultMinimumObjectSize": "varies_by_storage_class",
        "Rules": found_rules,
    });
    let (cors_text, found_text) = (cors.to_string(), found.to_string());
    // So much fits into no argument of the environment as a whole.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lifecycle.json");
    fs::write(&file, &found_text).unwrap();
    let file = format!("@{}", file.display());
    let answers = [("CORS", cors_text.as_str()), ("LIFECYCLE", &file)];
    let applied = run(documents.cli.as_deref().unwrap(), &[], &answers);
    assert_eq!(applied.status, 0, "{}", applied.stderr);
    assert_eq!(
        applied.json("put-bucket-cors", "--cors-configuration"),
        json!({ "CORSRules": [documents.cors.as_ref().unwrap()[0], cors["CORSRules"][0], cors["CORSRules"][1]] })
    );
    let own = documents.lifecycle.as_ref().unwrap()["Rules"]
        .as_array()
        .unwrap();
    let operation = "put-bucket-lifecycle-configuration";
    let merged: Vec<Value> = [&own[..], &rules[..]].concat();
    assert_eq!(
        applied.json(operation, "--lifecycle-configuration"),
        json!({ "Rules": merged })
    );
    let smallest = "--transition-default-minimum-object-size";
    assert_eq!(
        applied.option(operation, smallest),
        "varies_by_storage_class"
    );
    let undone = run(
        documents.cli.as_deref().unwrap(),
        &["--undo"],
        &[&answers[..], &[("ROLE", &role_of(&documents))]].concat(),
    );
    assert_eq!(undone.status, 0, "{}", undone.stderr);
    assert_eq!(
        undone.json(operation, "--lifecycle-configuration"),
        json!({ "Rules": rules })
    );
    assert_eq!(
        undone.option(operation, smallest),
        "varies_by_storage_class"
    );
    assert_eq!(undone.changes(), [operation, "delete-role"]);
}

#[test]
fn where_s3_takes_no_more_rules_nothing_is_changed() {
    let script = render(&usual()).cli.unwrap();
    let rule = json!({"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]});
    let full = json!({ "CORSRules": vec![rule; 100] }).to_string();
    let run = run(&script, &[], &[("CORS", &full)]);
    assert_eq!((run.status, run.changes().len()), (1, 0), "{}", run.stderr);
    assert!(run.stderr.contains("100 CORS rules"), "{}", run.stderr);
}

#[test]
fn a_role_for_another_external_id_stays() {
    let documents = render(&usual());
    let script = documents.cli.as_deref().unwrap();
    let statement = &documents.trust_policy.as_ref().unwrap()["Statement"][0];
    let asks = |id: Value| json!({"Condition": {"StringEquals": {"sts:ExternalId": id}}});
    for statements in [
        json!([{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}]),
        json!([asks(json!("7c9e6679-7425-40de-944b-e07fc1f90ae7"))]),
        json!(asks(json!("7c9e6679-7425-40de-944b-e07fc1f90ae7"))),
        json!([asks(json!(["0f8fad5b-d9cb-469f-a165-70867728950e", "x"]))]),
        // A statement without an external ID beside ours.
        json!([statement, {"Effect": "Allow"}]),
        json!([]),
    ] {
        let role = json!({"AssumeRolePolicyDocument": {"Statement": statements}}).to_string();
        for arguments in [&[][..], &["--undo"]] {
            let careful = run(script, arguments, &[("ROLE", &role)]);
            assert_eq!((careful.status, careful.changes().len()), (1, 0), "{role}");
            assert!(
                careful.stderr.contains("in use by others"),
                "{}",
                careful.stderr
            );
        }
        let replacing = run(script, &["--replace"], &[("ROLE", &role)]);
        assert_eq!((replacing.status, replacing.calls.len()), (2, 0));
    }
}

#[test]
fn what_cannot_be_read_is_not_overwritten() {
    let script = render(&usual()).cli.unwrap();
    for answers in [
        ("ROLE_ERROR", "AccessDenied"),
        ("CORS_ERROR", "AccessDenied"),
        ("LIFECYCLE_ERROR", "AccessDenied"),
        ("INLINE_ERROR", "AccessDenied"),
        ("OWNER", "999988887777"),
    ] {
        let role = role_of(&render(&usual()));
        let answers = match answers.0 {
            "INLINE_ERROR" => vec![answers, ("ROLE", role.as_str())],
            _ => vec![answers],
        };
        let run = run(&script, &[], &answers);
        assert_eq!((run.status, run.changes().len()), (1, 0), "{answers:?}");
        assert!(
            run.stderr.contains("Nothing was changed."),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn the_wrong_account_or_argument_changes_nothing() {
    let role = "arn:aws:iam::999988887777:role/acme";
    let script = render(&DocumentParameters {
        role_arn: Some(crate::domain::connection::role_arn::RoleArn::parse(role).unwrap()),
        ..usual()
    })
    .cli
    .unwrap();
    let run_wrong = run(&script, &[], &[]);
    assert_eq!((run_wrong.status, run_wrong.changes().len()), (1, 0));
    assert!(run_wrong.stderr.contains("999988887777"));
    let unknown = run(&render(&usual()).cli.unwrap(), &["--force"], &[]);
    assert_eq!((unknown.status, unknown.calls.len()), (2, 0));
}

#[test]
fn read_access_leaves_the_lifecycle_alone() {
    let script = render(&DocumentParameters {
        grants: crate::domain::connection::grants::Grants::usual(Access::Read),
        lifecycle: false,
        region: None,
        ..usual()
    })
    .cli
    .unwrap();
    assert!(!script.contains("WARNING"), "{script}");
    let run = run(&script, &[], &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        run.changes(),
        ["create-role", "put-role-policy", "put-bucket-cors"]
    );
    assert!(
        !run.call("put-bucket-cors")
            .iter()
            .any(|a| a.starts_with("--region"))
    );
}

/// For an access key of Amazon S3.
pub fn by_key() -> DocumentParameters {
    DocumentParameters {
        auth: Auth::AccessKey,
        role_arn: None,
        role_path: RolePath::parse("/vendors/").unwrap(),
        permissions_boundary: Some(
            BoundaryArn::parse("arn:aws:iam::444455556666:policy/edge").unwrap(),
        ),
        ..usual()
    }
}

#[test]
fn a_user_gets_policy_and_key_and_its_secret_is_shown_once() {
    let documents = render(&by_key());
    let script = documents.cli.as_deref().unwrap();
    let first = run(script, &[], &[]);
    assert_eq!(first.status, 0, "{}", first.stderr);
    assert_eq!(
        first.changes(),
        [
            "create-user",
            "put-user-policy",
            "put-bucket-cors",
            "put-bucket-lifecycle-configuration",
            "create-access-key",
            "tag-user"
        ]
    );
    assert_eq!(first.option("create-user", "--path"), "/vendors/");
    assert_eq!(
        first.option("create-user", "--permissions-boundary"),
        "arn:aws:iam::444455556666:policy/edge"
    );
    assert_eq!(
        first.json("put-user-policy", "--policy-document"),
        documents.permission_policy
    );
    assert_eq!(
        first.stdout,
        "Access key ID: AKIANEW\nSecret access key: shown/once+\n"
    );
    assert!(!first.stderr.contains("shown/once+"));

    let tags = json!([{"Key": "sallyport:setup", "Value": SETUP}, {"Key": "sallyport:access-key", "Value": "AKIANEW"}]);
    let user = json!({
        "Tags": tags,
        "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::444455556666:policy/edge"},
    })
    .to_string();
    let (cors, lifecycle) = rules_of(&documents);
    let policy = documents.permission_policy.to_string();
    let there = |keys| {
        [
            ("AWS_USER", user.as_str()),
            ("INLINE", &policy),
            ("KEYS", keys),
            ("CORS", &cors),
            ("LIFECYCLE", &lifecycle),
        ]
    };
    let second = run(script, &[], &there("AKIANEW"));
    assert_eq!(
        (second.status, second.changes().len()),
        (0, 0),
        "{}",
        second.stderr
    );
    assert_eq!(second.stdout, "Access key ID: AKIANEW\n");

    let undone = run(script, &["--undo"], &there("AKIANEW"));
    assert_eq!(undone.status, 0, "{}", undone.stderr);
    assert_eq!(
        undone.changes(),
        [
            "delete-bucket-cors",
            "delete-bucket-lifecycle",
            "delete-access-key",
            "delete-user-policy",
            "delete-user"
        ]
    );
    // A key of somebody else stays, and the user with it.
    let shared = run(script, &["--undo"], &there("AKIAOTHER AKIANEW"));
    assert_eq!(shared.status, 0, "{}", shared.stderr);
    assert_eq!(
        shared.option("delete-access-key", "--access-key-id"),
        "AKIANEW"
    );
    assert!(!shared.changes().contains(&"delete-user"));
    assert!(shared.stderr.contains("AKIAOTHER"), "{}", shared.stderr);

    let stranger = json!({"Tags": []}).to_string();
    for arguments in [&[][..], &["--undo"]] {
        let other = run(script, arguments, &[("AWS_USER", &stranger)]);
        assert_eq!((other.status, other.changes().len()), (1, 0));
    }
}

#[test]
fn a_role_that_the_script_did_not_make_stays() {
    let documents = render(&usual());
    let script = documents.cli.as_deref().unwrap();
    let policy = documents.permission_policy.to_string();
    let untagged =
        json!({"Arn": "arn:of:the:role", "AssumeRolePolicyDocument": documents.trust_policy});
    let untagged = untagged.to_string();
    let run_undo = |role: &str, listed: &str| {
        let answers = [("ROLE", role), ("INLINE", &policy), ("LISTED", listed)];
        let undone = run(script, &["--undo"], &answers);
        assert_eq!(undone.status, 0, "{}", undone.stderr);
        assert_eq!(
            undone.changes(),
            ["delete-role-policy"],
            "{}",
            undone.stderr
        );
        undone.stderr
    };
    assert!(run_undo(&untagged, "{}").contains("no tag"));
    let listed = r#"{"AttachedPolicies": [{"PolicyName": "of-others"}]}"#;
    assert!(run_undo(&role_of(&documents), listed).contains("of-others"));
}
