//! What the check writes: read back, removed with its versions, and reported where it stays.

use crate::it::support::app::{ORIGIN, TestApp, app_on};
use crate::it::support::aws::stub::{AwsStub, denied, html, s3_error};
use crate::it::support::aws::versioned::Versions;
use crate::it::support::aws::wire::Reply;
use crate::it::support::scene::{Dialog, Report, Scene};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

async fn stage() -> (AwsStub, TestApp) {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    (stub, app)
}

/// A bucket that keeps versions.
fn versioned(stub: &AwsStub) -> Versions {
    let versions = Versions::default();
    let own = versions.clone();
    stub.when(move |request| own.answer(request));
    versions
}

fn probe_key(dialog: &Dialog<'_>) -> String {
    let id = &dialog.id;
    format!("temp/sallyport-check-{}", &id[id.len() - 8..])
}

fn lacks(action: &str) -> Reply {
    denied(&format!(
        "User: SECRETARN is not authorized to perform: {action} on resource: \"SECRETARN\" because no identity-based policy allows the {action} action"
    ))
}

#[track_caller]
fn problem<'a>(report: &'a Report, step: &str, code: &str) -> &'a Value {
    assert_eq!(report.code(step), Some(code), "{:#}", report.0);
    &report.step(step)["problem"]
}

fn text(problem: &Value) -> String {
    let field = |name: &str| problem[name].as_str().unwrap().to_owned();
    format!("{} {}", field("explanation"), field("remedy"))
}

#[tokio::test]
async fn a_check_leaves_nothing_in_a_bucket_with_versions() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let versions = versioned(&stub);
    for _ in 0..2 {
        dialog.check().await.passed();
        assert_eq!(versions.count(), 0);
    }
    // As files are deleted, and the version and the marker by their IDs.
    let written = stub.count("PutObject");
    let deleted = stub.of("DeleteObject");
    let plain = deleted
        .iter()
        .filter(|d| d.request.query("versionId").is_none());
    assert_eq!((plain.count(), deleted.len()), (written, 3 * written));
}

/// The deletion may be faster than the reading. S3 says so with a 404, or with a refusal to whoever may not list.
#[tokio::test]
async fn a_probe_that_was_deleted_before_it_was_read_is_written_and_read_again() {
    for gone in [
        s3_error(404, "NoSuchKey", "deleted"),
        lacks("s3:ListBucket"),
        denied("Access Denied"),
    ] {
        for keeps_versions in [false, true] {
            let (stub, app) = stage().await;
            let dialog = Scene::on(&stub).open(&app).await;
            let probe = probe_key(&dialog);
            let (read, gone, own) = (AtomicUsize::new(0), gone.clone(), probe.clone());
            stub.when(move |request| {
                let reads = request.operation() == "GetObject" && request.bucket_and_key().1 == own;
                (reads && read.fetch_add(1, Ordering::SeqCst) == 0).then(|| gone.clone())
            });
            let versions = Versions::default();
            if keeps_versions {
                let own = versions.clone();
                stub.when(move |request| own.answer(request));
            }
            dialog.check().await.passed();
            assert_eq!(versions.count(), 0);
            assert_eq!(stub.count("PutObject"), 2);
            let put = stub.of("PutObject").pop().unwrap();
            let back = stub
                .of("GetObject")
                .into_iter()
                .rfind(|one| one.request.bucket_and_key().1 == probe);
            assert!(put.to <= back.unwrap().from);
        }
    }
}

/// Some stores know no condition, and some policies deny it.
#[tokio::test]
async fn a_store_without_conditional_writes_is_asked_without_a_condition() {
    for refusal in [
        s3_error(501, "NotImplemented", "If-None-Match"),
        denied("Access Denied"),
        s3_error(412, "PreconditionFailed", "there is one"),
    ] {
        let (stub, app) = stage().await;
        let dialog = Scene::on(&stub).open(&app).await;
        stub.when(move |request| {
            let is_conditional = request.header("if-none-match").is_some();
            (request.operation() == "PutObject" && is_conditional).then(|| refusal.clone())
        });
        dialog.check().await.passed();
    }
}

