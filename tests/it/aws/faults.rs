//! Files while AWS is away, slow or answers nonsense.

use crate::it::support::app::app_on;
use crate::it::support::aws::stub::{AwsStub, denied, html, s3_error, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::scene::Scene;
use std::time::{Duration, Instant};

/// Far more than the time limits of the tests' clients, and far less than a slow answer takes.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn faults_of_s3_have_stable_codes() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let storage = dialog.finish().await;
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    let content = format!("{files}/content?key=/a.txt");
    let faults = [
        (
            s3_error(503, "SlowDown", "SECRETARN"),
            503,
            "storage_throttled",
        ),
        (
            s3_error(500, "InternalError", "SECRETARN"),
            502,
            "storage_unavailable",
        ),
        (
            Reply::answer(502, "<html>SECRETARN"),
            502,
            "storage_unavailable",
        ),
        (Reply::Reset, 502, "storage_unavailable"),
        (html(403), 502, "store_answer_unreadable"),
        (
            denied("User: SECRETARN is not authorized"),
            424,
            "storage_access_denied",
        ),
        (
            denied("not authorized to perform: kms:Decrypt on SECRETARN"),
            424,
            "kms_key_denied",
        ),
        (
            s3_error(404, "NoSuchBucket", "SECRETARN"),
            424,
            "bucket_not_found",
        ),
        (
            s3_error(301, "PermanentRedirect", "SECRETARN"),
            424,
            "bucket_region_changed",
        ),
        (
            s3_error(400, "InvalidRequest", "SECRETARN"),
            424,
            "storage_request_rejected",
        ),
    ];
    for (reply, status, code) in faults {
        stub.forget_rules();
        stub.answer_to("ListObjectsV2", reply.clone());
        stub.answer_to("GetObject", reply);
        for path in [&files, &content] {
            let start = Instant::now();
            let answer = app.get(path, &dialog.workspace.member).await;
            let problem = answer.problem(status, code);
            assert!(!problem.to_string().contains("SECRETARN"));
            assert!(problem["remedy"].is_string(), "{problem}");
            assert!(start.elapsed() < PATIENCE, "{code}");
        }
    }
    for (status, sent, answered, code) in [
        (507, "XMinioStorageFull", 424, "store_full"),
        (403, "QuotaExceeded", 424, "store_full"),
        (400, "XAmzContentSHA256Mismatch", 502, "body_altered"),
        (400, "Never.Seen", 424, "storage_request_rejected"),
        (500, "InternalError", 502, "storage_unavailable"),
    ] {
        stub.forget_rules();
        stub.answer_to("ListObjectsV2", s3_error(status, sent, "SECRETARN"));
        let answer = app.get(&files, &dialog.workspace.admin).await;
        let problem = answer.problem(answered, code);
        let call = &problem["evidence"][0];
        assert_eq!(call["operation"], "ListObjectsV2", "{problem}");
        assert_eq!(call["http_status"], status, "{problem}");
        assert_eq!(call["error_code"], sent, "{problem}");
        assert!(
            !problem.to_string().contains("cannot be reached"),
            "{problem}"
        );
        assert!(problem.get("missing").is_none(), "{problem}");
    }
    stub.forget_rules();
    stub.answer_to("ListObjectsV2", s3_error(400, "§ SECRETARN", "x"));
    let answer = app.get(&files, &dialog.workspace.admin).await;
    let problem = answer.problem(424, "storage_request_rejected");
    assert!(problem["evidence"][0]["error_code"].is_null(), "{problem}");
    stub.forget_rules();
    stub.answer_to("ListObjectsV2", Reply::answer(200, "no XML at all"));
    let answer = app.get(&files, &dialog.workspace.admin).await;
    let problem = answer.problem(502, "store_answer_unreadable");
    assert_eq!(problem["evidence"][0]["operation"], "ListObjectsV2");
    stub.forget_rules();
    for operation in ["ListObjectsV2", "GetObject"] {
        stub.world().slow = Some(operation);
        let path = if operation == "GetObject" {
            &content
        } else {
            &files
        };
        let start = Instant::now();
        let answer = app.get(path, &dialog.workspace.member).await;
        answer.problem(504, "storage_timeout");
        assert!(start.elapsed() < PATIENCE);
    }
    stub.world().slow = None;
    app.get(&content, &dialog.workspace.member).await;
}

