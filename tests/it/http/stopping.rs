//! How a stop goes: what it waits for, and what it does not.

use crate::application::kept::store::{AuditFilter, AuditStore, WorkspaceStore};
use crate::database::{Database, DatabaseUrl};
use crate::it::database::contract::samples::all;
use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::emulator::Emulator;
use crate::it::support::raw::{bearer, exchange, request};
use crate::it::support::scene::Scene;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn idle_connections_do_not_hold_up_a_stop() {
    let app = TestApp::spawn().await;
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = exchange(&mut idle, ask, Duration::from_millis(500)).await;
    assert_eq!(answer.unwrap().status, 200);
    // One that has never asked.
    let _silent = TcpStream::connect(app.address).await.unwrap();
    let began = Instant::now();
    app.stop().await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    let mut end = [0];
    assert_eq!(idle.read(&mut end).await.unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_does_not_hold_up_a_stop() {
    let place = Scene::on(Emulator).connect().await;
    // Far more than the buffers on the way hold.
    place.storage.put("/large", vec![7; 48 << 20]).await;
    let mut download = TcpStream::connect(place.app.address).await.unwrap();
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\n{}\r\n",
        place.content_path("/large"),
        bearer(&place.workspace.member)
    );
    download.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    download.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let began = Instant::now();
    place.app.stop().await.unwrap();
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(12),
        "{took:?} of the 25 s that it may take"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_moves_is_finished() {
    let place = Scene::on(Emulator).connect().await;
    let size = 24 << 20;
    place.storage.put("/large", vec![7; size]).await;
    let mut download = TcpStream::connect(place.app.address).await.unwrap();
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n",
        place.content_path("/large"),
        bearer(&place.workspace.member)
    );
    download.write_all(head.as_bytes()).await.unwrap();
    let mut received = vec![0; 1 << 20];
    download.read_exact(&mut received).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut total = received.len();
        let mut piece = vec![0; 1 << 20];
        loop {
            match download.read(&mut piece).await.unwrap() {
                0 => return total,
                some => total += some,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    place.app.stop().await.unwrap();
    assert!(reading.await.unwrap() > size, "head and body");
}

/// The whole of it with a listener that goes on for load balancers.
#[tokio::test]
async fn a_stopping_service_says_so_before_it_takes_no_more() {
    let app = TestApp::spawn_with(|options| options.drain = Some("5s".into())).await;
    let address = app.address;
    app.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ready = request(address, "GET", "/readyz", "", "").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("being stopped"), "{ready:?}");
    // What still comes is answered, and goes elsewhere next time.
    let mut late = TcpStream::connect(address).await.unwrap();
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let began = Instant::now();
    let answer = exchange(&mut late, ask, Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "the server closed it"
    );
    app.stop().await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// A load balancer that was given the connection cannot know that its request came too late.
#[tokio::test]
async fn the_first_request_of_a_connection_that_was_accepted_is_answered() {
    let app = TestApp::spawn_with(|options| options.drain = Some("2s".into())).await;
    app.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(1_700)).await;
    let mut last = TcpStream::connect(app.address).await.unwrap();
    let stopped = tokio::spawn(app.stop());
    // The drain has ended by then.
    tokio::time::sleep(Duration::from_millis(800)).await;
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = exchange(&mut last, ask, Duration::from_secs(5)).await;
    assert_eq!(answer.unwrap().status, 200);
    stopped.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_client_has_left_is_finished_by_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().map(str::to_owned);
    let app = TestApp::spawn_with(|options| options.data_dir = folder).await;
    let file = data.path().join("sallyport.db");
    let mut writer = SqliteConnectOptions::new()
        .filename(&file)
        .connect()
        .await
        .unwrap();
    writer.execute("BEGIN IMMEDIATE").await.unwrap();
    let body = r#"{"name": "left"}"#;
    let head = format!(
        "POST /v1/workspaces HTTP/1.1\r\nHost: x\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        bearer(OPERATOR),
        body.len()
    );
    let mut client = TcpStream::connect(app.address).await.unwrap();
    client.write_all(head.as_bytes()).await.unwrap();
    let active = async || {
        let metrics = app.get("/metrics", "").await.text;
        metrics.contains("sallyport_http_requests_in_flight 2")
    };
    while !active().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(client);
    app.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    writer.execute("COMMIT").await.unwrap();
    app.stop().await.unwrap();
    let database = Database::connect(&DatabaseUrl::sqlite_file(&file))
        .await
        .unwrap();
    let made = database.list_workspaces(&all()).await.unwrap();
    assert_eq!(made.len(), 1, "{made:?}");
    let log = database
        .list_audit(&AuditFilter::default(), &all())
        .await
        .unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0].action, "create_workspace");
    let later = OffsetDateTime::now_utc() + Duration::from_secs(3_600);
    assert_eq!(database.abandoned_audits(later, 9).await, Ok(Vec::new()));
}