#[tokio::test]
async fn the_probe_is_no_file_of_the_bucket() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).prefix("team").open(&app).await;
    // As a listing has it that is asked for beside the writing, and that of another check of the same folder.
    let own = format!("team/{}", probe_key(&dialog));
    let others = "team/temp/sallyport-check-another1".to_owned();
    stub.world().objects = [(own, "STANDARD".into()), (others, "STANDARD".into())].into();
    let report = dialog.check().await.warned(&["get_object"]);
    assert_eq!(report.code("get_object"), Some("nothing_below_prefix"));
    assert_eq!(report.step("list_bucket")["listed_files"], 0);
}

#[tokio::test]
async fn what_an_earlier_check_has_left_is_removed_by_the_next() {
    for can_list in [true, false] {
        let (stub, app) = stage().await;
        let dialog = Scene::on(&stub).open(&app).await;
        let versions = versioned(&stub);
        if !can_list {
            versions.refuse_listing(s3_error(501, "NotImplemented", "x"));
        }
        versions.leave(&probe_key(&dialog));
        dialog.check().await.passed();
        assert_eq!(versions.count(), 0, "{can_list}");
    }
}

#[tokio::test]
async fn a_version_that_may_not_be_deleted_is_reported_with_the_statement_that_helps() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).prefix("team").open(&app).await;
    let there = [("team/a.txt".into(), "STANDARD".into())];
    stub.world().objects = there.into();
    let versions = versioned(&stub);
    versions.refuse_deletions(lacks("s3:DeleteObjectVersion"));
    let report = dialog.check().await;
    assert_eq!(
        report.0["outcome"], "passed_with_warnings",
        "{:#}",
        report.0
    );
    let problem = problem(&report, "delete_object", "probe_left");
    let key = format!("team/{}", probe_key(&dialog));
    assert!(
        text(problem).contains(&key) && text(problem).contains("`v1`"),
        "{problem}"
    );
    // For the check's own files, and nothing of the customer's.
    let resource = format!("arn:aws:s3:::{}/team/temp/sallyport-check-*", stub.bucket);
    assert_eq!(problem["patch"]["document"]["Resource"], json!([resource]));
    assert_eq!(problem["missing"][0]["action"], "s3:DeleteObjectVersion");
    assert!(!report.0.to_string().contains("SECRETARN"));
    versions.allow_deletions();
    dialog.check().await.passed();
    assert_eq!(versions.count(), 0);
}

#[tokio::test]
async fn object_lock_is_named_with_its_end_and_one_version_stays() {
    for (until, words) in [
        (Some("2031-05-06T07:08:09Z"), "until 2031-05-06 07:08 UTC"),
        (None, "until when is not known"),
    ] {
        let (stub, app) = stage().await;
        let dialog = Scene::on(&stub).open(&app).await;
        let versions = versioned(&stub);
        if let Some(until) = until {
            versions.retain_until(until);
        }
        versions.refuse_deletions(denied(
            "Access Denied because object protected by object lock.",
        ));
        for _ in 0..3 {
            let report = dialog.check().await;
            let problem = problem(&report, "delete_object", "probe_left");
            assert!(text(problem).contains("Object Lock"), "{problem}");
            assert!(text(problem).contains(words), "{problem}");
            assert!(!text(problem).contains("Allow s3:"), "{problem}");
            assert_eq!(problem["patch"], Value::Null);
            assert_eq!(problem["missing"], Value::Null);
            assert_eq!(report.status("put_object"), "passed");
            assert_eq!(versions.count(), 1, "not one for each check");
        }
        versions.allow_deletions();
        dialog.check().await.passed();
        assert_eq!(versions.count(), 0);
    }
}

