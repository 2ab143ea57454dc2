//! Clients that send a form as slowly as they can.

use crate::it::support::app::TestApp;
use crate::it::support::pages::Visitor;
use crate::it::support::raw::exchange;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

async fn app() -> TestApp {
    TestApp::spawn_with(|options| options.request_timeout = Some("1s".into())).await
}

/// Sends the head of a form, a part of its body, and nothing more.
async fn stall(app: &TestApp, head: &str) -> (u16, String) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let request = format!("POST {head}\r\nHost: x\r\nContent-Length: 900\r\n\r\ncsrf=a");
    let answer = exchange(&mut stream, request.as_bytes(), Duration::from_secs(10)).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{head}");
    let answer = answer.unwrap_or_else(|| panic!("no answer to {head}"));
    assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_stranger_s_form_has_a_time_limit() {
    let app = app().await;
    let form = "Content-Type: application/x-www-form-urlencoded";
    let (status, body) = stall(&app, &format!("/instructions/anything HTTP/1.1\r\n{form}")).await;
    assert_eq!(status, 408, "{body}");
    assert!(body.contains("request_timeout"), "{body}");
}

#[tokio::test]
async fn a_visitor_s_form_has_a_time_limit() {
    let app = app().await;
    let workspace = app.workspace().await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let cookie = format!("Cookie: {}", visitor.cookie());
    let form = "Content-Type: application/x-www-form-urlencoded";
    for path in ["/sign-out", "/projects", "/settings/storages/add"] {
        let head = format!("{path} HTTP/1.1\r\n{cookie}\r\n{form}\r\nAccept: text/html");
        let (status, body) = stall(&app, &head).await;
        assert_eq!(status, 408, "{path}: {body}");
        assert!(body.contains("<html") && body.contains("request_timeout"));
    }
}

#[tokio::test]
async fn the_fields_of_an_upload_form_have_a_time_limit_together() {
    let app = app().await;
    let workspace = app.workspace().await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let began = Instant::now();
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /storages/built-in/files/upload HTTP/1.1\r\nHost: x\r\nCookie: {}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000\r\n\r\n",
        visitor.cookie()
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes())
        .await
        .unwrap();
    // A field every 300 ms, each well within the limit.
    let mut status = None;
    for _ in 0..30 {
        let field =
            b"--b\r\nContent-Disposition: form-data; name=\"folder\"\r\n\r\n/\r\n".as_slice();
        let patience = Duration::from_millis(300);
        if tokio::io::AsyncWriteExt::write_all(&mut stream, field)
            .await
            .is_err()
        {
            break;
        }
        let mut byte = [0; 16];
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut byte);
        if let Ok(Ok(length)) = tokio::time::timeout(patience, read).await {
            status = Some(String::from_utf8_lossy(&byte[..length]).into_owned());
            break;
        }
    }
    assert!(began.elapsed() < Duration::from_secs(6));
    let status = status.expect("an answer while fields still come");
    assert!(status.starts_with("HTTP/1.1 4"), "{status}");
}
