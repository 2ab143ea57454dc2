//! Downloads that end before their end.

use crate::it::support::app::logs_of;
use crate::it::support::emulator::Emulator;
use crate::it::support::raw::bearer;
use crate::it::support::scene::Scene;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The lines about how the request ended, once there is one.
async fn ends(request_id: &str) -> Vec<Value> {
    for _ in 0..200 {
        let mut lines = logs_of(request_id);
        lines.retain(|line| {
            let message = &line["fields"]["message"];
            message == "answered" || message == "broken off"
        });
        if !lines.is_empty() {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no line about {request_id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_broken_off_is_not_logged_as_answered() {
    let place = Scene::on(Emulator).connect().await;
    // Far more than the buffers on the way hold.
    let size = 48 << 20;
    place.storage.put("/large", vec![7; size]).await;
    let mut download = TcpStream::connect(place.app.address).await.unwrap();
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nX-Request-Id: broken-off-download-1\r\n{}\r\n",
        place.content_path("/large"),
        bearer(&place.workspace.member)
    );
    download.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    download.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let metrics = place.app.get("/metrics", "").await.text;
    assert!(
        metrics.contains("\nsallyport_transfers_in_flight 1\n"),
        "{metrics}"
    );
    drop(download);
    let ends = ends("broken-off-download-1").await;
    assert_eq!(ends.len(), 1, "{ends:?}");
    let fields = &ends[0]["fields"];
    assert_eq!(fields["message"], "broken off");
    assert_eq!(fields["broken_off_by"], "connection");
    assert_eq!(fields["expected_bytes"], size);
    assert!(fields["bytes"].as_u64().unwrap() < size as u64, "{fields}");
    let metrics = place.app.get("/metrics", "").await.text;
    let counted = "sallyport_downloads_broken_off_total{by=\"connection\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_whole_has_its_line_at_its_end() {
    let place = Scene::on(Emulator).connect().await;
    place.storage.put("/whole", vec![7; 300_000]).await;
    let answer = place
        .content("/whole", &[("x-request-id", "whole-download-1")])
        .await;
    assert_eq!(answer.status, 200);
    let ends = ends("whole-download-1").await;
    assert_eq!(ends.len(), 1, "{ends:?}");
    let fields = &ends[0]["fields"];
    assert_eq!(fields["message"], "answered");
    assert_eq!(fields["status"], 200);
    assert_eq!(fields["bytes"], 300_000);
    assert!(fields["transfer_ms"].is_f64(), "{fields}");
}
