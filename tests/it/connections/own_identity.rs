//! The service's own identity at AWS: what keeps the service from it is said in `/readyz`, in the log and in the
//! metrics, and it heals without a restart.

use crate::it::checks::health::Stored;
use crate::it::support::app::{TestApp, app_on, logs};
use crate::it::support::aws::sdk_config_at;
use crate::it::support::aws::stub::{AwsStub, sts_error};
use crate::it::support::aws::wire::{Reply, eventually};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What a service that was well, or never was, may take to notice or to heal.
const SOON: Duration = Duration::from_secs(10);

/// The check of `/readyz` that is about the identity.
async fn readiness(app: &TestApp) -> (u16, Value) {
    let answer = app.get("/readyz", "").await;
    let body = answer.json();
    assert_eq!(body["checks"][1]["name"], "aws_identity", "{body}");
    (answer.status.as_u16(), body["checks"][1].clone())
}

/// Waits until the service is ready, or is not because of this code.
async fn until(app: &TestApp, code: Option<&str>) {
    let begun = Instant::now();
    loop {
        let (status, part) = readiness(app).await;
        let expected = match code {
            None => 200,
            Some(_) => 503,
        };
        if status == expected && part["code"].as_str() == code {
            return;
        }
        assert!(begun.elapsed() < SOON, "{code:?}: {status} {part}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn assert_metrics(app: &TestApp, code: Option<&str>) {
    let text = app.get("/metrics", "").await.text;
    let up = format!(
        "sallyport_service_identity_up {}",
        i32::from(code.is_none())
    );
    assert!(text.lines().any(|line| line == up), "{up}: {text}");
    for one in [
        "no_credentials",
        "credentials_rejected",
        "clock",
        "endpoint_unreachable",
        "not_permitted",
        "sts_unavailable",
        "sts_rejected",
    ] {
        let set = i32::from(code == Some(one));
        let line = format!("sallyport_service_identity_fault{{code=\"{one}\"}} {set}");
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

/// The log's warnings about an identity, of those lines that have this text in them.
fn warnings(text: &str) -> Vec<Value> {
    logs()
        .lines()
        .filter(|line| line.contains(text))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| {
            let said = line["fields"]["message"].as_str().unwrap_or_default();
            line["level"] == "WARN" && said.contains("its own AWS identity")
        })
        .collect()
}

#[tokio::test]
async fn what_keeps_the_service_from_its_identity_is_said_and_heals() {
    let late = "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z";
    let cases = [
        (403, "InvalidClientTokenId", "", "credentials_rejected"),
        (403, "SignatureDoesNotMatch", "", "credentials_rejected"),
        (403, "ExpiredToken", "", "credentials_rejected"),
        (403, "SignatureDoesNotMatch", late, "clock"),
        (403, "AccessDenied", "", "not_permitted"),
        (500, "InternalFailure", "", "sts_unavailable"),
        (400, "TotallyNewException", "", "sts_rejected"),
    ];
    let services = cases.map(|(status, aws_code, message, code)| async move {
        let mark = Uuid::new_v4().simple().to_string();
        let answer = sts_error(status, aws_code, &format!("{message} {mark}"));
        fails_and_heals(answer, &mark, code).await;
    });
    join_all(services).await;
}

/// A service of which STS says this, until it says who it is.
async fn fails_and_heals(answer: Reply, mark: &str, code: &str) {
    let stub = AwsStub::start().await;
    stub.answer_to("GetCallerIdentity", answer);
    let app = app_on(&stub.hurried_sdk_config()).await;
    until(&app, Some(code)).await;
    let (_, part) = readiness(&app).await;
    assert_eq!(part["status"], "not_ready");
    let detail = part["detail"].as_str().unwrap();
    assert!(!detail.is_empty() && !detail.contains(mark), "{detail}");
    assert_metrics(&app, Some(code)).await;
    // A setup needs to know who asks.
    let workspace = app.workspace().await;
    let refused = app
        .post("/v1/storage-setups", &workspace.admin, &json!({}))
        .await;
    refused.problem(503, "aws_identity_unknown");
    // It is asked again, and warned of once.
    let asked = stub.count("GetCallerIdentity");
    eventually("it is asked again", async || {
        stub.count("GetCallerIdentity") > asked
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let warned = warnings(mark);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert_eq!(warned[0]["fields"]["code"], code);

    stub.forget_rules();
    until(&app, None).await;
    assert_metrics(&app, None).await;
    app.stop().await.unwrap();
}

#[tokio::test]
async fn an_endpoint_that_nothing_listens_at_is_unreachable() {
    let app = app_on(&sdk_config_at("http://127.0.0.1:9", "AKIAIOSFODNN7EXAMPLE")).await;
    until(&app, Some("endpoint_unreachable")).await;
    assert_metrics(&app, Some("endpoint_unreachable")).await;
}

/// Has credentials from some moment on.
#[derive(Debug)]
struct Later(Arc<AtomicBool>);

impl ProvideCredentials for Later {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(match self.0.load(Ordering::SeqCst) {
            true => Ok(Credentials::new("AKIASTUB", "secret", None, None, "test")),
            false => Err(CredentialsError::not_loaded("none yet")),
        })
    }
}

#[tokio::test]
async fn credentials_that_appear_are_used_without_a_restart() {
    let stub = AwsStub::start().await;
    let there = Arc::<AtomicBool>::default();
    let provider = SharedCredentialsProvider::new(Later(there.clone()));
    let sdk = stub.sdk_config().into_builder();
    let app = app_on(&sdk.credentials_provider(provider).build()).await;
    until(&app, Some("no_credentials")).await;
    assert_metrics(&app, Some("no_credentials")).await;
    assert_eq!(stub.count("GetCallerIdentity"), 0);
    there.store(true, Ordering::SeqCst);
    until(&app, None).await;
    assert_metrics(&app, None).await;
}

/// A failure is noticed by the first call that meets it, not by the minute; no storage is marked, and all goes on when
/// it is over.
#[tokio::test]
async fn a_refusal_of_our_own_credentials_is_noticed_at_once_and_marks_no_storage() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let storage = Stored::on(&stub, &app).await;
    until(&app, None).await;
    let before = storage.get().await["health"].clone();
    let refused = sts_error(403, "InvalidClientTokenId", "gone");
    for operation in ["AssumeRole", "GetCallerIdentity"] {
        stub.answer_to(operation, refused.clone());
    }
    let report = storage.check().await;
    assert_eq!(report.code("assume_role"), Some("service_key_unknown"));
    until(&app, Some("credentials_rejected")).await;
    assert_metrics(&app, Some("credentials_rejected")).await;
    // The account is known all the same: setups can be opened.
    let admin = &storage.dialog.workspace.admin;
    let opened = app.post("/v1/storage-setups", admin, &json!({})).await;
    opened.expect(201);
    storage.check().await;
    let found = storage.get().await["health"].clone();
    for member in ["state", "since", "code"] {
        assert_eq!(found[member], before[member]);
    }

    stub.forget_rules();
    until(&app, None).await;
    storage.check().await.passed();
    let healed = storage.get().await["health"].clone();
    assert_eq!(healed["since"], before["since"]);
    let events = app.get("/v1/events?types=storage.broken", admin).await;
    assert_eq!(events.expect(200)["events"], json!([]));
}

/// One throttled call says nothing about the identity.
#[tokio::test]
async fn an_identity_that_is_known_is_not_down_while_sts_asks_for_fewer_calls() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let storage = Stored::on(&stub, &app).await;
    until(&app, None).await;
    stub.answer_to(
        "GetCallerIdentity",
        sts_error(400, "Throttling", "Rate exceeded"),
    );
    stub.answer_to("AssumeRole", Reply::Reset);
    let asked = stub.count("GetCallerIdentity");
    storage.check().await;
    eventually("the failed call is a reason to ask", async || {
        stub.count("GetCallerIdentity") > asked
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(readiness(&app).await.0, 200);
    assert_metrics(&app, None).await;
}
