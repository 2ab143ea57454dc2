//! Sign-in links: where they lead, whom they are for, and what becomes of a used one.

use crate::it::setups::pages::{Browser, applied, location, shows};
use crate::it::support::app::{Answer, OPERATOR, TestApp, TestWorkspace};
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};

const BACK: &str = "https://app.example.com/settings?tenant=7";
const REFRESH: &str = "https://app.example.com/link";

/// The path of a new link.
async fn link(app: &TestApp, workspace: &TestWorkspace, body: &Value) -> String {
    let path = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
    let made = app.post(&path, OPERATOR, body).await.expect(201);
    let url = url::Url::parse(made["url"].as_str().unwrap()).unwrap();
    url.path().to_owned()
}

/// The errors of a refused link, as fields and codes.
async fn refused(app: &TestApp, workspace: &TestWorkspace, body: &Value) -> Vec<(String, String)> {
    let path = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
    let problem = app.post(&path, OPERATOR, body).await.expect(422);
    let errors = problem["errors"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    errors
        .iter()
        .map(|error| (text(&error["field"]), text(&error["code"])))
        .collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_link_leads_to_a_setup_a_storage_or_its_files() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let opened = app
        .post(
            "/v1/storage-setups",
            &workspace.admin,
            &json!({"bucket": "acme-data"}),
        )
        .await
        .expect(201);
    let setup = opened["id"].as_str().unwrap();
    let cases = [
        (
            json!({"role": "admin", "purpose": "setup", "setup_id": setup}),
            format!("/settings/setups/{setup}"),
        ),
        (
            json!({"role": "admin", "purpose": "storage", "storage_id": "built-in"}),
            "/settings/storages/built-in".to_owned(),
        ),
        (
            json!({"role": "member", "purpose": "files", "storage_id": "built-in"}),
            "/storages/built-in/files".to_owned(),
        ),
    ];
    for (body, to) in cases {
        let path = link(&app, &workspace, &body).await;
        let arrived = Browser::anonymous(&app).get(&path).await;
        assert_eq!(location(&arrived), to, "{body}");
        let page = Browser::signed_in_with(&app, &workspace, body).await;
        assert_eq!(page.get(&to).await.status, 200, "{to}");
    }
    // The bucket that the product entered is in the dialog.
    let body = json!({"role": "admin", "purpose": "setup", "setup_id": setup});
    let admin = Browser::signed_in_with(&app, &workspace, body).await;
    let page = admin
        .get(&format!("/settings/setups/{setup}?step=bucket"))
        .await;
    shows(&page, 200, "value=\"acme-data\"");
}

#[tokio::test]
async fn what_a_link_cannot_be_for_is_named_by_field() {
    let app = TestApp::spawn_on_emulator().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let opened = app
        .post("/v1/storage-setups", &other.admin, &json!({}))
        .await
        .expect(201);
    let setup = opened["id"].as_str().unwrap();
    let cases = [
        (
            json!({"role": "admin", "purpose": "setup"}),
            pairs(&[("setup_id", "missing")]),
        ),
        (
            json!({"role": "admin", "purpose": "settings", "setup_id": setup}),
            pairs(&[("setup_id", "not_for_purpose")]),
        ),
        (
            json!({"role": "admin", "purpose": "files", "setup_id": setup}),
            pairs(&[("setup_id", "not_for_purpose"), ("storage_id", "missing")]),
        ),
        // Another workspace's.
        (
            json!({"role": "admin", "purpose": "setup", "setup_id": setup}),
            pairs(&[("setup_id", "unknown_target")]),
        ),
        (
            json!({"role": "admin", "purpose": "storage",
                "storage_id": "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e"}),
            pairs(&[("storage_id", "unknown_target")]),
        ),
        (
            json!({"role": "member", "purpose": "add_storage"}),
            pairs(&[("purpose", "admin_required")]),
        ),
        (
            json!({"role": "admin", "purpose": "settings", "return_url": "https://evil.example/",
                "refresh_url": "http://app.example.com/"}),
            pairs(&[
                ("return_url", "origin_not_allowed"),
                ("refresh_url", "origin_not_allowed"),
            ]),
        ),
        (
            json!({"role": "admin", "purpose": "settings", "subject": {"id": "a b", "name": ""}}),
            pairs(&[
                ("subject.id", "invalid_subject"),
                ("subject.name", "invalid_name"),
            ]),
        ),
    ];
    for (body, errors) in cases {
        assert_eq!(refused(&app, &workspace, &body).await, errors, "{body}");
    }
}

#[tokio::test]
async fn a_used_link_goes_on_in_its_own_session_and_elsewhere_leads_to_another_one() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let body = json!({
        "role": "admin", "purpose": "add_storage", "return_url": BACK, "refresh_url": REFRESH,
        "subject": {"id": "user-7", "name": "Ada"},
    });
    let path = link(&app, &workspace, &body).await;
    let mut own = Browser::anonymous(&app);
    // What looks ahead does not use it up.
    let ahead = own.look_ahead(&path).await;
    assert_eq!(ahead.status, 204);
    let first = own.get(&path).await;
    let setup = location(&first).split('?').next().unwrap().to_owned();
    assert!(setup.starts_with("/settings/setups/set_"), "{setup}");
    own.keep_cookie(&first);

    // A second click leads to the same setup, and makes neither a session nor a setup.
    let second = own.get(&path).await;
    assert_eq!(second.status, 303);
    assert_eq!(location(&second), setup);
    assert!(!second.headers.contains_key(SET_COOKIE));
    let sessions = app.get("/v1/sessions", &workspace.admin).await.expect(200);
    let sessions = sessions["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(
        sessions[0]["subject"],
        json!({"id": "user-7", "name": "Ada"})
    );

    // Another browser is sent for a link of its own.
    let stranger = Browser::anonymous(&app).get(&path).await;
    shows(&stranger, 401, REFRESH);
    assert!(!stranger.headers.contains_key(SET_COOKIE));
    // Once the session has ended, so is its own.
    let id = sessions[0]["id"].as_str().unwrap();
    app.delete(&format!("/v1/sessions/{id}"), &workspace.admin)
        .await
        .expect(204);
    shows(&own.get(&path).await, 401, REFRESH);

    // Without a way to another link, back to the product.
    let body = json!({"role": "admin", "purpose": "settings", "return_url": BACK});
    let path = link(&app, &workspace, &body).await;
    assert_eq!(Browser::anonymous(&app).get(&path).await.status, 303);
    shows(&Browser::anonymous(&app).get(&path).await, 401, BACK);
}

