//! What every answer has, whatever the route.

use crate::it::support::app::{Answer, OPERATOR, TestApp, logs, logs_of};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes and reads until the server closes, or for `patience`.
async fn exchange(stream: &mut TcpStream, bytes: &[u8], patience: Duration) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(patience, stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let app = TestApp::spawn().await;
    for path in [
        "/v2",
        "/v1/nothing",
        "/v1/workspaces/",
        "/healthz/x",
        "/static/x",
    ] {
        app.get(path, OPERATOR).await.problem(404, "not_found");
    }
    app.patch("/v1/workspaces", OPERATOR, &json!({}))
        .await
        .problem(405, "method_not_allowed");
    let answer = app.put("/v1/workspaces", OPERATOR, &json!({})).await;
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    let answer = app.delete("/healthz", "").await;
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    // Nobody learns an API's methods without a token.
    app.delete("/v1/workspaces", "")
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let app = TestApp::spawn().await;
    for (path, token) in [
        ("/healthz", ""),
        ("/docs", ""),
        ("/nothing", ""),
        ("/v1/workspaces", OPERATOR),
        ("/v1/workspaces", ""),
    ] {
        let answer = app.get(path, token).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(answer.header("access-control-allow-origin").is_none());
        if path.starts_with("/v1") {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

/// Some load balancers probe by HEAD.
#[tokio::test]
async fn probes_answer_head_as_get_without_a_body() {
    let app = TestApp::spawn().await;
    for path in ["/healthz", "/readyz"] {
        let get = app.get(path, "").await;
        let head = Answer::of(app.request(Method::HEAD, path, "")).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert_eq!((head.text.as_str(), get.text.is_empty()), ("", false));
    }
    let apart = TestApp::spawn_with(|options| {
        options.management_listen = Some("127.0.0.1:0".into());
    })
    .await;
    let head = Answer::of(apart.request(Method::HEAD, "/readyz", "")).await;
    assert_eq!(head.status, 404, "it is on the other listener");
}

async fn page(app: &TestApp, path: &str) -> Answer {
    Answer::of(
        app.request(Method::GET, path, "")
            .header("Accept", "text/html"),
    )
    .await
}

#[tokio::test]
async fn pages_are_kept_apart_and_https_is_for_ever() {
    let plain = TestApp::spawn().await;
    let answer = page(&plain, "/").await;
    assert!(answer.header("strict-transport-security").is_none());
    let app = TestApp::spawn_with(|options| {
        options.public_url = Some("https://sallyport.example.com".into());
    })
    .await;
    // One that is there, one that is an error, and the one about the API.
    for path in ["/", "/settings/storages", "/docs"] {
        let answer = page(&app, path).await;
        let kind = answer.header("content-type").unwrap();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        let opener = answer.header("cross-origin-opener-policy");
        assert_eq!(opener, Some("same-origin"), "{path}");
        let devices = answer.header("permissions-policy").unwrap();
        assert!(devices.contains("camera=()"), "{devices}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    }
    for path in ["/", "/healthz", "/v1/workspaces", "/nothing"] {
        let answer = app.get(path, "").await;
        let https = answer.header("strict-transport-security");
        assert_eq!(https, Some("max-age=31536000"), "{path}");
    }
    // What is no document has no rules for documents.
    for path in ["/healthz", "/openapi.json", "/v1/workspaces"] {
        let answer = app.get(path, "").await;
        for name in ["cross-origin-opener-policy", "permissions-policy"] {
            assert!(answer.header(name).is_none(), "{path}: {name}");
        }
    }
    // Browsers refuse it there, with a complaint.
    let elsewhere = TestApp::spawn_with(|options| {
        options.public_url = Some("http://sallyport.example.com".into());
    })
    .await;
    let answer = page(&elsewhere, "/").await;
    assert!(answer.header("cross-origin-opener-policy").is_none());
}

#[tokio::test]
async fn who_may_embed_is_said_in_one_header_alone() {
    let app = TestApp::spawn_with(|options| {
        options.frame_ancestors = Some("https://app.example.com,https://*.acme.example".into());
    })
    .await;
    for path in ["/", "/settings/storages"] {
        let answer = page(&app, path).await;
        let policy = answer.header("content-security-policy").unwrap();
        let ancestors = "frame-ancestors https://app.example.com https://*.acme.example";
        assert!(policy.contains(ancestors), "{path}: {policy}");
        assert!(answer.header("x-frame-options").is_none(), "{path}");
    }
    // The API is in no frame.
    let answer = app.get("/v1/workspaces", OPERATOR).await;
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
}

#[tokio::test]
async fn a_client_s_request_id_is_kept_when_it_is_fit() {
    let app = TestApp::spawn().await;
    let long = "a".repeat(65);
    for (sent, kept) in [
        ("client-id_0123456789", true),
        ("short", false),
        ("with space in it", false),
        (long.as_str(), false),
    ] {
        let answer = Answer::of(
            app.request(Method::GET, "/v1/nothing", "")
                .header("X-Request-Id", sent),
        )
        .await;
        answer.problem(404, "not_found");
        assert_eq!(answer.header("x-request-id") == Some(sent), kept, "{sent}");
    }
}

#[tokio::test]
async fn each_request_has_one_line_with_its_id_and_no_secret() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let path = "/v1/audit-events?page_size=1&page_token=query-secret-6a1b";
    let answer = app.get(path, &workspace.admin).await;
    answer.problem(422, "invalid_request");
    let id = answer.header("x-request-id").unwrap();
    let lines = logs_of(id);
    let answered: Vec<_> = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "answered")
        .collect();
    assert_eq!(answered.len(), 1, "{lines:?}");
    let fields = &answered[0]["fields"];
    assert_eq!(fields["method"], "GET");
    assert_eq!(fields["route"], "/v1/audit-events");
    assert_eq!(fields["status"], 422);
    assert_eq!(fields["workspace"], workspace.id);
    assert!(fields["actor"].as_str().unwrap().starts_with("tok_"));
    assert!(fields["duration_ms"].is_f64());
    assert!(fields["bytes"].is_u64());

    let body = json!({"name": "body-secret-91c2", "role": "body-secret-91c2", "x": 1});
    app.post("/v1/workspaces", OPERATOR, &body)
        .await
        .problem(422, "unknown_field");
    let logs = logs();
    for secret in [
        "query-secret-6a1b",
        "body-secret-91c2",
        OPERATOR,
        workspace.admin.as_str(),
        workspace.member.as_str(),
    ] {
        assert!(!logs.contains(secret), "{secret} is in the log");
    }
}

/// A trace that the product began goes on in the log.
#[tokio::test]
async fn each_line_names_the_trace_of_its_request() {
    let app = TestApp::spawn().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = app
        .request(Method::GET, "/v1/workspaces", OPERATOR)
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = crate::it::support::app::Answer::of(request).await;
    let lines = logs_of(answer.header("x-request-id").unwrap());
    assert!(!lines.is_empty());
    assert!(
        lines.iter().all(|line| line["span"]["trace_id"] == trace),
        "{lines:?}"
    );
    let answer = app.get("/v1/workspaces", OPERATOR).await;
    let lines = logs_of(answer.header("x-request-id").unwrap());
    assert!(
        lines
            .iter()
            .all(|line| line["span"].get("trace_id").is_none())
    );
}

#[tokio::test]
async fn slow_clients_are_let_go() {
    let app = TestApp::spawn_with(|options| options.request_timeout = Some("1s".into())).await;
    let began = Instant::now();
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let answer = exchange(&mut stream, b"GET /healthz HT", Duration::from_secs(10)).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    assert!(began.elapsed() < Duration::from_secs(8));

    let began = Instant::now();
    let head = format!(
        "POST /v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"na"
    );
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let answer = exchange(&mut stream, head.as_bytes(), Duration::from_secs(10)).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(8));
    app.get("/healthz", "").await.expect(200);
}

#[tokio::test]
async fn huge_headers_are_refused() {
    let app = TestApp::spawn().await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let mut request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: ".to_vec();
    request.resize(1 << 20, b'a');
    let mut answer = vec![0; 1024];
    // The server may close before all is sent.
    let _ = stream.write_all(&request).await;
    let length = stream.read(&mut answer).await.unwrap_or(0);
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    app.get("/healthz", "").await.expect(200);
}

#[tokio::test]
async fn stopping_finishes_what_runs() {
    let app = TestApp::spawn().await;
    let body = json!({"name": "in flight"}).to_string();
    let head = format!(
        "POST /v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (first, last) = body.split_at(5);
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream
        .write_all(format!("{head}{first}").as_bytes())
        .await
        .unwrap();
    // Until the handler waits for the rest.
    let working = async || {
        let metrics = app.get("/metrics", "").await.text;
        metrics.contains("sallyport_http_requests_in_flight 2")
    };
    while !working().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answer = exchange(&mut stream, last.as_bytes(), Duration::from_secs(10)).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let address = app.address;
    app.stop().await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_change_is_finished_and_audited_when_its_client_leaves() {
    let app = TestApp::spawn().await;
    let body = json!({"name": "left"}).to_string();
    let request = format!(
        "POST /v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..10 {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let made = app.get("/v1/workspaces", OPERATOR).await.expect(200);
    let log = app.get("/v1/audit-events", OPERATOR).await.expect(200);
    let made = made["workspaces"].as_array().unwrap().len();
    let done = log["audit_events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["result"] == "done")
        .count();
    assert_eq!(made, done);
}

#[tokio::test]
async fn health_readiness_and_metrics() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/healthz", "").await.expect(200)["status"], "alive");
    // There is no AWS in this test.
    let ready = app.get("/readyz", "").await.expect(503);
    assert_eq!(ready["status"], "not_ready");
    assert_eq!(
        ready["checks"][0],
        json!({"name": "database", "status": "ready"})
    );
    assert_eq!(ready["checks"][1]["status"], "not_ready");

    app.get("/v1/workspaces/x", OPERATOR)
        .await
        .problem(404, "not_found");
    let metrics = app.get("/metrics", "").await;
    assert_eq!(metrics.status, 200);
    for line in [
        r#"sallyport_http_requests_total{method="GET",route="/v1/workspaces/{workspace_id}",status="404"} 1"#,
        r#"sallyport_http_problems_total{code="not_found"} 1"#,
        "sallyport_http_requests_in_flight 1",
    ] {
        assert!(metrics.text.contains(line), "{line}: {}", metrics.text);
    }
    assert!(metrics.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_service_starts_without_its_database_and_says_so() {
    let app = TestApp::spawn_with(|options| {
        // Nothing listens on the discard port.
        options.database_url = Some("postgres://nobody@127.0.0.1:9/none".into());
        options.master_key = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into());
    })
    .await;
    app.get("/healthz", "").await.expect(200);
    let ready = app.get("/readyz", "").await.expect(503);
    assert_eq!(ready["status"], "not_ready");
    assert_eq!(ready["checks"][0]["name"], "database");
    assert_eq!(ready["checks"][0]["status"], "not_ready");
    let answer = app.get("/v1/workspaces", OPERATOR).await;
    answer.problem(503, "database_unavailable");
    assert_eq!(answer.header("retry-after"), Some("2"));
    app.stop().await.unwrap();
}

#[tokio::test]
async fn the_documentation_loads_nothing_from_elsewhere() {
    let app = TestApp::spawn().await;
    let page = app.get("/docs", "").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for text in [
        "POST",
        "/v1/workspaces/{workspace_id}/tokens",
        "expires_at",
        "Idempotency-Key",
    ] {
        assert!(page.text.contains(text), "{text}");
    }
    assert!(!page.text.contains("<script"));
    assert!(!page.text.contains("style="));
    let style = page
        .text
        .split("href=\"")
        .filter_map(|part| part.split('"').next())
        .find(|href| href.ends_with(".css"))
        .unwrap();
    let style = app.get(style, "").await;
    assert_eq!(style.status, 200);
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    assert!(style.header("cache-control").unwrap().contains("immutable"));
    for text in [&page.text, &style.text] {
        for elsewhere in [
            "src=\"http",
            "@import",
            "url(http",
            "<link rel=\"stylesheet\" href=\"http",
        ] {
            assert!(!text.contains(elsewhere), "{elsewhere}");
        }
    }
}
