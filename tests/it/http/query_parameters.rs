//! A query parameter that an operation does not know is refused by every operation.

use crate::it::support::app::{Answer, OPERATOR, TestApp};
use reqwest::Method;

#[tokio::test]
async fn an_unknown_parameter_is_refused_everywhere() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let document = app.get("/openapi.json", "").await.expect(200);
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/") {
            continue;
        }
        let token = match path.starts_with("/v1/workspaces") {
            true => OPERATOR,
            false => &workspace.admin,
        };
        let path = path.replace(['{', '}'], "");
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            let path = format!("{path}?b%75cket_name=other");
            let answer = Answer::of(app.request(method.clone(), &path, token)).await;
            assert_eq!(answer.status, 422, "{method} {path}: {answer:?}");
            if method != Method::HEAD {
                answer.refused_field("bucket_name");
                assert_eq!(answer.json()["code"], "unknown_field");
            }
            asked += 1;
        }
    }
    assert!(asked > 30, "{asked}");
    // Nobody without a token learns what is known.
    app.get("/v1/storages?bucket=other", "")
        .await
        .problem(401, "unauthenticated");
    // What asks whether the service lives may add what it likes.
    app.get("/healthz?cache=1", "").await.expect(200);
}