#[tokio::test]
async fn a_session_that_has_ended_leads_to_another_link() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.session_idle = Some("1s".into());
    })
    .await;
    let workspace = app.workspace().await;
    let link = |way_back: serde_json::Value| {
        let mut link = json!({"role": "admin", "purpose": "settings"});
        link.as_object_mut()
            .unwrap()
            .extend(way_back.as_object().unwrap().clone());
        link
    };
    let both = link(json!({"return_url": BACK, "refresh_url": REFRESH}));
    let both = Browser::signed_in_with(&app, &workspace, both).await;
    let back = Browser::signed_in_with(&app, &workspace, link(json!({"return_url": BACK}))).await;
    let none = Browser::signed_in_with(&app, &workspace, link(json!({}))).await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    // Every time, and not only the first.
    for _ in 0..2 {
        let page = both.get("/settings/storages").await;
        shows(&page, 401, "Please sign in again");
        shows(&page, 401, &format!("href=\"{REFRESH}\""));
        shows(
            &back.get("/settings/storages").await,
            401,
            &format!("href=\"{BACK}\""),
        );
        let page = none.get("/settings/storages").await;
        shows(&page, 401, "Please sign in again");
        assert!(!page.text.contains("app.example.com"), "{}", page.text);
    }
    // The start page says nothing of a session.
    shows(&both.get("/").await, 200, "Connect your own");
}

#[tokio::test]
async fn a_page_in_a_frame_has_no_navigation_and_speaks_to_the_product_alone() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let link = json!({
        "role": "admin", "purpose": "add_storage", "return_url": BACK, "embed": true,
    });
    let admin = Browser::signed_in_with(&app, &workspace, link).await;
    let setup = admin.open_setup().await;
    let page = admin.get(&setup).await;
    shows(&page, 200, "data-origin=\"https://app.example.com\"");
    assert!(!page.text.contains("Sign out") && !page.text.contains("aria-label=\"Main\""));
    // The frame would show the product inside itself.
    let closed = admin.post(&format!("{setup}/close"), &[]).await;
    assert_eq!(location(&closed), setup);
    let id = setup.rsplit('/').next().unwrap();
    let end = admin.get(&setup).await;
    shows(&end, 200, "data-status=\"closed\"");
    shows(&end, 200, &format!("data-setup=\"{id}\""));
    shows(&end, 200, "target=\"_top\"");

    // With navigation for everybody else.
    let link = json!({"role": "admin", "purpose": "settings", "return_url": BACK});
    let admin = Browser::signed_in_with(&app, &workspace, link).await;
    let page = admin.get("/settings/storages").await;
    shows(&page, 200, "Sign out");
    assert!(!page.text.contains("data-origin"), "{}", page.text);
}

