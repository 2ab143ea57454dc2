//! Transfers that are slow, and many at the same time: clients have a least rate, and all together a bound.

use crate::it::support::app::{TestApp, TestWorkspace, logs_of};
use crate::it::support::aws::store::Store;
use crate::it::support::aws::wire::eventually;
use crate::it::support::raw::bearer;
use crate::settings::Options;
use reqwest::Method;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const PATH: &str = "/v1/storages/built-in/files/content?key=%2Flarge.bin";
/// Far more than the buffers on the way hold.
const LARGE: usize = 48 << 20;

/// A store with a service whose built-in storage it is, and a workspace of it.
async fn place(change: impl FnOnce(&mut Options)) -> (Store, TestApp, TestWorkspace) {
    let store = Store::with([]).await;
    let bucket = store.bucket.clone();
    let app = TestApp::spawn_on(&store.sdk_config(), |options| {
        options.built_in_bucket = Some(bucket);
        change(options);
    })
    .await;
    let workspace = app.workspace().await;
    (store, app, workspace)
}

/// Puts an object where the built-in storage of the workspace has its files.
fn put(store: &Store, workspace: &TestWorkspace, size: usize) {
    let key = format!("workspaces/{}/large.bin", workspace.id);
    store.put(&key, vec![7; size]);
}

async fn metric(app: &TestApp, line: &str) -> bool {
    app.get("/metrics", "").await.text.contains(line)
}

/// Sends the head of an upload, and so many bytes of its body again and again. Gives what is answered.
async fn send_slowly(app: &TestApp, token: &str, bytes: usize, pause: Duration) -> String {
    let stream = TcpStream::connect(app.address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let head = format!(
        "PUT {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n{}\r\n",
        bearer(token)
    );
    let sending = tokio::spawn(async move {
        let mut alive = writer.write_all(head.as_bytes()).await.is_ok();
        while alive {
            tokio::time::sleep(pause).await;
            alive = writer.write_all(&vec![7; bytes]).await.is_ok();
        }
    });
    let mut answer = Vec::new();
    let read = async {
        while !answer.ends_with(b"}") {
            if reader.read_buf(&mut answer).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    sending.abort();
    read.expect("no answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_too_slow_is_cut_off_and_leaves_nothing() {
    let (store, app, workspace) = place(|options| {
        options.request_timeout = Some("1s".into());
        options.min_transfer_rate = Some("1MiB".into());
    })
    .await;
    let pause = Duration::from_millis(100);
    let slow = send_slowly(&app, &workspace.admin, 1_000, pause).await;
    assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    assert!(slow.contains("\"upload_too_slow\""), "{slow}");
    // One that sends nothing has stopped.
    let stopped = send_slowly(&app, &workspace.admin, 1, Duration::from_secs(60)).await;
    assert!(stopped.starts_with("HTTP/1.1 400"), "{stopped}");
    assert!(stopped.contains("\"body_stalled\""), "{stopped}");
    assert!(store.holdings().objects.is_empty());
    eventually("an upload is still under way", async || {
        metric(&app, "\nsallyport_transfers_in_flight 0\n").await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_whose_reader_takes_nothing_is_cut_off() {
    let (store, app, workspace) =
        place(|options| options.request_timeout = Some("1s".into())).await;
    put(&store, &workspace, LARGE);
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "GET {PATH} HTTP/1.1\r\nHost: x\r\nX-Request-Id: slow-reader-1\r\n{}\r\n",
        bearer(&workspace.member)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // A reader has twice the request timeout.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut rest = Vec::new();
    let reading = stream.read_to_end(&mut rest);
    let ended = tokio::time::timeout(Duration::from_secs(20), reading).await;
    assert!(ended.is_ok(), "the connection stays open");
    assert!(rest.len() < LARGE, "{}", rest.len());
    let by = |who: &str, count: u8| {
        format!("sallyport_downloads_broken_off_total{{by=\"{who}\"}} {count}\n")
    };
    eventually("the reader is not counted", async || {
        metric(&app, &by("reader", 1)).await
    })
    .await;
    assert!(metric(&app, &by("connection", 0)).await);
    assert!(metric(&app, &by("bucket", 0)).await);
    eventually("the log does not say it", async || {
        let lines = logs_of("slow-reader-1");
        lines.iter().any(|line| {
            let fields = &line["fields"];
            fields["message"] == "broken off" && fields["broken_off_by"] == "reader"
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_transfers_waits_within_bounds_and_leaves_room_for_another_workspace() {
    let (store, app, crowd) = place(|options| options.memory_budget = Some("16MiB".into())).await;
    let calm = app.workspace().await;
    put(&store, &crowd, LARGE);
    put(&store, &calm, 1_000);
    // A quarter of the budget has room for four; nobody reads them.
    let mut held = Vec::new();
    for _ in 0..4 {
        let answer = app.request(Method::GET, PATH, &crowd.member).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        held.push(answer);
    }
    let mut waiting = JoinSet::new();
    for _ in 0..300 {
        let request = app.request(Method::GET, PATH, &crowd.member);
        waiting.spawn(async move { request.send().await.unwrap() });
    }
    // 256 wait; the others are refused before any of those is.
    for _ in 0..44 {
        let refused = tokio::time::timeout(Duration::from_secs(8), waiting.join_next()).await;
        let refused = refused.expect("they wait").unwrap().unwrap();
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
        let text = refused.text().await.unwrap();
        assert!(text.contains("\"service_busy\""), "{text}");
    }
    let served = app.request(Method::GET, PATH, &calm.member).send().await;
    assert_eq!(served.unwrap().status(), 200);
    waiting.shutdown().await;
    drop(held);
    eventually("the crowd's room is not given back", async || {
        let answer = app.request(Method::GET, PATH, &crowd.member).send().await;
        answer.unwrap().status() == 200
    })
    .await;
}
