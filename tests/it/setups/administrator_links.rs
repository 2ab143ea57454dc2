//! Links for the customer's AWS administrator, made over the API.

use crate::it::support::app::{Answer, OPERATOR, TestApp};
use crate::it::support::scene::Dialog;
use serde_json::{Value, json};

/// What whoever opens the link gets first: where it works, a cookie and the way to the page.
async fn open(app: &TestApp, url: &Value) -> reqwest::Response {
    let (_, path) = url.as_str().unwrap().split_once("/instructions/").unwrap();
    let url = app.url(&format!("/instructions/{path}"));
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    client.get(url).send().await.unwrap()
}

async fn links(dialog: &Dialog<'_>) -> Value {
    let path = dialog.path("/administrator-links");
    let answer = dialog.app.get(&path, &dialog.workspace.admin).await;
    let mut list = answer.expect(200);
    assert!(!answer.text.contains("/instructions/"), "{}", answer.text);
    list["administrator_links"].take()
}

async fn make(dialog: &Dialog<'_>) -> Answer {
    let path = dialog.path("/administrator-links");
    dialog
        .app
        .post(&path, &dialog.workspace.admin, &json!({}))
        .await
}

#[tokio::test]
async fn a_link_is_made_used_and_revoked() {
    for auth in ["role", "access_key"] {
        let app = TestApp::spawn_on_emulator().await;
        let dialog = Dialog::open(&app, json!({"bucket": "acme-data", "auth": auth})).await;
        assert_eq!(links(&dialog).await, json!([]));
        let made = make(&dialog).await.expect(201);
        let listed = links(&dialog).await;
        assert_eq!(listed[0]["id"], made["id"]);
        assert_eq!(listed[0]["expires_at"], made["expires_at"]);
        assert_eq!(listed[0]["last_used_at"], json!(null));
        assert!(listed[0]["made_by"].as_str().unwrap().starts_with("tok_"));
        assert_eq!(open(&app, &made["url"]).await.status(), 303);
        assert!(links(&dialog).await[0]["last_used_at"].is_string());

        // A new one ends the one before.
        let next = make(&dialog).await.expect(201);
        assert_eq!(open(&app, &made["url"]).await.status(), 404);
        assert_eq!(links(&dialog).await.as_array().unwrap().len(), 1);
        let admin = &dialog.workspace.admin;
        let path =
            |id: &Value| dialog.path(&format!("/administrator-links/{}", id.as_str().unwrap()));
        app.delete(&path(&made["id"]), admin)
            .await
            .problem(404, "not_found");
        assert_eq!(open(&app, &next["url"]).await.status(), 303);
        assert_eq!(app.delete(&path(&next["id"]), admin).await.status, 204);
        let gone = open(&app, &next["url"]).await;
        assert_eq!(gone.status(), 404);
        let words = gone.text().await.unwrap();
        assert!(words.contains("revoked"), "{words}");
        assert_eq!(links(&dialog).await, json!([]));

        let log = app.get("/v1/audit-events?page_size=100", OPERATOR).await;
        let log = log.expect(200)["audit_events"].to_string();
        for action in ["create_administrator_link", "revoke_administrator_link"] {
            assert!(log.contains(action), "{log}");
        }
    }
}

#[tokio::test]
async fn links_are_the_setup_s_own() {
    let app = TestApp::spawn_on_emulator().await;
    let dialog = Dialog::open(&app, json!({})).await;
    let made = make(&dialog).await.expect(201);
    let other = Dialog::open(&app, json!({})).await;
    let all = dialog.path("/administrator-links");
    let one = format!("{all}/{}", made["id"].as_str().unwrap());
    let stranger = &other.workspace.admin;
    app.get(&all, stranger).await.problem(404, "not_found");
    app.post(&all, stranger, &json!({}))
        .await
        .problem(404, "not_found");
    app.delete(&one, stranger).await.problem(404, "not_found");
    let across = other.path(&format!(
        "/administrator-links/{}",
        made["id"].as_str().unwrap()
    ));
    app.delete(&across, stranger)
        .await
        .problem(404, "not_found");
    let member = &dialog.workspace.member;
    app.post(&all, member, &json!({}))
        .await
        .problem(403, "admin_required");
    assert_eq!(links(&dialog).await.as_array().unwrap().len(), 1);
    // A closed setup has none.
    app.delete(&dialog.path(""), &dialog.workspace.admin).await;
    make(&dialog).await.problem(409, "setup_closed");
}

#[tokio::test]
async fn a_repetition_makes_no_second_link() {
    let app = TestApp::spawn_on_emulator().await;
    let dialog = Dialog::open(&app, json!({})).await;
    let path = dialog.path("/administrator-links");
    let send = async || {
        let request = app
            .request(reqwest::Method::POST, &path, &dialog.workspace.admin)
            .header("Idempotency-Key", "one");
        Answer::of(
            request
                .header("Content-Type", "application/json")
                .body("{}"),
        )
        .await
        .expect(201)
    };
    assert_eq!(send().await, send().await);
    let mut refused = 0;
    for _ in 0..70 {
        let answer = make(&dialog).await;
        if answer.status == 429 {
            answer.problem(429, "too_many_links");
            assert!(answer.header("retry-after").is_some());
            refused += 1;
        }
    }
    assert!(refused > 0);
}
