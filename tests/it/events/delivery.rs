//! What arrives at a product's receiver.

use crate::application::events::sender::{SignedRequest, WebhookSender};
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::domain::webhook::{AttemptError, WebhookUrl};
use crate::it::events::receiver::{
    app, body, closed_setup, header, is_signed, received, receiver, signature, webhook,
};
use crate::it::support::app::OPERATOR;
use crate::outgoing::webhooks::HttpWebhookSender;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn an_event_arrives_signed_with_its_data() {
    let app = app().await;
    let workspace = app.workspace().await;
    let receiver = receiver(|_| 204).await;
    let hook = json!({"url": format!("{}/hooks?of=us", receiver.url)});
    let (_, secret) = webhook(&app, OPERATOR, &hook).await;
    let setup = closed_setup(&app, &workspace).await;
    let requests = received(&receiver, 1).await;
    let request = &requests[0];
    is_signed(&secret, request);
    assert_eq!(request.target, "/hooks?of=us");
    let sent = body(request);
    assert_eq!(sent["type"], "setup.closed");
    assert_eq!(
        sent["data"],
        json!({"workspace_id": workspace.id, "setup_id": setup})
    );
    // The feed has the same.
    let feed = app.get("/v1/events", OPERATOR).await.expect(200);
    let event = &feed["events"][0];
    assert_eq!(event["id"], header(request, "webhook-id"));
    for member in ["type", "timestamp", "data"] {
        assert_eq!(event[member], sent[member]);
    }
}

#[tokio::test]
async fn what_is_not_taken_comes_again_within_two_seconds_with_the_same_id() {
    let app = app().await;
    let workspace = app.workspace().await;
    let receiver = receiver(|at| if at == 0 { 500 } else { 200 }).await;
    let hook = json!({"url": receiver.url});
    let (id, secret) = webhook(&app, &workspace.admin, &hook).await;
    closed_setup(&app, &workspace).await;
    let requests = received(&receiver, 2).await;
    for request in &requests {
        is_signed(&secret, request);
    }
    let ids: Vec<&str> = requests
        .iter()
        .map(|request| header(request, "webhook-id"))
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(requests[0].body, requests[1].body);
    let log = receiver.log();
    assert!(log[1].from - log[0].to < Duration::from_secs(2));
    // What became of it is listed.
    let path = format!("/v1/webhooks/{id}/deliveries");
    let delivery = async || {
        let list = app.get(&path, &workspace.admin).await.expect(200);
        list["deliveries"][0].clone()
    };
    let mut listed = delivery().await;
    while listed["status"] == "pending" {
        tokio::time::sleep(Duration::from_millis(50)).await;
        listed = delivery().await;
    }
    assert_eq!(listed["status"], "succeeded");
    assert_eq!(
        (&listed["attempts"], &listed["response_status"]),
        (&json!(2), &json!(200))
    );
    assert_eq!(listed["event_id"], ids[0]);
    // And is sent again where somebody asks for it.
    let again = format!("{path}/{}/redeliver", listed["id"].as_str().unwrap());
    app.post(&again, &workspace.admin, &json!({}))
        .await
        .expect(202);
    let requests = received(&receiver, 3).await;
    assert_eq!(header(&requests[2], "webhook-id"), listed["event_id"]);
}

#[tokio::test]
async fn a_rotated_secret_and_the_one_before_both_sign() {
    let app = app().await;
    let workspace = app.workspace().await;
    let receiver = receiver(|_| 200).await;
    let hook = json!({"url": receiver.url});
    let (id, old) = webhook(&app, &workspace.admin, &hook).await;
    let path = format!("/v1/webhooks/{id}/rotate-secret");
    let rotated = app
        .post(&path, &workspace.admin, &json!({}))
        .await
        .expect(200);
    let new = rotated["secret"].as_str().unwrap();
    assert_ne!(new, old);
    assert!(rotated["previous_secret_until"].is_string());
    closed_setup(&app, &workspace).await;
    let requests = received(&receiver, 1).await;
    let request = &requests[0];
    let both = format!("{} {}", signature(new, request), signature(&old, request));
    assert_eq!(header(request, "webhook-signature"), both);
    // Neither is in an answer again, or in the database.
    let answers = app.get("/v1/webhooks", &workspace.admin).await.text;
    for secret in [new, &old] {
        assert!(!answers.contains(secret));
        for file in std::fs::read_dir(app.folder.path()).unwrap().flatten() {
            let Ok(bytes) = std::fs::read(file.path()) else {
                continue;
            };
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{:?}", file.path());
        }
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_asked_again() {
    let app = app().await;
    let workspace = app.workspace().await;
    let receiver = receiver(|_| 410).await;
    let hook = json!({"url": receiver.url});
    let (id, _) = webhook(&app, &workspace.admin, &hook).await;
    closed_setup(&app, &workspace).await;
    received(&receiver, 1).await;
    let path = format!("/v1/webhooks/{id}");
    let mut read = app.get(&path, &workspace.admin).await.expect(200);
    for _ in 0..100 {
        if read["is_enabled"] == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        read = app.get(&path, &workspace.admin).await.expect(200);
    }
    assert_eq!(
        (&read["is_enabled"], &read["is_gone"]),
        (&json!(false), &json!(true))
    );
    let change = json!({"is_enabled": true});
    let enabled = app.patch(&path, &workspace.admin, &change).await;
    assert_eq!(enabled.expect(200)["is_gone"], false);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_keeps_no_other_one_waiting() {
    let app = app().await;
    let workspace = app.workspace().await;
    // It takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    webhook(&app, &workspace.admin, &json!({"url": url})).await;
    let receiver = receiver(|_| 200).await;
    webhook(&app, &workspace.admin, &json!({"url": receiver.url})).await;
    for _ in 0..8 {
        closed_setup(&app, &workspace).await;
    }
    received(&receiver, 8).await;
}

fn request(url: &str) -> SignedRequest {
    SignedRequest {
        url: WebhookUrl::parse(url).unwrap(),
        id: "evt_1".to_owned(),
        timestamp: 5,
        signature: "v1,x".to_owned(),
        body: "{}".to_owned(),
    }
}

/// Also where the webhook was made before the operator closed the network, or the name led elsewhere then.
#[tokio::test]
async fn no_connection_is_opened_to_an_internal_address() {
    let receiver = receiver(|_| 200).await;
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    let urls = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
    ];
    let closed = HttpWebhookSender::new(Arc::default()).unwrap();
    for url in &urls {
        let request = request(url);
        assert!(closed.leads_inside(&request.url).await, "{url}");
        let sent = closed.send(&request).await;
        assert_eq!(sent, Err(AttemptError::InternalAddress), "{url}");
    }
    assert!(receiver.log().is_empty());
    let networks = ["127.0.0.0/8", "::1/128"];
    let networks = networks.iter().map(|text| text.parse().unwrap());
    let networks = EndpointNetworks::new(networks.collect());
    let open = HttpWebhookSender::new(Arc::new(networks)).unwrap();
    assert!(!open.leads_inside(&request(&urls[0]).url).await);
    assert_eq!(open.send(&request(&urls[0])).await, Ok(200));
    // Nobody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let sent = open.send(&request(&url)).await;
    assert_eq!(sent, Err(AttemptError::ConnectionFailed));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = receiver(|_| 302).await;
    let networks = EndpointNetworks::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let sender = HttpWebhookSender::new(Arc::new(networks)).unwrap();
    assert_eq!(sender.send(&request(&receiver.url)).await, Ok(302));
    assert_eq!(receiver.log().len(), 1);
}
