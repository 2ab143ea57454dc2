//! What AWS's and other stores' answers mean: each code in its own words, and none that claims more.

use crate::it::support::app::{TestApp, app_on};
use crate::it::support::aws::stub::{AwsStub, denied, s3_error, session, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::scene::{Report, Scene};
use serde_json::{Value, json};
use std::time::Duration;

async fn stage() -> (AwsStub, TestApp) {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    (stub, app)
}

fn text(report: &Report, step: &str) -> String {
    let problem = &report.step(step)["problem"];
    let field = |name: &str| problem[name].as_str().unwrap().to_owned();
    format!(
        "{} {} {}",
        field("title"),
        field("explanation"),
        field("remedy")
    )
}

/// Nothing is offered to paste that could not help.
#[track_caller]
fn offers_nothing(report: &Report, step: &str) {
    let problem = &report.step(step)["problem"];
    assert_eq!(problem["patch"], Value::Null, "{problem}");
    assert_eq!(problem["missing"], Value::Null, "{problem}");
}

#[tokio::test]
async fn each_code_of_sts_has_words_of_its_own() {
    let (stub, app) = stage().await;
    for (status, code, message, expected, says) in [
        (
            400,
            "MalformedPolicyDocument",
            "The policy is not in the valid JSON format.",
            "session_policy_malformed",
            "not valid JSON",
        ),
        (
            400,
            "MalformedPolicyDocument",
            "Resource must be in ARN format",
            "session_policy_malformed",
            "not an ARN",
        ),
        (
            400,
            "PackedPolicyTooLarge",
            "Packed policy consumes 120% of allotted space",
            "session_policy_too_large",
            "shorter bucket prefix",
        ),
        (
            400,
            "PackedPolicyTooLarge",
            "Packed size of session tags consumes 300% of allotted space.",
            "session_tags_too_large",
            "tags",
        ),
        (
            403,
            "RegionDisabledException",
            "STS is not activated in this Region for account:222222222222.",
            "sts_region_disabled",
            "Security Token Service",
        ),
        (
            400,
            "ExpiredToken",
            "x",
            "service_session_expired",
            "expired",
        ),
        (
            403,
            "InvalidClientTokenId",
            "x",
            "service_key_unknown",
            "does not know the access key",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "x",
            "service_secret_wrong",
            "secret key",
        ),
        (
            400,
            "IncompleteSignature",
            "x",
            "service_signature_missing",
            "proxy",
        ),
        (
            403,
            "MissingAuthenticationToken",
            "x",
            "service_signature_missing",
            "proxy",
        ),
        (
            403,
            "OptInRequired",
            "x",
            "service_account_not_signed_up",
            "not signed up",
        ),
        (
            400,
            "UnrecognizedClientException",
            "x",
            "service_key_unknown",
            "Region",
        ),
        (400, "RequestExpired", "x", "aws_clock_skew", "clock"),
        (403, "RequestTimeTooSkewed", "x", "aws_clock_skew", "clock"),
        (
            400,
            "ValidationError",
            "1 validation error detected",
            "role_request_invalid",
            "ARN",
        ),
        (
            403,
            "IDPRejectedClaim",
            "x",
            "service_identity_provider_refused",
            "identity provider",
        ),
        (
            400,
            "TotallyNewException",
            "x",
            "sts_rejected",
            "`TotallyNewException`",
        ),
    ] {
        stub.forget_rules();
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        stub.answer_to("AssumeRole", sts_error(status, code, message));
        let report = dialog.check().await;
        assert_eq!(
            report.code("assume_role"),
            Some(expected),
            "{code} {:#}",
            report.0
        );
        let text = text(&report, "assume_role");
        assert!(text.contains(says), "{code}: {text}");
        if !code.starts_with("Packed") {
            assert!(!text.contains("shorter"), "{code}: {text}");
        }
        offers_nothing(&report, "assume_role");
        assert!(!report.0.to_string().contains("trust policy document"));
        dialog.refused().await;
    }
}

#[tokio::test]
async fn each_code_of_s3_has_words_of_its_own() {
    let (stub, app) = stage().await;
    for (status, code, message, expected, says) in [
        (
            403,
            "AllAccessDisabled",
            "All access to this object has been disabled",
            "account_disabled",
            "No policy changes that",
        ),
        (
            403,
            "AccountProblem",
            "x",
            "account_disabled",
            "AWS Support",
        ),
        (403, "NotSignedUp", "x", "account_disabled", "not signed up"),
        (
            403,
            "InvalidAccessKeyId",
            "x",
            "session_not_accepted",
            "session",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "x",
            "signature_rejected",
            "between the service and S3",
        ),
        (400, "ExpiredToken", "x", "session_expired", "expired"),
        (400, "InvalidRequest", "x", "aws_rejected", "InvalidRequest"),
        (
            400,
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; a non-empty Access Key (AKID) must be provided in the credential.",
            "signature_missing",
            "Authorization",
        ),
        (
            405,
            "MethodNotAllowed",
            "x",
            "operation_not_supported",
            "does not support",
        ),
        (
            501,
            "NotImplemented",
            "x",
            "operation_not_supported",
            "does not support",
        ),
        (409, "InvalidBucketState", "x", "aws_rejected", "state"),
        (
            409,
            "OperationAborted",
            "x",
            "conflicting_change",
            "conflicting change",
        ),
        (
            400,
            "XAmzContentSHA256Mismatch",
            "x",
            "body_altered",
            "changes bodies",
        ),
        (
            400,
            "KMS.DisabledException",
            "x",
            "kms_disabled",
            "disabled",
        ),
        (
            400,
            "KMS.NotFoundException",
            "x",
            "kms_not_found",
            "does not exist",
        ),
        (
            400,
            "KMS.KMSInvalidStateException",
            "x",
            "kms_invalid_state",
            "state",
        ),
        (418, "TeapotError", "x", "aws_rejected", "`TeapotError`"),
    ] {
        stub.forget_rules();
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        stub.answer_to("ListObjectsV2", s3_error(status, code, message));
        let report = dialog.check().await.failed(&["list_bucket"]);
        assert_eq!(
            report.code("list_bucket"),
            Some(expected),
            "{code} {:#}",
            report.0
        );
        let text = text(&report, "list_bucket");
        assert!(text.contains(says), "{code}: {text}");
        assert!(
            !text.contains("access key again"),
            "a role has none: {text}"
        );
        offers_nothing(&report, "list_bucket");
    }
}

#[tokio::test]
async fn an_object_with_a_key_of_its_owner_s_is_not_a_missing_permission() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let sentence = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
    stub.answer_to("GetObject", s3_error(400, "InvalidRequest", sentence));
    let report = dialog.check().await.failed(&["get_object"]);
    assert_eq!(report.code("get_object"), Some("customer_key_needed"));
    offers_nothing(&report, "get_object");
}