#[tokio::test]
async fn faults_of_sts_have_stable_codes() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let storage = dialog.finish().await;
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    let faults = [
        (
            sts_error(400, "Throttling", "SECRETARN"),
            503,
            "storage_throttled",
        ),
        (
            sts_error(500, "InternalFailure", "SECRETARN"),
            502,
            "storage_unavailable",
        ),
        (Reply::Reset, 502, "storage_unavailable"),
        (html(403), 502, "storage_unavailable"),
        (Reply::answer(200, "SECRETARN"), 502, "storage_unavailable"),
        (
            Reply::answer(200, "<AssumeRoleResponse/>"),
            502,
            "storage_unavailable",
        ),
        (
            sts_error(403, "RegionDisabledException", "SECRETARN"),
            424,
            "role_session_rejected",
        ),
        // The last one, because it is remembered.
        (
            sts_error(403, "AccessDenied", "User: SECRETARN"),
            424,
            "role_refused",
        ),
    ];
    for (reply, status, code) in faults {
        stub.forget_rules();
        stub.clear();
        stub.answer_to("AssumeRole", reply);
        let start = Instant::now();
        let answer = app.get(&files, &dialog.workspace.member).await;
        assert!(
            !answer
                .problem(status, code)
                .to_string()
                .contains("SECRETARN")
        );
        assert!(start.elapsed() < PATIENCE, "{code}");
        assert_eq!(stub.s3_count(), 0);
    }
    stub.forget_rules();
    let check = format!("{}/check", files.trim_end_matches("/files"));
    let body = serde_json::json!({});
    let report = app.post(&check, &dialog.workspace.admin, &body).await;
    report.expect(200);
    stub.world().slow = Some("AssumeRole");
    let start = Instant::now();
    let answer = app.get(&files, &dialog.workspace.member).await;
    answer.problem(504, "storage_timeout");
    assert!(start.elapsed() < PATIENCE);
    // A failed session is not kept.
    stub.world().slow = None;
    app.get(&files, &dialog.workspace.member).await.expect(200);
}

/// One fault in between is retried, and nobody sees it.
#[tokio::test]
async fn a_single_fault_is_retried() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let storage = dialog.finish().await;
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    for operation in ["AssumeRole", "ListObjectsV2"] {
        let first = std::sync::atomic::AtomicBool::new(true);
        stub.when(move |request| {
            let hit = request.operation() == operation
                && first.swap(false, std::sync::atomic::Ordering::SeqCst);
            hit.then(|| s3_error(503, "SlowDown", "x"))
        });
    }
    stub.clear();
    app.get(&files, &dialog.workspace.member).await.expect(200);
    assert_eq!(
        (stub.count("AssumeRole"), stub.count("ListObjectsV2")),
        (2, 2)
    );
}

/// S3 denies an absent object to those who may list below a prefix only.
#[tokio::test]
async fn an_absent_file_below_a_prefix_is_told_from_a_denied_one() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let settings = serde_json::json!({"prefix": "team"});
    dialog.patch(settings).await.expect(200);
    let there = [
        ("team/there.txt".into(), "STANDARD".into()),
        ("team/there.txt2".into(), "STANDARD".into()),
    ];
    stub.world().objects = there.into();
    let storage = dialog.finish().await;
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    stub.answer_to("HeadObject", Reply::answer(403, ""));
    let message = "User: SECRETARN is not authorized to perform: s3:ListBucket on resource: \"SECRETARN\" because no session policy allows the s3:ListBucket action";
    stub.answer_to("GetObject", denied(message));
    let ask = async |what: &str, key: &str| {
        let path = format!("{files}/{what}?key={key}");
        app.get(&path, &dialog.workspace.member).await
    };
    for key in ["/absent.txt", "/ther", "/zzz"] {
        ask("metadata", key).await.problem(404, "file_not_found");
    }
    ask("content", "/absent.txt")
        .await
        .problem(404, "file_not_found");
    ask("metadata", "/there.txt")
        .await
        .problem(424, "storage_access_denied");
    // When the listing is refused too, nothing is known.
    stub.answer_to("ListObjectsV2", denied("Access Denied"));
    ask("metadata", "/absent.txt")
        .await
        .problem(424, "storage_access_denied");
}

/// Without AWS no trust policy can be rendered, and an open setup says so.
#[tokio::test]
async fn a_setup_waits_until_the_service_knows_itself() {
    let stub = AwsStub::start().await;
    stub.answer_to(
        "GetCallerIdentity",
        sts_error(500, "InternalFailure", "SECRETARN"),
    );
    let app = app_on(&stub.hurried_sdk_config()).await;
    let workspace = app.workspace().await;
    let body = serde_json::json!({});
    let answer = app
        .post("/v1/storage-setups", &workspace.admin, &body)
        .await;
    let problem = answer.problem(503, "aws_identity_unknown");
    assert!(!problem.to_string().contains("SECRETARN"));
    assert!(answer.header("retry-after").is_some());
    let list = app.get("/v1/storage-setups", &workspace.admin).await;
    assert_eq!(list.expect(200)["storage_setups"], serde_json::json!([]));
    stub.forget_rules();
    app.post("/v1/storage-setups", &workspace.admin, &body)
        .await
        .expect(201);
}
