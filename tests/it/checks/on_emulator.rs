//! The check against real policies.

use crate::it::support::app::{Answer, ORIGIN, app_on};
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::aws::wire::eventually;
use crate::it::support::emulator::{Emulator, random_name};
use crate::it::support::scene::{Dialog, Report, Scene};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn the_rendered_documents_pass_as_they_are() {
    let proxy = AwsProxy::start().await;
    let app = app_on(&proxy.sdk_config(&Emulator::vendor().await.sdk_config)).await;
    for (access, prefix) in [
        ("read", ""),
        ("read", "team/"),
        ("read_write", ""),
        ("read_write", "team/"),
    ] {
        let applied = Scene::on(Emulator)
            .access(access)
            .prefix(prefix)
            .apply(&app)
            .await;
        let report = applied.dialog.check().await.passed();
        assert_eq!(report.0["region"], "us-east-1");
        assert_eq!(report.0["attempts"], 1);
        assert_eq!(report.step("list_bucket")["listed_files"], 1);
        assert_eq!(report.0["target"], applied.dialog.id.as_str());
        let skipped = report.with_status("skipped");
        if access == "read" {
            assert_eq!(skipped, ["put_object", "delete_object"]);
            assert_eq!(proxy.count("PutObject") + proxy.count("DeleteObject"), 0);
        } else {
            assert!(skipped.is_empty(), "{skipped:?}");
        }
        // The probe object is gone.
        assert_eq!(applied.keys().await, [format!("{prefix}a.txt")]);
        let last = &applied.dialog.get().await["last_check"]["id"];
        assert_eq!(*last, report.0["id"]);
        let storage = applied.dialog.complete().await.expect(201);
        assert_eq!(storage["health"]["state"], "healthy");
        assert_eq!(storage["health"]["last_check_id"], report.0["id"]);
        assert_eq!(storage["external_id"], applied.dialog.external_id.as_str());
    }
    // Where its deletion was faster than its reading, a probe is written twice.
    let mut keys: Vec<_> = proxy
        .of("PutObject")
        .iter()
        .map(|p| p.request.bucket_and_key().1)
        .collect();
    keys.dedup();
    assert_eq!(keys.len(), 2);
    assert!(keys[0].starts_with("temp/") && keys[1].starts_with("team/temp/"));
}

/// Each permission taken away: the step that fails, and that the patch fixes it.
#[tokio::test]
async fn each_missing_permission_is_told_and_its_patch_mends_it() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).prefix("team/").apply(&app).await;
    applied.dialog.check().await.passed();
    let bucket = format!("arn:aws:s3:::{}", applied.bucket);
    let objects = format!("{bucket}/team/*");
    for (action, failed, resource) in [
        ("s3:ListBucket", "list_bucket", &bucket),
        ("s3:GetObject", "get_object", &objects),
        ("s3:PutObject", "put_object", &objects),
        ("s3:DeleteObject", "delete_object", &objects),
    ] {
        let mut policy = applied.without(action);
        let put = async |policy: &Value| {
            let (role, trust) = (&applied.role, &applied.trust);
            applied.customer.put_role(role, trust, policy).await
        };
        put(&policy).await;
        let report = applied.dialog.check().await.failed(&[failed]);
        let problem = &report.step(failed)["problem"];
        let code = match action {
            "s3:ListBucket" => "list_condition_or_arn_wrong",
            _ => "permission_missing",
        };
        assert_eq!(problem["code"], code);
        assert_eq!(
            problem["missing"],
            json!([{"action": action, "resource": resource}])
        );
        assert!(!report.0.to_string().contains("is not authorized"));
        applied.dialog.refused().await;
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.push(problem["patch"]["document"].clone());
        put(&policy).await;
        applied.dialog.check().await.passed();
    }
    // What could not be deleted was there for the next check, which wrote it again and deleted it.
    assert_eq!(applied.keys().await, ["team/a.txt"]);
}

#[tokio::test]
async fn the_location_is_a_warning_at_most() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let policy = applied.without("s3:GetBucketLocation");
    applied
        .customer
        .put_role(&applied.role, &applied.trust, &policy)
        .await;
    let report = applied.dialog.check().await;
    assert_eq!(
        report.0["outcome"], "passed_with_warnings",
        "{:#}",
        report.0
    );
    assert_eq!(report.with_status("warning"), ["get_bucket_location"]);
    assert_eq!(report.status("bucket_owner"), "passed");
    let storage = applied.dialog.complete().await.expect(201);
    assert_eq!(storage["health"]["state"], "degraded");
}

