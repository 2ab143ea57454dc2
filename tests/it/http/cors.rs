//! What browsers may do with the API on pages of other origins.

use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, TestWorkspace};
use reqwest::Method;
use serde_json::json;

const OWN: &str = "https://tools.example.org";
const PATTERN: &str = "https://*.example.net";
const STRANGER: &str = "https://evil.example";

async fn preflight(app: &TestApp, path: &str, origin: &str, headers: &str) -> Answer {
    let request = app
        .request(Method::OPTIONS, path, "")
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", headers);
    Answer::of(request).await
}

async fn from_page(app: &TestApp, path: &str, token: &str, origin: &str) -> Answer {
    let request = app.request(Method::GET, path, token);
    Answer::of(request.header("origin", origin)).await
}

async fn allow(app: &TestApp, workspace: &TestWorkspace, origins: &[&str]) {
    let body = json!({"origins": origins});
    let set = app.put("/v1/workspace/origins", &workspace.admin, &body);
    assert_eq!(set.await.expect(200), body);
}

/// The origin that an answer names. It names no other, and never lets cookies pass.
#[track_caller]
fn shared_with(answer: &Answer) -> Option<String> {
    let varies = answer.headers.get_all("vary");
    let varies: Vec<_> = varies.iter().map(|v| v.to_str().unwrap()).collect();
    assert!(varies.contains(&"origin"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    answer
        .header("access-control-allow-origin")
        .map(str::to_owned)
}

async fn app() -> TestApp {
    TestApp::spawn_with(|options| options.allowed_origins = Some(ORIGIN.into())).await
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_an_allowed_origin() {
    let app = app().await;
    let path = "/v1/storages/built-in/files/content";
    let asked = "authorization,x-sallyport-meta-owner,x-evil";
    let answer = preflight(&app, path, ORIGIN, asked).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert_eq!(shared_with(&answer).as_deref(), Some(ORIGIN));
    let list = |name: &str| -> Vec<String> {
        let value = answer.header(name).unwrap().split(", ");
        value.map(str::to_owned).collect()
    };
    let methods = list("access-control-allow-methods");
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(methods.contains(&method.to_owned()), "{method}");
    }
    let headers = list("access-control-allow-headers");
    for header in [
        "authorization",
        "content-type",
        "idempotency-key",
        "sallyport-actor",
        "sallyport-workspace",
        "if-match",
        "if-none-match",
        "range",
        "x-sallyport-meta-owner",
    ] {
        assert!(headers.contains(&header.to_owned()), "{header}");
    }
    assert!(!headers.contains(&"x-evil".to_owned()));
    assert!(answer.header("access-control-max-age").is_some());

    for origin in [
        STRANGER,
        "null",
        "*",
        "https://app.example.com.evil.example",
        "https://app.example.com/",
        "http://app.example.com",
    ] {
        let refused = preflight(&app, path, origin, "authorization").await;
        refused.problem(403, "origin_not_allowed");
        assert_eq!(shared_with(&refused), None, "{origin}");
    }
    // Not a preflight: it needs a token like anything else.
    let plain = app.request(Method::OPTIONS, path, "");
    let plain = Answer::of(plain.header("origin", ORIGIN)).await;
    plain.problem(401, "unauthenticated");
    // Pages answer no other origin.
    let page = preflight(&app, "/settings/storages", ORIGIN, "authorization").await;
    assert_ne!(page.status, 204);
    assert_eq!(page.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_workspace_s_origins_are_for_its_own_callers() {
    let app = app().await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    allow(&app, &mine, &[OWN, PATTERN]).await;
    let path = "/v1/workspace";
    for origin in [OWN, "https://a.b.example.net"] {
        // A preflight names no workspace: any one's word is enough for it.
        let asked = preflight(&app, path, origin, "authorization").await;
        assert_eq!(asked.status, 204, "{origin}");
        assert_eq!(shared_with(&asked).as_deref(), Some(origin));
        let answer = from_page(&app, path, &mine.member, origin).await;
        answer.expect(200);
        assert_eq!(shared_with(&answer).as_deref(), Some(origin));
        for (token, status) in [(other.admin.as_str(), 200), (OPERATOR, 403)] {
            let answer = from_page(&app, path, token, origin).await;
            assert_eq!(answer.status, status);
            assert_eq!(shared_with(&answer), None, "{origin}");
        }
        // A page learns that its token is no longer good.
        let ended = from_page(&app, path, "spt_unknown", origin).await;
        assert_eq!(ended.status, 401);
        assert_eq!(shared_with(&ended).as_deref(), Some(origin));
    }
    for token in [&mine.admin, &other.member] {
        let answer = from_page(&app, path, token, ORIGIN).await;
        assert_eq!(shared_with(&answer).as_deref(), Some(ORIGIN));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in ["etag", "content-range", "retry-after", "x-request-id"] {
            assert!(exposed.split(", ").any(|one| one == name), "{name}");
        }
        let answer = from_page(&app, path, token, STRANGER).await;
        answer.expect(200);
        assert_eq!(shared_with(&answer), None);
        let program = app.get(path, token).await;
        assert_eq!(shared_with(&program), None);
    }
    // An error is read by the page, too.
    let missing = "/v1/projects/prj_00000000000000000000000000000000";
    let answer = from_page(&app, missing, &mine.member, OWN).await;
    assert_eq!(answer.status, 404);
    assert_eq!(shared_with(&answer).as_deref(), Some(OWN));

    // What is taken out is answered no more, at once where it was taken out.
    allow(&app, &mine, &[]).await;
    preflight(&app, path, OWN, "authorization")
        .await
        .problem(403, "origin_not_allowed");
    let answer = from_page(&app, path, &mine.member, OWN).await;
    assert_eq!(shared_with(&answer), None);
}

#[tokio::test]
async fn a_workspace_s_origins_are_its_admins() {
    let app = app().await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    let path = "/v1/workspace/origins";
    let some = json!({"origins": ["https://APP.example.com:443/", "https://app.example.com"]});
    let kept = app.put(path, &mine.admin, &some).await.expect(200);
    assert_eq!(kept, json!({"origins": ["https://app.example.com"]}));
    assert_eq!(app.get(path, &mine.admin).await.expect(200), kept);
    let none = json!({"origins": []});
    assert_eq!(app.get(path, &other.admin).await.expect(200), none);
    app.get(path, &mine.member)
        .await
        .problem(403, "admin_required");
    app.put(path, &mine.member, &none)
        .await
        .problem(403, "admin_required");

    let put = async |body: serde_json::Value| app.put(path, &mine.admin, &body).await;
    for bad in ["*", "https://*", "https://*.com", "app.example.com", "null"] {
        let refused = put(json!({"origins": ["https://a.example.com", bad]})).await;
        let problem = refused.refused_field("origins[1]");
        assert_eq!(problem["errors"][0]["code"], "invalid_origin", "{bad}");
    }
    let many: Vec<String> = (0..21)
        .map(|n| format!("https://a{n}.example.com"))
        .collect();
    let refused = put(json!({"origins": many})).await;
    let problem = refused.refused_field("origins");
    assert_eq!(problem["errors"][0]["code"], "too_many_origins");
    put(json!({"origins": many[..20]})).await.expect(200);
    put(json!({})).await.refused_field("origins");
    put(json!({"origins": [], "more": 1}))
        .await
        .refused_field("more");

    // The service is in development here: its own address is plain `http`.
    let plain = json!({"origins": ["http://app.example.com"]});
    put(plain).await.expect(200);

    let log = app.get("/v1/audit-events?action=set_workspace_origins", &mine.admin);
    let log = log.await.expect(200);
    assert!(!log["audit_events"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_origin_by_plain_http_is_the_browser_s_own_machine() {
    let app = TestApp::spawn_with(|options| {
        options.public_url = Some("https://sallyport.example.com".into());
    })
    .await;
    let workspace = app.workspace().await;
    let path = "/v1/workspace/origins";
    let own =
        json!({"origins": ["http://localhost:3000", "http://127.0.0.1:5000", "http://[::1]:5000"]});
    let kept = app.put(path, &workspace.admin, &own).await.expect(200);
    assert_eq!(kept, own);
    for bad in ["http://x", "http://app.example.com", "http://*.example.com"] {
        let body = json!({"origins": ["https://app.example.com", bad]});
        let refused = app.put(path, &workspace.admin, &body).await;
        let problem = refused.refused_field("origins[1]");
        assert_eq!(problem["errors"][0]["code"], "insecure_origin", "{bad}");
    }
    assert_eq!(app.get(path, &workspace.admin).await.expect(200), own);
}
