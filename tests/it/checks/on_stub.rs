//! The check against answers of AWS that the emulator never gives.

use crate::it::support::app::{TestApp, app_on};
use crate::it::support::aws::stub::{AwsStub, CUSTOMER, denied, html, s3_error, sts_error};
use crate::it::support::aws::wire::{Reply, Request};
use crate::it::support::scene::{Report, Scene};
use std::time::{Duration, Instant};

async fn stage() -> (AwsStub, TestApp) {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    (stub, app)
}

/// Nothing of AWS's own texts, and no ARN of somebody else, is shown.
#[track_caller]
fn tells_nothing_of_aws(report: &Report) {
    let text = report.0.to_string();
    for foreign in ["999999999999", "is not authorized", "SECRETARN", "<html"] {
        assert!(!text.contains(foreign), "{foreign}: {text}");
    }
}

#[tokio::test]
async fn the_stub_lets_in_who_should_be_and_nobody_else() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    dialog.check().await.passed();
    stub.world().external_id = Some("another".into());
    let report = dialog.check().await.role_refused();
    tells_nothing_of_aws(&report);
    dialog.refused().await;
}

#[tokio::test]
async fn a_bucket_of_another_account_is_refused() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    stub.world().owner = "333333333333".into();
    for may_read_location in [true, false] {
        stub.world().may_read_location = may_read_location;
        stub.clear();
        let report = dialog.check().await.failed(&["bucket_owner"]);
        let code = Some("bucket_owned_by_another_account");
        assert_eq!(report.code("bucket_owner"), code);
        // Nothing is read from a stranger's bucket. What would be written says whose it must be, and S3 refuses it.
        assert_eq!(stub.count("GetObject") + stub.count("DeleteObject"), 0);
        for put in stub.of("PutObject") {
            let owner = put.request.header("x-amz-expected-bucket-owner");
            assert_eq!(owner, Some(CUSTOMER));
        }
        assert!(!report.0.to_string().contains("333333333333"));
        dialog.refused().await;
    }
}

#[tokio::test]
async fn in_an_empty_bucket_403_and_404_tell_whether_reading_is_allowed() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    stub.world().objects.clear();
    let report = dialog.check().await.warned(&["get_object"]);
    assert_eq!(report.code("get_object"), Some("nothing_below_prefix"));
    stub.answer_to("GetObject", denied("Access Denied"));
    let report = dialog.check().await.failed(&["get_object"]);
    // S3 gave no reason, so none is claimed.
    assert_eq!(report.code("get_object"), Some("denied_without_reason"));
    assert_eq!(
        report.step("get_object")["problem"]["patch"],
        serde_json::Value::Null
    );
}

/// S3 asks for s3:ListBucket before it says that an object is absent, and a condition on `s3:prefix` is
/// never met by a GetObject.
#[tokio::test]
async fn below_a_prefix_a_denied_listing_of_an_absent_object_proves_reading() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    dialog
        .patch(serde_json::json!({"prefix": "team"}))
        .await
        .expect(200);
    let message = |action: &str| {
        format!(
            "User: SECRETARN is not authorized to perform: {action} on resource: \"SECRETARN\" because no identity-based policy allows the {action} action"
        )
    };
    stub.answer_to("GetObject", denied(&message("s3:ListBucket")));
    dialog.check().await.warned(&["get_object"]);
    stub.forget_rules();
    stub.answer_to("GetObject", denied(&message("s3:GetObject")));
    let report = dialog.check().await.failed(&["get_object"]);
    tells_nothing_of_aws(&report);
}

#[tokio::test]
async fn archived_objects_are_not_read_and_are_a_warning() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let archived = [("a.txt".into(), "GLACIER".into())];
    stub.world().objects = archived.into();
    let report = dialog.check().await.warned(&["get_object"]);
    assert_eq!(report.code("get_object"), Some("all_archived"));
    // One that only a rule of Intelligent-Tiering has archived looks like any other in the listing.
    let tiered = [("a.txt".into(), "INTELLIGENT_TIERING".into())];
    stub.world().objects = tiered.into();
    stub.answer_to("GetObject", s3_error(403, "InvalidObjectState", "archived"));
    let report = dialog.check().await.warned(&["get_object"]);
    assert_eq!(report.code("get_object"), Some("object_archived"));
}

