//! What people do on the pages is in the audit log with their workspace, so that its admins see it.

use crate::it::support::app::{Answer, TestApp};
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::Visitor;
use crate::it::support::scene::Scene;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// The workspace's entries as its admin sees them, the newest first.
async fn seen(app: &TestApp, admin: &str) -> Vec<Value> {
    let log = app.get("/v1/audit-events", admin).await.expect(200);
    log["audit_events"].as_array().unwrap().clone()
}

fn summary(event: &Value) -> (&str, &str, Option<&str>, &str) {
    let actor = event["actor"].as_str().unwrap();
    (
        event["action"].as_str().unwrap(),
        event["result"].as_str().unwrap(),
        event["code"].as_str(),
        actor.split('_').next().unwrap(),
    )
}

#[tokio::test]
async fn coming_and_going_is_seen_by_the_workspace_s_admins() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "member").await;
    assert_eq!(visitor.post("/sign-out", &[]).await.status, 303);
    let events = seen(&app, &workspace.admin).await;
    assert_eq!(summary(&events[0]), ("sign_out", "done", None, "ses"));
    assert_eq!(summary(&events[1]), ("sign_in", "done", None, "ses"));
    assert_eq!(events[0]["actor"], events[1]["actor"]);
    assert_eq!(events[1]["workspace_id"], workspace.id);
    for secret in ["spt_", "sl_", "ss_"] {
        assert!(!events[1].to_string().contains(secret), "{}", events[1]);
    }
}

