//! The rendered scripts, run by the real AWS CLI on the emulator: a role, a bucket and a KMS key of three
//! accounts.

use crate::it::support::app::{ORIGIN, TestApp};
use crate::it::support::emulator::{Customer, Emulator};
use crate::it::support::scene::Dialog;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};

/// Where the AWS CLI is: in a virtual environment of its own, by `tools/aws-cli-requirements.txt`.
pub fn aws_cli() -> PathBuf {
    let path = std::env::var_os("SALLYPORT_TEST_AWS_CLI").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".build/aws-cli/bin/aws"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "the AWS CLI is not at {}: run `make test-tools`, or set SALLYPORT_TEST_AWS_CLI",
        path.display()
    );
    path
}

/// Runs a document of a setup as the administrator of an account.
async fn run(documents: &Value, name: &str, arguments: &[&str], account: &Customer) -> Output {
    let script = documents[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}"));
    let arguments = [arguments, &["--yes"]].concat();
    run_with(account, script, &arguments, "us-east-1").await
}

/// Runs commands as the administrator of an account, in a Region.
pub async fn run_as(account: &Customer, script: &str, region: &str) -> Output {
    run_with(account, script, &[], region).await
}

/// Runs a script with arguments as the administrator of an account, in a Region.
pub async fn run_with(
    account: &Customer,
    script: &str,
    arguments: &[&str],
    region: &str,
) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script.sh");
    std::fs::write(&file, script).unwrap();
    let cli = aws_cli();
    let mut command = Command::new("sh");
    command
        .arg(&file)
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", cli.parent().unwrap().display()),
        )
        .env("HOME", folder.path())
        .env("LANG", "C.UTF-8")
        .env("AWS_ENDPOINT_URL", Emulator::url())
        .env("AWS_DEFAULT_REGION", region)
        .env("AWS_ACCESS_KEY_ID", &account.account)
        .env("AWS_SECRET_ACCESS_KEY", "test");
    tokio::task::spawn_blocking(move || {
        // The folder lives until the script has ended.
        let output = command.output();
        drop(folder);
        output
    })
    .await
    .unwrap()
    .unwrap()
}

