//! What fails at a custom endpoint is the customer's.

use crate::it::files::causes::{Used, same};
use crate::it::files::odd_stores::Place;
use crate::it::support::aws::store::{Behaviour, Store};
use crate::it::support::aws::stub::s3_error;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_endpoint_that_fails_is_the_customers() {
    let place = Place::with([]).await;
    let storage = place.files.trim_end_matches("/files");
    let used = Used {
        app: &place.app,
        workspace: &place.workspace,
        storage: storage.trim_start_matches("/v1/storages/").to_owned(),
    };
    let begun = used.begin().await.expect(200);
    let upload = begun["upload_id"].as_str().unwrap().to_owned();
    let worlds = [
        ("InvalidAccessKeyId", "access_key_unknown"),
        ("SignatureDoesNotMatch", "secret_wrong"),
    ];
    let calls = [
        "ListObjectsV2",
        "HeadObject",
        "GetObject",
        "PutObject",
        "DeleteObject",
        "CopyObject",
        "ListObjectVersions",
        "GetObjectAcl",
        "GetBucketLocation",
        "CreateMultipartUpload",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
    ];
    for (sent, cause) in worlds {
        let reply = s3_error(403, sent, "SECRETARN");
        place
            .store
            .behave(calls.map(|call| Behaviour::AnswerTo(call, reply.clone())));
        for (operation, answer) in used.everything(&upload).await {
            // Nothing is asked of the store.
            if operation.starts_with("sign") || operation == "parts" {
                answer.expect(200);
                continue;
            }
            let problem = answer.problem(424, "storage_credentials_rejected");
            assert_eq!(problem["cause"], cause, "{operation}: {problem:#}");
            assert!(!problem.to_string().contains("SECRETARN"));
        }
        same(
            &used.get("/files").await.json(),
            &used.check().await,
            "list_bucket",
        );
    }
    place.store.behave([Behaviour::HtmlWith200]);
    let problem = used.get("/files").await;
    let problem = problem.problem(424, "store_answer_not_s3");
    assert_eq!(problem["cause"], "endpoint_not_s3", "{problem:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_down_is_the_customers() {
    // Of its own, so that the store can end.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.spawn(Store::with([])).await.unwrap();
    let store = store.holding(["a.txt"]);
    let (app, workspace) = store.app().await;
    let storage = store.connect(&app, &workspace).await;
    let used = Used {
        app: &app,
        workspace: &workspace,
        storage,
    };
    let begun = used.begin().await.expect(200);
    let upload = begun["upload_id"].as_str().unwrap().to_owned();
    runtime.shutdown_background();
    let mut listed = Value::Null;
    for (operation, answer) in used.everything(&upload).await {
        if operation.starts_with("sign") || operation == "parts" {
            answer.expect(200);
            continue;
        }
        let problem = answer.problem(424, "endpoint_unreachable");
        assert_eq!(problem["cause"], "endpoint_refused", "{operation}");
        if operation == "list" {
            listed = problem;
        }
    }
    let report = used.check().await;
    let failed = report.with_status("failed");
    same(&listed, &report, failed[0]);
}
