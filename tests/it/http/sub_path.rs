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

#[tokio::test]
async fn pages_and_their_workspaces_are_below_the_path() {
    let app = below().await;
    let browser = browser();
    let page = async |path: &str, cookies: &str| {
        let request = browser
            .get(app.url(path))
            .header("cookie", cookies)
            .header("accept", "text/html");
        Answer::of(request).await
    };
    let (mut cookies, mut starts) = (Vec::<String>::new(), Vec::<String>::new());
    for is_first in [true, false] {
        let workspace = app.workspace().await;
        let short = &workspace.id[workspace.id.len() - 16..];
        let (start, name) = match is_first {
            true => (String::new(), "__Secure-sallyport_session".to_owned()),
            false => (
                format!("/w/{short}"),
                format!("__Secure-sallyport_session_{short}"),
            ),
        };
        let body = json!({"role": "admin", "purpose": "settings"});
        let link = app.post("/v1/sign-in-links", &workspace.admin, &body).await;
        let link = link.expect(201)["url"].as_str().unwrap().to_owned();
        let path = link.strip_prefix(PUBLIC).unwrap();
        let answer = page(path, &cookies.join("; ")).await;
        let to = format!("/sallyport{start}/settings/storages");
        assert_eq!(answer.header("location"), Some(to.as_str()));
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
        assert!(cookie.contains("; Path=/sallyport;"), "{cookie}");
        cookies.push(cookie.split(';').next().unwrap().to_owned());
        starts.push(start);
    }
    let all = cookies.join("; ");
    let mut pages = Vec::new();
    for start in &starts {
        let shown = page(&format!("{start}/settings/storages"), &all).await;
        assert_eq!(shown.status, 200);
        for part in [
            format!("href=\"/sallyport{start}/projects\""),
            format!("data-base=\"/sallyport{start}\""),
        ] {
            assert!(shown.text.contains(&part), "{part}: {}", shown.text);
        }
        pages.push(shown.text);
    }
    // The start page names the workspace that has addresses of its own.
    let welcome = page("/", &cookies[1]).await.text;
    let own = format!("href=\"/sallyport{}/\"", starts[1]);
    assert!(welcome.contains(&own), "{welcome}");
    pages.push(welcome);
    pages.push(page("/docs", "").await.text);
    let refused = page("/projects", "").await;
    assert_eq!(refused.status, 401);
    pages.push(refused.text);
    for html in pages {
        assert!(html.contains("href=\"/sallyport/static/"), "{html}");
        for attribute in ["href", "src", "action", "content"] {
            let all = html.matches(&format!(" {attribute}=\"/")).count();
            let whole = format!(" {attribute}=\"/sallyport/");
            assert_eq!(html.matches(&whole).count(), all, "{attribute}: {html}");
        }
    }
}