#[tokio::test]
async fn a_kms_denial_names_the_action_on_the_key() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let key = "arn:aws:kms:us-east-1:222222222222:key/11111111-2222-3333-4444-555555555555";
    let kms = |action: &str| {
        denied(&format!(
            "User: SECRETARN is not authorized to perform: {action} on the resource associated with this ciphertext because no identity-based policy allows the {action} action"
        ))
    };
    for with_key in [false, true] {
        if with_key {
            let answer = dialog.patch(serde_json::json!({"kms_key_arn": key})).await;
            answer.expect(200);
        }
        stub.forget_rules();
        stub.answer_to("GetObject", kms("kms:Decrypt"));
        stub.answer_to("PutObject", kms("kms:GenerateDataKey"));
        let report = dialog.check().await.failed(&["get_object", "put_object"]);
        tells_nothing_of_aws(&report);
        for (step, action) in [
            ("get_object", "kms:Decrypt"),
            ("put_object", "kms:GenerateDataKey"),
        ] {
            let problem = &report.step(step)["problem"];
            assert_eq!(problem["code"], "kms_permission_missing");
            assert_eq!(problem["missing"][0]["action"], action);
            if with_key {
                assert_eq!(problem["missing"][0]["resource"], key);
                assert_eq!(
                    problem["patch"]["document"]["Resource"][0], key,
                    "{problem}"
                );
            }
        }
    }
}

/// An answer to whoever signs for another Region than the bucket's.
fn wrong_region(
    status: u16,
    code: &'static str,
    header: bool,
) -> impl Fn(&Request) -> Option<Reply> {
    move |request| {
        let asks_bucket = !matches!(
            request.operation().as_str(),
            "AssumeRole" | "GetCallerIdentity" | "CorsPreflight"
        );
        if !asks_bucket || request.region() == Some("eu-west-1") {
            return None;
        }
        // HeadBucket tells the Region always (S3 API reference, HeadBucket).
        let reply = s3_error(status, code, "the region is wrong");
        let reported = header || request.operation() == "HeadBucket";
        Some(if reported {
            reply.with("x-amz-bucket-region", "eu-west-1")
        } else {
            reply
        })
    }
}

#[tokio::test]
async fn the_wrong_region_is_followed_once() {
    for (status, code) in [
        (301, "PermanentRedirect"),
        (307, "TemporaryRedirect"),
        (400, "AuthorizationHeaderMalformed"),
    ] {
        for header in [true, false] {
            let (stub, app) = stage().await;
            let dialog = Scene::on(&stub).open(&app).await;
            stub.world().region = "eu-west-1".into();
            stub.when(wrong_region(status, code, header));
            let report = dialog.check().await;
            assert_eq!(
                report.0["outcome"], "passed",
                "{code} {header} {:#}",
                report.0
            );
            assert_eq!(report.0["region"], "eu-west-1");
        }
    }
}

#[tokio::test]
async fn a_region_that_is_never_told_ends_the_check() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    stub.when(|request| {
        let s3 = request.method != "POST" && request.method != "OPTIONS";
        s3.then(|| s3_error(301, "PermanentRedirect", "elsewhere"))
    });
    let report = dialog.check().await;
    assert_eq!(report.0["outcome"], "failed");
    assert_eq!(report.code("list_bucket"), Some("bucket_region_unknown"));
    dialog.refused().await;
}

