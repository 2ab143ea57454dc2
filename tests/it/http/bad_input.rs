//! Input that cannot be accepted: a clear 4xx that names the field, and the service stays up.

use crate::it::support::app::{Answer, OPERATOR, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

/// Every field of the operator's endpoints, with values that it refuses.
fn bad_fields(token_path: &str) -> Vec<(String, Value, &'static str, Vec<Value>)> {
    let long = "é".repeat(201);
    let names = || {
        vec![
            json!(null),
            json!(5),
            json!(["a"]),
            json!({"a": 1}),
            json!(true),
            json!(""),
            json!("   "),
            json!(long.clone()),
            json!("line\nbreak"),
            json!("nul\u{0}"),
        ]
    };
    let token = json!({"name": "x", "role": "member"});
    vec![
        ("/v1/workspaces".into(), json!({}), "name", names()),
        (token_path.into(), token.clone(), "name", names()),
        (
            token_path.into(),
            token.clone(),
            "role",
            vec![
                json!(null),
                json!(1),
                json!([]),
                json!(""),
                json!("Admin"),
                json!("operator"),
                json!("m".repeat(100_000)),
                json!("mémber"),
            ],
        ),
        (
            token_path.into(),
            token,
            "expires_at",
            vec![
                json!(5),
                json!({}),
                json!(""),
                json!("tomorrow"),
                json!("2001-01-01T00:00:00Z"),
                json!("2030-13-01T00:00:00Z"),
                json!("2030-01-01"),
                json!("2".repeat(100_000)),
            ],
        ),
    ]
}

#[tokio::test]
async fn every_field_is_refused_by_its_name() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let tokens = format!("/v1/workspaces/{}/tokens", workspace.id);
    for (path, body, field, values) in bad_fields(&tokens) {
        for value in values {
            let mut body = body.clone();
            body[field] = value;
            let refused = app.post(&path, OPERATOR, &body).await;
            refused.refused_field(field);
            assert!(refused.text.len() < 2_000, "{}", refused.text.len());
        }
    }
    let list = app.get("/v1/workspaces", OPERATOR).await.expect(200);
    assert_eq!(list["workspaces"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn several_faults_are_told_at_once() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let body = json!({"name": "", "role": "", "expires_at": ""});
    let problem = app
        .post(&path, OPERATOR, &body)
        .await
        .problem(422, "invalid_request");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn unknown_duplicate_and_missing_fields_are_named() {
    let app = TestApp::spawn().await;
    for (body, code, field) in [
        (r#"{"name":"a","id":"wrk_1"}"#, "unknown_field", "id"),
        (r#"{"name":"a","status":"x"}"#, "unknown_field", "status"),
        (r#"{"name":"a","name":"b"}"#, "duplicate_field", "name"),
        ("{}", "missing_field", "name"),
        ("", "missing_field", "name"),
        ("[]", "wrong_type", "body"),
        ("null", "wrong_type", "body"),
    ] {
        let answer = app
            .send_text(Method::POST, "/v1/workspaces", OPERATOR, body)
            .await;
        answer.problem(422, code);
        answer.refused_field(field);
    }
    for (query, code, field) in [
        ("pagesize=1", "unknown_field", "pagesize"),
        ("page_size=1&page_size=1", "duplicate_field", "page_size"),
        ("page_size=a", "wrong_type", "page_size"),
        ("page_size=0", "invalid_request", "page_size"),
        ("page_size=1001", "invalid_request", "page_size"),
    ] {
        for path in ["/v1/workspaces", "/v1/audit-events"] {
            let answer = app.get(&format!("{path}?{query}"), OPERATOR).await;
            answer.problem(422, code);
            answer.refused_field(field);
        }
    }
    app.get("/v1/workspaces?page_token=%ff", OPERATOR)
        .await
        .problem(400, "invalid_utf8");
}

#[tokio::test]
async fn broken_json_is_400_and_says_where() {
    let app = TestApp::spawn().await;
    let deep = format!(r#"{{"name":{}}}"#, "[".repeat(200_000));
    let closed = format!(
        r#"{{"name":{}{}}}"#,
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    for body in [
        "{",
        "{\"name\":\n}",
        "nonsense",
        r#"{"name":"\ud800"}"#,
        "{} {}",
        &deep,
    ] {
        let answer = app
            .send_text(Method::POST, "/v1/workspaces", OPERATOR, body.to_owned())
            .await;
        let problem = answer.problem(400, "malformed_json");
        assert!(problem["line"].is_u64() && problem["column"].is_u64());
    }
    app.send_text(Method::POST, "/v1/workspaces", OPERATOR, closed)
        .await
        .refused_field("name");
    app.send_text(
        Method::POST,
        "/v1/workspaces",
        OPERATOR,
        b"{\"name\":\"\xff\"}".to_vec(),
    )
    .await
    .problem(400, "invalid_utf8");
}

#[tokio::test]
async fn bodies_of_another_type_or_size_are_refused() {
    let app = TestApp::spawn().await;
    let send = |kind: &str, body: Vec<u8>| {
        let request = app
            .request(Method::POST, "/v1/workspaces", OPERATOR)
            .header("Content-Type", kind)
            .body(body);
        Answer::of(request)
    };
    let good = br#"{"name":"a"}"#.to_vec();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "json",
    ] {
        send(kind, good.clone())
            .await
            .problem(415, "unsupported_media_type");
    }
    send("application/json; charset=utf-8", good.clone())
        .await
        .expect(201);
    let request = app
        .request(Method::POST, "/v1/workspaces", OPERATOR)
        .body(good.clone());
    Answer::of(request)
        .await
        .problem(415, "unsupported_media_type");
    let request = app
        .request(Method::POST, "/v1/workspaces", OPERATOR)
        .header("Content-Type", "application/json")
        .header("Content-Encoding", "gzip")
        .body(good);
    Answer::of(request)
        .await
        .problem(415, "unsupported_content_encoding");

    let name = "a".repeat(1 << 20);
    let body = json!({ "name": name }).to_string();
    send("application/json", body.into_bytes())
        .await
        .problem(413, "body_too_large");
    app.get("/healthz", "").await.expect(200);
}

/// The size is also bounded where the client does not send it.
#[tokio::test]
async fn chunked_bodies_are_bounded_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::spawn().await;
    let mut stream = tokio::net::TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n", vec![b' '; 0x10000].as_slice(), b"\r\n"].concat();
    for _ in 0..20 {
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn ill_formed_ids_are_answered_like_absent_ones() {
    let app = TestApp::spawn().await;
    let without_id = |answer: Answer| {
        let mut body = answer.problem(404, "not_found");
        body["request_id"].take();
        body
    };
    let absent = "/v1/workspaces/wrk_00000000000000000000000000000000";
    let absent = without_id(app.get(absent, OPERATOR).await);
    for id in [
        "x",
        "wrk_1",
        "WRK_00000000000000000000000000000000",
        "tok_00000000000000000000000000000000",
        "%00",
        "%ff",
        "wrk_00000000000000000000000000000000%0a",
        &"a".repeat(5_000),
    ] {
        let answer = app.get(&format!("/v1/workspaces/{id}"), OPERATOR).await;
        assert_eq!(without_id(answer), absent, "{id}");
    }
}
