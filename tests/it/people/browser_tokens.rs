//! Tokens for browsers: what they reach, for which pages, and how long.

use crate::it::people::narrowed::{Asked, FILES, begin, requests, token, with_files};
use crate::it::people::routes::operations;
use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp};
use crate::it::support::pages::Visitor;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Makes a token for a browser.
async fn browser(app: &TestApp, maker: &str, body: Value) -> Answer {
    let mut whole = json!({"storage_id": "built-in", "origin": ORIGIN});
    whole
        .as_object_mut()
        .unwrap()
        .extend(body.as_object().unwrap().clone());
    app.post("/v1/browser-tokens", maker, &whole).await
}

fn secret(answer: &Answer) -> String {
    answer.expect(201)["token"].as_str().unwrap().to_owned()
}

async fn from_page(app: &TestApp, path: &str, token: &str, origin: Option<&str>) -> Answer {
    let request = app.request(Method::GET, path, token);
    Answer::of(match origin {
        Some(origin) => request.header("origin", origin),
        None => request,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_does_what_it_was_made_for() {
    let (app, workspace) = with_files().await;
    let made = browser(&app, &workspace.admin, json!({"folder": "/in/"})).await;
    let reads = secret(&made);
    assert!(reads.starts_with("sb_"));
    let inside = format!("{FILES}/content?key=/in/a.txt");
    let page = async |path: &str| from_page(&app, path, &reads, Some(ORIGIN)).await;
    assert_eq!(page(&inside).await.status, 200);
    page(&format!("{FILES}?folder=/in/")).await.expect(200);
    // From another page, or from none.
    for origin in [Some("https://evil.example"), Some("null"), None] {
        from_page(&app, &inside, &reads, origin)
            .await
            .problem(403, "origin_mismatch");
    }
    for outside in [
        format!("{FILES}?folder=/"),
        format!("{FILES}/content?key=/elsewhere/a.txt"),
        format!("{FILES}/content?key=/in-other/a.txt"),
        format!("{FILES}/content?key=/elsewhere/absent"),
    ] {
        let refused = page(&outside).await;
        let problem = refused.problem(403, "outside_of_token");
        // Whoever browses learns where to begin.
        let listed = match outside.contains("?folder=") {
            true => json!(["/in/"]),
            false => Value::Null,
        };
        assert_eq!(problem["folders"], listed, "{outside}");
    }
    // Routes that are for no page, further tokens among them.
    for operation in operations() {
        if !operation.gate.takes_browser_tokens {
            let refused = operation.send(&app, &reads, &[("origin", ORIGIN)]).await;
            assert_eq!(refused.status, 403, "{}: {refused:?}", operation.id);
        }
    }
    // It reads, and does not write.
    let key = "/in/out/a.txt";
    let upload = begin(&app, &workspace.admin, key).await;
    for operation in [
        "upload_file",
        "begin_upload",
        "sign_upload_parts",
        "complete_upload",
        "abort_upload",
    ] {
        for asked in requests(operation, key, key, &upload) {
            let refused = asked.send(&app, &reads).await;
            refused.problem(403, "outside_of_token");
        }
    }
    let asked = json!({"operations": ["write"], "folder": "/in/"});
    let writes = secret(&browser(&app, &workspace.admin, asked).await);
    let sign = async |method: &str| {
        let body = json!({"key": key, "method": method});
        Asked::with(Method::POST, "/sign", body)
            .send(&app, &writes)
            .await
    };
    sign("PUT").await.expect(200);
    for method in ["GET", "DELETE"] {
        sign(method).await.problem(403, "outside_of_token");
    }
    let listed = format!("{FILES}?folder=/in/");
    from_page(&app, &listed, &writes, Some(ORIGIN))
        .await
        .problem(403, "outside_of_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_never_does_more_than_its_maker() {
    let (app, workspace) = with_files().await;
    let write = json!({"operations": ["write"], "folder": "/in/"});
    browser(&app, &workspace.member, write)
        .await
        .problem(403, "admin_required");
    let body = json!({"name": "x", "role": "admin", "folders": ["/in/"]});
    let narrowed = token(&app, &workspace, body).await;
    browser(&app, &narrowed, json!({"folder": "/elsewhere/"}))
        .await
        .problem(403, "outside_of_token");
    let whole = secret(&browser(&app, &narrowed, json!({})).await);
    let read = async |key: &str| {
        let path = format!("{FILES}/content?key={key}");
        from_page(&app, &path, &whole, Some(ORIGIN)).await
    };
    assert_eq!(read("/in/a.txt").await.status, 200);
    read("/elsewhere/a.txt")
        .await
        .problem(403, "outside_of_token");
    browser(&app, &workspace.admin, json!({"expires_in": 3601}))
        .await
        .refused_field("expires_in");
    browser(&app, &workspace.admin, json!({"origin": "app.example.com"}))
        .await
        .refused_field("origin");
    browser(&app, &workspace.admin, json!({"operations": []}))
        .await
        .refused_field("operations");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_is_for_pages_that_may_call_the_api() {
    const OWN: &str = "https://tools.example.org";
    let (app, workspace) = with_files().await;
    let asked = json!({"origin": OWN});
    let refused = browser(&app, &workspace.admin, asked.clone()).await;
    let problem = refused.problem(422, "origin_not_allowed");
    assert_eq!(problem["errors"][0]["field"], "origin");
    let remedy = problem["remedy"].as_str().unwrap();
    assert!(remedy.contains("PUT /v1/workspace/origins"), "{remedy}");
    // The origins of one workspace are nothing to another.
    let other = app.workspace().await;
    let origins = json!({"origins": [OWN]});
    app.put("/v1/workspace/origins", &other.admin, &origins)
        .await
        .expect(200);
    browser(&app, &workspace.admin, asked.clone())
        .await
        .problem(422, "origin_not_allowed");
    app.put("/v1/workspace/origins", &workspace.admin, &origins)
        .await
        .expect(200);
    browser(&app, &workspace.member, asked).await.expect(201);
    // The service's own pages need no entry. Without `SALLYPORT_PUBLIC_URL` they are where the tests listen.
    let own = json!({"origin": "http://127.0.0.1:0"});
    browser(&app, &workspace.member, own).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_that_reads_shows_a_file_s_metadata() {
    let (app, workspace) = with_files().await;
    let asked = |operations: Value| json!({"folder": "/in/", "operations": operations});
    let reads = secret(&browser(&app, &workspace.member, asked(json!(["read"]))).await);
    let page = async |token: &str, key: &str| {
        let path = format!("{FILES}/metadata?key={key}");
        from_page(&app, &path, token, Some(ORIGIN)).await
    };
    assert_eq!(page(&reads, "/in/a.txt").await.expect(200)["size"], 1);
    page(&reads, "/elsewhere/a.txt")
        .await
        .problem(403, "outside_of_token");
    let lists = secret(&browser(&app, &workspace.member, asked(json!(["list"]))).await);
    page(&lists, "/in/a.txt")
        .await
        .problem(403, "outside_of_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_ends_with_its_time_and_with_its_maker() {
    let (app, workspace) = with_files().await;
    let inside = format!("{FILES}/content?key=/in/a.txt");
    let page = async |token: &str| from_page(&app, &inside, token, Some(ORIGIN)).await;
    let short = secret(&browser(&app, &workspace.admin, json!({"expires_in": 1})).await);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    page(&short).await.problem(401, "unauthenticated");

    let body = json!({"name": "x", "role": "member"});
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let maker = app.post(&path, OPERATOR, &body).await.expect(201);
    let made = secret(&browser(&app, maker["token"].as_str().unwrap(), json!({})).await);
    assert_eq!(page(&made).await.status, 200);
    let path = format!("{path}/{}", maker["id"].as_str().unwrap());
    app.delete(&path, OPERATOR).await.expect(204);
    page(&made).await.problem(401, "unauthenticated");

    // By a key of the product's, for one of its people.
    let body = json!({"name": "web tier", "scopes": ["files:read"]});
    let key = app.post("/v1/keys", OPERATOR, &body).await.expect(201);
    let asked = json!({"storage_id": "built-in", "origin": ORIGIN});
    let request = app
        .request(
            Method::POST,
            "/v1/browser-tokens",
            key["key"].as_str().unwrap(),
        )
        .header("Sallyport-Workspace", &workspace.id)
        .header("Sallyport-Actor", "user-1")
        .header("content-type", "application/json")
        .body(asked.to_string());
    let made = secret(&Answer::of(request).await);
    assert_eq!(page(&made).await.status, 200);
    let path = format!("{FILES}/content?key=/elsewhere/absent");
    let refused = from_page(&app, &path, &made, Some("https://evil.example")).await;
    refused.problem(403, "origin_mismatch");
    let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    app.delete(&path, OPERATOR).await.expect(204);
    page(&made).await.problem(401, "unauthenticated");
    for changed in [
        format!("{made}x"),
        made[..made.len() - 4].to_owned(),
        "sb_x".to_owned(),
    ] {
        page(&changed).await.problem(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_makes_tokens_for_browsers_from_the_service_s_own_pages() {
    let (app, workspace) = with_files().await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let own = app.url("");
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let body = json!({"storage_id": "built-in", "origin": ORIGIN, "folder": "/in/"});
        let mut request = visitor
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    };
    let path = "/v1/browser-tokens";
    let made = ask(path, &[("origin", own.as_str())]).await;
    let token = made.expect(201)["token"].as_str().unwrap().to_owned();
    let inside = format!("{FILES}/content?key=/in/a.txt");
    let read = from_page(&app, &inside, &token, Some(ORIGIN)).await;
    assert_eq!(read.status, 200);
    // Another site's page sends the cookie along, and nothing else of the API takes it.
    for headers in [&[("origin", "https://evil.example")][..], &[]] {
        ask(path, headers).await.problem(403, "cross_site");
    }
    let actor = [("origin", own.as_str()), ("Sallyport-Actor", "somebody")];
    ask(path, &actor).await.problem(403, "actor_not_allowed");
    let elsewhere = ask("/v1/projects", &[("origin", own.as_str())]).await;
    elsewhere.problem(401, "unauthenticated");
    // The session ends, and the token with it.
    assert_eq!(visitor.post("/sign-out", &[]).await.status, 303);
    from_page(&app, &inside, &token, Some(ORIGIN))
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_for_browsers_are_limited_for_each_workspace() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.browser_tokens_per_minute = Some("2".into());
    })
    .await;
    let (noisy, quiet) = (app.workspace().await, app.workspace().await);
    for _ in 0..2 {
        browser(&app, &noisy.member, json!({})).await.expect(201);
    }
    let refused = browser(&app, &noisy.member, json!({})).await;
    refused.problem(429, "too_many_browser_tokens");
    assert!(refused.header("retry-after").is_some());
    browser(&app, &quiet.member, json!({})).await.expect(201);
}