/// Runs a document of a setup as the administrator of an account, and gives what it prints.
pub async fn runs(documents: &Value, name: &str, arguments: &[&str], account: &Customer) -> String {
    let output = run(documents, name, arguments, account).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

async fn bucket_policy(owner: &Customer, bucket: &str) -> Option<Value> {
    let answer = owner.s3().get_bucket_policy().bucket(bucket).send().await;
    serde_json::from_str(&answer.ok()?.policy?).ok()
}

/// The IDs of the bucket's CORS and lifecycle rules.
async fn rule_ids(owner: &Customer, bucket: &str) -> (Vec<String>, Vec<String>) {
    let cors = owner.s3().get_bucket_cors().bucket(bucket).send().await;
    let cors = cors.map(|answer| answer.cors_rules.unwrap_or_default());
    let lifecycle = owner.s3().get_bucket_lifecycle_configuration();
    let lifecycle = lifecycle.bucket(bucket).send().await;
    let lifecycle = lifecycle.map(|answer| answer.rules.unwrap_or_default());
    let ids = |ids: Vec<Option<String>>| ids.into_iter().flatten().collect();
    (
        ids(cors
            .unwrap_or_default()
            .into_iter()
            .map(|rule| rule.id)
            .collect()),
        ids(lifecycle
            .unwrap_or_default()
            .into_iter()
            .map(|rule| rule.id)
            .collect()),
    )
}

#[tokio::test]
async fn one_account_is_connected_by_one_script_and_left_as_it_was() {
    let app = TestApp::spawn_on_emulator().await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer
        .put_object(&bucket, "it's `a` \"b\"/a.txt", "hello")
        .await;
    // No `$`: the emulator does not know how policies write it.
    let settings = json!({"bucket": bucket, "prefix": "it's `a` \"b\"/"});
    let dialog = Dialog::open(&app, settings).await;
    let documents = dialog.documents().await;
    let arn = runs(&documents, "cli", &[], &customer).await;
    let role = json!({"role_arn": arn.trim_end()});
    dialog.patch(role).await.expect(200);
    dialog.check().await.passed();
    let (cors, lifecycle) = rule_ids(&customer, &bucket).await;
    assert_eq!((cors.len(), lifecycle.len()), (1, 2));

    runs(&documents, "cli", &["--undo"], &customer).await;
    let name = arn.trim_end().rsplit('/').next().unwrap();
    let role = customer.iam().get_role().role_name(name).send().await;
    assert!(role.is_err());
    assert_eq!(rule_ids(&customer, &bucket).await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn three_accounts_are_connected_each_by_its_own_script() {
    let app = TestApp::spawn_on_emulator().await;
    let (tenant, owner, keeper) = (
        Emulator::customer(),
        Emulator::customer(),
        Emulator::customer(),
    );
    let bucket = owner.create_bucket().await;
    owner
        .put_cors(&bucket, &["https://other.example.com"], &["GET"])
        .await;
    let own = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "ListFiles", "Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketAcl",
        "Resource": format!("arn:aws:s3:::{bucket}")
    }]});
    let put = owner.s3().put_bucket_policy().bucket(&bucket);
    put.policy(own.to_string()).send().await.unwrap();
    let settings = json!({"bucket": bucket, "bucket_account_id": owner.account});
    let dialog = Dialog::open(&app, settings).await;

    // The role is made first, and its ARN is there at once. The bucket is not touched.
    let documents = dialog.documents().await;
    let arn = runs(&documents, "cli", &[], &tenant).await;
    let arn = arn.trim_end();
    assert_eq!(bucket_policy(&owner, &bucket).await, Some(own.clone()));
    dialog.patch(json!({"role_arn": arn})).await.expect(200);

    let documents = dialog.documents().await;
    let stranger = run(&documents, "cli_bucket", &[], &tenant).await;
    assert_eq!(stranger.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stranger.stderr).contains(&owner.account));
    runs(&documents, "cli_bucket", &[], &owner).await;
    let policy = bucket_policy(&owner, &bucket).await.unwrap();
    assert_eq!(policy["Statement"][0], own["Statement"][0]);
    assert_eq!(policy["Statement"][1]["Principal"]["AWS"], arn);
    runs(&documents, "cli_bucket", &[], &owner).await;
    assert_eq!(bucket_policy(&owner, &bucket).await, Some(policy));
    let cors = owner.s3().get_bucket_cors().bucket(&bucket).send().await;
    let cors = cors.unwrap().cors_rules.unwrap();
    assert_eq!(cors.len(), 2);
    assert_eq!(cors[0].allowed_origins, [ORIGIN]);
    // No check: the emulator knows no access from one account to another.

    // The key of a third account.
    let kms = aws_cli();
    let key = Command::new(kms)
        .args([
            "kms",
            "create-key",
            "--query=KeyMetadata.Arn",
            "--output=text",
        ])
        .env("AWS_ENDPOINT_URL", Emulator::url())
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", &keeper.account)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .unwrap();
    let key = String::from_utf8(key.stdout).unwrap();
    let with_key = json!({"kms_key_arn": key.trim_end()});
    dialog.patch(with_key).await.expect(200);
    let documents = dialog.documents().await;
    runs(&documents, "cli_key", &[], &keeper).await;
    runs(&documents, "cli_key", &["--undo"], &keeper).await;
    let wrong = run(&documents, "cli_key", &[], &owner).await;
    assert_eq!(wrong.status.code(), Some(1));

    runs(&documents, "cli_bucket", &["--undo"], &owner).await;
    assert_eq!(bucket_policy(&owner, &bucket).await, Some(own));
    let cors = owner.s3().get_bucket_cors().bucket(&bucket).send().await;
    let cors = cors.unwrap().cors_rules.unwrap();
    assert_eq!(cors.len(), 1);
    assert_eq!(cors[0].allowed_origins, ["https://other.example.com"]);
    runs(&documents, "cli", &["--undo"], &tenant).await;
    let name = arn.rsplit('/').next().unwrap();
    let role = tenant.iam().get_role().role_name(name).send().await;
    assert!(role.is_err());
}
