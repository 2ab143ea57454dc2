//! Buckets of another account, and those whose readers pay.

use crate::it::support::app::app_on;
use crate::it::support::aws::stub::{AwsStub, denied};
use crate::it::support::client::encoded;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{Dialog, Report, Scene};
use reqwest::Url;
use serde_json::{Value, json};

const OWNER: &str = "333333333333";

fn refused<'a>(report: &'a Report, step: &str, code: &str) -> &'a Value {
    assert_eq!(report.code(step), Some(code));
    &report.step(step)["problem"]
}

/// A Requester Pays bucket, which another account than the role's owns.
async fn charging() -> AwsStub {
    let stub = AwsStub::start().await;
    stub.world().owner = OWNER.into();
    // Not asked for: what neither reads nor lists.
    const FREE: [&str; 3] = ["GetBucketLocation", "CorsPreflight", "GetCallerIdentity"];
    stub.when(|request| {
        let operation = request.operation();
        let agreed = request.header("x-amz-request-payer") == Some("requester");
        (!agreed && !FREE.contains(&operation.as_str()) && operation != "AssumeRole")
            .then(|| denied("Access Denied"))
    });
    stub
}

#[tokio::test]
async fn the_owner_and_who_pays_must_be_said() {
    let stub = charging().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let report = dialog.check().await;
    let problem = refused(&report, "bucket_owner", "bucket_owned_by_another_account");
    assert!(
        problem["explanation"]
            .as_str()
            .unwrap()
            .contains("the role belongs to")
    );
    assert!(
        problem["remedy"]
            .as_str()
            .unwrap()
            .contains("name that account")
    );
    dialog.refused().await;

    let other = json!({"bucket_account_id": "444444444444", "requester_pays": true});
    dialog.patch(other).await.expect(200);
    let report = dialog.check().await;
    let problem = refused(&report, "bucket_owner", "bucket_owned_by_another_account");
    assert!(
        problem["explanation"]
            .as_str()
            .unwrap()
            .contains("444444444444")
    );

    let named = json!({"bucket_account_id": OWNER, "requester_pays": null});
    let setup = dialog.patch(named).await.expect(200);
    assert_eq!(setup["requester_pays"], false);
    let report = dialog.check().await;
    assert_eq!(report.status("bucket_owner"), "passed");
    refused(&report, "list_bucket", "requester_pays");

    dialog
        .patch(json!({"requester_pays": true}))
        .await
        .expect(200);
    let storage = dialog.finish().await;
    assert_eq!(
        (&storage["bucket_account_id"], &storage["requester_pays"]),
        (&json!(OWNER), &json!(true))
    );
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    let (member, admin) = (&dialog.workspace.member, &dialog.workspace.admin);
    for path in ["", "/metadata?key=/a.txt", "/content?key=/a.txt"] {
        let answer = app.get(&format!("{files}{path}"), member).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let gone = app.delete(&format!("{files}?key=/a.txt"), admin).await;
    gone.expect(204);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Dialog::open(&app, json!({})).await;
    for account in [
        "",
        "12345678901",
        "arn:aws:iam::123456789012:root",
        "１２３４５６７８９０１２",
    ] {
        let refused = dialog.patch(json!({"bucket_account_id": account})).await;
        refused.refused_field("bucket_account_id");
    }
    for pays in [json!("yes"), json!(1)] {
        let refused = dialog.patch(json!({"requester_pays": pays})).await;
        refused.refused_field("requester_pays");
    }
}

/// The store checks the signature, so what was put into the URL is what was signed.
#[tokio::test]
async fn signed_urls_agree_in_the_query() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).prefix("team").apply(&app).await;
    let pays = json!({"requester_pays": true});
    applied.dialog.patch(pays).await.expect(200);
    let storage = applied.dialog.finish().await;
    let sign = format!(
        "/v1/storages/{}/files/sign",
        storage["id"].as_str().unwrap()
    );
    let admin = &applied.dialog.workspace.admin;
    let keys = ["/a b+c", "/ü%", "/plain"];
    let http = reqwest::Client::new();
    for (method, keys) in [("PUT", &keys[..]), ("GET", &keys[..]), ("GET", &keys[..1])] {
        let body = json!({"keys": keys, "method": method, "content_type": "text/plain"});
        let body = match method {
            "PUT" => body,
            _ => json!({"keys": keys, "method": method}),
        };
        let signed = app.post(&sign, admin, &body).await.expect(200);
        for url in signed["urls"].as_array().unwrap() {
            let address = Url::parse(url["url"].as_str().unwrap()).unwrap();
            let agreed =
                |(name, value): (_, _)| name == "x-amz-request-payer" && value == "requester";
            assert!(address.query_pairs().any(agreed), "{address}");
            let headers = url["headers"].as_object().unwrap();
            assert!(!headers.contains_key("x-amz-request-payer"));
            let request = match method {
                "PUT" => http
                    .put(address)
                    .body(encoded(url["key"].as_str().unwrap())),
                _ => http.get(address),
            };
            let request = headers
                .iter()
                .fold(request, |request, (name, value): (_, &Value)| {
                    request.header(name, value.as_str().unwrap())
                });
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{method} {}", url["key"]);
            if method == "GET" {
                assert_eq!(
                    answer.text().await.unwrap(),
                    encoded(url["key"].as_str().unwrap())
                );
            }
        }
    }
}
