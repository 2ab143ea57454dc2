//! Settings > Webhooks, as an admin without JavaScript uses it.

use crate::it::events::receiver::{app, closed_setup, received, receiver, webhook};
use crate::it::support::pages::{Visitor, hidden};
use reqwest::header::LOCATION;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_admin_adds_tries_and_deletes_a_webhook() {
    let app = app().await;
    let workspace = app.workspace().await;
    let receiver = receiver(|_| 200).await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let empty = visitor.get("/settings/webhooks").await;
    assert!(empty.text.contains("No webhooks"), "{}", empty.text);
    let refused = [("url", "http://app.example.com/"), ("once", "form-1")];
    let refused = visitor.post("/settings/webhooks", &refused).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("url-error"), "{}", refused.text);
    let form = [
        ("url", receiver.url.as_str()),
        ("description", "Product"),
        ("types", "setup.closed"),
        ("once", "form-2"),
    ];
    let made = visitor.post("/settings/webhooks", &form).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.text.contains("whsec_"));
    let path = made.headers[LOCATION].to_str().unwrap().to_owned();
    // The same form again makes nothing and shows no secret.
    let again = visitor.post("/settings/webhooks", &form).await;
    assert_eq!(again.status, 303);
    let list = visitor.get("/settings/webhooks").await;
    assert_eq!(list.text.matches(&path).count(), 1);
    assert!(!list.text.contains("whsec_"));

    let tried = visitor.post(&format!("{path}/test"), &[]).await;
    assert_eq!(tried.status, 200);
    assert!(
        tried.text.contains("took the test event: HTTP 200"),
        "{}",
        tried.text
    );
    closed_setup(&app, &workspace).await;
    received(&receiver, 2).await;
    let mut page = visitor.get(&path).await;
    for _ in 0..100 {
        if page.text.contains("Delivered") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        page = visitor.get(&path).await;
    }
    assert!(page.text.contains("Delivered") && page.text.contains("setup.closed"));
    let (_, rest) = page.text.split_once("/deliveries/").unwrap();
    let delivery = &rest[..rest.find('/').unwrap()];
    let again = format!("{path}/deliveries/{delivery}/redeliver");
    assert_eq!(visitor.post(&again, &[]).await.status, 303);
    received(&receiver, 3).await;

    let once = hidden(&visitor.get(&path).await.text, "once");
    let rotate = format!("{path}/rotate-secret");
    let rotated = visitor.post(&rotate, &[("once", once.as_str())]).await;
    assert!(rotated.text.contains("whsec_"), "{rotated:?}");
    let again = visitor.post(&rotate, &[("once", once.as_str())]).await;
    assert_eq!(again.status, 303);
    let switch = format!("{path}/switch");
    let off = visitor.post(&switch, &[("is_enabled", "false")]).await;
    assert_eq!(off.status, 303);
    assert!(visitor.get(&path).await.text.contains("Disabled"));
    assert_eq!(
        visitor.post(&format!("{path}/delete"), &[]).await.status,
        303
    );
    assert_eq!(visitor.get(&path).await.status, 404);
}

#[tokio::test]
async fn members_and_other_workspaces_see_no_webhook() {
    let app = app().await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    let (id, _) = webhook(&app, &mine.admin, &json!({"url": "http://127.0.0.1:9/"})).await;
    let path = format!("/settings/webhooks/{id}");
    let member = Visitor::sign_in(&app, &mine.admin, "member").await;
    assert_eq!(member.get("/settings/webhooks").await.status, 403);
    assert_eq!(member.get(&path).await.status, 403);
    let stranger = Visitor::sign_in(&app, &other.admin, "admin").await;
    assert_eq!(stranger.get(&path).await.status, 404);
    assert!(!stranger.get("/settings/webhooks").await.text.contains(&id));
    let deleted = stranger.post(&format!("{path}/delete"), &[]).await;
    assert_eq!(deleted.status, 404);
}

/// Who came by a link that names a person of the product's acts for that person.
#[tokio::test]
async fn what_a_person_does_on_the_pages_names_that_person() {
    let app = app().await;
    let workspace = app.workspace().await;
    let link = json!({"role": "admin", "purpose": "settings", "subject": {"id": "user-4711"}});
    let visitor = Visitor::sign_in_by(&app, &workspace.admin, &link).await;
    let made = app
        .post("/v1/storage-setups", &workspace.admin, &json!({}))
        .await
        .expect(201);
    let id = made["id"].as_str().unwrap();
    let closed = visitor
        .post(&format!("/settings/setups/{id}/close"), &[])
        .await;
    assert!(closed.status.as_u16() < 400, "{closed:?}");
    let feed = app.get("/v1/events", &workspace.admin).await.expect(200);
    let event = &feed["events"][0];
    assert_eq!(event["type"], "setup.closed");
    assert_eq!(event["data"]["subject"], "user-4711");
    assert_eq!(event["data"]["setup_id"], id);
}
