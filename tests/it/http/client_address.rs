//! The client's address in the audit log and in limits, behind proxies and not.

use crate::it::support::app::{Answer, OPERATOR, TestApp};
use reqwest::Method;

/// Asks without a token, and gives the address in the audit log.
async fn noted(app: &TestApp, headers: &[(&str, &str)]) -> String {
    let mut request = app.request(Method::GET, "/v1/workspaces", "");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let refused = Answer::of(request).await;
    refused.problem(401, "unauthenticated");
    let log = app.get("/v1/audit-events?page_size=1", OPERATOR).await;
    let log = log.expect(200);
    let event = &log["audit_events"][0];
    assert_eq!(event["request_id"].as_str(), refused.header("x-request-id"));
    event["remote_addr"].as_str().unwrap().to_owned()
}

const SPOOFED: [(&str, &str); 2] = [
    ("X-Forwarded-For", "192.0.2.66"),
    ("Forwarded", "for=192.0.2.66"),
];

#[tokio::test]
async fn without_trusted_proxies_the_peer_counts_whatever_it_says() {
    let app = TestApp::spawn().await;
    assert_eq!(noted(&app, &SPOOFED).await, "127.0.0.1");
    let app = TestApp::spawn_with(|options| {
        options.trusted_proxies = Some("10.0.0.0/8".into());
    })
    .await;
    assert_eq!(noted(&app, &SPOOFED).await, "127.0.0.1");
}

#[tokio::test]
async fn a_trusted_proxy_s_last_word_counts() {
    let app = TestApp::spawn_with(|options| {
        options.trusted_proxies = Some("127.0.0.0/8, 10.0.0.0/8".into());
    })
    .await;
    for (headers, address) in [
        (vec![], "127.0.0.1"),
        // What the client made up comes before what the proxy appended.
        (
            vec![(
                "X-Forwarded-For",
                "127.0.0.1, 192.0.2.66, 198.51.100.7, 10.1.2.3",
            )],
            "198.51.100.7",
        ),
        (
            vec![("Forwarded", "for=192.0.2.66, for=198.51.100.7")],
            "198.51.100.7",
        ),
        (
            vec![
                ("Forwarded", "for=192.0.2.66"),
                ("X-Forwarded-For", "198.51.100.7"),
            ],
            "198.51.100.7",
        ),
    ] {
        assert_eq!(noted(&app, &headers).await, address, "{headers:?}");
    }
}

#[tokio::test]
async fn one_address_s_flood_of_refusals_hides_no_other_s() {
    let app = TestApp::spawn_with(|options| {
        options.trusted_proxies = Some("127.0.0.0/8".into());
    })
    .await;
    for _ in 0..300 {
        let request = app.request(Method::GET, "/v1/workspaces", "");
        Answer::of(request.header("X-Forwarded-For", "192.0.2.66")).await;
    }
    let metrics = app.get("/metrics", "").await.text;
    let dropped = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sallyport_audit_anonymous_dropped_total "))
        .unwrap();
    assert!(dropped.parse::<u64>().unwrap() > 100, "{dropped}");
    assert_eq!(
        noted(&app, &[("X-Forwarded-For", "198.51.100.7")]).await,
        "198.51.100.7"
    );
}
