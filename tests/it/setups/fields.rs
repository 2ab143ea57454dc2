//! The fields of a setup over the API: what they take, clear and refuse.

use crate::it::setups::api::{ROLE, emulated};
use crate::it::support::emulator::VENDOR_ACCOUNT;
use crate::it::support::scene::Dialog;
use serde_json::{Value, json};

#[tokio::test]
async fn what_the_service_owns_is_never_taken_from_a_client() {
    let (_, app) = emulated().await;
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    let before = dialog.get().await;
    for field in [
        "external_id",
        "workspace_id",
        "status",
        "id",
        "service_principal",
        "account_id",
        "created_at",
        "expires_at",
        "last_check",
        "allowed_origins",
        "revision",
        "check_is_current",
        "has_secret_access_key",
        "anything",
    ] {
        let body = json!({"bucket": "other-data", field: "x"});
        dialog.patch(body.clone()).await.refused_field(field);
        let admin = &dialog.workspace.admin;
        app.post("/v1/storage-setups", admin, &body)
            .await
            .refused_field(field);
        app.post(&dialog.path("/complete"), admin, &json!({field: "x"}))
            .await
            .refused_field(field);
    }
    assert_eq!(dialog.get().await, before);
    let list = app
        .get("/v1/storage-setups", &dialog.workspace.admin)
        .await
        .expect(200);
    assert_eq!(list["storage_setups"].as_array().unwrap().len(), 1);
}

fn bad_values() -> Vec<(&'static str, Vec<Value>)> {
    let long = "x".repeat(5000);
    let common = || {
        vec![
            json!(1),
            json!(true),
            json!([]),
            json!({}),
            json!(1.5),
            json!(long),
        ]
    };
    let with = |more: &[&str]| {
        let mut values = common();
        values.extend(more.iter().map(|text| json!(text)));
        values
    };
    vec![
        ("display_name", with(&["", "   ", "a\nb", "a\u{0}b"])),
        (
            "bucket",
            with(&[
                "",
                "ab",
                "192.168.0.1",
                "...",
                "xn--acme",
                "acme-s3alias",
                "acme--x-s3",
                "acme*",
                "acme?",
                "${aws:username}",
                "acme\"",
                "acme\n",
                "acme/data",
                "arn:aws:s3:us-east-1:123456789012:accesspoint/a",
                "ácme",
                "https://acme-data",
            ]),
        ),
        (
            "prefix",
            with(&[
                "a/../b",
                "../x",
                "a/./b",
                "a\u{0}b",
                "a\nb",
                "team ",
                " team",
                "team\u{a0}",
                "team\u{200b}",
            ]),
        ),
        ("access", with(&["", "write", "READ", "read-write"])),
        ("auth", with(&["", "key", "Role"])),
        (
            "role_arn",
            with(&[
                "",
                "acme",
                "arn:aws:iam::123456789012:user/acme",
                "arn:aws:iam::123456789012:root",
                "arn:aws:sts::123456789012:assumed-role/acme/session",
                "arn:aws:iam::123456789012:role/*",
                "arn:aws:iam::*:role/acme",
                "arn:aws:iam::12345678901:role/acme",
                "arn:aws:iam::１23456789012:role/acme",
                "arn:aws:iam::123456789012:role/acme\n",
                "ARN:AWS:IAM::123456789012:ROLE/acme",
                "arn:aws:iam::123456789012:Role/acme",
                " arn:aws:iam::123456789012:role/acme",
                "arn:aws:iam::123456789012:role/",
                "arn:aws:iam:us-east-1:123456789012:role/acme",
                "arn:aws-x:iam::123456789012:role/acme",
                "arn:aws:iam::123456789012:role/acme\u{200b}",
                "arn:aws:s3:::acme",
                "arn:aws:iam::111111111111:role/of-the-service",
            ]),
        ),
        (
            "region",
            with(&[
                "EU-WEST-1",
                "eu-west-999",
                "x@evil:443/#",
                "eu-west-1.evil.example",
            ]),
        ),
        (
            "kms_key_arn",
            with(&[
                "",
                "alias/acme",
                "arn:aws:kms:eu-west-1:123456789012:alias/acme",
                "arn:aws:kms:eu-west-1:123456789012:key/*",
                "arn:aws:kms:::key/1",
            ]),
        ),
        (
            "access_key_id",
            with(&["", "akiaiosfodnn7example\n", "AKIA IOSFODNN7EXAMPLE"]),
        ),
        (
            "secret_access_key",
            with(&["", "short", "has spaces in it", "newline\nin the secret"]),
        ),
        (
            "endpoint",
            with(&[
                "",
                "example.com",
                "ftp://example.com",
                "https://user:pass@example.com",
                "https://example.com/a//b",
                "https://example.com/a%20b",
                "https://example.com/?q",
                "https://example.com/#f",
                "file:///etc/passwd",
            ]),
        ),
    ]
}

#[tokio::test]
async fn every_bad_value_is_refused_by_name_and_changes_nothing() {
    let (proxy, app) = emulated().await;
    let settings = json!({"bucket": "acme-data", "role_arn": ROLE, "region": "eu-west-1"});
    let dialog = Dialog::open(&app, settings).await;
    let before = dialog.get().await;
    for (field, values) in bad_values() {
        for value in values {
            // A good field beside the bad one is not taken either.
            let good = match field {
                "access" => ("prefix", "team"),
                _ => ("access", "read"),
            };
            let answer = dialog.patch(json!({field: value, good.0: good.1})).await;
            assert_eq!(answer.status, 422, "{field} {value}");
            let problem = answer.refused_field(field);
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(!detail.is_empty() && detail.len() < 600, "{detail}");
        }
    }
    assert_eq!(dialog.get().await, before);
    assert_eq!(proxy.count("AssumeRole"), 0);
    assert_eq!(proxy.s3_count(), 0);
}

