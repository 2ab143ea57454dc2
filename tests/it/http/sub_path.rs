//! A public URL with a path: the proxy strips it, the service answers at the root, and what it tells browsers to go
//! to has the path.

use crate::it::support::app::{Answer, OPERATOR, TestApp};
use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::json;

const PUBLIC: &str = "https://files.example.com/sallyport";

async fn below() -> TestApp {
    TestApp::spawn_with(|options| options.public_url = Some(format!("{PUBLIC}/"))).await
}

/// A browser behind a proxy that strips the path.
fn browser() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap()
}

#[tokio::test]
async fn links_redirects_and_cookies_have_the_path() {
    let app = below().await;
    let workspace = app.workspace().await;
    let body = json!({"role": "admin", "purpose": "settings"});
    let link = app.post("/v1/sign-in-links", &workspace.admin, &body).await;
    let link = link.expect(201)["url"].as_str().unwrap().to_owned();
    let path = link
        .strip_prefix(PUBLIC)
        .unwrap_or_else(|| panic!("{link}"));
    assert!(path.starts_with("/sign-in/"), "{link}");

    let browser = browser();
    let answer = Answer::of(browser.get(app.url(path))).await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.header("location"),
        Some("/sallyport/settings/storages")
    );
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    // `__Host-` would need the path `/`, which everything else on the host has too.
    assert!(
        cookie.starts_with("__Secure-sallyport_session="),
        "{cookie}"
    );
    assert!(
        cookie.contains("; Path=/sallyport;") || cookie.ends_with("; Path=/sallyport"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    let page = browser
        .get(app.url("/settings/storages"))
        .header("cookie", pair)
        .header("accept", "text/html");
    assert_eq!(Answer::of(page).await.status, 200);
}

#[tokio::test]
async fn routes_stay_at_the_root_and_what_was_made_is_named_with_the_path() {
    let app = below().await;
    assert_eq!(app.get("/healthz", "").await.status, 200);
    assert_eq!(app.get("/sallyport/healthz", "").await.status, 404);
    let body = json!({"name": "Acme"});
    let make = || {
        app.request(Method::POST, "/v1/workspaces", OPERATOR)
            .header("idempotency-key", "sub-path-1")
            .header("content-type", "application/json")
            .body(body.to_string())
    };
    let first = Answer::of(make()).await;
    let made = first.expect(201);
    let place = format!("/sallyport/v1/workspaces/{}", made["id"].as_str().unwrap());
    assert_eq!(first.header("location"), Some(place.as_str()));
    // The kept answer has the path once.
    let again = Answer::of(make()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), Some(place.as_str()));
    let document = app.get("/openapi.json", "").await.expect(200);
    assert_eq!(document["servers"], json!([{"url": "/sallyport"}]));
}

#[tokio::test]
async fn without_a_path_nothing_is_added() {
    let app = TestApp::spawn().await;
    let body = json!({"name": "Acme"});
    let made = app.post("/v1/workspaces", OPERATOR, &body).await;
    let place = made.header("location").unwrap();
    assert!(place.starts_with("/v1/workspaces/"), "{place}");
    let document = app.get("/openapi.json", "").await.expect(200);
    assert!(document.get("servers").is_none());
}
