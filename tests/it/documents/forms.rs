//! The forms that are run, before the judges of their languages: cfn-lint, shellcheck, and the layout of
//! `terraform fmt`.

use crate::domain::connection::account::Partition;
use crate::domain::policy_document::{DocumentParameters, Documents, QuickCreateTemplate};
use crate::it::documents::apart::three;
use crate::it::documents::rendering::{render, special};
use crate::it::documents::same::every_setup;
use crate::it::documents::script::by_key;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Setups whose forms differ in more than values. Other partitions differ in the ARNs alone.
fn setups() -> Vec<DocumentParameters> {
    let of_aws = every_setup()
        .into_iter()
        .map(|(_, setup)| setup)
        .filter(|setup| setup.partition == Partition::Aws);
    let others = [
        special(),
        by_key(),
        three(Partition::Aws),
        three(Partition::AwsCn),
    ];
    of_aws.chain(others).collect()
}

/// Writes each text once, and gives the files.
fn written(
    folder: &Path,
    suffix: &str,
    texts: impl Fn(&Documents) -> Vec<Option<String>>,
) -> Vec<PathBuf> {
    let setups = setups();
    let all = setups
        .iter()
        .flat_map(|setup| texts(&render(setup)))
        .flatten();
    let texts: BTreeSet<String> = all.collect();
    assert!(!texts.is_empty());
    let files = texts.iter().enumerate().map(|(number, text)| {
        let file = folder.join(format!("{number}.{suffix}"));
        fs::write(&file, text).unwrap();
        file
    });
    files.collect()
}

fn assert_clean(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
}

#[test]
fn shellcheck_finds_nothing_in_any_script() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), "sh", |documents| {
        vec![
            documents.cli.clone(),
            documents.cli_bucket.clone(),
            documents.cli_key.clone(),
        ]
    });
    // The parts that differ by values alone are the same for shellcheck: a sample of them is enough.
    let sample: Vec<&PathBuf> = files.iter().step_by(6).chain(files.last()).collect();
    let output = Command::new("shellcheck")
        .args(["--shell=sh", "--severity=style", "--norc"])
        .args(sample)
        .output()
        .expect("shellcheck: run `make test-tools`");
    assert_clean(&output);
    let wrong = folder.path().join("wrong.sh");
    fs::write(&wrong, "#!/bin/sh\necho $1\n").unwrap();
    let output = Command::new("shellcheck").arg(&wrong).output().unwrap();
    assert!(!output.status.success());
}

/// Where cfn-lint is: in a virtual environment of its own, by `tools/cfn-lint-requirements.txt`.
fn cfn_lint() -> PathBuf {
    let path = std::env::var_os("SALLYPORT_TEST_CFN_LINT").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".build/cfn-lint/bin/cfn-lint"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "cfn-lint is not at {}: run `make test-tools`, or set SALLYPORT_TEST_CFN_LINT",
        path.display()
    );
    path
}

#[test]
fn cfn_lint_finds_nothing_in_any_template() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = written(folder.path(), "yaml", |documents| {
        vec![
            documents.cloudformation.clone(),
            documents.cloudformation_bucket.clone(),
        ]
    });
    let generic = folder.path().join("generic.json");
    fs::write(&generic, QuickCreateTemplate::new().unwrap().text).unwrap();
    files.push(generic);
    let lint = |files: &[PathBuf]| Command::new(cfn_lint()).args(files).output().unwrap();
    assert_clean(&lint(&files));
    let wrong = folder.path().join("wrong.yaml");
    // A role without its trust policy.
    fs::write(&wrong, "Resources: {Role: {Type: AWS::IAM::Role}}\n").unwrap();
    assert!(!lint(&[wrong]).status.success());
}

#[test]
fn terraform_fmt_would_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), "tf", |documents| {
        vec![documents.terraform.clone()]
    });
    let format = |files: &[PathBuf]| {
        Command::new("go")
            .args([
                "run",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tools/hclfmt/main.go"),
            ])
            .args(files)
            .env("GO111MODULE", "off")
            .env("GOPATH", "/usr/share/gocode")
            .output()
            .expect("go: run `make test-tools`")
    };
    assert_clean(&format(&files));
    let wrong = folder.path().join("wrong.tf");
    fs::write(&wrong, "a  =  1\n").unwrap();
    assert_eq!(format(&[wrong]).status.code(), Some(1));
}