#[tokio::test]
async fn several_bad_fields_are_named_at_once() {
    let (_, app) = emulated().await;
    let dialog = Dialog::open(&app, json!({})).await;
    let answer = dialog
        .patch(json!({"bucket": "A", "role_arn": "x", "region": "x!", "display_name": "fine"}))
        .await;
    let problem = answer.problem(422, "invalid_request");
    let named: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].clone())
        .collect();
    assert_eq!(named, ["bucket", "role_arn", "region"]);
    assert_eq!(dialog.get().await["display_name"], Value::Null);
}

#[tokio::test]
async fn fields_that_do_not_go_together_are_refused() {
    let (_, app) = emulated().await;
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    let key = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    let key_in_china =
        "arn:aws-cn:kms:cn-north-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    for (settings, field, code) in [
        (
            json!({"role_arn": ROLE, "region": "cn-north-1"}),
            "region",
            "partition_mismatch",
        ),
        (
            json!({"region": "us-east-1", "kms_key_arn": key}),
            "kms_key_arn",
            "kms_key_region",
        ),
        (
            json!({"role_arn": ROLE, "kms_key_arn": key_in_china}),
            "kms_key_arn",
            "partition_mismatch",
        ),
        (
            json!({"role_arn": "arn:aws-cn:iam::123456789012:role/a"}),
            "role_arn",
            "role_in_other_partition",
        ),
        (
            json!({"role_arn": "arn:aws-eusc:iam::123456789012:role/a"}),
            "role_arn",
            "role_in_other_partition",
        ),
        (
            json!({"role_arn": format!("arn:aws:iam::{VENDOR_ACCOUNT}:role/own")}),
            "role_arn",
            "role_of_this_service",
        ),
    ] {
        let problem = dialog.patch(settings).await.refused_field(field);
        assert_eq!(problem["errors"][0]["code"], code);
    }
    let fine = json!({"role_arn": ROLE, "region": "eu-west-1", "kms_key_arn": key});
    dialog.patch(fine).await.expect(200);
    // What was typed before counts too.
    let problem = dialog
        .patch(json!({"region": "us-east-1"}))
        .await
        .refused_field("kms_key_arn");
    assert_eq!(problem["errors"][0]["code"], "kms_key_region");
}

/// Only what a signature or a URL cannot carry is refused.
#[tokio::test]
async fn names_of_older_buckets_and_of_other_stores_are_taken() {
    let (_, app) = emulated().await;
    let workspace = app.workspace().await;
    let by_key = |more: Value| {
        let mut settings = json!({
            "bucket": "acme-data", "auth": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "secret-of-the-setup", "endpoint": "https://s3.example.com",
        });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        settings
    };
    for settings in [
        json!({"bucket": "my_training_data", "region": "us-east-1"}),
        json!({"bucket": "Acme.Data"}),
        json!({"region": "eusc-de-east-1"}),
        by_key(json!({"access_key_id": "svc@objects.example"})),
        by_key(json!({"endpoint": "https://abc.example/storage/v1/s3"})),
        by_key(json!({"bucket": "my_training_data", "region": "garage"})),
    ] {
        let answer = app
            .post("/v1/storage-setups", &workspace.admin, &settings)
            .await;
        assert_eq!(answer.status, 201, "{settings}: {}", answer.text);
    }
    // A bucket with such a name cannot be there.
    let dialog = Dialog::open(&app, json!({"bucket": "my_training_data"})).await;
    let problem = dialog
        .patch(json!({"region": "eu-west-1"}))
        .await
        .refused_field("bucket");
    assert_eq!(problem["errors"][0]["code"], "invalid_bucket");
}

#[tokio::test]
async fn null_clears_and_absent_keeps() {
    let (_, app) = emulated().await;
    let dialog = Dialog::open(
        &app,
        json!({
            "display_name": "Acme", "bucket": "acme-data", "prefix": "/team", "access": "read",
            "role_arn": ROLE, "region": "eu-west-1", "auth": "access_key",
            "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "secret-of-the-setup",
            "endpoint": "https://s3.example.com", "bucket_account_id": "123456789012",
            "requester_pays": true,
        }),
    )
    .await;
    let setup = dialog.get().await;
    assert_eq!(setup["prefix"], "team/");
    assert_eq!(setup["has_secret_access_key"], true);
    assert_eq!(setup.get("secret_access_key"), None);
    assert_eq!(dialog.patch(json!({})).await.expect(200), setup);
    let nothing = dialog.patch(json!({
        "display_name": null, "bucket": null, "prefix": null, "access": null, "role_arn": null,
        "region": null, "auth": null, "access_key_id": null, "secret_access_key": null, "endpoint": null,
        "bucket_account_id": null, "requester_pays": null,
    })).await.expect(200);
    for field in [
        "display_name",
        "bucket",
        "role_arn",
        "region",
        "access_key_id",
        "endpoint",
        "bucket_account_id",
    ] {
        assert_eq!(nothing[field], Value::Null, "{field}");
    }
    assert_eq!(
        (&nothing["prefix"], &nothing["access"], &nothing["auth"]),
        (&json!(""), &json!("read_write"), &json!("role"))
    );
    assert_eq!(nothing["has_secret_access_key"], false);
    assert_eq!(nothing["requester_pays"], false);
}