#[tokio::test]
async fn an_empty_bucket_passes_and_an_absent_one_is_named() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let delete = applied
        .customer
        .s3()
        .delete_object()
        .bucket(&applied.bucket);
    delete.key("a.txt").send().await.unwrap();
    let report = applied.dialog.check().await.passed();
    assert_eq!(report.step("get_object")["aws"]["http_status"], 404);
    let delete = applied
        .customer
        .s3()
        .delete_bucket()
        .bucket(&applied.bucket);
    delete.send().await.unwrap();
    let report = applied.dialog.check().await;
    assert_eq!(report.0["outcome"], "failed");
    assert_eq!(report.code("list_bucket"), Some("bucket_not_found"));
    applied.dialog.refused().await;
}

#[tokio::test]
async fn a_bucket_in_another_region_is_found() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let there = "eu-central-1";
    let far = random_name("far");
    applied.customer.create_bucket_in(&far, there).await;
    let cors = applied
        .customer
        .s3()
        .get_bucket_cors()
        .bucket(&applied.bucket);
    let rules = cors.send().await.unwrap().cors_rules;
    let rules = aws_sdk_s3::types::CorsConfiguration::builder().set_cors_rules(rules);
    let put = applied.customer.s3_in(there).put_bucket_cors().bucket(&far);
    let put = put.cors_configuration(rules.build().unwrap());
    put.send().await.unwrap();
    let answer = applied.dialog.patch(json!({"bucket": far})).await;
    answer.expect(200);
    let documents = applied.dialog.documents().await;
    let permissions = &documents["permission_policy"];
    applied
        .customer
        .put_role(&applied.role, &applied.trust, permissions)
        .await;
    let report = applied.dialog.check().await.passed();
    assert_eq!(report.0["region"], there);
    assert_eq!(applied.dialog.complete().await.expect(201)["region"], there);
}

#[tokio::test]
async fn cors_is_tried_for_each_origin_and_method() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).apply(&app).await;
    applied
        .customer
        .put_cors(&applied.bucket, &[ORIGIN], &["GET"])
        .await;
    let report = applied.dialog.check().await.failed(&["cors"]);
    let problem = &report.step("cors")["problem"];
    let text = problem["explanation"].as_str().unwrap();
    assert!(text.contains(ORIGIN) && text.contains("PUT"), "{text}");
    assert!(!text.contains("GET"), "{text}");
    assert_eq!(problem["patch"]["target"], "cors");
    assert_eq!(
        problem["patch"]["document"],
        applied.dialog.documents().await["cors"]
    );
    applied.dialog.refused().await;
    let delete = applied
        .customer
        .s3()
        .delete_bucket_cors()
        .bucket(&applied.bucket);
    delete.send().await.unwrap();
    let report = applied.dialog.check().await.failed(&["cors"]);
    let text = report.step("cors")["problem"]["explanation"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains("GET") && text.contains("PUT"), "{text}");
}

/// IAM's changes need a moment: a check that waits sees them arrive.
#[tokio::test]
async fn a_waiting_check_passes_once_the_role_does() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let mut wrong = applied.trust.clone();
    wrong["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = json!("another");
    applied.trust(&wrong).await;
    applied.dialog.check().await.role_refused();
    let mend = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        applied.trust(&applied.trust).await;
    };
    let path = applied.dialog.path("/check?wait=20");
    let check = app.post(&path, &applied.dialog.workspace.admin, &Value::Null);
    let (answer, ()) = tokio::join!(check, mend);
    let report = Report::of(&answer).passed();
    assert!(report.0["attempts"].as_u64().unwrap() > 1);
}

#[tokio::test]
async fn a_wait_is_bounded_and_not_spent_on_what_does_not_mend_itself() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    for bad in ["121", "-1", "x", "1.5", "99999999999999999999"] {
        let path = applied.dialog.path(&format!("/check?wait={bad}"));
        let answer = app
            .post(&path, &applied.dialog.workspace.admin, &Value::Null)
            .await;
        answer.refused_field("wait");
    }
    let s3 = applied.customer.s3();
    let delete = s3.delete_object().bucket(&applied.bucket).key("a.txt");
    delete.send().await.unwrap();
    let delete = s3.delete_bucket().bucket(&applied.bucket);
    delete.send().await.unwrap();
    let path = applied.dialog.path("/check?wait=60");
    let answer = app
        .post(&path, &applied.dialog.workspace.admin, &Value::Null)
        .await;
    let report = Report::of(&answer);
    assert_eq!(report.0["attempts"], 1);
    assert_eq!(report.code("list_bucket"), Some("bucket_not_found"));
}

#[tokio::test]
async fn a_client_that_leaves_leaves_no_probe_object() {
    let proxy = AwsProxy::delaying(Duration::from_millis(60)).await;
    let app = app_on(&proxy.sdk_config(&Emulator::vendor().await.sdk_config)).await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let path = applied.dialog.path("/check");
    let request = app.request(Method::POST, &path, &applied.dialog.workspace.admin);
    let check = tokio::spawn(Answer::of(request));
    eventually("the check asks S3", async || proxy.s3_count() > 0).await;
    check.abort();
    eventually("the check ends", async || proxy.count("DeleteObject") > 1).await;
    assert!(proxy.count("PutObject") > 0);
    eventually("the report is kept", async || {
        applied.dialog.get().await["last_check"]["outcome"] == "passed"
    })
    .await;
    assert_eq!(applied.keys().await, ["a.txt"]);
}

