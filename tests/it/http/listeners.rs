//! What is served where.

use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::raw::{RawAnswer, request};

async fn get(app: &TestApp, path: &str) -> (RawAnswer, RawAnswer) {
    let management = app.management.unwrap();
    (
        request(app.address, "GET", path, "", "").await,
        request(management, "GET", path, "", "").await,
    )
}

async fn managed(docs: Option<&str>) -> TestApp {
    let docs = docs.map(str::to_owned);
    TestApp::spawn_with(|options| {
        options.management_listen = Some("127.0.0.1:0".into());
        options.docs = docs;
    })
    .await
}

#[tokio::test]
async fn with_a_listener_of_their_own_readiness_and_metrics_are_there_only() {
    let app = managed(None).await;
    for (path, status) in [("/readyz", 503), ("/metrics", 200)] {
        let (main, management) = get(&app, path).await;
        assert_eq!((main.status, management.status), (404, status), "{path}");
    }
    let (main, management) = get(&app, "/healthz").await;
    assert_eq!((main.status, management.status), (200, 200));
    // Neither the product nor, by default, its description is beside them.
    let paths = [
        "/v1/workspaces",
        "/",
        "/docs",
        "/openapi.json",
        "/sign-in/x",
        "/static/x",
    ];
    for path in paths {
        let (_, management) = get(&app, path).await;
        assert_eq!(management.status, 404, "{path}: {management:?}");
    }
    app.get("/openapi.json", "").await.expect(200);
    app.get("/v1/workspaces", OPERATOR).await.expect(200);
    // What the main listener does is counted.
    let (_, metrics) = get(&app, "/metrics").await;
    let line =
        r#"sallyport_http_requests_total{method="GET",route="/v1/workspaces",status="200"} 1"#;
    assert!(metrics.body.contains(line), "{}", metrics.body);
    let management = app.management.unwrap();
    app.stop().await.unwrap();
    assert!(tokio::net::TcpStream::connect(management).await.is_err());
}

#[tokio::test]
async fn the_description_is_where_the_operator_wants_it() {
    for (docs, on_main, on_management) in [("management", 404, 200), ("off", 404, 404)] {
        let app = managed(Some(docs)).await;
        for path in ["/docs", "/openapi.json"] {
            let (main, management) = get(&app, path).await;
            assert_eq!(
                (main.status, management.status),
                (on_main, on_management),
                "{docs} {path}"
            );
        }
    }
    let app = TestApp::spawn_with(|options| options.docs = Some("off".into())).await;
    app.get("/docs", "").await.problem(404, "not_found");
    app.get("/metrics", "").await;
    assert_eq!(app.management, None);
}
