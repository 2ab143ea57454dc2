//! The routes that act for the customer exist in `sallyport dev` alone.

use crate::it::support::app::{OPERATOR, TestApp, no_aws};
use crate::it::support::aws::wire::{Reply, Request, Wire};
use crate::settings::{Options, Settings};
use crate::startup;
use futures_util::FutureExt;
use reqwest::Method;
use serde_json::{Value, json};

const ROUTES: [&str; 3] = ["/dev/customer/apply", "/dev/break", "/dev/repair"];

/// The service as `sallyport dev` starts it.
async fn with_helper(helper: &str) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        listen: Some("127.0.0.1:0".into()),
        data_dir: folder.path().to_str().map(str::to_owned),
        operator_token: Some(OPERATOR.into()),
        drain: Some("0s".into()),
        ..Options::default()
    };
    let mut settings = Settings::parse(options.clone()).unwrap();
    settings.dev_helper = Some(helper.parse().unwrap());
    let application = startup::build_with(settings, &no_aws()).await.unwrap();
    TestApp::run(application, folder, options)
}

/// A helper that repeats what it is asked, and refuses to repair.
async fn helper() -> Wire {
    let answer = |request: Request| {
        let (status, body) = match request.target.as_str() {
            "/dev/repair" => (409, json!({"code": "aws_refused", "detail": "No."})),
            _ => (200, serde_json::from_slice(&request.body).unwrap()),
        };
        Reply::Answer {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    };
    Wire::serve(move |request| async move { answer(request) }.boxed()).await
}

#[tokio::test]
async fn the_service_itself_has_none_of_them() {
    let app = TestApp::spawn().await;
    let body = json!({"setup_id": "set_1", "storage_id": "sto_1", "how": "cors"});
    for path in ROUTES {
        for token in ["", OPERATOR] {
            let answer = app.post(path, token, &body).await;
            assert_eq!(answer.expect(404)["code"], "not_found", "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_asked_goes_to_the_helper_and_its_answer_comes_back() {
    let helper = helper().await;
    let app = with_helper(&helper.url).await;
    let asked = [
        ("/dev/customer/apply", json!({"setup_id": "set_1"})),
        (
            "/dev/break",
            json!({"storage_id": "sto_1", "how": "role_deleted"}),
        ),
    ];
    for (path, body) in asked {
        assert_eq!(app.post(path, "", &body).await.expect(200), body);
    }
    let repair = json!({"storage_id": "sto_1"});
    let refused = app.post("/dev/repair", "", &repair).await;
    let problem = refused.expect(409);
    assert_eq!(problem["code"], "aws_refused");
    assert!(problem["request_id"].is_string());
    assert_eq!(
        problem["request_id"].as_str(),
        refused.header("x-request-id")
    );
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let targets: Vec<_> = helper
        .log()
        .into_iter()
        .map(|entry| entry.request.target)
        .collect();
    assert_eq!(targets, ROUTES);
}

#[tokio::test]
async fn what_is_not_understood_or_comes_from_another_site_does_not_reach_the_helper() {
    let helper = helper().await;
    let app = with_helper(&helper.url).await;
    let wrong = [
        json!({}),
        json!({"storage_id": "sto_1", "how": "everything"}),
        json!({"storage_id": "sto_1", "how": "cors", "more": 1}),
    ];
    for body in wrong {
        app.post("/dev/break", "", &body).await.expect(422);
    }
    let body = json!({"storage_id": "sto_1"}).to_string();
    let request = |name: &'static str, value: &'static str| {
        let request = app.request(Method::POST, "/dev/repair", "");
        let request = match name {
            "content-type" => request,
            _ => request.header("content-type", "application/json"),
        };
        request.header(name, value).body(body.clone()).send()
    };
    // A page of another site can send a text without asking first.
    let text = request("content-type", "text/plain").await.unwrap();
    assert_eq!(text.status(), 415);
    // A name of another site that leads to this machine.
    let renamed = request("host", "rebound.example.com:8080").await.unwrap();
    assert_eq!(renamed.status(), 403);
    let problem: Value = serde_json::from_slice(&renamed.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["code"], "dev_host_refused");
    assert!(helper.log().is_empty());
}

#[tokio::test]
async fn a_helper_that_is_away_is_reported() {
    // Nothing listens on the discard port.
    let app = with_helper("http://127.0.0.1:9/").await;
    let answer = app
        .post("/dev/repair", "", &json!({"storage_id": "sto_1"}))
        .await;
    assert_eq!(answer.expect(502)["code"], "dev_helper_unreachable");
}
