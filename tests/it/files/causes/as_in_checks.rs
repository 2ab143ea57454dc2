//! The cause of a failing operation is the one that the check finds in the same world.

use crate::it::files::causes::{Used, not_allowed, same};
use crate::it::support::app::TestApp;
use crate::it::support::aws::stub::{AwsStub, html, s3_error, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_cause_is_the_one_of_the_check() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |options| {
        options.checks_per_minute = Some("1000".into());
    })
    .await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = dialog.finish().await;
    let used = Used {
        app: &app,
        workspace: &dialog.workspace,
        storage: storage["id"].as_str().unwrap().to_owned(),
    };
    let object = format!("arn:aws:s3:::{}/a.txt", stub.bucket);
    let key = "arn:aws:kms:us-east-1:222222222222:key/11111111-2222-3333-4444-555555555555";
    let by = |action: &str, why: &str| not_allowed(action, &object, &why.replace("ACTION", action));
    let implicit = "because no identity-based policy allows the ACTION action";
    let error = |status, code: &str| s3_error(status, code, "x");
    let worlds = [
        (
            "GetObject",
            by("s3:GetObject", implicit),
            424,
            "permission_missing",
        ),
        (
            "PutObject",
            by("s3:PutObject", implicit),
            424,
            "permission_missing",
        ),
        (
            "DeleteObject",
            by("s3:DeleteObject", implicit),
            424,
            "permission_missing",
        ),
        (
            "GetObject",
            by(
                "s3:GetObject",
                "with an explicit deny in a resource-based policy",
            ),
            424,
            "denied_by_bucket_policy",
        ),
        (
            "PutObject",
            by(
                "s3:PutObject",
                "with an explicit deny in an identity-based policy",
            ),
            424,
            "denied_by_identity_policy",
        ),
        (
            "GetObject",
            by(
                "s3:GetObject",
                "with an explicit deny in a service control policy",
            ),
            424,
            "denied_by_service_control_policy",
        ),
        (
            "GetObject",
            by(
                "s3:GetObject",
                "with an explicit deny in a resource control policy",
            ),
            424,
            "denied_by_resource_control_policy",
        ),
        (
            "GetObject",
            by(
                "s3:GetObject",
                "because no permissions boundary allows the ACTION action",
            ),
            424,
            "denied_by_permissions_boundary",
        ),
        (
            "GetObject",
            by(
                "s3:GetObject",
                "with an explicit deny in a VPC endpoint policy",
            ),
            502,
            "denied_by_vpc_endpoint_policy",
        ),
        (
            "GetObject",
            by(
                "s3:GetObject",
                "because no session policy allows the ACTION action",
            ),
            502,
            "denied_by_session_policy",
        ),
        (
            "GetObject",
            not_allowed(
                "kms:Decrypt",
                key,
                "because no session policy allows the kms:Decrypt action",
            ),
            424,
            "kms_key_not_entered",
        ),
        (
            "GetObject",
            not_allowed(
                "kms:Decrypt",
                key,
                "because no identity-based policy allows the kms:Decrypt action",
            ),
            424,
            "kms_permission_missing",
        ),
        (
            "PutObject",
            not_allowed(
                "kms:GenerateDataKey",
                key,
                "with an explicit deny in a resource-based policy",
            ),
            424,
            "kms_key_policy",
        ),
        (
            "GetObject",
            error(400, "KMS.DisabledException"),
            424,
            "kms_disabled",
        ),
        (
            "GetObject",
            error(400, "KMS.NotFoundException"),
            424,
            "kms_not_found",
        ),
        (
            "ListObjectsV2",
            error(404, "NoSuchBucket"),
            424,
            "bucket_not_found",
        ),
        (
            "ListObjectsV2",
            error(403, "AllAccessDisabled"),
            424,
            "account_disabled",
        ),
        (
            "ListObjectsV2",
            error(301, "PermanentRedirect"),
            424,
            "bucket_region_unknown",
        ),
        (
            "ListObjectsV2",
            error(503, "SlowDown"),
            503,
            "aws_throttled",
        ),
        (
            "ListObjectsV2",
            error(500, "InternalError"),
            502,
            "aws_unavailable",
        ),
        ("ListObjectsV2", html(403), 502, "aws_answer_unreadable"),
        ("ListObjectsV2", Reply::Reset, 502, "aws_unreachable"),
        (
            "ListObjectsV2",
            error(403, "RequestTimeTooSkewed"),
            503,
            "aws_clock_skew",
        ),
        (
            "ListObjectsV2",
            error(400, "Never.Seen"),
            424,
            "aws_rejected",
        ),
        (
            "ListObjectsV2",
            error(403, "InvalidToken"),
            424,
            "session_not_known_in_region",
        ),
        (
            "ListObjectsV2",
            error(403, "SignatureDoesNotMatch"),
            502,
            "signature_rejected",
        ),
        (
            "PutObject",
            error(507, "XMinioStorageFull"),
            424,
            "store_full",
        ),
        (
            "PutObject",
            error(501, "NotImplemented"),
            424,
            "operation_not_supported",
        ),
        ("PutObject", error(400, "BadDigest"), 502, "body_altered"),
    ];
    for (call, reply, status, cause) in worlds {
        stub.forget_rules();
        stub.answer_to(call, reply.clone());
        if call == "GetObject" {
            stub.answer_to("HeadObject", reply);
        }
        let answer = used.by_call(call).await;
        assert_eq!(answer.status, status, "{cause}: {answer:?}");
        let problem = answer.json();
        assert_eq!(problem["cause"], cause, "{problem:#}");
        assert!(problem["remedy"].is_string(), "{problem:#}");
        assert_eq!(problem["check"], json!(used.path("/checks")), "{problem:#}");
        let step = match call {
            "ListObjectsV2" => "list_bucket",
            "GetObject" => "get_object",
            "PutObject" => "put_object",
            _ => "delete_object",
        };
        same(&problem, &used.check().await, step);
        used.get("/checks").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_names_the_cause() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |options| {
        options.checks_per_minute = Some("1000".into());
    })
    .await;
    let worlds = [
        (
            sts_error(403, "AccessDenied", "User: x"),
            424,
            "role_refused",
            "role_refused",
        ),
        (
            sts_error(403, "RegionDisabledException", "x"),
            424,
            "role_session_rejected",
            "sts_region_disabled",
        ),
        (
            sts_error(403, "InvalidClientTokenId", "x"),
            502,
            "service_credentials_rejected",
            "service_key_unknown",
        ),
        (
            sts_error(400, "Throttling", "x"),
            503,
            "storage_throttled",
            "aws_throttled",
        ),
    ];
    for (reply, status, code, cause) in worlds {
        stub.forget_rules();
        let dialog = Scene::on(&stub).open(&app).await;
        let storage = dialog.finish().await;
        let used = Used {
            app: &app,
            workspace: &dialog.workspace,
            storage: storage["id"].as_str().unwrap().to_owned(),
        };
        // The session for it is of another scope than the one of the rest.
        let begun = used.begin().await.expect(200);
        let upload = begun["upload_id"].as_str().unwrap();
        stub.answer_to("AssumeRole", reply);
        // Sessions that were made before are good for a while.
        let old: Vec<String> = stub
            .log()
            .iter()
            .filter_map(|one| one.request.access_key().map(str::to_owned))
            .collect();
        stub.when(move |request| {
            let revoked = request.access_key().is_some_and(|key| {
                request.operation() != "AssumeRole" && old.iter().any(|one| one == key)
            });
            revoked.then(|| s3_error(403, "InvalidAccessKeyId", "revoked"))
        });
        let mut asked = 0;
        for (operation, answer) in used.everything(upload).await {
            // A URL is signed without a call while a session is good.
            if answer.status.is_success() {
                assert!(
                    operation.starts_with("sign") || operation == "parts",
                    "{operation}: {answer:?}"
                );
                continue;
            }
            assert_eq!(answer.status, status, "{operation}: {answer:?}");
            let problem = answer.problem(status, code);
            assert_eq!(problem["cause"], cause, "{operation}: {problem:#}");
            asked += 1;
        }
        assert!(asked >= 12, "{asked}");
        let listed = used.get("/files").await.json();
        same(&listed, &used.check().await, "assume_role");
    }
}

