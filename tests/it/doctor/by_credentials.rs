//! The documents of a role and a bucket, read with the customer's own credentials.

use crate::aws;
use crate::cli::doctor::{Arguments, run};
use crate::it::support::app::{ORIGIN, app_on};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{Applied, Scene};
use clap::Parser;
use serde_json::{Value, json};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// `sallyport doctor --bucket … --role-name …`: its exit status, and what it prints.
async fn doctor(applied: &Applied<'_>, role: &str) -> Result<(u8, Value), String> {
    let vendor = Emulator::vendor().await;
    let principal = format!("arn:aws:iam::{}:root", vendor.account);
    let line = Line::try_parse_from([
        "doctor",
        "--bucket",
        &applied.bucket,
        "--role-name",
        role,
        "--external-id",
        &applied.dialog.external_id,
        "--service-principal",
        &principal,
        "--allowed-origins",
        ORIGIN,
        "--output",
        "json",
    ])
    .map_err(|error| error.to_string())?;
    let sdk = &applied.customer.sdk_config;
    let read = async |bucket: String, role: String| aws::doctor::read(sdk, &bucket, &role).await;
    let mut out = Vec::new();
    let status = run(&line.arguments, read, &mut out)
        .await
        .map_err(|failed| failed.why)?;
    Ok((status, serde_json::from_slice(&out).unwrap()))
}

fn codes(found: &Value) -> Vec<&str> {
    let findings = found["findings"].as_array().unwrap();
    let codes = findings.iter().map(|one| one["code"].as_str().unwrap());
    codes.collect()
}

#[tokio::test]
async fn a_role_is_looked_at_as_it_is() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let mut applied = Scene::on(Emulator).apply(&app).await;
    let (status, found) = doctor(&applied, &applied.role).await.unwrap();
    assert_eq!(
        status, 0,
        "a role of the documents has neither error nor security finding: {found:#}"
    );

    // What an attached policy grants counts too.
    applied.permissions = applied.without("s3:PutObject");
    applied.apply().await;
    let (status, found) = doctor(&applied, &applied.role).await.unwrap();
    assert_eq!(status, 1, "{found:#}");
    assert!(codes(&found).contains(&"action_not_granted"), "{found:#}");
    let iam = applied.customer.iam();
    let objects = format!("arn:aws:s3:::{}/*", applied.bucket);
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": objects}]});
    let name = format!("put-{}", applied.role);
    let made = iam
        .create_policy()
        .policy_name(&name)
        .policy_document(document.to_string())
        .send()
        .await
        .unwrap();
    let arn = made.policy.unwrap().arn.unwrap();
    iam.attach_role_policy()
        .role_name(&applied.role)
        .policy_arn(&arn)
        .send()
        .await
        .unwrap();
    let (status, found) = doctor(&applied, &applied.role).await.unwrap();
    assert!(status == 0, "{found:#}");

    // A bucket policy that denies, with a condition that may be met and without one.
    let s3 = applied.customer.s3();
    let of_endpoint = json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}});
    for (condition, severity, exit) in [(of_endpoint, "warning", 0), (json!({}), "error", 1)] {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": objects,
            "Condition": condition}]});
        s3.put_bucket_policy()
            .bucket(&applied.bucket)
            .policy(policy.to_string())
            .send()
            .await
            .unwrap();
        let (status, found) = doctor(&applied, &applied.role).await.unwrap();
        assert_eq!(status, exit, "{found:#}");
        let findings = found["findings"].as_array().unwrap();
        let denial = findings
            .iter()
            .find(|one| one["document"] == "bucket_policy" && one["severity"] == severity);
        assert!(denial.is_some(), "{found:#}");
    }
    s3.delete_bucket_policy()
        .bucket(&applied.bucket)
        .send()
        .await
        .unwrap();

    // A role that anybody may assume who knows its name.
    let mut open = applied.trust.clone();
    let statement = open["Statement"][0].as_object_mut().unwrap();
    statement.remove("Condition");
    applied.trust(&open).await;
    let (status, found) = doctor(&applied, &applied.role).await.unwrap();
    assert_eq!(status, 1, "{found:#}");
    assert!(
        codes(&found)
            .iter()
            .any(|code| code.contains("external_id")),
        "{found:#}"
    );
}

#[tokio::test]
async fn a_role_that_cannot_be_read_is_said() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let error = doctor(&applied, "no-such-role").await.unwrap_err();
    assert!(
        error.contains("no-such-role") && error.contains("NoSuchEntity"),
        "{error}"
    );
}
