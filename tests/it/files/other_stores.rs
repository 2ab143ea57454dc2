//! Stores that are not Amazon S3: they do not say how long an object is, ignore conditions, and name no
//! ETags. A stub stands in for them, because the emulator does as Amazon does.

use crate::it::files::uploads::bytes;
use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::aws::stub::{AwsStub, s3_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::client::{Content, chunked};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const FILES: &str = "/v1/storages/built-in/files";
const CONTENT: &str = "/v1/storages/built-in/files/content?key=%2Fa.txt";
const MIB: usize = 1 << 20;

/// A service whose built-in storage is the stub's bucket.
async fn on_stub(stub: &AwsStub) -> (TestApp, TestWorkspace) {
    let app = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.built_in_bucket = Some(stub.bucket.clone());
    })
    .await;
    let workspace = app.workspace().await;
    (app, workspace)
}

/// An object whose length the store does not announce.
fn without_length(body: &[u8], breaks: bool) -> Reply {
    let reply = Reply::Chunked {
        status: 200,
        headers: Vec::new(),
        body: body.to_vec(),
        breaks,
    };
    reply
        .with("etag", "\"e\"")
        .with("content-type", "text/plain")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_length_comes_whole_or_is_seen_to_break() {
    let stub = AwsStub::start().await;
    let (app, workspace) = on_stub(&stub).await;
    let body = bytes(100_000);
    stub.answer_to("GetObject", without_length(&body, false));
    stub.answer_to("HeadObject", without_length(&[], false));
    let content = Content::of(app.request(Method::GET, CONTENT, &workspace.member)).await;
    content.expect(200, &body);
    assert_eq!(content.header("content-length"), None);
    assert_eq!(content.header("transfer-encoding"), Some("chunked"));

    let head = Content::of(app.request(Method::HEAD, CONTENT, &workspace.member)).await;
    head.expect(200, b"");
    assert_eq!(head.header("content-length"), None);
    let path = format!("{FILES}/metadata?key=%2Fa.txt");
    let metadata = app.get(&path, &workspace.member).await.expect(200);
    assert_eq!(metadata["size"], Value::Null);

    stub.forget_rules();
    stub.clear();
    stub.answer_to("GetObject", without_length(&body, true));
    let request = app.request(Method::GET, CONTENT, &workspace.member);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(
        response.bytes().await.is_err(),
        "a part looks like the whole"
    );
    // Where the rest would begin is known; where it would end is not.
    assert_eq!(stub.count("GetObject"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_without_a_length_is_still_bounded() {
    let stub = AwsStub::start().await;
    let (app, workspace) = on_stub(&stub).await;
    let body = json!({"name": "P", "storage_id": "built-in", "manifest_file_key": "/m.jsonl"});
    stub.answer_to("GetObject", without_length(&vec![b'x'; 65 * MIB], false));
    let refused = app.post("/v1/projects", &workspace.admin, &body).await;
    let problem = refused.refused_field("manifest_file_key");
    assert_eq!(problem["errors"][0]["code"], "manifest_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_overwritten_that_was_promised_to_stay() {
    let stub = AwsStub::start().await;
    let (app, workspace) = on_stub(&stub).await;
    // The stub has an object at every key, and ignores conditions.
    stub.when(|request| {
        (request.operation() == "HeadObject")
            .then(|| Reply::answer(200, "hello").with("etag", "\"e\""))
    });
    // Its HeadObject says nothing of what was stored, so the answer to the completion has to.
    let completed =
        "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>";
    stub.answer_to("CompleteMultipartUpload", Reply::answer(200, completed));
    let put = async |length: usize, announced: bool, condition: (&str, &str)| {
        let body = bytes(length);
        let body = match announced {
            true => reqwest::Body::from(body),
            false => chunked(body),
        };
        let request = app
            .request(Method::PUT, CONTENT, &workspace.admin)
            .header(condition.0, condition.1)
            .body(body);
        Answer::of(request).await
    };
    let other = ("if-match", "\"other\"");
    let parts = [
        (100, true),
        (MIB, true),
        (65 * MIB, true),
        (MIB, false),
        (9 * MIB, false),
    ];
    for (length, announced) in parts {
        for condition in [("if-none-match", "*"), other] {
            stub.clear();
            let refused = put(length, announced, condition).await;
            refused.problem(412, "precondition_failed");
            assert_eq!(stub.count("PutObject"), 0, "{length} {condition:?}");
            assert_eq!(stub.count("CompleteMultipartUpload"), 0, "{length}");
            let begun = stub.count("CreateMultipartUpload");
            assert_eq!(stub.count("AbortMultipartUpload"), begun, "{length}");
        }
        put(length, announced, ("if-match", "\"e\""))
            .await
            .expect(200);
    }

    stub.clear();
    let begin = json!({"key": "/a.txt", "if_none_match": true});
    let path = format!("{FILES}/multipart");
    let begun = app.post(&path, &workspace.admin, &begin).await.expect(200);
    let parts = json!([{"part_number": 1, "etag": "\"part\""}]);
    let complete = json!({"upload_id": begun["upload_id"], "parts": parts});
    let path = format!("{FILES}/multipart/complete");
    let refused = app.post(&path, &workspace.admin, &complete).await;
    refused.problem(412, "precondition_failed");
    assert_eq!(stub.count("CompleteMultipartUpload"), 0);
    assert_eq!(stub.count("AbortMultipartUpload"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_cannot_be_seen_to_hold_stores_nothing() {
    let stub = AwsStub::start().await;
    let (app, workspace) = on_stub(&stub).await;
    stub.answer_to("HeadObject", s3_error(500, "InternalError", "x"));
    let request = app
        .request(Method::PUT, CONTENT, &workspace.admin)
        .header("if-none-match", "*")
        .body("x");
    let answer = Answer::of(request).await;
    answer.problem(502, "storage_unavailable");
    assert_eq!(stub.count("PutObject"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_without_an_etag_has_none_or_its_own() {
    let stub = AwsStub::start().await;
    let (app, workspace) = on_stub(&stub).await;
    // Of another upload, and of this one, which has nine parts of 8 MiB.
    for (there, etag) in [("\"e\"", Value::Null), ("\"x-9\"", json!("\"x-9\""))] {
        stub.forget_rules();
        let head = Reply::answer(200, "").with("etag", there);
        let size = (65 * MIB).to_string();
        stub.answer_to("HeadObject", head.with("content-length", size));
        let body = bytes(65 * MIB);
        let request = app
            .request(Method::PUT, CONTENT, &workspace.admin)
            .body(body);
        let answer = Answer::of(request).await;
        assert_eq!(answer.expect(200)["etag"], etag);
        assert_eq!(answer.header("etag").is_some(), etag.is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_keeps_an_original_that_changed() {
    let stub = AwsStub::start().await;
    let (app, workspace) = on_stub(&stub).await;
    // The original changes while it is copied: after two looks at it and one at the copy.
    let looks = AtomicUsize::new(0);
    stub.when(move |request| {
        (request.operation() == "HeadObject").then(|| {
            let original = request.target.contains("/a.txt");
            let changed = original && looks.fetch_add(1, Ordering::SeqCst) > 0;
            let etag = if changed { "\"newer\"" } else { "\"e\"" };
            Reply::answer(200, "hello").with("etag", etag)
        })
    });
    let body = json!({"from": "/a.txt", "to": "/b.txt"});
    let path = format!("{FILES}/move");
    let answer = app.post(&path, &workspace.admin, &body).await;
    let problem = answer.problem(412, "precondition_failed");
    assert_eq!(problem["copied"], "/b.txt");
    assert_eq!(stub.count("CopyObject"), 1);
    assert_eq!(stub.count("DeleteObject"), 0, "the newer original is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_not_answered_is_given_up() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.built_in_bucket = Some(stub.bucket.clone());
        options.request_timeout = Some("1s".into());
    })
    .await;
    let workspace = app.workspace().await;
    stub.world().slow = Some("HeadObject");
    let began = Instant::now();
    let path = format!("{FILES}/metadata?key=%2Fa.txt");
    let answer = app.get(&path, &workspace.member).await;
    answer.problem(504, "request_given_up");
    assert!(began.elapsed() < Duration::from_secs(6));
}