/// The same with IAM's own evaluation.
#[tokio::test(flavor = "multi_thread")]
async fn on_the_emulator_each_denial_has_the_cause_of_the_check() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.put_at("a.txt", "hello").await;
    let used = Used {
        app: &place.app,
        workspace: &place.workspace,
        storage: place
            .path("")
            .trim_start_matches("/v1/storages/")
            .to_owned(),
    };
    let bucket = &place.storage.bucket;
    let objects = format!("arn:aws:s3:::{bucket}/team/*");
    let may = |actions: &[&str]| {
        let whole = format!("arn:aws:s3:::{bucket}");
        vec![
            json!({"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": whole}),
            json!({"Effect": "Allow", "Action": actions, "Resource": objects}),
        ]
    };
    let deny = |action: &str| json!({"Effect": "Deny", "Action": action, "Resource": objects});
    let mut denied = may(&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]);
    denied.push(deny("s3:PutObject"));
    for (statements, call, step, cause) in [
        (
            may(&["s3:PutObject", "s3:DeleteObject"]),
            "GetObject",
            "get_object",
            "permission_missing",
        ),
        (
            may(&["s3:GetObject", "s3:DeleteObject"]),
            "PutObject",
            "put_object",
            "permission_missing",
        ),
        (
            denied,
            "PutObject",
            "put_object",
            "denied_by_identity_policy",
        ),
    ] {
        place.set_permissions(&statements).await;
        let answer = used.by_call(call).await;
        let problem = answer.problem(424, "storage_access_denied");
        assert_eq!(problem["cause"], cause, "{problem:#}");
        same(&problem, &used.check().await, step);
    }
}