#[tokio::test]
async fn a_redirect_that_is_none_of_s3_s_is_not_another_region() {
    let (stub, app) = stage().await;
    let elsewhere = "https://store.example:8443/bucket?X-Amz-Signature=SECRET&token=SECRET";
    for status in [301, 302, 307, 308] {
        stub.forget_rules();
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        stub.when(move |request| {
            let is_s3 = !matches!(request.method.as_str(), "POST");
            is_s3.then(|| Reply::answer(status, "<html>moved</html>").with("location", elsewhere))
        });
        let report = dialog.check().await;
        assert_eq!(
            report.code("list_bucket"),
            Some("endpoint_redirects"),
            "{:#}",
            report.0
        );
        let text = text(&report, "list_bucket");
        assert!(text.contains("`https://store.example:8443`"), "{text}");
        assert!(!report.0.to_string().contains("SECRET"));
        assert!(!text.contains("another Region the"), "{text}");
        dialog.refused().await;
    }
}

/// A session that S3 does not know in the bucket's Region: the STS of that Region makes another.
#[tokio::test]
async fn an_unknown_session_is_asked_for_in_the_bucket_s_region() {
    let (stub, app) = stage().await;
    stub.world().region = "ap-east-1".into();
    let far = |stub: &AwsStub, known: bool| {
        stub.when(move |request| match request.operation().as_str() {
            "AssumeRole" if known && request.region() == Some("ap-east-1") => {
                Some(session(77_000_001, Duration::from_secs(3_600)))
            }
            "AssumeRole" | "GetCallerIdentity" | "CorsPreflight" => None,
            _ if request.access_key() == Some("ASIASTUB77000001") => None,
            _ => Some(
                s3_error(
                    400,
                    "InvalidToken",
                    "The provided token is malformed or otherwise invalid.",
                )
                .with("x-amz-bucket-region", "ap-east-1"),
            ),
        });
    };
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    far(&stub, true);
    dialog.check().await.passed();
    let storage = dialog.complete().await.expect(201);
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    app.get(&files, &dialog.workspace.member).await.expect(200);

    stub.forget_rules();
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    far(&stub, false);
    let report = dialog.check().await;
    assert_eq!(
        report.code("list_bucket"),
        Some("session_not_known_in_region"),
        "{:#}",
        report.0
    );
    let text = text(&report, "list_bucket");
    assert!(text.contains("enable the bucket's Region"), "{text}");
    assert!(!text.contains("access key"), "{text}");
    offers_nothing(&report, "list_bucket");
    // It may pass: a Region that was enabled a moment ago is known after a while.
    let path = dialog.path("/check?wait=3");
    let answer = app.post(&path, &dialog.workspace.admin, &Value::Null).await;
    assert!(Report::of(&answer).0["attempts"].as_u64().unwrap() > 1);
}