#[tokio::test]
async fn one_workspace_that_floods_checks_harms_no_other() {
    let aws = &Emulator::vendor().await.sdk_config;
    let app = crate::it::support::app::TestApp::spawn_on(aws, |options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.checks_per_minute = Some("3".into());
    })
    .await;
    let noisy = Scene::on(Emulator).access("read").apply(&app).await;
    let quiet = Scene::on(Emulator).access("read").apply(&app).await;
    let flood = futures_util::future::join_all((0..12).map(|_| async {
        let (path, token) = (noisy.dialog.path("/check"), &noisy.dialog.workspace.admin);
        app.post(&path, token, &Value::Null).await
    }))
    .await;
    let (passed, refused): (Vec<_>, Vec<_>) = flood.iter().partition(|a| a.status == 200);
    assert_eq!((passed.len(), refused.len()), (3, 9));
    for answer in refused {
        answer.problem(429, "too_many_checks");
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    quiet.dialog.check().await.passed();
}

#[tokio::test]
async fn a_check_needs_a_whole_setup() {
    let proxy = AwsProxy::start().await;
    let app = app_on(&proxy.sdk_config(&Emulator::vendor().await.sdk_config)).await;
    let dialog = Dialog::open(&app, json!({})).await;
    let answer = app
        .post(
            &dialog.path("/check"),
            &dialog.workspace.admin,
            &Value::Null,
        )
        .await;
    let problem = answer.problem(409, "setup_incomplete");
    let fields: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["field"])
        .collect();
    assert_eq!(fields, ["bucket", "role_arn"]);
    assert_eq!(proxy.count("AssumeRole"), 0);
    dialog.refused().await;
}

/// The same with real versions: what was written, the marker of its deletion, and what an earlier check left.
#[tokio::test]
async fn a_bucket_with_versions_is_left_as_it_was() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).prefix("team/").apply(&app).await;
    let s3 = applied.customer.s3();
    let versioning = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    let put = s3.put_bucket_versioning().bucket(&applied.bucket);
    let put = put.versioning_configuration(versioning);
    put.send().await.unwrap();
    let left_by_checks = async || {
        let list = s3.list_object_versions().bucket(&applied.bucket);
        let list = list.prefix("team/temp/").send().await.unwrap();
        list.versions().len() + list.delete_markers().len()
    };
    let id = &applied.dialog.id;
    let key = format!("team/temp/sallyport-check-{}", &id[id.len() - 8..]);
    for body in ["older", "oldest"] {
        applied
            .customer
            .put_object(&applied.bucket, &key, body)
            .await;
    }
    assert_eq!(left_by_checks().await, 2);
    for _ in 0..2 {
        applied.dialog.check().await.passed();
        assert_eq!(left_by_checks().await, 0);
    }
    // Without the permission, what stays is named, and the statement that is offered helps.
    let mut policy = applied.without("s3:DeleteObjectVersion");
    let (role, trust) = (&applied.role, &applied.trust);
    applied.customer.put_role(role, trust, &policy).await;
    let report = applied.dialog.check().await;
    assert_eq!(
        report.code("delete_object"),
        Some("probe_left"),
        "{:#}",
        report.0
    );
    assert!(left_by_checks().await > 0);
    let patch = report.step("delete_object")["problem"]["patch"]["document"].clone();
    policy["Statement"].as_array_mut().unwrap().push(patch);
    applied.customer.put_role(role, trust, &policy).await;
    applied.dialog.check().await.passed();
    assert_eq!(left_by_checks().await, 0);
}

/// As customers write them: the prefix alone by StringEquals, and only the top of it.
#[tokio::test]
async fn a_listing_condition_that_is_too_narrow_is_found_and_its_patch_helps() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).reading("team/").apply(&app).await;
    let mut policy = applied.without("s3:ListBucket");
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements.push(json!({"Effect": "Allow", "Action": "s3:ListBucket",
        "Resource": format!("arn:aws:s3:::{}", applied.bucket),
        "Condition": {"StringEquals": {"s3:prefix": ["", "team/"]}}}));
    let (role, trust) = (&applied.role, &applied.trust);
    applied.customer.put_role(role, trust, &policy).await;
    let report = applied.dialog.check().await.failed(&["list_bucket"]);
    assert_eq!(report.code("list_bucket"), Some("folders_not_listed"));
    let patch = report.step("list_bucket")["problem"]["patch"]["document"].clone();
    policy["Statement"].as_array_mut().unwrap().push(patch);
    applied.customer.put_role(role, trust, &policy).await;
    applied.dialog.check().await.passed();
}