#[tokio::test]
async fn a_link_is_named_by_its_id_in_the_audit_log_and_by_its_session() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let body = json!({"role": "admin", "purpose": "projects"});
    let of_operator = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
    let mut made = Vec::new();
    for (path, token, action) in [
        (
            "/v1/sign-in-links",
            workspace.admin.as_str(),
            "create_sign_in_link",
        ),
        (
            of_operator.as_str(),
            OPERATOR,
            "create_workspace_sign_in_link",
        ),
    ] {
        let link = app.post(path, token, &body).await.expect(201);
        let log = format!("/v1/audit-events?action={action}");
        let log = app.get(&log, &workspace.admin).await.expect(200);
        assert_eq!(log["audit_events"][0]["target"], link["id"], "{log}");
        made.push(link);
    }
    // A repetition by its key is about the same link.
    let again = async || {
        let request = app
            .request(reqwest::Method::POST, "/v1/sign-in-links", &workspace.admin)
            .header("idempotency-key", "the-link")
            .header("content-type", "application/json");
        Answer::of(request.body(body.to_string())).await.expect(201)
    };
    assert_eq!(again().await["id"], again().await["id"]);
    let log = app.get(
        "/v1/audit-events?action=create_sign_in_link",
        &workspace.admin,
    );
    let log = log.await.expect(200);
    let events = log["audit_events"].as_array().unwrap();
    assert!(events.len() > 1, "{log}");
    for event in events {
        let target = event["target"].as_str().unwrap();
        assert!(target.starts_with("sil_"), "{event}");
    }
    for (number, link) in made.iter().enumerate() {
        let url = url::Url::parse(link["url"].as_str().unwrap()).unwrap();
        let arrived = Browser::anonymous(&app).get(url.path()).await;
        assert_eq!(arrived.status, 303);
        let sessions = app.get("/v1/sessions", &workspace.admin).await.expect(200);
        assert_eq!(sessions["sessions"][number]["link_id"], link["id"]);
    }
}

#[tokio::test]
async fn the_end_of_the_dialog_leads_back_to_the_product() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let link = json!({
        "role": "admin", "purpose": "add_storage", "return_url": "https://app.example.com/back?tenant=7",
    });
    let admin = Browser::signed_in_with(&app, &workspace, link).await;
    let (setup, _customer, _bucket) = applied(&admin, "read").await;
    admin.post(&format!("{setup}/check"), &[]).await;
    let added = admin.post(&format!("{setup}/complete"), &[]).await;
    let id = setup.rsplit('/').next().unwrap();
    let kept = app
        .get(&format!("/v1/storage-setups/{id}"), &workspace.admin)
        .await
        .expect(200);
    let storage = kept["storage_id"].as_str().unwrap();
    let back = format!(
        "https://app.example.com/back?tenant=7&status=completed&setup_id={id}&storage_id={storage}"
    );
    assert_eq!(location(&added), back);
    // Whoever opens the setup once more finds the same way.
    let page = admin.get(&setup).await;
    shows(&page, 200, &back.replace('&', "&#38;"));
    let log = app.get("/v1/audit-events", &workspace.admin).await;
    let log = log.expect(200);
    let entries = log["audit_events"].as_array().unwrap();
    let done: Vec<_> = entries
        .iter()
        .filter(|entry| entry["action"] == "complete_storage_setup")
        .collect();
    assert_eq!(done.len(), 1, "{log}");
    assert_eq!(done[0]["target"], storage, "{log}");

    let setup = admin.open_setup().await;
    let id = setup.rsplit('/').next().unwrap();
    let asked = admin.get(&format!("{setup}/close")).await;
    let policy = asked.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("form-action 'self' https://app.example.com;"),
        "{policy}"
    );
    let closed = admin.post(&format!("{setup}/close"), &[]).await;
    let back = format!("https://app.example.com/back?tenant=7&status=closed&setup_id={id}");
    assert_eq!(location(&closed), back);
}

#[tokio::test]
async fn a_workspace_makes_so_many_links_a_minute_and_no_other_feels_it() {
    let app = TestApp::spawn_with(|options| {
        options.sign_in_links_per_minute = Some("2".into());
    })
    .await;
    let (busy, other) = (app.workspace().await, app.workspace().await);
    let body = json!({"role": "member", "purpose": "projects"});
    let make = async |workspace: &TestWorkspace| {
        let path = "/v1/sign-in-links";
        app.post(path, &workspace.admin, &body).await
    };
    make(&busy).await.expect(201);
    make(&busy).await.expect(201);
    let refused = make(&busy).await;
    refused.problem(429, "too_many_links");
    assert!(refused.header("retry-after").is_some());
    make(&other).await.expect(201);
}