/// Each form of the pages that changes something, sent from elsewhere.
#[tokio::test]
async fn a_refused_form_is_seen_by_the_workspace_s_admins() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let absent = "00000000000000000000000000000000";
    let forms = [
        "/sign-out".to_owned(),
        "/settings/storages/add".to_owned(),
        format!("/settings/setups/set_{absent}"),
        format!("/settings/setups/set_{absent}/close"),
        format!("/settings/setups/set_{absent}/link"),
        format!("/storages/sto_{absent}/files/delete"),
        format!("/storages/sto_{absent}/files/multipart"),
        format!("/storages/sto_{absent}/files/multipart/complete"),
        format!("/storages/sto_{absent}/files/multipart/abort"),
        "/projects".to_owned(),
        format!("/projects/prj_{absent}/delete"),
        "/settings/tokens".to_owned(),
        format!("/settings/tokens/tok_{absent}/revoke"),
        format!("/settings/sessions/ses_{absent}/end"),
        "/settings/webhooks".to_owned(),
        format!("/settings/webhooks/whk_{absent}/test"),
        format!("/settings/webhooks/whk_{absent}/rotate-secret"),
        format!("/settings/webhooks/whk_{absent}/switch"),
        format!("/settings/webhooks/whk_{absent}/delete"),
        format!("/settings/webhooks/whk_{absent}/deliveries/dlv_{absent}/redeliver"),
    ];
    for path in forms {
        for origin in [None, Some("https://evil.example.com")] {
            let mut request = visitor
                .request(Method::POST, &path)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body("csrf=made-up");
            if let Some(origin) = origin {
                request = request.header("Origin", origin);
            }
            let refused = Answer::of(request).await;
            assert_eq!(refused.status, 403, "{path}: {refused:?}");
            let events = seen(&app, &workspace.admin).await;
            let event = &events[0];
            assert_eq!(
                event["request_id"].as_str(),
                refused.header("x-request-id"),
                "{path}"
            );
            let code = if origin.is_some() {
                "cross_site"
            } else {
                "csrf"
            };
            let (_, result, found, actor) = summary(event);
            assert_eq!(
                (result, found, actor),
                ("refused", Some(code), "ses"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_refused_form_of_an_administrator_s_link_is_seen_too() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let made = app
        .post(
            "/v1/storage-setups",
            &workspace.admin,
            &json!({"bucket": "acme-data"}),
        )
        .await
        .expect(201);
    let visitor = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let setup = format!("/settings/setups/{}", made["id"].as_str().unwrap());
    let page = visitor
        .post(&format!("{setup}/link"), &[("step", "role")])
        .await;
    let (_, rest) = page.text.split_once("/instructions/").unwrap();
    let secret: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .collect();
    let form = app
        .request(Method::POST, &format!("/instructions/{secret}"), "")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body("csrf=made-up&role_arn=x");
    assert_eq!(Answer::of(form).await.status, 403);
    let events = seen(&app, &workspace.admin).await;
    let (action, result, code, actor) = summary(&events[0]);
    assert_eq!(
        (action, result, code),
        ("set_role_arn_by_link", "refused", Some("csrf"))
    );
    assert_eq!(actor, "inl", "{}", events[0]);
    assert!(!events[0].to_string().contains(&secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_changed_on_the_pages_are_named() {
    let place = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = place.parts();
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let csrf = admin.csrf().await;
    let upload = format!("/storages/{}/files/upload", storage.id);
    let fields = [("csrf", csrf.as_str()), ("folder", "/new/")];
    let files: [(&str, &[u8]); 2] = [("a.txt", b"a"), ("b.txt", b"b")];
    assert_eq!(admin.upload(&upload, &fields, &files).await.status, 303);
    // The second is there already: the first is stored, and stays named as such.
    let again: [(&str, &[u8]); 2] = [("c.txt", b"c"), ("b.txt", b"b")];
    assert_eq!(admin.upload(&upload, &fields, &again).await.status, 412);
    let delete = format!("/storages/{}/files/delete", storage.id);
    let keys = [("key", "/new/a.txt"), ("key", "/new/c.txt")];
    assert_eq!(admin.post(&delete, &keys).await.status, 303);
    let events = seen(&app, &workspace.admin).await;
    let named: Vec<_> = events[..3]
        .iter()
        .map(|event| {
            let files = event["files"].as_array().unwrap().iter();
            let files: Vec<_> = files
                .map(|f| (f["key"].as_str().unwrap(), f["result"].as_str().unwrap()))
                .collect();
            (event["action"].as_str().unwrap(), files)
        })
        .collect();
    assert_eq!(
        named,
        [
            (
                "delete_files",
                vec![("/new/a.txt", "done"), ("/new/c.txt", "done")]
            ),
            (
                "upload_file",
                vec![("/new/c.txt", "done"), ("/new/b.txt", "refused")]
            ),
            (
                "upload_file",
                vec![("/new/a.txt", "done"), ("/new/b.txt", "done")]
            ),
        ]
    );
    assert!(
        events[..3]
            .iter()
            .all(|event| event["actor"].as_str().unwrap().starts_with("ses_"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_an_upload_in_parts_names_the_file() {
    let place = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = place.parts();
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let path = format!("/storages/{}/files/multipart", storage.id);
    let begin = async |name: &str| {
        let fields = [("folder", "/new/"), ("name", name), ("size", "3")];
        let begun = admin.post(&path, &fields).await.expect(200);
        begun["upload_id"].as_str().unwrap().to_owned()
    };
    let id = begin("a.bin").await;
    let csrf = admin.csrf().await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("upload_id", id.as_str()),
        ("number", "1"),
    ];
    let files = [("blob", b"abc".as_slice())];
    let sent = admin.upload(&format!("{path}/part"), &fields, &files).await;
    let parts = json!([sent.expect(200)]).to_string();
    let fields = [("upload_id", id.as_str()), ("parts", parts.as_str())];
    let complete = format!("{path}/complete");
    admin.post(&complete, &fields).await.expect(204);
    let id = begin("b.bin").await;
    let abort = format!("{path}/abort");
    admin.post(&abort, &[("upload_id", &id)]).await.expect(204);

    let events = seen(&app, &workspace.admin).await;
    let named: Vec<_> = events[..5]
        .iter()
        .map(|event| {
            assert_eq!(event["target"], storage.id, "{event}");
            assert!(!event.to_string().contains(&id), "{event}");
            let file = &event["files"][0];
            (
                event["action"].as_str().unwrap(),
                event["result"].as_str().unwrap(),
                file["key"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        named,
        [
            ("abort_upload", "done", "/new/b.bin"),
            ("begin_upload", "done", "/new/b.bin"),
            ("complete_upload", "done", "/new/a.bin"),
            ("upload_part", "done", "/new/a.bin"),
            ("begin_upload", "done", "/new/a.bin"),
        ]
    );
}
