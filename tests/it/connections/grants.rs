//! What the customer grants besides the access: versions, access control lists and lifecycle rules.

use crate::it::support::app::TestApp;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{Dialog, Scene};
use serde_json::{Value, json};

const OF_VERSIONS: [&str; 3] = [
    "s3:ListBucketVersions",
    "s3:GetObjectVersion",
    "s3:DeleteObjectVersion",
];
const OF_ACLS: [&str; 2] = ["s3:GetObjectAcl", "s3:PutObjectAcl"];

/// The actions that any of the documents names, in whichever form.
fn named(documents: &Value, actions: &[&'static str]) -> Vec<&'static str> {
    let text = documents.to_string();
    let mut named = actions.to_vec();
    named.retain(|action| {
        ["\"", "\\\""]
            .iter()
            .any(|end| text.contains(&format!("{action}{end}")))
    });
    named
}

async fn documents(app: &TestApp, choice: Value) -> Value {
    let mut settings = json!({"bucket": "acme-data", "prefix": "team/"});
    for (name, value) in choice.as_object().unwrap() {
        settings[name] = value.clone();
    }
    Dialog::open(app, settings).await.documents().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_is_in_no_document() {
    let app = TestApp::spawn_on_emulator().await;
    let all = [OF_VERSIONS.as_slice(), OF_ACLS.as_slice()].concat();
    for (choice, expected) in [
        (
            json!({}),
            vec![
                "s3:ListBucketVersions",
                "s3:DeleteObjectVersion",
                "s3:GetObjectAcl",
                "s3:PutObjectAcl",
            ],
        ),
        (
            json!({"object_versions": false}),
            vec!["s3:GetObjectAcl", "s3:PutObjectAcl"],
        ),
        (
            json!({"object_acls": false}),
            vec!["s3:ListBucketVersions", "s3:DeleteObjectVersion"],
        ),
        (
            json!({"object_acls": false, "object_versions": false}),
            vec![],
        ),
        (json!({"access": "read"}), vec![]),
        (
            json!({"access": "read", "object_versions": true}),
            vec!["s3:ListBucketVersions", "s3:GetObjectVersion"],
        ),
        (
            json!({"access": "read", "object_acls": true}),
            vec!["s3:GetObjectAcl"],
        ),
    ] {
        let documents = documents(&app, choice.clone()).await;
        assert_eq!(named(&documents, &all), expected, "{choice}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lifecycle_rules_are_a_choice_and_never_for_reading() {
    let app = TestApp::spawn_on_emulator().await;
    let with = documents(&app, json!({})).await;
    assert!(with["lifecycle"].is_object());
    for choice in [
        json!({"lifecycle": false}),
        json!({"access": "read"}),
        json!({"access": "read", "lifecycle": true}),
    ] {
        let documents = documents(&app, choice.clone()).await;
        assert_eq!(documents["lifecycle"], json!(null), "{choice}");
        for form in ["cli", "cli_bucket", "cloudformation", "terraform"] {
            let text = documents[form].as_str().unwrap_or_default();
            assert!(
                !text.contains("NoncurrentVersion") && !text.contains("team/export"),
                "{choice} {form}"
            );
        }
    }
}

/// The role has exactly what the documents grant, and the check asks for nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_neither_checked_nor_done() {
    let app = TestApp::spawn_on_emulator().await;
    let mut applied = Scene::on(Emulator).prefix("team/").apply(&app).await;
    let off = json!({"object_acls": false, "object_versions": false});
    let setup = applied.dialog.patch(off).await.expect(200);
    assert_eq!(setup["object_acls"], false);
    applied.permissions = applied.dialog.documents().await["permission_policy"].take();
    applied.apply().await;
    let dialog = &applied.dialog;
    dialog.check().await.works();
    let storage = dialog.complete().await.expect(201);
    assert_eq!(storage["object_versions"], false);
    let path = |below: &str| format!("/v1/storages/{}{below}", storage["id"].as_str().unwrap());
    let admin = &dialog.workspace.admin;
    let acl = json!({"acl": "private"});
    for answer in [
        app.get(&path("/files/versions?key=/a.txt"), admin).await,
        app.get(&path("/files/acl?key=/a.txt"), admin).await,
        app.put(&path("/files/acl?key=/a.txt"), admin, &acl).await,
    ] {
        let problem = answer.problem(409, "not_granted");
        assert!(problem["remedy"].as_str().unwrap().contains("object_"));
    }
    app.get(&path("/files/metadata?key=/a.txt"), admin)
        .await
        .expect(200);
}

/// A setting that follows the access goes on following it; one that was set stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_choice_stays_and_a_default_follows_the_access() {
    let app = TestApp::spawn_on_emulator().await;
    let dialog = Dialog::open(&app, json!({"object_acls": true})).await;
    let read = dialog.patch(json!({"access": "read"})).await.expect(200);
    assert_eq!(
        (
            &read["object_acls"],
            &read["object_versions"],
            &read["lifecycle"]
        ),
        (&json!(true), &json!(false), &json!(false))
    );
    let reset = dialog.patch(json!({"object_acls": null})).await.expect(200);
    assert_eq!(reset["object_acls"], false);
    let write = dialog
        .patch(json!({"access": "read_write"}))
        .await
        .expect(200);
    assert_eq!(
        (
            &write["object_acls"],
            &write["object_versions"],
            &write["lifecycle"]
        ),
        (&json!(true), &json!(true), &json!(true))
    );
}
