//! What a check makes of a storage's health and of its sessions.

use crate::it::support::app::{Answer, ORIGIN, TestApp, app_on};
use crate::it::support::aws::stub::{AwsStub, denied, role_denied, s3_error, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::scene::{Dialog, Report, Scene};
use serde_json::{Value, json};

pub struct Stored<'a> {
    pub dialog: Dialog<'a>,
    pub path: String,
}

impl<'a> Stored<'a> {
    pub async fn on(stub: &AwsStub, app: &'a TestApp) -> Self {
        let dialog = Scene::on(stub).access("read").open(app).await;
        let storage = dialog.finish().await;
        let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
        Self { dialog, path }
    }

    pub async fn check(&self) -> Report {
        let (path, admin) = (format!("{}/check", self.path), &self.dialog.workspace.admin);
        Report::of(&self.dialog.app.post(&path, admin, &json!({})).await)
    }

    pub async fn get(&self) -> Value {
        let member = &self.dialog.workspace.member;
        self.dialog.app.get(&self.path, member).await.expect(200)
    }

    pub async fn files(&self) -> Answer {
        let (path, admin) = (format!("{}/files", self.path), &self.dialog.workspace.admin);
        self.dialog.app.get(&path, admin).await
    }
}

fn service_control_policy() -> Reply {
    let text = "User: SECRETARN is not authorized to perform: sts:AssumeRole on resource: SECRETARN with an explicit deny in a service control policy";
    sts_error(403, "AccessDenied", text)
}

#[tokio::test]
async fn a_passing_fault_breaks_nothing() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let storage = Stored::on(&stub, &app).await;
    let before = storage.get().await["health"].clone();
    assert_eq!(before["state"], "healthy");
    let faults = [
        ("AssumeRole", sts_error(400, "Throttling", "x")),
        ("AssumeRole", sts_error(500, "InternalFailure", "x")),
        ("AssumeRole", Reply::Reset),
        ("ListObjectsV2", s3_error(503, "SlowDown", "x")),
        ("GetObject", s3_error(500, "InternalError", "x")),
        ("GetBucketLocation", Reply::Reset),
    ];
    for (operation, reply) in faults {
        stub.forget_rules();
        stub.answer_to(operation, reply);
        let report = storage.check().await;
        assert_eq!(report.0["outcome"], "failed", "{operation}");
        let found = storage.get().await;
        let health = &found["health"];
        assert_eq!(health["state"], "healthy", "{operation} {:#}", report.0);
        assert_eq!(health["since"], before["since"]);
        assert_eq!(health["last_check_id"], report.0["id"]);
        assert_eq!(found["state"], "active");
    }
    stub.forget_rules();
    storage.files().await.expect(200);

    // One definite finding beside the faults breaks it.
    stub.answer_to("ListObjectsV2", s3_error(503, "SlowDown", "x"));
    let no_allow = "User: x is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::x/a\" because no identity-based policy allows the s3:GetObject action";
    stub.answer_to("GetObject", denied(no_allow));
    storage.check().await;
    let health = storage.get().await["health"].clone();
    assert_eq!(health["state"], "broken");
    // And it stays broken while checks prove nothing, for the cause that was proved.
    stub.forget_rules();
    stub.answer_to("ListObjectsV2", s3_error(503, "SlowDown", "x"));
    storage.check().await;
    let still = storage.get().await["health"].clone();
    assert_eq!(
        (&still["state"], &still["since"], &still["code"]),
        (&health["state"], &health["since"], &health["code"])
    );
    stub.forget_rules();
    storage.check().await.passed();
    assert_eq!(storage.get().await["health"]["state"], "healthy");
}