/// Only a definite denial proves that the role refuses.
#[tokio::test]
async fn a_refusal_that_is_no_denial_proves_nothing() {
    let slow = Duration::from_secs(15);
    let faults = [
        ("5xx", sts_error(500, "InternalFailure", "x")),
        ("denied with 500", sts_error(500, "AccessDenied", "x")),
        ("throttled", sts_error(400, "Throttling", "Rate exceeded")),
        ("slow down", sts_error(503, "SlowDown", "x")),
        ("a proxy", html(403)),
        ("an empty 403", Reply::answer(403, "")),
        ("expired", sts_error(403, "ExpiredToken", "x")),
        ("disabled", sts_error(403, "RegionDisabledException", "x")),
        ("nonsense", Reply::answer(200, "nonsense")),
        (
            "nonsense 403",
            Reply::answer(403, "<Error><Code>AccessDenied"),
        ),
        (
            "our own policy",
            sts_error(
                403,
                "AccessDenied",
                "User: SECRETARN is not authorized to perform: sts:AssumeRole on resource: SECRETARN because no identity-based policy allows the sts:AssumeRole action",
            ),
        ),
        (
            "our own denial",
            sts_error(
                403,
                "AccessDenied",
                "User: SECRETARN is not authorized to perform: sts:AssumeRole on resource: SECRETARN with an explicit deny in an identity-based policy",
            ),
        ),
        ("reset", Reply::Reset),
    ];
    let cases = faults
        .into_iter()
        .flat_map(|(name, reply)| [(name, reply.clone(), false), (name, reply, true)]);
    let (stub, app) = stage().await;
    for (name, reply, wrong) in cases {
        stub.forget_rules();
        stub.clear();
        let dialog = Scene::on(&stub).open(&app).await;
        let own = dialog.external_id.clone();
        stub.when(move |request| {
            let sent = request.form("ExternalId");
            let hit = if wrong {
                sent.is_some_and(|id| id != own)
            } else {
                sent.is_none()
            };
            (request.operation() == "AssumeRole" && hit).then(|| reply.clone())
        });
        let start = Instant::now();
        let report = dialog.check().await;
        assert!(start.elapsed() < slow, "{name}");
        let step = ["refuses_missing_external_id", "refuses_wrong_external_id"][usize::from(wrong)];
        assert_eq!(
            report.with_status("failed"),
            [step],
            "{name} {:#}",
            report.0
        );
        assert_eq!(report.code(step), Some("refusal_not_proven"), "{name}");
        tells_nothing_of_aws(&report);
        assert_eq!(stub.s3_count(), 0, "{name}");
        dialog.refused().await;
    }
}

#[tokio::test]
async fn a_role_that_cannot_be_asked_is_no_role_that_refuses() {
    let faults = [
        (
            sts_error(403, "RegionDisabledException", "x"),
            "sts_region_disabled",
        ),
        (
            sts_error(400, "PackedPolicyTooLarge", "x"),
            "session_policy_too_large",
        ),
        (
            sts_error(400, "MalformedPolicyDocument", "x"),
            "session_policy_malformed",
        ),
        (
            sts_error(400, "ValidationError", "x"),
            "role_request_invalid",
        ),
        (
            sts_error(403, "InvalidClientTokenId", "x"),
            "service_key_unknown",
        ),
        (
            sts_error(
                403,
                "SignatureDoesNotMatch",
                "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z",
            ),
            "aws_clock_skew",
        ),
        (
            sts_error(400, "Throttling", "Rate exceeded"),
            "aws_throttled",
        ),
        (sts_error(500, "InternalFailure", "x"), "aws_unavailable"),
        (Reply::answer(200, "<html>hello"), "aws_answer_unreadable"),
        (
            Reply::answer(200, "<AssumeRoleResponse/>"),
            "aws_answer_unreadable",
        ),
        (html(403), "aws_answer_unreadable"),
        (Reply::Reset, "aws_unreachable"),
        (
            sts_error(
                403,
                "AccessDenied",
                "User: SECRETARN is not authorized to perform: sts:AssumeRole because no identity-based policy allows the sts:AssumeRole action",
            ),
            "service_not_permitted",
        ),
        (
            sts_error(
                403,
                "AccessDenied",
                "User: SECRETARN because no role trust policy allows the sts:AssumeRole action",
            ),
            // Not the whole sentence, so its reason is not taken from it.
            "role_refused",
        ),
    ];
    let (stub, app) = stage().await;
    for (reply, code) in faults {
        stub.forget_rules();
        stub.clear();
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        stub.answer_to("AssumeRole", reply);
        let report = dialog.check().await;
        assert_eq!(report.code("assume_role"), Some(code), "{:#}", report.0);
        tells_nothing_of_aws(&report);
        assert_eq!(stub.s3_count(), 0, "{code}");
        dialog.refused().await;
    }
}

#[tokio::test]
async fn slow_answers_end_the_check_in_bounded_time() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    for (operation, step) in [
        ("AssumeRole", "assume_role"),
        ("ListObjectsV2", "list_bucket"),
    ] {
        stub.world().slow = Some(operation);
        let start = Instant::now();
        let report = dialog.check().await;
        assert!(start.elapsed() < Duration::from_secs(15), "{operation}");
        assert_eq!(report.code(step), Some("aws_timeout"));
        dialog.refused().await;
    }
}

