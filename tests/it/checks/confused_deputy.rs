//! A customer of the service who knows another's role cannot use it.

use crate::it::support::app::{Answer, ORIGIN, TestApp, TestWorkspace, app_on};
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::emulator::{Emulator, random_name, trust_policy};
use crate::it::support::pages::Visitor;
use crate::it::support::scene::{Applied, Dialog, Report, Scene};
use reqwest::Method;
use serde_json::{Value, json};

async fn stage() -> (AwsProxy, TestApp) {
    let proxy = AwsProxy::start().await;
    let app = app_on(&proxy.sdk_config(&Emulator::vendor().await.sdk_config)).await;
    (proxy, app)
}

/// The database knows this text nowhere.
fn is_kept(app: &TestApp, text: &str) -> bool {
    let files = std::fs::read_dir(app.folder.path()).unwrap().flatten();
    files
        .map(|file| std::fs::read(file.path()).unwrap())
        .any(|bytes| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
}

#[tokio::test]
async fn another_workspace_with_the_same_role_is_refused() {
    let (proxy, app) = stage().await;
    let theirs = Scene::on(Emulator).apply(&app).await;
    let storage = theirs.dialog.finish().await;
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    app.get(&files, &theirs.dialog.workspace.member)
        .await
        .expect(200);

    let settings = json!({"bucket": theirs.bucket, "role_arn": theirs.role_arn});
    let attacker = Dialog::open(&app, settings).await;
    proxy.clear();
    attacker.check().await.role_refused();
    attacker.refused().await;
    assert_eq!(proxy.s3_count(), 0);
    // The own ID in capitals too; the attacker's workspace has no other one.
    assert_eq!(proxy.count("AssumeRole"), 5);
    for call in proxy.of("AssumeRole") {
        let sent = call.request.form("ExternalId");
        assert_ne!(sent.as_deref(), Some(theirs.dialog.external_id.as_str()));
    }
    app.get(&files, &attacker.workspace.admin)
        .await
        .problem(404, "not_found");
    assert_eq!(proxy.s3_count(), 0);
}

/// Trust policies that look like protection and are none.
#[tokio::test]
async fn a_role_that_lets_others_in_is_never_added() {
    let (proxy, app) = stage().await;
    let vendor = Emulator::vendor().await;
    let both = &["refuses_missing_external_id", "refuses_wrong_external_id"][..];
    type Condition = fn(&str) -> Value;
    let cases: [(&str, Condition, &[&str]); 6] = [
        ("no condition", |_| Value::Null, both),
        (
            "any ID",
            |_| json!({"StringLike": {"sts:ExternalId": "*"}}),
            &both[1..],
        ),
        (
            "if there is one",
            |id| json!({"StringEqualsIfExists": {"sts:ExternalId": id}}),
            &both[..1],
        ),
        (
            "any ID or none",
            |_| json!({"StringLikeIfExists": {"sts:ExternalId": "*"}}),
            both,
        ),
        (
            "this one or any",
            |id| json!({"StringLike": {"sts:ExternalId": [id, "????????-*"]}}),
            &both[1..],
        ),
        (
            "any that begins like it",
            |id| json!({"StringLike": {"sts:ExternalId": format!("{}*", &id[..8])}}),
            &both[1..],
        ),
    ];
    for (name, condition, failed) in cases {
        let applied = Scene::on(Emulator).apply(&app).await;
        let mut policy = trust_policy(&vendor.account, None);
        let condition = condition(&applied.dialog.external_id);
        if !condition.is_null() {
            policy["Statement"][0]["Condition"] = condition;
        }
        applied.trust(&policy).await;
        proxy.clear();
        let report = applied.dialog.check().await.failed(failed);
        assert_eq!(proxy.s3_count(), 0, "{name}");
        for step in failed {
            let code = format!("role_accepts_{}", step.trim_start_matches("refuses_"));
            assert_eq!(report.code(step), Some(code.as_str()), "{name}");
            let patch = &report.step(step)["problem"]["patch"];
            assert_eq!(patch["document"], applied.trust, "{name}");
            assert_eq!(patch["target"], "trust_policy");
        }
        applied.dialog.refused().await;
        // What the report says to paste fixes it.
        applied
            .trust(&report.step(failed[0])["problem"]["patch"]["document"])
            .await;
        applied.dialog.finish().await;
    }
}

/// Whatever keeps us out, the answer is the same: a check is no oracle for what exists elsewhere.
#[tokio::test]
async fn a_missing_and_a_denying_role_are_answered_alike() {
    let (proxy, app) = stage().await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let vendor = Emulator::vendor().await;
    let dialog = &applied.dialog;
    let mut answers = Vec::new();
    let wrong_id = trust_policy(&vendor.account, Some("another-external-id"));
    let wrong_account = trust_policy("123123123123", Some(&dialog.external_id));
    for policy in [&wrong_id, &wrong_account] {
        applied.trust(policy).await;
        answers.push(dialog.check().await.role_refused());
    }
    let iam = applied.customer.iam();
    let delete = iam
        .delete_role_policy()
        .role_name(&applied.role)
        .policy_name("access");
    delete.send().await.unwrap();
    iam.delete_role()
        .role_name(&applied.role)
        .send()
        .await
        .unwrap();
    proxy.clear();
    answers.push(dialog.check().await.role_refused());
    assert_eq!(proxy.s3_count(), 0);
    let reported: Vec<_> = answers
        .iter()
        .map(|report| {
            let mut step = report.step("assume_role").clone();
            step["duration_ms"] = Value::Null;
            step["aws"]["request_id"] = Value::Null;
            step["problem"]["evidence"][0]["request_id"] = Value::Null;
            step
        })
        .collect();
    assert_eq!(reported[0], reported[1]);
    assert_eq!(reported[0], reported[2]);
    dialog.refused().await;
}

#[tokio::test]
async fn a_refused_roles_arn_is_not_kept_as_a_storage() {
    let (_, app) = stage().await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let open = trust_policy(&Emulator::vendor().await.account, None);
    applied.trust(&open).await;
    applied.dialog.check().await;
    applied.dialog.refused().await;
    // It is in the open setup only, which forgets it.
    applied
        .dialog
        .patch(json!({"role_arn": null}))
        .await
        .expect(200);
    assert_eq!(applied.dialog.get().await["role_arn"], Value::Null);
    let rows = crate::it::storages::api::rows(&app, "SELECT COUNT(*) FROM storages").await;
    assert_eq!(rows, 0);
    assert!(is_kept(&app, &applied.dialog.external_id));
}

#[tokio::test]
async fn editing_a_storage_to_anothers_role_needs_a_check_that_fails() {
    let (proxy, app) = stage().await;
    let theirs = Scene::on(Emulator).apply(&app).await;
    theirs.dialog.finish().await;
    let own = Scene::on(Emulator).apply(&app).await;
    let storage = own.dialog.finish().await;
    let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
    let admin = &own.dialog.workspace.admin;
    let settings = json!({"role_arn": theirs.role_arn, "bucket": theirs.bucket});
    let changed = app.patch(&path, admin, &settings).await.expect(200);
    // What was proved stays in use.
    assert_eq!(changed["role_arn"], own.role_arn);
    assert_eq!(changed["pending"]["role_arn"], theirs.role_arn);
    proxy.clear();
    let check = format!("{path}/check?pending=true");
    let answer = app.post(&check, admin, &json!({})).await;
    crate::it::support::scene::Report::of(&answer).role_refused();
    assert_eq!(proxy.s3_count(), 0);
    let files = format!("{path}/files");
    app.get(&files, admin).await.expect(200);
    for call in proxy.log() {
        let text = format!("{:?}", call.request);
        assert!(call.operation == "AssumeRole" || !text.contains(&theirs.bucket));
    }
    let storage = app.get(&path, admin).await.expect(200);
    assert_eq!(storage["role_arn"], own.role_arn);
    assert_eq!(storage["pending"]["last_check"]["outcome"], "failed");
}

/// One request of each kind that uses a storage.
async fn uses(app: &TestApp, workspace: &TestWorkspace, storage: &str) -> Vec<(String, Answer)> {
    let path = |below: &str| format!("/v1/storages/{storage}{below}");
    let mut answers = Vec::new();
    for below in [
        "/files",
        "/files?recursive=true",
        "/files/content?key=/a.txt",
        "/files/metadata?key=/a.txt",
        "/files/versions?key=/a.txt",
        "/files/acl?key=/a.txt",
        "/location",
        "/buckets",
    ] {
        let answer = app.get(&path(below), &workspace.admin).await;
        answers.push((below.to_owned(), answer));
    }
    let pair = json!({"from": "/a.txt", "to": "/b.txt"});
    let project = json!({"name": "p", "storage_id": storage, "files": [{"file_key": "/a.txt"}]});
    let import = json!({"name": "p", "storage_id": storage, "folder": "/"});
    for (method, at, body) in [
        (
            Method::POST,
            path("/files/delete"),
            json!({"keys": ["/a.txt"]}),
        ),
        (
            Method::POST,
            path("/files/sign"),
            json!({"key": "/a.txt", "method": "GET"}),
        ),
        (
            Method::POST,
            path("/files/sign"),
            json!({"key": "/a.txt", "method": "PUT"}),
        ),
        (Method::POST, path("/files/copy"), pair.clone()),
        (Method::POST, path("/files/move"), pair),
        (
            Method::POST,
            path("/files/multipart"),
            json!({"key": "/a.txt"}),
        ),
        (
            Method::PUT,
            path("/files/acl?key=/a.txt"),
            json!({"acl": "private"}),
        ),
        (Method::DELETE, path("/files?key=/a.txt"), Value::Null),
        (Method::POST, "/v1/projects".to_owned(), project),
        (Method::POST, "/v1/projects".to_owned(), import),
    ] {
        let answer = app.send(method.clone(), &at, &workspace.admin, &body).await;
        answers.push((format!("{method} {at} {body}"), answer));
    }
    let content = path("/files/content?key=/new.txt");
    let put = app.request(Method::PUT, &content, &workspace.admin);
    answers.push(("PUT".to_owned(), Answer::of(put.body("x")).await));
    answers
}

/// A role that was proved and is loosened later: whatever the cache holds, the storage stops; a restart does
/// not bring the lost proof back; a pass does.
#[tokio::test]
async fn a_role_that_is_loosened_later_stops_its_storage_until_a_check_passes() {
    let proxy = AwsProxy::start().await;
    let vendor = Emulator::vendor().await;
    let folder = tempfile::tempdir().unwrap();
    let start = async || {
        TestApp::spawn_on(&proxy.sdk_config(&vendor.sdk_config), |options| {
            options.data_dir = folder.path().to_str().map(str::to_owned);
            options.allowed_origins = Some(ORIGIN.into());
        })
        .await
    };
    let app = start().await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let (workspace, external_id) = (
        applied.dialog.workspace.clone(),
        applied.dialog.external_id.clone(),
    );
    let id = applied.dialog.finish().await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let Applied {
        customer,
        role,
        trust,
        permissions,
        ..
    } = applied;
    let trusting = async |policy: &Value| customer.put_role(&role, policy, &permissions).await;
    let path = format!("/v1/storages/{id}");
    let files = format!("{path}/files");
    let get = async |app: &TestApp| app.get(&path, &workspace.member).await.expect(200);
    let check = async |app: &TestApp| {
        let check = format!("{path}/check");
        Report::of(&app.post(&check, &workspace.admin, &json!({})).await)
    };
    // The session is warm.
    app.get(&files, &workspace.member).await.expect(200);
    let body = json!({"name": "p", "storage_id": id, "files": [{"file_key": "/a.txt"}]});
    let project = app
        .post("/v1/projects", &workspace.admin, &body)
        .await
        .expect(201);
    let project = format!("/v1/projects/{}", project["id"].as_str().unwrap());
    let sign = async |app: &TestApp| {
        let body = json!({"keys": ["/a.txt"]});
        app.post(&format!("{project}/files/sign"), &workspace.member, &body)
            .await
    };
    let page = async |app: &TestApp| {
        let page = format!("{project}/files?sign=GET");
        app.get(&page, &workspace.member).await
    };
    sign(&app).await.expect(200);
    page(&app).await.expect(200);
    let active = get(&app).await;
    assert_eq!(
        (&active["state"], &active["quarantine"]),
        (&json!("active"), &Value::Null)
    );

    trusting(&trust_policy(&vendor.account, None)).await;
    let found = check(&app)
        .await
        .failed(&["refuses_missing_external_id", "refuses_wrong_external_id"]);
    let stopped = get(&app).await;
    assert_eq!(stopped["state"], "quarantined");
    let quarantine = &stopped["quarantine"];
    assert_eq!(quarantine["since"], found.0["started_at"]);
    assert_eq!(quarantine["check_id"], found.0["id"]);
    assert_eq!(quarantine["code"], "role_accepts_missing_external_id");
    assert_eq!(stopped["health"]["state"], "broken");
    assert_eq!(
        stopped["health"]["code"],
        "role_accepts_missing_external_id"
    );
    let refuses = async |app: &TestApp| {
        proxy.clear();
        for (what, answer) in uses(app, &workspace, &id).await {
            assert_eq!(answer.status, 409, "{what} {answer:?}");
            let problem = answer.problem(409, "storage_quarantined");
            assert_eq!(problem["quarantine"]["check_id"], found.0["id"], "{what}");
        }
        sign(app).await.problem(409, "storage_quarantined");
        page(app).await.problem(409, "storage_quarantined");
        // A scheduled check may ask the role meanwhile.
        assert_eq!(proxy.s3_count(), 0);
    };
    refuses(&app).await;
    // It may be looked at, renamed and checked; a check that fails again changes nothing.
    let renamed = app
        .patch(&path, &workspace.admin, &json!({"display_name": "R"}))
        .await
        .expect(200);
    assert_eq!(
        (&renamed["state"], &renamed["quarantine"]),
        (&json!("quarantined"), quarantine)
    );
    check(&app).await;
    assert_eq!(get(&app).await["quarantine"], *quarantine);
    let list = app.get("/v1/storages", &workspace.member).await.expect(200);
    assert_eq!(list["storages"][0]["state"], "quarantined");
    let page = format!("/settings/storages/{id}");
    for role in ["admin", "member"] {
        let visitor = Visitor::sign_in(&app, &workspace.admin, role).await;
        let shown = visitor.get(&page).await.text;
        assert!(
            shown.contains("This storage has been quarantined since"),
            "{shown}"
        );
        let listed = visitor.get("/settings/storages").await.text;
        assert!(listed.contains("Quarantined"), "{listed}");
    }
    let metrics = app.get("/metrics", "").await.text;
    assert!(
        metrics.contains("sallyport_storage_quarantines_total{change=\"began\"} 1"),
        "{metrics}"
    );
    let audit = app
        .get("/v1/audit-events", &workspace.admin)
        .await
        .expect(200);
    let events = audit["audit_events"].as_array().unwrap();
    let written = events
        .iter()
        .filter(|event| event["action"] == "quarantine_storage");
    let written: Vec<_> = written.collect();
    assert_eq!(written.len(), 1);
    assert_eq!(
        (&written[0]["actor"], &written[0]["target"]),
        (&json!("service"), &json!(id))
    );

    app.stop().await.unwrap();
    let app = start().await;
    refuses(&app).await;
    // A check that proves nothing does not end it.
    let elsewhere = trust_policy("123123123123", Some(&external_id));
    trusting(&elsewhere).await;
    check(&app).await.role_refused();
    assert_eq!(get(&app).await["quarantine"], *quarantine);

    trusting(&trust).await;
    check(&app).await.passed();
    let repaired = get(&app).await;
    assert_eq!(
        (&repaired["state"], &repaired["quarantine"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(repaired["health"]["state"], "healthy");
    app.get(&files, &workspace.member).await.expect(200);
    sign(&app).await.expect(200);
}

/// The operator may choose to be warned only, and to change that without another check.
#[tokio::test]
async fn a_loosened_role_only_warns_where_the_operator_says_so() {
    let vendor = Emulator::vendor().await;
    let folder = tempfile::tempdir().unwrap();
    let start = async |mode: &str| {
        TestApp::spawn_on(&vendor.sdk_config, |options| {
            options.data_dir = folder.path().to_str().map(str::to_owned);
            options.allowed_origins = Some(ORIGIN.into());
            options.quarantine = Some(mode.into());
        })
        .await
    };
    let app = start("warn").await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let workspace = applied.dialog.workspace.clone();
    let storage = applied.dialog.finish().await;
    let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
    let files = format!("{path}/files");
    applied.trust(&trust_policy(&vendor.account, None)).await;
    app.post(&format!("{path}/check"), &workspace.admin, &json!({}))
        .await
        .expect(200);
    let warned = app.get(&path, &workspace.member).await.expect(200);
    assert_eq!(
        (&warned["state"], &warned["quarantine"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(warned["health"]["state"], "broken");
    app.get(&files, &workspace.member).await.expect(200);
    app.stop().await.unwrap();

    let app = start("on").await;
    app.get(&files, &workspace.member)
        .await
        .problem(409, "storage_quarantined");
}

#[tokio::test]
async fn a_roles_path_counts() {
    let (_, app) = stage().await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let name = random_name("role");
    let iam = applied.customer.iam();
    let made = iam
        .create_role()
        .path("/team/x/")
        .role_name(&name)
        .assume_role_policy_document(applied.trust.to_string())
        .send()
        .await
        .unwrap();
    let arn = made.role.unwrap().arn;
    assert!(arn.contains(":role/team/x/"), "{arn}");
    applied
        .customer
        .put_role(&name, &applied.trust, &applied.permissions)
        .await;
    applied
        .dialog
        .patch(json!({"role_arn": arn}))
        .await
        .expect(200);
    let storage = applied.dialog.finish().await;
    assert_eq!(storage["role_arn"], arn.as_str());
}