#[tokio::test]
async fn a_store_whose_lock_refuses_each_deletion_says_so() {
    for reply in [
        denied("Access Denied because object protected by object lock."),
        s3_error(
            400,
            "InvalidRequest",
            "Object is WORM protected and cannot be overwritten",
        ),
        s3_error(403, "ObjectLockedByBucketPolicy", "x"),
    ] {
        let (stub, app) = stage().await;
        let dialog = Scene::on(&stub).open(&app).await;
        stub.answer_to("DeleteObject", reply);
        let report = dialog.check().await.failed(&["delete_object"]);
        let problem = problem(&report, "delete_object", "object_locked");
        assert!(text(problem).contains("Object Lock"));
        assert_eq!(
            (&problem["patch"], &problem["missing"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[tokio::test]
async fn mfa_delete_is_named() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let versions = versioned(&stub);
    versions.refuse_deletions(denied("Mfa Authentication must be used for this request"));
    let report = dialog.check().await;
    let problem = problem(&report, "delete_object", "probe_left");
    assert!(text(problem).contains("multi-factor") && text(problem).contains("MFA delete"));
    assert_eq!(problem["patch"], Value::Null);
}

#[tokio::test]
async fn what_was_written_is_read_back_and_compared() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let of_probe = |stub: &AwsStub, reply: Reply| {
        stub.when(move |request| {
            let (_, key) = request.bucket_and_key();
            let is_whole = request.header("range").is_none();
            let reads = request.operation() == "GetObject" && is_whole;
            (reads && key.contains("sallyport-check-")).then(|| reply.clone())
        });
    };
    for (reply, step, code) in [
        (html(200), "put_object", "probe_differs"),
        (Reply::answer(200, ""), "put_object", "probe_differs"),
        (
            Reply::answer(200, vec![b'x'; 200_000]),
            "put_object",
            "probe_differs",
        ),
        (
            s3_error(404, "NoSuchKey", "x"),
            "put_object",
            "probe_not_stored",
        ),
        (lacks("s3:GetObject"), "get_object", "permission_missing"),
        (lacks("kms:Decrypt"), "get_object", "kms_permission_missing"),
        (
            s3_error(400, "KMS.DisabledException", "x"),
            "get_object",
            "kms_disabled",
        ),
    ] {
        stub.forget_rules();
        of_probe(&stub, reply);
        let report = dialog.check().await.failed(&[step]);
        problem(&report, step, code);
        // It is removed all the same.
        assert_eq!(report.status("delete_object"), "passed");
        dialog.refused().await;
    }
}

#[tokio::test]
async fn an_encryption_other_than_that_of_the_settings_is_a_warning() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let key =
        |end: &str| format!("arn:aws:kms:us-east-1:222222222222:key/11111111-2222-3333-4444-{end}");
    let (asked, other) = (key("555555555555"), key("666666666666"));
    dialog
        .patch(json!({"kms_key_arn": asked}))
        .await
        .expect(200);
    for (found, passes) in [(&asked, true), (&other, false)] {
        stub.forget_rules();
        let versions = Versions::default();
        let found = found.clone();
        stub.when(move |request| {
            let reply = versions.answer(request)?;
            let reply = match request.operation().as_str() {
                "GetObject" => reply
                    .with("x-amz-server-side-encryption", "aws:kms")
                    .with("x-amz-server-side-encryption-aws-kms-key-id", found.clone()),
                _ => reply,
            };
            Some(reply)
        });
        let report = dialog.check().await;
        match passes {
            true => drop(report.passed()),
            false => {
                let problem = problem(&report, "put_object", "probe_encryption_differs");
                assert!(text(problem).contains(&other) && text(problem).contains(&asked));
            }
        }
    }
}

/// S3 takes no object without an integrity header in a bucket with Object Lock by default (S3 API reference,
/// PutObject, `Content-MD5`).
#[tokio::test]
async fn the_probe_is_taken_by_a_bucket_that_asks_for_a_digest_and_a_key() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let key = "arn:aws:kms:us-east-1:222222222222:key/11111111-2222-3333-4444-555555555555";
    dialog.patch(json!({"kms_key_arn": key})).await.expect(200);
    // Whatever the bucket adds by itself: two layers of encryption, or a bucket key.
    for (algorithm, bucket_key) in [("aws:kms", "true"), ("aws:kms", "false")] {
        stub.forget_rules();
        stub.clear();
        let versions = Versions::default();
        stub.when(move |request| {
            if request.operation() == "PutObject" && request.header("content-md5").is_none() {
                let words = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters";
                return Some(s3_error(400, "InvalidRequest", words));
            }
            if request.operation() == "PutObject"
                && request.header("x-amz-server-side-encryption") != Some("aws:kms")
            {
                return Some(denied("Access Denied"));
            }
            let reply = versions.answer(request)?;
            Some(match request.operation().as_str() {
                "PutObject" | "GetObject" => reply
                    .with("x-amz-server-side-encryption", algorithm)
                    .with("x-amz-server-side-encryption-aws-kms-key-id", key)
                    .with(
                        "x-amz-server-side-encryption-bucket-key-enabled",
                        bucket_key,
                    ),
                _ => reply,
            })
        });
        drop(dialog.check().await.passed());
        let puts = stub.of("PutObject");
        assert!(!puts.is_empty());
        for put in puts {
            let named = put
                .request
                .header("x-amz-server-side-encryption-aws-kms-key-id");
            assert_eq!(named, Some(key));
        }
    }
    // A bucket whose default is two layers, where one was asked for.
    stub.forget_rules();
    let versions = Versions::default();
    stub.when(move |request| {
        let reply = versions.answer(request)?;
        Some(match request.operation().as_str() {
            "GetObject" => reply
                .with("x-amz-server-side-encryption", "aws:kms:dsse")
                .with("x-amz-server-side-encryption-aws-kms-key-id", key),
            _ => reply,
        })
    });
    let report = dialog.check().await;
    assert_ne!(report.0["outcome"], "failed", "{:#}", report.0);
}

/// A condition `StringEquals` on `s3:prefix` lists the prefix alone.
#[tokio::test]
async fn a_folder_below_the_prefix_is_listed_too() {
    let (stub, app) = stage().await;
    for (prefix, only) in [("team", "team/"), ("", "")] {
        stub.forget_rules();
        let there = [(format!("{only}a.txt"), "STANDARD".into())];
        stub.world().objects = there.into();
        let dialog = Scene::on(&stub).reading(prefix).open(&app).await;
        stub.when(move |request| {
            let lists = request.operation() == "ListObjectsV2";
            let below = request.query("prefix").unwrap_or_default() != only;
            (lists && below).then(|| lacks("s3:ListBucket"))
        });
        let report = dialog.check().await.failed(&["list_bucket"]);
        let problem = problem(&report, "list_bucket", "folders_not_listed");
        assert!(text(problem).contains("StringEquals"), "{problem}");
        assert_eq!(
            problem["patch"]["document"]["Action"],
            json!(["s3:ListBucket"])
        );
        let condition = &problem["patch"]["document"]["Condition"];
        match prefix.is_empty() {
            true => assert_eq!(*condition, Value::Null),
            false => assert_eq!(condition["StringLike"]["s3:prefix"], json!(["team/*"])),
        }
        dialog.refused().await;
    }
}

/// Everything works without them but one thing each.
#[tokio::test]
async fn a_policy_without_version_and_acl_actions_says_what_cannot_be_used() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    stub.answer_to("ListObjectVersions", lacks("s3:ListBucketVersions"));
    stub.answer_to("GetObjectAcl", lacks("s3:GetObjectAcl"));
    stub.answer_to("PutObjectAcl", lacks("s3:PutObjectAcl"));
    stub.when(|request| {
        let of_version = request.query("versionId").is_some();
        (request.operation() == "DeleteObject" && of_version)
            .then(|| lacks("s3:DeleteObjectVersion"))
    });
    let report = dialog.check().await;
    assert_eq!(
        report.0["outcome"], "passed_with_warnings",
        "{:#}",
        report.0
    );
    let (acl, version) = ("acl_permission_missing", "version_permission_missing");
    for (step, action, code) in [
        ("list_bucket", "s3:ListBucketVersions", version),
        ("get_object", "s3:GetObjectAcl", acl),
        ("put_object", "s3:PutObjectAcl", acl),
        ("delete_object", "s3:DeleteObjectVersion", version),
    ] {
        let problem = problem(&report, step, code);
        assert_eq!(problem["missing"][0]["action"], action);
        assert_eq!(problem["patch"]["document"]["Action"], json!([action]));
        assert_eq!(
            problem["patch"]["document"]["Sid"],
            Value::Null,
            "IAM refuses a Sid twice"
        );
        assert!(
            problem["title"]
                .as_str()
                .unwrap()
                .contains("cannot be used")
        );
    }
    dialog.complete().await.expect(201);
}

