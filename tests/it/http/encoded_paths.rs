//! Paths that are written in another way than the routes are. What the router takes for an address has
//! that address's protection; what it does not is not there.

use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::raw::{RawAnswer, bearer, request};
use serde_json::Value;

/// Every operation below `/v1`, with an ID that nothing has for each parameter.
async fn operations(app: &TestApp) -> Vec<(String, String)> {
    let document = app.get("/openapi.json", "").await.expect(200);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
            if path.starts_with("/v1/") && known.contains(&method.as_str()) {
                let path = path.split('/').map(|segment| match segment {
                    segment if segment.starts_with('{') => "absent",
                    segment => segment,
                });
                operations.push((method, path.collect::<Vec<_>>().join("/")));
            }
        }
    }
    assert!(operations.len() > 30, "{operations:?}");
    operations
}

/// The same address: letters written as their numbers.
fn encoded(path: &str) -> [String; 3] {
    let hex = |byte: u8| format!("%{byte:02x}");
    let all = path.bytes().map(|byte| match byte {
        b'/' => "/".to_owned(),
        byte => format!("%{byte:02X}"),
    });
    let letter = path.as_bytes()[4];
    [
        path.replacen("/v1/", "/%761/", 1),
        format!("/v1/{}{}", hex(letter), &path[5..]),
        all.collect(),
    ]
}

/// Other addresses, which do not exist.
fn elsewhere(path: &str) -> [String; 7] {
    [
        path.replacen("/v1/", "/v1//", 1),
        format!("/{path}"),
        path.replacen("/v1/", "/v1%2F", 1),
        path.replacen("/v1/", "/v1/../v1/", 1),
        path.replacen("/v1/", "/v1/%2e%2e/v1/", 1),
        path.replacen("/v1/", "/V1/", 1),
        path.replacen("/v1/", "/v1/%25", 1),
    ]
}

async fn send(app: &TestApp, method: &str, path: &str, token: &str) -> RawAnswer {
    let headers = format!("{}Content-Type: application/json\r\n", bearer(token));
    let body = match method {
        "POST" | "PUT" | "PATCH" => r#"{"no such field": "#,
        _ => "",
    };
    request(app.address, method, path, &headers, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_way_of_writing_a_path_leads_past_authentication() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    for (method, path) in operations(&app).await {
        let plain = send(&app, &method, &path, &workspace.member).await;
        for path in encoded(&path) {
            for token in ["", "spt_unknown"] {
                let refused = send(&app, &method, &path, token).await;
                assert_eq!(refused.status, 401, "{method} {path}: {refused:?}");
            }
            let answer = send(&app, &method, &path, &workspace.member).await;
            assert_eq!(
                (answer.status, answer.code()),
                (plain.status, plain.code()),
                "{method} {path}"
            );
        }
        for path in elsewhere(&path) {
            for token in ["", &workspace.member] {
                let absent = send(&app, &method, &path, token).await;
                assert_eq!(absent.status, 404, "{method} {path}: {absent:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_encoded_path_is_audited_and_logged_as_the_plain_one() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let headers = format!(
        "{}Content-Type: application/json\r\nX-Request-Id: encoded-path-71c0\r\n",
        bearer(&workspace.member)
    );
    let path = "/v1/w%6Frkspaces";
    let refused = request(app.address, "POST", path, &headers, r#"{"name": "x"}"#).await;
    assert_eq!(refused.code().as_deref(), Some("operator_required"));
    let log = app.get("/v1/audit-events", OPERATOR).await.expect(200);
    let event = &log["audit_events"][0];
    assert_eq!(event["request_id"], "encoded-path-71c0");
    assert_eq!(event["action"], "create_workspace");
    assert_eq!(event["result"], "refused");
    assert_eq!(event["workspace_id"], workspace.id);

    let id = &workspace.id;
    let encoded = id.replacen("wrk_", "%77rk_", 1);
    let path = format!("/v1/workspaces/{encoded}/tokens");
    let made = request(
        app.address,
        "POST",
        &path,
        &headers.replace(&workspace.member, OPERATOR),
        r#"{"name": "x", "role": "member"}"#,
    )
    .await;
    assert_eq!(made.status, 201, "{made:?}");
    let log = app.get("/v1/audit-events", OPERATOR).await.expect(200);
    assert_eq!(log["audit_events"][0]["action"], "create_token");
    assert_eq!(log["audit_events"][0]["workspace_id"], *id);
    let metrics = app.get("/metrics", "").await.text;
    let counted = r#"{method="POST",route="/v1/workspaces",status="403"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn a_wrong_method_at_an_encoded_path_is_told_the_right_ones() {
    let app = TestApp::spawn().await;
    let answer = send(&app, "PATCH", "/v1/w%6Frkspaces", OPERATOR).await;
    assert_eq!(answer.code().as_deref(), Some("method_not_allowed"));
    assert_eq!(answer.header("allow"), Some("get, post"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["status"], 405);
}
