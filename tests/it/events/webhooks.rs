//! `/v1/webhooks`: who may make, see and change them.

use crate::it::events::receiver::{
    app, body, closed_setup, is_signed, received, receiver, webhook,
};
use crate::it::support::app::{OPERATOR, TestApp};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_workspace_s_webhook_gets_no_events_of_another() {
    let app = app().await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    let (own, theirs) = (receiver(|_| 200).await, receiver(|_| 200).await);
    let (id, _) = webhook(&app, &mine.admin, &json!({"url": own.url})).await;
    let (_, secret) = webhook(&app, &other.admin, &json!({"url": theirs.url})).await;
    let setup = closed_setup(&app, &other).await;
    let requests = received(&theirs, 1).await;
    is_signed(&secret, &requests[0]);
    assert_eq!(body(&requests[0])["data"]["setup_id"], setup);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(own.log().is_empty());

    // Nobody else finds it, the operator included, whose webhooks are those for all workspaces.
    let path = format!("/v1/webhooks/{id}");
    let delivery = format!("{path}/deliveries/dlv_00000000000000000000000000000000/redeliver");
    for token in [other.admin.as_str(), OPERATOR] {
        for (method, path) in [
            (Method::GET, path.clone()),
            (Method::PATCH, path.clone()),
            (Method::DELETE, path.clone()),
            (Method::POST, format!("{path}/rotate-secret")),
            (Method::POST, format!("{path}/test")),
            (Method::GET, format!("{path}/deliveries")),
            (Method::POST, delivery.clone()),
        ] {
            let answer = app.send(method, &path, token, &json!({})).await;
            answer.problem(404, "not_found");
        }
        let listed = app.get("/v1/webhooks", token).await.expect(200);
        assert!(!listed.to_string().contains(&id));
    }
    app.post("/v1/webhooks", &mine.member, &json!({"url": own.url}))
        .await
        .problem(403, "admin_required");
    app.delete(&path, &mine.admin).await.expect(204);
    app.get(&path, &mine.admin).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_webhook_is_made_changed_and_tried() {
    let app = app().await;
    let receiver = receiver(|at| if at == 0 { 204 } else { 404 }).await;
    let hook = json!({
        "url": receiver.url, "types": ["storage.created", "storage.created"], "description": "All",
    });
    let made = app.post("/v1/webhooks", OPERATOR, &hook).await;
    let created = made.expect(201);
    let path = format!("/v1/webhooks/{}", created["id"].as_str().unwrap());
    assert_eq!(made.header("location"), Some(path.as_str()));
    let secret = created["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(created["types"], json!(["storage.created"]));
    assert!(created["workspace_id"].is_null());

    let test = format!("{path}/test");
    let tried = app.post(&test, OPERATOR, &json!({})).await.expect(200);
    assert_eq!(
        (
            &tried["succeeded"],
            &tried["response_status"],
            &tried["error"]
        ),
        (&json!(true), &json!(204), &json!(null))
    );
    let requests = received(&receiver, 1).await;
    is_signed(secret, &requests[0]);
    let event = body(&requests[0]);
    assert_eq!(event["type"], "webhook.test");
    // It is about no workspace, and says so.
    let data = json!({"workspace_id": null, "webhook_id": created["id"]});
    assert_eq!(event["data"], data);
    let tried = app.post(&test, OPERATOR, &json!({})).await.expect(200);
    assert_eq!(
        (&tried["succeeded"], &tried["response_status"]),
        (&json!(false), &json!(404))
    );

    let change = json!({"types": [], "description": null, "is_enabled": false});
    let changed = app.patch(&path, OPERATOR, &change).await.expect(200);
    assert_eq!(changed["types"], json!([]));
    assert!(changed["description"].is_null() && changed.get("secret").is_none());
    assert_eq!(app.get(&path, OPERATOR).await.expect(200), changed);
}

#[tokio::test]
async fn a_workspace_s_webhook_is_tried_with_its_ids() {
    let app = app().await;
    let workspace = app.workspace().await;
    let receiver = receiver(|_| 204).await;
    let hook = json!({"url": receiver.url});
    let (id, _) = webhook(&app, &workspace.admin, &hook).await;
    let test = format!("/v1/webhooks/{id}/test");
    app.post(&test, &workspace.admin, &json!({}))
        .await
        .expect(200);
    let path = format!("/v1/workspaces/{}", workspace.id);
    let named = json!({"external_id": "tenant-1"});
    app.patch(&path, OPERATOR, &named).await.expect(200);
    app.post(&test, &workspace.admin, &json!({}))
        .await
        .expect(200);
    let requests = received(&receiver, 2).await;
    let data = json!({"workspace_id": workspace.id, "webhook_id": id});
    assert_eq!(body(&requests[0])["data"], data);
    let data = json!({
        "workspace_id": workspace.id, "workspace_external_id": "tenant-1", "webhook_id": id,
    });
    assert_eq!(body(&requests[1])["data"], data);
}

#[tokio::test]
async fn a_url_that_leads_inside_is_refused() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    for url in [
        "https://10.0.0.1/hooks",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://localhost/",
        "http://127.0.0.1:9/",
    ] {
        let hook = json!({"url": url});
        let refused = app.post("/v1/webhooks", &workspace.admin, &hook).await;
        let refused = refused.refused_field("url");
        assert_eq!(refused["errors"][0]["code"], "internal_address", "{url}");
    }
    for url in [
        "http://app.example.com/",
        "app.example.com",
        "https://u:p@a.example/",
    ] {
        let hook = json!({"url": url});
        let refused = app.post("/v1/webhooks", &workspace.admin, &hook).await;
        let refused = refused.refused_field("url");
        assert_eq!(refused["errors"][0]["code"], "invalid_url", "{url}");
    }
    // It is looked at in a change, too. A public address need not answer now.
    let public = json!({"url": "https://203.0.114.1/hooks"});
    let (id, _) = webhook(&app, &workspace.admin, &public).await;
    let path = format!("/v1/webhooks/{id}");
    let change = json!({"url": "https://10.0.0.1/"});
    let refused = app.patch(&path, &workspace.admin, &change).await;
    refused.refused_field("url");
}

#[tokio::test]
async fn webhooks_are_bounded() {
    let app = TestApp::spawn_with(|options| {
        options.webhooks_per_hour = Some("11".into());
    })
    .await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    let hook = json!({"url": "https://203.0.114.1/hooks"});
    for _ in 0..10 {
        webhook(&app, &mine.admin, &hook).await;
    }
    let more = app.post("/v1/webhooks", &mine.admin, &hook).await;
    more.problem(409, "webhook_limit_reached");
    let too_many = app.post("/v1/webhooks", &mine.admin, &hook).await;
    too_many.problem(429, "too_many_webhooks");
    assert!(too_many.header("retry-after").is_some());
    webhook(&app, &other.admin, &hook).await;
}

#[tokio::test]
async fn a_repeated_request_makes_one_webhook() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let send = async |path: &str, body: &str| {
        let request = app
            .request(Method::POST, path, &workspace.admin)
            .header("Idempotency-Key", "once")
            .header("Content-Type", "application/json")
            .body(body.to_owned());
        crate::it::support::app::Answer::of(request).await
    };
    let hook = r#"{"url": "https://203.0.114.1/hooks"}"#;
    let first = send("/v1/webhooks", hook).await.expect(201);
    assert_eq!(send("/v1/webhooks", hook).await.expect(201), first);
    let path = format!(
        "/v1/webhooks/{}/rotate-secret",
        first["id"].as_str().unwrap()
    );
    let rotated = send(&path, "").await.expect(200);
    assert_ne!(rotated["secret"], first["secret"]);
    assert_eq!(send(&path, "").await.expect(200), rotated);
}
