//! A failing operation answers with the cause that the check finds in the same world.

use crate::it::files::odd_stores::Place;
use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::aws::store::{Behaviour, Store};
use crate::it::support::aws::stub::{AwsStub, denied, html, s3_error, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::Visitor;
use crate::it::support::scene::{Report, Scene};
use reqwest::Method;
use serde_json::{Value, json};

/// What the members of the workspace are told, and admins alone.
const OF_ADMINS: [&str; 6] = [
    "causes",
    "evidence",
    "missing",
    "patch",
    "learn_more",
    "check",
];

/// A storage, and whoever uses it.
struct Used<'a> {
    app: &'a TestApp,
    workspace: &'a TestWorkspace,
    storage: String,
}

impl Used<'_> {
    fn path(&self, below: &str) -> String {
        format!("/v1/storages/{}{below}", self.storage)
    }

    async fn send(&self, method: Method, below: &str, body: &Value) -> Answer {
        let (path, admin) = (self.path(below), &self.workspace.admin);
        self.app.send(method, &path, admin, body).await
    }

    async fn get(&self, below: &str) -> Answer {
        self.app.get(&self.path(below), &self.workspace.admin).await
    }

    async fn put(&self) -> Answer {
        let path = self.path("/files/content?key=/new.txt");
        let request = self.app.request(Method::PUT, &path, &self.workspace.admin);
        Answer::of(request.body("hello")).await
    }

    async fn check(&self) -> Report {
        Report::of(&self.send(Method::POST, "/check", &json!({})).await)
    }

    async fn begin(&self) -> Answer {
        let body = json!({"key": "/large.bin", "size": 20_000_000});
        self.send(Method::POST, "/files/multipart", &body).await
    }

    /// The operation that makes this call of S3.
    async fn by_call(&self, call: &str) -> Answer {
        match call {
            "ListObjectsV2" => self.get("/files").await,
            "HeadObject" => self.get("/files/metadata?key=/a.txt").await,
            "GetObject" => self.get("/files/content?key=/a.txt").await,
            "PutObject" => self.put().await,
            "DeleteObject" => {
                self.send(Method::DELETE, "/files?key=/a.txt", &json!({}))
                    .await
            }
            other => panic!("{other}"),
        }
    }

    /// Every operation, by name. The upload was begun before.
    async fn everything(&self, upload: &str) -> Vec<(&'static str, Answer)> {
        let none = json!({});
        let copy = json!({"from": "/a.txt", "to": "/b.txt"});
        let sign = |method: &str| json!({"key": "/a.txt", "method": method});
        let parts = json!({"upload_id": upload, "part_numbers": [1]});
        let complete = json!({
            "upload_id": upload, "parts": [{"part_number": 1, "etag": "\"part\""}],
        });
        let abort = json!({"upload_id": upload});
        let files =
            json!({"name": "P", "storage_id": self.storage, "files": [{"file_key": "/a.txt"}]});
        let folder = json!({"name": "P", "storage_id": self.storage, "folder": "/"});
        let admin = &self.workspace.admin;
        vec![
            ("list", self.get("/files").await),
            ("metadata", self.get("/files/metadata?key=/a.txt").await),
            ("content", self.get("/files/content?key=/a.txt").await),
            ("versions", self.get("/files/versions?key=/a.txt").await),
            ("acl", self.get("/files/acl?key=/a.txt").await),
            ("location", self.get("/location").await),
            ("put", self.put().await),
            ("copy", self.send(Method::POST, "/files/copy", &copy).await),
            ("move", self.send(Method::POST, "/files/move", &copy).await),
            (
                "delete",
                self.send(Method::DELETE, "/files?key=/a.txt", &none).await,
            ),
            ("multipart", self.begin().await),
            (
                "parts",
                self.send(Method::POST, "/files/multipart/parts", &parts)
                    .await,
            ),
            (
                "complete",
                self.send(Method::POST, "/files/multipart/complete", &complete)
                    .await,
            ),
            (
                "abort",
                self.send(Method::POST, "/files/multipart/abort", &abort)
                    .await,
            ),
            (
                "sign GET",
                self.send(Method::POST, "/files/sign", &sign("GET")).await,
            ),
            (
                "sign PUT",
                self.send(Method::POST, "/files/sign", &sign("PUT")).await,
            ),
            (
                "project of keys",
                self.app.post("/v1/projects", admin, &files).await,
            ),
            (
                "project of a folder",
                self.app.post("/v1/projects", admin, &folder).await,
            ),
        ]
    }
}

/// What a problem says is what the report says of that step.
#[track_caller]
fn same(problem: &Value, report: &Report, step: &str) {
    let found = &report.step(step)["problem"];
    assert_eq!(problem["cause"], found["code"], "{problem:#} {found:#}");
    for member in ["side", "certainty", "causes", "learn_more"] {
        assert_eq!(problem[member], found[member], "{member}: {problem:#}");
    }
    // One change of a check may be for several calls that failed.
    let (change, whole) = (&problem["patch"], &found["patch"]);
    for member in ["target", "operation", "console"] {
        assert_eq!(change[member], whole[member], "{member}: {problem:#}");
    }
    let actions = |patch: &Value| patch["document"]["Action"].as_array().cloned();
    let all = actions(whole).unwrap_or_default();
    let own = actions(change).unwrap_or_default();
    for action in &own {
        assert!(all.contains(action), "{action}: {found:#}");
    }
    // Its words name every action then.
    if all.len() > own.len() {
        return;
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (detail, remedy) = (text(&problem["detail"]), text(&problem["remedy"]));
    assert!(detail.contains(&text(&found["title"])), "{detail}");
    // A check also says what became of its own file.
    let explanation = text(&found["explanation"]);
    let explanation = explanation.split(" The probe file").next().unwrap();
    assert!(detail.contains(explanation), "{detail}");
    assert!(remedy.contains(&text(&found["remedy"])), "{remedy}");
}

fn not_allowed(action: &str, resource: &str, why: &str) -> Reply {
    denied(&format!(
        "User: arn:aws:sts::222222222222:assumed-role/stub/x is not authorized to perform: {action} on resource: \"{resource}\" {why}"
    ))
}

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
