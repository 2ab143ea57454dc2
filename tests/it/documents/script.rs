//! The AWS CLI script, run by a real shell with a stand-in for `aws` that notes its arguments.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::Partition;
use crate::domain::policy_document::DocumentParameters;
use crate::it::documents::rendering::{parameters, render};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Answers from the environment: what is set is printed, what is not is an AWS error of that kind. The
/// operation `FAILING` fails with `FAILURE`, the first `TIMES` times.
const AWS: &str = r#"#!/bin/sh
printf '%s\0' "$@" >>"$CALLS"
printf '\001\0' >>"$CALLS"
answer() { printf '%s\n' "$1"; exit 0; }
refuse() { echo "An error occurred ($1) when calling the operation" >&2; exit 254; }
if [ "${FAILING-}" = "$2" ] && [ "$(cat "$CALLS.failed" 2>/dev/null | wc -l)" -lt "$TIMES" ]; then
  echo >>"$CALLS.failed"
  echo "An error occurred ($FAILURE" >&2
  exit 254
fi
case "$1 $2 $*" in
  "sts get-caller-identity "*) answer "${ACCOUNT-444455556666}" ;;
  *--query=Role.Arn*) answer arn:of:the:role ;;
  "iam get-role "*) [ -n "${ROLE-}" ] && answer "$ROLE"; refuse "${ROLE_ERROR-NoSuchEntity}" ;;
  "s3api get-bucket-cors "*) [ -n "${CORS-}" ] && answer "$CORS"; refuse "${CORS_ERROR-NoSuchCORSConfiguration}" ;;
  *--query=TransitionDefaultMinimumObjectSize*) answer "${SMALLEST-None}" ;;
  "s3api get-bucket-lifecycle-"*) [ -n "${LIFECYCLE-}" ] && answer "$LIFECYCLE"; refuse NoSuchLifecycleConfiguration ;;
  "s3api get-bucket-policy "*) [ -n "${BUCKET_POLICY-}" ] && answer "$BUCKET_POLICY"; refuse "${POLICY_ERROR-NoSuchBucketPolicy}" ;;
  "kms get-key-policy "*) [ -n "${KEY_POLICY-}" ] && answer "$KEY_POLICY"; refuse AccessDeniedException ;;
esac
"#;

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
            .filter(|operation| !operation.starts_with("get-"))
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

/// Runs the script in an empty folder, and asserts that it has left nothing there.
pub fn run(script: &str, arguments: &[&str], answers: &[(&str, &str)]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let (bin, cwd) = (folder.path().join("bin"), folder.path().join("cwd"));
    let calls = folder.path().join("calls");
    let file = folder.path().join("connect.sh");
    fs::create_dir(&bin).unwrap();
    fs::create_dir(&cwd).unwrap();
    fs::write(&calls, "").unwrap();
    fs::write(&file, script).unwrap();
    fs::write(bin.join("aws"), AWS).unwrap();
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
    let answers = [("CORS", "https://other.example.com\tGET\t\t\tNone")];
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

#[test]
fn a_second_run_sets_the_same_again() {
    let documents = render(&usual());
    let run = run(
        documents.cli.as_deref().unwrap(),
        &[],
        &[
            ("ROLE", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            // What is not ours, as the queries ask.
            ("CORS", "[]"),
            ("LIFECYCLE", "[]"),
        ],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        run.changes(),
        [
            "update-assume-role-policy",
            "put-role-policy",
            "put-bucket-cors",
            "put-bucket-lifecycle-configuration"
        ]
    );
    assert_eq!(
        run.json("put-bucket-cors", "--cors-configuration"),
        json!({ "CORSRules": documents.cors })
    );
}

#[test]
fn rules_of_the_customers_own_stay() {
    let documents = render(&usual());
    let cors =
        json!([{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://other.example.com"]}]);
    let archive = json!({"ID": "archive ü $(id) '", "Status": "Enabled", "Prefix": "", "Transitions":
        [{"Days": 30, "StorageClass": "GLACIER"}]});
    let lifecycle = json!([archive]);
    let run = run(
        documents.cli.as_deref().unwrap(),
        &[],
        &[
            ("CORS", &format!("{cors:#}")),
            ("LIFECYCLE", &lifecycle.to_string()),
            ("SMALLEST", "varies_by_storage_class"),
        ],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        run.json("put-bucket-cors", "--cors-configuration"),
        json!({ "CORSRules": [documents.cors.as_ref().unwrap()[0], cors[0]] })
    );
    let own = &documents.lifecycle.as_ref().unwrap()["Rules"];
    let operation = "put-bucket-lifecycle-configuration";
    assert_eq!(
        run.json(operation, "--lifecycle-configuration"),
        json!({ "Rules": [own[0], own[1], archive] })
    );
    assert_eq!(
        run.option(operation, "--transition-default-minimum-object-size"),
        "varies_by_storage_class"
    );
    // Ours are left out of the answer, so they are not written twice.
    let asked = |operation| {
        let call: &[String] = run.call(operation);
        let query = call.iter().find_map(|a| a.strip_prefix("--query="));
        query.unwrap().to_owned()
    };
    assert_eq!(
        asked("get-bucket-cors"),
        format!(
            "CORSRules[?ID!='{}']",
            documents.cors.as_ref().unwrap()[0]["ID"].as_str().unwrap()
        )
    );
}

#[test]
fn a_role_for_another_external_id_stays_unless_replaced() {
    let script = render(&usual()).cli.unwrap();
    let own = "0f8fad5b-d9cb-469f-a165-70867728950e";
    for other in [
        "None",
        "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "x\ty",
        // A statement without an external ID beside ours.
        &format!("None\n{own}"),
    ] {
        let careful = run(&script, &[], &[("ROLE", other)]);
        assert_eq!(careful.status, 1);
        assert_eq!(careful.changes(), [""; 0]);
        assert!(careful.stderr.contains("--replace"), "{}", careful.stderr);
        let replacing = run(&script, &["--replace"], &[("ROLE", other)]);
        assert_eq!(replacing.status, 0);
        assert_eq!(replacing.changes()[0], "update-assume-role-policy");
    }
}

#[test]
fn what_cannot_be_read_is_not_overwritten() {
    let script = render(&usual()).cli.unwrap();
    let role = run(&script, &["--replace"], &[("ROLE_ERROR", "AccessDenied")]);
    assert_eq!((role.status, role.changes().len()), (1, 0));
    let cors = run(&script, &["--replace"], &[("CORS_ERROR", "AccessDenied")]);
    assert_eq!(cors.status, 1);
    assert_eq!(cors.changes(), ["create-role", "put-role-policy"]);
    assert!(cors.stderr.contains("AccessDenied"));
    let odd = run(&script, &[], &[("CORS", "{}")]);
    assert_eq!(odd.status, 1);
    assert_eq!(odd.changes(), ["create-role", "put-role-policy"]);
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