#[tokio::test]
async fn checks_at_the_same_time_do_not_disturb_each_other() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let versions = versioned(&stub);
    stub.world().delay = std::time::Duration::from_millis(30);
    let (a, b, c) = tokio::join!(dialog.check(), dialog.check(), dialog.check());
    for report in [a, b, c] {
        report.passed();
    }
    assert_eq!(versions.count(), 0);
}

#[tokio::test]
async fn a_second_check_of_a_setup_waits_until_the_first_has_removed_its_file() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let versions = versioned(&stub);
    stub.world().delay = std::time::Duration::from_millis(30);
    stub.clear();
    let (a, b) = tokio::join!(dialog.check(), dialog.check());
    for report in [a, b] {
        report.passed();
    }
    assert_eq!(versions.count(), 0);
    let looked = stub.of("ListObjectVersions");
    let deleted = stub.of("DeleteObject");
    assert_eq!(looked.len(), 2);
    assert_eq!(deleted.len(), 3 * stub.count("PutObject"));
    // The file, its version and the marker of the first check.
    for deletion in &deleted[..3] {
        assert!(looked[1].from > deletion.from, "{deletion:?}");
    }
}

#[tokio::test]
async fn the_probe_is_in_the_first_of_the_operators_folders() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.lifecycle_folders = Some(".sallyport/temp,.sallyport/export".into());
    })
    .await;
    let dialog = Scene::on(&stub).prefix("team").open(&app).await;
    let there = [("team/a.txt".into(), "STANDARD".into())];
    stub.world().objects = there.into();
    let versions = versioned(&stub);
    dialog.check().await.passed();
    let folder = "team/.sallyport/temp/";
    let id = &dialog.id[dialog.id.len() - 8..];
    for write in stub.of("PutObject") {
        let (_, key) = write.request.bucket_and_key();
        assert_eq!(key, format!("{folder}sallyport-check-{id}"));
    }
    assert!(!stub.of("PutObject").is_empty());
    // The documents empty the same folder, and the statement for what stays names it.
    let documents = dialog.documents().await;
    let rules = documents["lifecycle"]["Rules"].as_array().unwrap();
    let mut emptied = rules.iter().map(|rule| &rule["Filter"]["Prefix"]);
    assert!(emptied.any(|prefix| prefix == folder), "{rules:?}");
    versions.refuse_deletions(lacks("s3:DeleteObjectVersion"));
    let report = dialog.check().await;
    let problem = problem(&report, "delete_object", "probe_left");
    let resource = format!("arn:aws:s3:::{}/{folder}sallyport-check-*", stub.bucket);
    assert_eq!(problem["patch"]["document"]["Resource"], json!([resource]));
    assert_eq!(problem["missing"][0]["resource"], json!(resource));
}
