//! Setups over the API: from an external ID to a storage.

use crate::it::support::app::{OPERATOR, TestApp, app_on, logs};
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::emulator::{Emulator, VENDOR_ACCOUNT};
use crate::it::support::scene::{Dialog, Scene};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/acme";

pub(super) async fn emulated() -> (AwsProxy, TestApp) {
    let proxy = AwsProxy::start().await;
    let app = app_on(&proxy.sdk_config(&Emulator::vendor().await.sdk_config)).await;
    (proxy, app)
}

#[tokio::test]
async fn every_setup_has_an_external_id_of_its_own() {
    let (_, app) = emulated().await;
    let workspace = app.workspace().await;
    let made = join_all((0..30).map(async |_| {
        app.post("/v1/storage-setups", &workspace.admin, &json!({}))
            .await
    }))
    .await;
    let mut ids = HashSet::new();
    for answer in &made {
        let setup = answer.expect(201);
        let id = uuid::Uuid::parse_str(setup["external_id"].as_str().unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 4);
        assert!(ids.insert(id));
        assert_eq!(setup["status"], "open");
        assert_eq!(setup["account_id"], VENDOR_ACCOUNT);
        let principal = format!("arn:aws:iam::{VENDOR_ACCOUNT}:root");
        assert_eq!(setup["service_principal"], principal.as_str());
        let path = format!("/v1/storage-setups/{}", setup["id"].as_str().unwrap());
        assert_eq!(answer.header("location"), Some(path.as_str()));
        assert_eq!(app.get(&path, &workspace.admin).await.expect(200), setup);
    }
    // Not even a closed one's comes back.
    let closed = made[0].expect(201);
    let path = format!("/v1/storage-setups/{}", closed["id"].as_str().unwrap());
    assert_eq!(app.delete(&path, &workspace.admin).await.status, 204);
    assert_eq!(app.delete(&path, &workspace.admin).await.status, 204);
    let next = app
        .post("/v1/storage-setups", &workspace.admin, &json!({}))
        .await
        .expect(201);
    let id = uuid::Uuid::parse_str(next["external_id"].as_str().unwrap()).unwrap();
    assert!(ids.insert(id));
}

#[tokio::test]
async fn a_secret_is_sealed_and_never_told() {
    let (_, app) = emulated().await;
    let secret = format!("secret-{}", uuid::Uuid::new_v4().simple());
    let dialog = Dialog::open(&app, json!({"auth": "access_key"})).await;
    let answer = dialog.patch(json!({"secret_access_key": secret})).await;
    assert!(!answer.text.contains(&secret));
    let bad = format!("{secret} with spaces");
    let refused = dialog.patch(json!({"secret_access_key": bad})).await;
    refused.refused_field("secret_access_key");
    assert!(!refused.text.contains(&secret));
    assert!(!dialog.get().await.to_string().contains(&secret));
    assert!(!logs().contains(&secret));
    let found = |needle: &str| {
        let files = std::fs::read_dir(app.folder.path()).unwrap().flatten();
        files
            .map(|file| std::fs::read(file.path()).unwrap())
            .any(|bytes| {
                bytes
                    .windows(needle.len())
                    .any(|part| part == needle.as_bytes())
            })
    };
    // The search does find what is there in clear.
    assert!(found(&dialog.external_id));
    assert!(!found(&secret));
}

#[tokio::test]
async fn a_setup_ends_and_says_how() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let change = async |dialog: &Dialog<'_>, code: &str| {
        dialog
            .patch(json!({"prefix": "x"}))
            .await
            .problem(409, code);
        let (admin, body) = (&dialog.workspace.admin, json!({}));
        app.post(&dialog.path("/check"), admin, &body)
            .await
            .problem(409, code);
        dialog.complete().await.problem(409, code);
    };
    let closed = Dialog::open(&app, json!({})).await;
    assert_eq!(
        app.delete(&closed.path(""), &closed.workspace.admin)
            .await
            .status,
        204
    );
    assert_eq!(closed.get().await["status"], "closed");
    change(&closed, "setup_closed").await;

    let completed = Scene::on(&stub).access("read").open(&app).await;
    completed.finish().await;
    assert_eq!(completed.get().await["status"], "completed");
    change(&completed, "setup_completed").await;
    let answer = app
        .delete(&completed.path(""), &completed.workspace.admin)
        .await;
    answer.problem(409, "setup_completed");

    let hasty = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.setup_ttl = Some("1s".into());
    })
    .await;
    let expiring = Dialog::open(&hasty, json!({"bucket": "acme-data"})).await;
    assert_eq!(expiring.get().await["status"], "open");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let read = expiring.get().await;
    assert_eq!(
        (&read["status"], &read["bucket"]),
        (&json!("expired"), &json!("acme-data"))
    );
    expiring
        .patch(json!({"prefix": "x"}))
        .await
        .problem(409, "setup_expired");
    expiring.complete().await.problem(409, "setup_expired");
}

