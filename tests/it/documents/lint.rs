//! The policies before an independent judge: the linter parliament.

use crate::domain::policy_document::DocumentName;
use crate::it::documents::rendering::{combinations, render, session_policy, special};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the linter is: in a virtual environment of its own, by `tools/lint-requirements.txt`.
fn parliament() -> PathBuf {
    let path = std::env::var_os("SALLYPORT_TEST_PARLIAMENT").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".build/lint/bin/parliament"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "the policy linter is not at {}: run `make test-tools`, or set SALLYPORT_TEST_PARLIAMENT",
        path.display()
    );
    path
}

/// Lints some policies, in one start of the linter, and returns its findings.
fn lint(policies: &[(String, String)]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in policies {
        fs::write(folder.path().join(format!("{name}.json")), text).unwrap();
    }
    // The linter reads its standard input beside the folder, so gets a policy too.
    let first = fs::File::open(folder.path().join(format!("{}.json", policies[0].0))).unwrap();
    let output = Command::new(parliament())
        .arg("--directory")
        .arg(folder.path())
        .args(["--include_policy_extension", "json", "--json"])
        .stdin(Stdio::from(first))
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    let findings: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{stdout}{stderr}")))
        .collect();
    // A crash of the linter has another status than its findings explain.
    let status = i32::from(!findings.is_empty());
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    findings
}

fn above_informational(findings: &[Value]) -> Vec<&Value> {
    findings
        .iter()
        .filter(|finding| finding["severity"] != "INFO")
        .collect()
}

#[test]
fn no_rendered_policy_has_a_finding() {
    let mut policies = Vec::new();
    let special = ("special".to_owned(), special());
    // The linter takes the ARNs of the other partitions for wrong ones.
    let is_known = |name: &str| !name.starts_with("aws-eusc") && !name.starts_with("aws-iso");
    let combinations = combinations()
        .into_iter()
        .filter(|(name, _)| is_known(name));
    for (name, parameters) in combinations.chain([special]) {
        let documents = render(&parameters);
        let session = session_policy(&parameters);
        for document in [DocumentName::PermissionPolicy, DocumentName::BucketPolicy] {
            let text = documents.text(document).unwrap().unwrap();
            policies.push((format!("{name}_{}", document.as_str()), text));
        }
        let mut trust_policy = documents.trust_policy.unwrap();
        // The linter knows no trust policies, which have no resource of their own: it is given the role
        // that the policy belongs to.
        trust_policy["Statement"][0]["Resource"] = json!(parameters.role_arn.unwrap().as_str());
        policies.push((format!("{name}_trust_policy"), trust_policy.to_string()));
        policies.push((format!("{name}_session_policy"), session));
    }
    assert_eq!(policies.len(), 100);
    let findings = lint(&policies);
    let above = above_informational(&findings);
    assert!(above.is_empty(), "{above:#?}");
}

#[test]
fn the_linter_does_find_what_is_wrong() {
    // An action on a resource that it does not apply to, as a policy that grants nothing has it.
    let wrong = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": ["s3:ListAllMyBuckets"], "Resource": ["arn:aws:s3:::acme-data"]}]}"#;
    let findings = lint(&[("wrong".to_owned(), wrong.to_owned())]);
    assert!(!above_informational(&findings).is_empty());
}
