//! A product's receiver of webhooks.

use crate::it::support::app::{ORIGIN, TestApp, TestWorkspace, no_aws};
use crate::it::support::aws::wire::{Reply, Request, Wire};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;

/// A service that may send to this machine.
pub async fn app() -> TestApp {
    TestApp::spawn_on(&no_aws(), |options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.endpoint_networks = Some("127.0.0.0/8".into());
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await
}

/// A receiver that answers each request with what `answer` says, which gets the number of the request from 0.
pub async fn receiver(answer: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Wire {
    let count = std::sync::atomic::AtomicUsize::new(0);
    Wire::serve(move |_| {
        let at = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let status = answer(at);
        async move {
            Reply::Answer {
                status,
                headers: Vec::new(),
                body: b"thank you".to_vec(),
            }
        }
        .boxed()
    })
    .await
}

/// What has come, once it is so much.
pub async fn received(wire: &Wire, count: usize) -> Vec<Request> {
    for _ in 0..200 {
        let log = wire.log();
        if log.len() >= count {
            return log.into_iter().map(|entry| entry.request).collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{count} requests did not come: {:?}", wire.log());
}

pub fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let found = request.headers.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

pub fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// The signature that Standard Webhooks has for a request, computed from its bytes alone.
pub fn signature(secret: &str, request: &Request) -> String {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut signed = Vec::new();
    for part in [
        header(request, "webhook-id"),
        header(request, "webhook-timestamp"),
    ] {
        signed.extend_from_slice(part.as_bytes());
        signed.push(b'.');
    }
    signed.extend_from_slice(&request.body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)))
}

/// What every request has that is sent to a webhook with this secret.
#[track_caller]
pub fn is_signed(secret: &str, request: &Request) {
    assert_eq!(request.method, "POST");
    assert_eq!(header(request, "content-type"), "application/json");
    assert!(header(request, "webhook-id").starts_with("evt_"));
    let sent: i64 = header(request, "webhook-timestamp").parse().unwrap();
    let age = OffsetDateTime::now_utc().unix_timestamp() - sent;
    assert!((0..60).contains(&age), "{age}");
    let signatures = header(request, "webhook-signature");
    let own = signature(secret, request);
    assert!(
        signatures.split(' ').any(|found| found == own),
        "{signatures}"
    );
}

/// Makes a webhook, and returns its ID and its secret.
pub async fn webhook(app: &TestApp, token: &str, body: &Value) -> (String, String) {
    let made = app.post("/v1/webhooks", token, body).await.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

/// One event of the workspace: a setup is opened and closed. Returns its ID.
pub async fn closed_setup(app: &TestApp, workspace: &TestWorkspace) -> String {
    let setup = json!({"bucket": "acme-data"});
    let made = app.post("/v1/storage-setups", &workspace.admin, &setup);
    let id = made.await.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/storage-setups/{id}");
    app.delete(&path, &workspace.admin).await.expect(204);
    id
}