#[tokio::test]
async fn another_workspaces_setup_is_as_if_absent() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let theirs = Scene::on(&stub).access("read").open(&app).await;
    theirs.check().await.works();
    stub.clear();
    let own = app.workspace().await;
    let absent = format!("set_{}", uuid::Uuid::now_v7().simple());
    for (method, rest) in [
        (Method::GET, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::GET, "/documents"),
        (Method::POST, "/doctor"),
        (Method::GET, "/documents/cors"),
        (Method::POST, "/check"),
        (Method::POST, "/complete"),
    ] {
        let ask = async |id: &str, token: &str| {
            let path = format!("/v1/storage-setups/{id}{rest}");
            app.send(method.clone(), &path, token, &json!({})).await
        };
        let mut bodies = Vec::new();
        for id in [theirs.id.as_str(), absent.as_str()] {
            let mut problem = ask(id, &own.admin).await.problem(404, "not_found");
            problem.as_object_mut().unwrap().remove("request_id");
            bodies.push(problem);
        }
        assert_eq!(bodies[0], bodies[1], "{method} {rest}");
        assert_eq!(
            ask(&theirs.id, &theirs.workspace.member).await.status,
            403,
            "{method} {rest}"
        );
        assert_eq!(ask(&theirs.id, "").await.status, 401);
        assert!(matches!(
            ask(&theirs.id, OPERATOR).await.status.as_u16(),
            403
        ));
    }
    assert_eq!(stub.count("AssumeRole"), 0);
    assert_eq!(theirs.get().await["status"], "open");
    theirs.complete().await.expect(201);
}

#[tokio::test]
async fn documents_come_with_their_types_and_names() {
    let (_, app) = emulated().await;
    let dialog = Dialog::open(&app, json!({})).await;
    let admin = dialog.workspace.admin.clone();
    let get = async |rest: &str| app.get(&dialog.path(rest), &admin).await;
    get("/documents").await.problem(409, "setup_incomplete");
    get("/documents/cli").await.problem(409, "setup_incomplete");
    // One that does not apply yet says what it needs.
    dialog
        .patch(json!({"bucket": "acme-data"}))
        .await
        .expect(200);
    for (name, needed) in [
        ("bucket_policy", "`role_arn`"),
        ("key_policy", "`kms_key_arn`"),
    ] {
        let absent = get(&format!("/documents/{name}")).await;
        let problem = absent.problem(404, "not_found");
        assert!(
            problem["detail"].as_str().unwrap().contains(name),
            "{problem}"
        );
        assert!(
            problem["remedy"].as_str().unwrap().contains(needed),
            "{problem}"
        );
    }
    dialog
        .patch(json!({"bucket": "acme-data", "prefix": "team", "role_arn": ROLE}))
        .await
        .expect(200);
    let all = dialog.documents().await;
    for (name, kind) in [
        ("permission_policy", "application/json"),
        ("trust_policy", "application/json"),
        ("cors", "application/json"),
        ("lifecycle", "application/json"),
        ("bucket_policy", "application/json"),
        ("cli", "text/x-shellscript; charset=utf-8"),
        ("cloudformation", "application/yaml"),
        ("terraform", "text/plain; charset=utf-8"),
    ] {
        let answer = get(&format!("/documents/{name}")).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.header("content-type"), Some(kind));
        let disposition = answer.header("content-disposition").unwrap();
        assert!(
            disposition.starts_with("attachment; filename=\"") && disposition.contains("acme-data"),
            "{disposition}"
        );
        match &all[name] {
            Value::String(text) => assert_eq!(answer.text, *text),
            value => assert_eq!(answer.json(), *value),
        }
    }
    get("/documents/session_policy")
        .await
        .problem(404, "not_found");
    get("/documents/..%2f..%2fetc")
        .await
        .problem(404, "not_found");
    let trust = &all["trust_policy"]["Statement"][0];
    assert_eq!(
        trust["Condition"],
        json!({"StringEquals": {"sts:ExternalId": dialog.external_id}})
    );
}