/// The operator's own side marks no storage: no other state, no event, no entry of the audit log.
#[tokio::test]
async fn a_failure_of_our_own_side_leaves_the_health_as_it_was() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let storage = Stored::on(&stub, &app).await;
    let before = storage.get().await["health"].clone();
    assert_eq!(before["state"], "healthy");
    let same = async |code: &str| {
        let found = storage.get().await;
        for member in ["state", "since", "code"] {
            assert_eq!(found["health"][member], before[member], "{code}");
        }
        assert_eq!(found["state"], "active", "{code}");
    };
    let late = "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z";
    for (reply, code) in [
        (
            sts_error(403, "InvalidClientTokenId", "x"),
            "service_key_unknown",
        ),
        (
            sts_error(403, "SignatureDoesNotMatch", "x"),
            "service_secret_wrong",
        ),
        (
            sts_error(400, "ExpiredToken", "x"),
            "service_session_expired",
        ),
        (
            sts_error(403, "InvalidToken", "x"),
            "service_session_unknown",
        ),
        (
            sts_error(403, "SignatureDoesNotMatch", late),
            "aws_clock_skew",
        ),
        (
            service_control_policy(),
            "service_denied_by_service_control_policy",
        ),
        (Reply::Reset, "aws_unreachable"),
    ] {
        stub.forget_rules();
        stub.answer_to("AssumeRole", reply);
        let report = storage.check().await;
        assert_eq!(report.code("assume_role"), Some(code), "{:#}", report.0);
        same(code).await;
    }
    // The role let us in, and then our own side failed.
    for reply in [
        service_control_policy(),
        sts_error(403, "InvalidClientTokenId", "x"),
        sts_error(403, "SignatureDoesNotMatch", late),
    ] {
        stub.forget_rules();
        let own = storage.dialog.external_id.clone();
        stub.when(move |request| {
            let is_other = request.form("ExternalId").as_deref() != Some(&own);
            (request.operation() == "AssumeRole" && is_other).then(|| reply.clone())
        });
        let report = storage.check().await;
        let step = report.step("refuses_missing_external_id");
        assert_eq!(step["problem"]["code"], "refusal_not_proven", "{step:#}");
        assert_eq!(step["problem"]["side"], "service", "{step:#}");
        same("refusal_not_proven").await;
    }
    // Nor does a read.
    stub.forget_rules();
    let fresh = Stored::on(&stub, &app).await;
    stub.answer_to("AssumeRole", sts_error(403, "InvalidClientTokenId", "x"));
    let answer = fresh.files().await;
    answer.problem(502, "service_credentials_rejected");
    assert_eq!(fresh.get().await["health"]["state"], "healthy");

    let admin = &storage.dialog.workspace.admin;
    let events = app
        .get("/v1/events?types=storage.broken,storage.degraded", admin)
        .await
        .expect(200);
    assert_eq!(events["events"], json!([]));
    let log = app.get("/v1/audit-events?page_size=1000", admin).await;
    let log = log.expect(200);
    let entries = log["audit_events"].as_array().unwrap();
    let changed = |entry: &&Value| entry["action"] == "storage.health_changed";
    assert_eq!(entries.iter().filter(changed).count(), 0);
}

/// A warm session outlives the customer's revocation by up to an hour, unless a check finds it.
#[tokio::test]
async fn a_check_that_finds_the_role_refusing_us_ends_its_sessions() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let storage = Stored::on(&stub, &app).await;
    storage.files().await.expect(200);
    stub.answer_to("AssumeRole", role_denied());
    storage.check().await.role_refused();
    assert_eq!(storage.get().await["health"]["state"], "broken");
    let problem = storage.files().await.problem(424, "role_refused");
    assert!(!problem.to_string().contains("999999999999"));
    stub.forget_rules();
    storage.check().await.passed();
    storage.files().await.expect(200);
}

/// Whose fault it is decides the status: the customer's is none of the operator's 5xx.
#[tokio::test]
async fn a_denial_is_424_where_the_customer_can_change_it() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.built_in_bucket = Some(stub.bucket.clone());
    })
    .await;
    // Each a storage of its own: a refusal is remembered for some seconds. No session is warm yet.
    let (first, storage) = (Stored::on(&stub, &app).await, Stored::on(&stub, &app).await);
    // A refusal by the service's own side is the operator's.
    stub.answer_to("AssumeRole", sts_error(403, "InvalidClientTokenId", "x"));
    first
        .files()
        .await
        .problem(502, "service_credentials_rejected");
    stub.forget_rules();
    stub.answer_to("AssumeRole", service_control_policy());
    first.files().await.problem(502, "service_not_permitted");
    stub.forget_rules();
    stub.answer_to("AssumeRole", sts_error(403, "AccessDenied", "SECRETARN"));
    storage.files().await.problem(424, "role_refused");
    stub.forget_rules();
    // A check looks again.
    storage.check().await.passed();
    stub.answer_to("ListObjectsV2", denied("Access Denied"));
    let problem = storage.files().await.problem(424, "storage_access_denied");
    // S3 gave no reason: the action is named as what is needed, and not as what is missing.
    assert_eq!(problem["missing"], serde_json::Value::Null);
    assert!(
        problem["remedy"]
            .as_str()
            .unwrap()
            .contains("s3:ListBucket")
    );
    // The built-in bucket is the operator's own.
    let path = "/v1/storages/built-in/files";
    let member = &storage.dialog.workspace.member;
    app.get(path, member)
        .await
        .problem(502, "storage_access_denied");
}