#[tokio::test]
async fn a_denial_that_says_why_is_explained() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    for (text, reported) in [
        (
            "with an explicit deny in a resource-based policy",
            "the bucket policy denies",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "a policy of the role denies",
        ),
        (
            "with an explicit deny in a service control policy",
            "service control policy",
        ),
        (
            "with an explicit deny in a resource control policy",
            "resource control policy",
        ),
        (
            "with an explicit deny in a VPC endpoint policy",
            "policy of a VPC endpoint",
        ),
        (
            "because no permissions boundary allows the s3:ListBucket action",
            "permissions boundary",
        ),
        (
            "because no identity-based policy allows the s3:ListBucket action",
            "no policy of the role allows",
        ),
        ("", "gave no reason"),
    ] {
        stub.forget_rules();
        stub.answer_to("ListObjectsV2", denied(&format!("User: SECRETARN is not authorized to perform: s3:ListBucket on resource: SECRETARN {text}")));
        let report = dialog.check().await.failed(&["list_bucket"]);
        let explanation = report.step("list_bucket")["problem"]["explanation"]
            .as_str()
            .unwrap();
        assert!(explanation.contains(reported), "{text}: {explanation}");
        assert_eq!(
            report.step("list_bucket")["aws"]["request_id"],
            "STUBREQUESTID"
        );
        assert_eq!(
            report.step("list_bucket")["aws"]["error_code"],
            "AccessDenied"
        );
        tells_nothing_of_aws(&report);
    }
}

#[tokio::test]
async fn what_s3_answers_otherwise_is_never_a_missing_permission() {
    let faults = [
        (s3_error(503, "SlowDown", "x"), "aws_throttled"),
        (s3_error(500, "InternalError", "x"), "aws_unavailable"),
        (html(403), "aws_answer_unreadable"),
        (Reply::answer(200, "not xml"), "aws_answer_unreadable"),
        (Reply::Reset, "aws_unreachable"),
        (s3_error(404, "NoSuchBucket", "x"), "bucket_not_found"),
        (s3_error(403, "RequestTimeTooSkewed", "x"), "aws_clock_skew"),
        (
            s3_error(403, "InvalidAccessKeyId", "x"),
            "session_not_accepted",
        ),
    ];
    let (stub, app) = stage().await;
    for (reply, code) in faults {
        stub.forget_rules();
        stub.clear();
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        stub.answer_to("ListObjectsV2", reply);
        let report = dialog.check().await.failed(&["list_bucket"]);
        assert_eq!(report.code("list_bucket"), Some(code));
        tells_nothing_of_aws(&report);
        dialog.refused().await;
    }
}

#[tokio::test]
async fn a_probe_object_of_a_put_without_an_answer_is_deleted() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    stub.answer_to("PutObject", Reply::Reset);
    let report = dialog.check().await.failed(&["put_object"]);
    assert_eq!(report.status("delete_object"), "passed");
    let key = |operation: &str| stub.of(operation)[0].request.bucket_and_key().1;
    assert_eq!(key("PutObject"), key("DeleteObject"));
    assert!(key("PutObject").starts_with("temp/"));
}

#[tokio::test]
async fn the_role_is_asked_with_its_own_id_twice_with_none_and_with_two_others() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    dialog.check().await.passed();
    let calls = stub.of("AssumeRole");
    assert_eq!(calls.len(), 5);
    let sent: Vec<_> = calls.iter().map(|c| c.request.form("ExternalId")).collect();
    let own = &dialog.external_id;
    // The last confirms the first.
    assert_eq!(sent[4].as_ref(), Some(own));
    assert_eq!(sent.iter().filter(|id| id.as_ref() == Some(own)).count(), 2);
    assert_eq!(sent.iter().filter(|id| id.is_none()).count(), 1);
    let mut differing: Vec<_> = sent.iter().flatten().filter(|id| *id != own).collect();
    let digits = |id: &String| own.chars().zip(id.chars()).filter(|(a, b)| a != b).count();
    differing.sort_by_key(|id| digits(id));
    assert_eq!(differing.len(), 2);
    assert_eq!(digits(differing[0]), 1);
    assert!(digits(differing[1]) > 8);
    for id in differing {
        assert!(uuid::Uuid::parse_str(id).is_ok());
    }
    for call in &calls {
        let name = call.request.form("RoleSessionName").unwrap();
        assert!(name.contains(&dialog.id[dialog.id.len() - 20..]), "{name}");
        let policy: serde_json::Value =
            serde_json::from_str(&call.request.form("Policy").unwrap()).unwrap();
        assert!(policy.to_string().contains(&stub.bucket));
    }
}
