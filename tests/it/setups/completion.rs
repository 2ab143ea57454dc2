//! From a checked setup to a storage, exactly once and whole.

use crate::it::support::app::app_on;
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::aws::wire::eventually;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const ROLE: &str = "arn:aws:iam::123456789012:role/acme";

#[tokio::test]
async fn only_exactly_what_was_checked_becomes_a_storage() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let dialog = &applied.dialog;
    dialog.refused().await;
    dialog.check().await.works();
    // A new name asks for no new check, and neither does the same value again.
    dialog
        .patch(json!({"display_name": "Acme", "bucket": applied.bucket}))
        .await
        .expect(200);
    assert_eq!(dialog.get().await["check_is_current"], true);
    for change in [
        json!({"access": "read"}),
        json!({"prefix": "x"}),
        json!({"region": "us-east-1"}),
        json!({"role_arn": ROLE}),
        json!({"bucket": "another-bucket"}),
        json!({"kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"}),
    ] {
        dialog.patch(change).await.expect(200);
        assert_eq!(dialog.get().await["check_is_current"], false);
        dialog.refused().await;
    }
    // Back to what had been checked is a change too.
    dialog
        .patch(json!({
            "access": "read_write", "prefix": null, "region": null, "role_arn": applied.role_arn,
            "bucket": applied.bucket, "kms_key_arn": null,
        }))
        .await
        .expect(200);
    dialog.refused().await;
    let storage = dialog.finish().await;
    assert_eq!(storage["display_name"], "Acme");
    assert_eq!(storage["verified"], true);
}

#[tokio::test]
async fn a_change_during_the_check_is_not_covered_by_it() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    stub.world().delay = Duration::from_millis(100);
    let change = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        dialog.patch(json!({"prefix": "team"})).await.expect(200);
    };
    let (report, ()) = tokio::join!(dialog.check(), change);
    report.works();
    dialog.refused().await;
}

#[tokio::test]
async fn many_completions_make_one_storage() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    dialog.check().await.works();
    let answers = join_all((0..10).map(|_| dialog.complete())).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
    assert!(
        answers.iter().all(|a| a.status == 201 || a.status == 409),
        "{answers:?}"
    );
    let storages = app
        .get("/v1/storages", &dialog.workspace.admin)
        .await
        .expect(200);
    assert_eq!(storages["storages"].as_array().unwrap().len(), 1);
}

/// The client leaves at any instant: a whole storage, or none.
#[tokio::test]
async fn a_completion_that_is_broken_off_leaves_all_or_nothing() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    for wait in 0..8 {
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        dialog.check().await.works();
        let request = app
            .request(
                Method::POST,
                &dialog.path("/complete"),
                &dialog.workspace.admin,
            )
            .timeout(Duration::from_micros(400 * wait + 200));
        let _ = request.send().await;
        let admin = &dialog.workspace.admin;
        eventually("the setup and its storage agree", async || {
            let storages = app.get("/v1/storages", admin).await.expect(200);
            let made = storages["storages"].as_array().unwrap().len();
            match dialog.get().await["status"].as_str().unwrap() {
                "completed" => made == 1,
                "open" => made == 0 && dialog.complete().await.status == 201,
                other => panic!("{other}"),
            }
        })
        .await;
    }
}