#[tokio::test]
async fn object_lock_of_a_file_is_no_missing_permission() {
    let stub = AwsStub::start().await;
    let scene = Scene::on(&stub).connect().await;
    stub.answer_to(
        "DeleteObject",
        denied("Access Denied because object protected by object lock."),
    );
    let deleted = scene.delete("/files?key=/a.txt&version_id=v1").await;
    let problem = deleted.problem(409, "object_locked");
    let all = problem.to_string();
    assert!(
        all.contains("not known") && !all.contains("DeleteObjectVersion"),
        "{all}"
    );
    assert_eq!(problem["missing"], Value::Null);
    stub.when(|request| {
        let looks = request.operation() == "HeadObject";
        looks.then(|| {
            Reply::answer(200, "")
                .with("etag", "\"e\"")
                .with("x-amz-object-lock-mode", "GOVERNANCE")
                .with(
                    "x-amz-object-lock-retain-until-date",
                    "2031-05-06T07:08:09Z",
                )
                .with("x-amz-object-lock-legal-hold", "ON")
        })
    });
    let deleted = scene.delete("/files?key=/a.txt&version_id=v1").await;
    let detail = deleted.problem(409, "object_locked")["detail"].to_string();
    assert!(
        detail.contains("2031-05-06") && detail.contains("legal hold"),
        "{detail}"
    );
    // Each key of many says the same.
    stub.when(|request| {
        (request.method == "POST" && request.target.contains("?delete")).then(|| {
            Reply::answer(200, "<DeleteResult><Error><Key>a.txt</Key><Code>AccessDenied</Code><Message>Access Denied because object protected by object lock.</Message></Error></DeleteResult>")
        })
    });
    let body = json!({"keys": ["/a.txt"]});
    let answer = scene.post("/files/delete", &body).await.expect(200);
    assert_eq!(answer["errors"][0]["code"], "object_locked", "{answer}");
    assert_eq!(answer["errors"][0]["missing"], Value::Null);
}
