//! A customer of the service who knows another's role cannot use it.

use crate::it::support::app::{TestApp, app_on};
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::emulator::{Emulator, random_name, trust_policy};
use crate::it::support::scene::{Dialog, Scene};
use serde_json::{Value, json};

async fn stage() -> (AwsProxy, TestApp) {
    let proxy = AwsProxy::start().await;
    let app = app_on(&proxy.sdk_config(&Emulator::vendor().await.sdk_config)).await;
    (proxy, app)
}

/// The database knows this text nowhere.
fn is_kept(app: &TestApp, text: &str) -> bool {
    let files = std::fs::read_dir(app.folder.path()).unwrap().flatten();
    files
        .map(|file| std::fs::read(file.path()).unwrap())
        .any(|bytes| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
}

#[tokio::test]
async fn another_workspace_with_the_same_role_is_refused() {
    let (proxy, app) = stage().await;
    let theirs = Scene::on(Emulator).apply(&app).await;
    let storage = theirs.dialog.finish().await;
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    app.get(&files, &theirs.dialog.workspace.member)
        .await
        .expect(200);

    let settings = json!({"bucket": theirs.bucket, "role_arn": theirs.role_arn});
    let attacker = Dialog::open(&app, settings).await;
    proxy.clear();
    attacker.check().await.role_refused();
    attacker.refused().await;
    assert_eq!(proxy.s3_count(), 0);
    assert_eq!(proxy.count("AssumeRole"), 3);
    for call in proxy.of("AssumeRole") {
        let sent = call.request.form("ExternalId");
        assert_ne!(sent.as_deref(), Some(theirs.dialog.external_id.as_str()));
    }
    app.get(&files, &attacker.workspace.admin)
        .await
        .problem(404, "not_found");
    assert_eq!(proxy.s3_count(), 0);
}

/// Trust policies that look like protection and are none.
#[tokio::test]
async fn a_role_that_lets_others_in_is_never_added() {
    let (proxy, app) = stage().await;
    let vendor = Emulator::vendor().await;
    let both = &["refuses_missing_external_id", "refuses_wrong_external_id"][..];
    type Condition = fn(&str) -> Value;
    let cases: [(&str, Condition, &[&str]); 5] = [
        ("no condition", |_| Value::Null, both),
        (
            "any ID",
            |_| json!({"StringLike": {"sts:ExternalId": "*"}}),
            &both[1..],
        ),
        (
            "if there is one",
            |id| json!({"StringEqualsIfExists": {"sts:ExternalId": id}}),
            &both[..1],
        ),
        (
            "any ID or none",
            |_| json!({"StringLikeIfExists": {"sts:ExternalId": "*"}}),
            both,
        ),
        (
            "this one or any",
            |id| json!({"StringLike": {"sts:ExternalId": [id, "????????-*"]}}),
            &both[1..],
        ),
    ];
    for (name, condition, failed) in cases {
        let applied = Scene::on(Emulator).apply(&app).await;
        let mut policy = trust_policy(&vendor.account, None);
        let condition = condition(&applied.dialog.external_id);
        if !condition.is_null() {
            policy["Statement"][0]["Condition"] = condition;
        }
        applied.trust(&policy).await;
        proxy.clear();
        let report = applied.dialog.check().await.failed(failed);
        assert_eq!(proxy.s3_count(), 0, "{name}");
        for step in failed {
            let code = format!("role_accepts_{}", step.trim_start_matches("refuses_"));
            assert_eq!(report.code(step), Some(code.as_str()), "{name}");
            let patch = &report.step(step)["problem"]["patch"];
            assert_eq!(*patch, applied.trust, "{name}");
        }
        applied.dialog.refused().await;
        // What the report says to paste fixes it.
        applied
            .trust(&report.step(failed[0])["problem"]["patch"])
            .await;
        applied.dialog.finish().await;
    }
}

/// Whatever keeps us out, the answer is the same: a check is no oracle for what exists elsewhere.
#[tokio::test]
async fn a_missing_and_a_denying_role_are_answered_alike() {
    let (proxy, app) = stage().await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let vendor = Emulator::vendor().await;
    let dialog = &applied.dialog;
    let mut answers = Vec::new();
    let wrong_id = trust_policy(&vendor.account, Some("another-external-id"));
    let wrong_account = trust_policy("123123123123", Some(&dialog.external_id));
    for policy in [&wrong_id, &wrong_account] {
        applied.trust(policy).await;
        answers.push(dialog.check().await.role_refused());
    }
    let iam = applied.customer.iam();
    let delete = iam
        .delete_role_policy()
        .role_name(&applied.role)
        .policy_name("access");
    delete.send().await.unwrap();
    iam.delete_role()
        .role_name(&applied.role)
        .send()
        .await
        .unwrap();
    proxy.clear();
    answers.push(dialog.check().await.role_refused());
    assert_eq!(proxy.s3_count(), 0);
    let reported: Vec<_> = answers
        .iter()
        .map(|report| {
            let mut step = report.step("assume_role").clone();
            step["duration_ms"] = Value::Null;
            step["aws"]["request_id"] = Value::Null;
            step
        })
        .collect();
    assert_eq!(reported[0], reported[1]);
    assert_eq!(reported[0], reported[2]);
    dialog.refused().await;
}

#[tokio::test]
async fn a_refused_roles_arn_is_not_kept_as_a_storage() {
    let (_, app) = stage().await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let open = trust_policy(&Emulator::vendor().await.account, None);
    applied.trust(&open).await;
    applied.dialog.check().await;
    applied.dialog.refused().await;
    // It is in the open setup only, which forgets it.
    applied
        .dialog
        .patch(json!({"role_arn": null}))
        .await
        .expect(200);
    assert_eq!(applied.dialog.get().await["role_arn"], Value::Null);
    let rows = crate::it::storages::api::rows(&app, "SELECT COUNT(*) FROM storages").await;
    assert_eq!(rows, 0);
    assert!(is_kept(&app, &applied.dialog.external_id));
}

#[tokio::test]
async fn editing_a_storage_to_anothers_role_needs_a_check_that_fails() {
    let (proxy, app) = stage().await;
    let theirs = Scene::on(Emulator).apply(&app).await;
    theirs.dialog.finish().await;
    let own = Scene::on(Emulator).apply(&app).await;
    let storage = own.dialog.finish().await;
    let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
    let admin = &own.dialog.workspace.admin;
    let settings = json!({"role_arn": theirs.role_arn, "bucket": theirs.bucket});
    let changed = app.patch(&path, admin, &settings).await.expect(200);
    // What was proved stays in use.
    assert_eq!(changed["role_arn"], own.role_arn);
    assert_eq!(changed["pending"]["role_arn"], theirs.role_arn);
    proxy.clear();
    let check = format!("{path}/check?pending=true");
    let answer = app.post(&check, admin, &json!({})).await;
    crate::it::support::scene::Report::of(&answer).role_refused();
    assert_eq!(proxy.s3_count(), 0);
    let files = format!("{path}/files");
    app.get(&files, admin).await.expect(200);
    for call in proxy.log() {
        let text = format!("{:?}", call.request);
        assert!(call.operation == "AssumeRole" || !text.contains(&theirs.bucket));
    }
    let storage = app.get(&path, admin).await.expect(200);
    assert_eq!(storage["role_arn"], own.role_arn);
    assert_eq!(storage["pending"]["last_check"]["outcome"], "failed");
}

#[tokio::test]
async fn a_roles_path_counts() {
    let (_, app) = stage().await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let name = random_name("role");
    let iam = applied.customer.iam();
    let made = iam
        .create_role()
        .path("/team/x/")
        .role_name(&name)
        .assume_role_policy_document(applied.trust.to_string())
        .send()
        .await
        .unwrap();
    let arn = made.role.unwrap().arn;
    assert!(arn.contains(":role/team/x/"), "{arn}");
    applied
        .customer
        .put_role(&name, &applied.trust, &applied.permissions)
        .await;
    applied
        .dialog
        .patch(json!({"role_arn": arn}))
        .await
        .expect(200);
    let storage = applied.dialog.finish().await;
    assert_eq!(storage["role_arn"], arn.as_str());
}
