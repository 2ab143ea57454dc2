//! Who reads what of a cause: members, admins, and whoever uses the built-in storage or the pages.

use crate::it::files::causes::not_allowed;
use crate::it::support::app::TestApp;
use crate::it::support::aws::stub::{AwsStub, s3_error};
use crate::it::support::pages::Visitor;
use crate::it::support::scene::Scene;

/// What only the workspace's admins read of a cause.
const OF_ADMINS: [&str; 6] = [
    "causes",
    "evidence",
    "missing",
    "patch",
    "learn_more",
    "check",
];

#[tokio::test(flavor = "multi_thread")]
async fn members_see_the_cause_and_nothing_of_the_account() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |_| {}).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = dialog.finish().await;
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    let bucket = format!("arn:aws:s3:::{}", stub.bucket);
    stub.answer_to(
        "ListObjectsV2",
        not_allowed(
            "s3:ListBucket",
            &bucket,
            "because no identity-based policy allows the s3:ListBucket action",
        ),
    );
    let told = app.get(&files, &dialog.workspace.member).await;
    let told = told.problem(424, "storage_access_denied");
    assert_eq!(told["cause"], "permission_missing");
    assert_eq!(told["side"], "customer_account");
    assert_eq!(told["certainty"], "proved");
    for member in OF_ADMINS {
        assert!(told.get(member).is_none(), "{member}: {told:#}");
    }
    let text = told.to_string();
    for hidden in ["arn:", "222222222222", "111111111111"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    let remedy = told["remedy"].as_str().unwrap();
    assert!(remedy.contains("admin of the workspace"), "{remedy}");
    let all = app.get(&files, &dialog.workspace.admin).await;
    let all = all.problem(424, "storage_access_denied");
    assert_eq!(all["missing"][0]["action"], "s3:ListBucket");
    assert_eq!(all["evidence"][0]["operation"], "ListObjectsV2");
    assert_eq!(all["patch"]["target"], "role_permission_policy");
    // What passes, and what is about the file, is everybody's to know.
    stub.forget_rules();
    stub.answer_to("ListObjectsV2", s3_error(503, "SlowDown", "x"));
    let told = app.get(&files, &dialog.workspace.member).await;
    let told = told.problem(503, "storage_throttled");
    let remedy = told["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("Try again"), "{remedy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_storage_speaks_of_the_operator() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.built_in_bucket = Some(stub.bucket.clone());
    })
    .await;
    let workspace = app.workspace().await;
    let files = "/v1/storages/built-in/files";
    let object = format!("arn:aws:s3:::{}", stub.bucket);
    for (reply, code, cause) in [
        (
            not_allowed(
                "s3:ListBucket",
                &object,
                "because no identity-based policy allows the s3:ListBucket action",
            ),
            "storage_access_denied",
            "permission_missing",
        ),
        (
            s3_error(404, "NoSuchBucket", "x"),
            "bucket_not_found",
            "bucket_not_found",
        ),
        (
            s3_error(403, "InvalidAccessKeyId", "x"),
            "service_credentials_rejected",
            "service_key_unknown",
        ),
    ] {
        stub.forget_rules();
        stub.answer_to("ListObjectsV2", reply);
        for token in [&workspace.admin, &workspace.member] {
            let problem = app.get(files, token).await.problem(502, code);
            assert_eq!(problem["cause"], cause, "{problem:#}");
            assert_eq!(problem["side"], "service", "{problem:#}");
            let remedy = problem["remedy"].as_str().unwrap();
            assert!(remedy.contains("operator"), "{remedy}");
            assert!(problem.get("check").is_none(), "{problem:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_folder_says_what_to_change_to_admins_alone() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |_| {}).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = dialog.finish().await;
    let page = format!("/storages/{}/files", storage["id"].as_str().unwrap());
    let bucket = format!("arn:aws:s3:::{}", stub.bucket);
    let implicit = "because no identity-based policy allows the s3:ListBucket action";
    stub.answer_to(
        "ListObjectsV2",
        not_allowed("s3:ListBucket", &bucket, implicit),
    );
    let admin = &dialog.workspace.admin;
    let shown = Visitor::sign_in(&app, admin, "admin")
        .await
        .get(&page)
        .await;
    assert_eq!(shown.status, 424, "{shown:?}");
    for part in [
        "may not use s3:ListBucket",
        "Add this statement to the permission policy",
        &bucket,
    ] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    let shown = Visitor::sign_in(&app, admin, "member")
        .await
        .get(&page)
        .await;
    assert_eq!(shown.status, 424, "{shown:?}");
    assert!(shown.text.contains("may not use s3:ListBucket"));
    for hidden in ["Add this statement to the permission policy", &bucket] {
        assert!(!shown.text.contains(hidden), "{hidden}: {}", shown.text);
    }
}
