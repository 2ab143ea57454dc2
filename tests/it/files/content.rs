//! Content: ranges, conditions, safe headers, and transfers that break.

use crate::it::support::app::TestApp;
use crate::it::support::aws::stub::{AwsStub, large_object};
use crate::it::support::client::{Content, plain_client};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_sdk_s3::primitives::ByteStream;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const BYTES: &[u8] = b"0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn ranges() {
    let place = Scene::on(Emulator).reading("").connect().await;
    place.put_at("a.txt", BYTES).await;
    place.put_at("empty", "").await;

    let whole = place.content("/a.txt", &[]).await;
    whole.expect(200, BYTES);
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some("10"));
    assert_eq!(whole.header("content-range"), None);
    let etag = whole.header("etag").unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    assert!(whole.header("last-modified").unwrap().ends_with(" GMT"));

    for (range, bytes, content_range) in [
        ("bytes=0-3", &BYTES[..4], "bytes 0-3/10"),
        ("bytes=9-9", &BYTES[9..], "bytes 9-9/10"),
        ("bytes=4-", &BYTES[4..], "bytes 4-9/10"),
        ("bytes=-3", &BYTES[7..], "bytes 7-9/10"),
        ("bytes=8-99", &BYTES[8..], "bytes 8-9/10"),
        ("bytes=-99", BYTES, "bytes 0-9/10"),
    ] {
        let part = place.content("/a.txt", &[("range", range)]).await;
        part.expect(206, bytes);
        assert_eq!(part.header("content-range"), Some(content_range), "{range}");
        assert_eq!(
            part.header("content-length"),
            Some(bytes.len().to_string().as_str())
        );
        assert_eq!(part.header("etag"), Some(etag));
    }
    for range in ["bytes=10-", "bytes=10-20", "bytes=99-"] {
        let beyond = place.content("/a.txt", &[("range", range)]).await;
        assert_eq!(beyond.status, 416, "{range}: {beyond:?}");
        assert_eq!(
            beyond.header("content-type"),
            Some("application/problem+json")
        );
    }
    // Several ranges, and what is no range of bytes, are answered with the whole.
    for range in [
        "bytes=0-1,4-5",
        "bytes=0-1, 4-5",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=1-2-3",
        "bytes=--1",
        "items=0-3",
        "0-3",
        "bytes=99999999999999999999-",
        "",
    ] {
        let content = place.content("/a.txt", &[("range", range)]).await;
        content.expect(200, BYTES);
    }
    place.content("/empty", &[]).await.expect(200, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions() {
    let place = Scene::on(Emulator).reading("").connect().await;
    place.put_at("a.txt", BYTES).await;
    let etag = place.content("/a.txt", &[]).await;
    let etag = etag.header("etag").unwrap().to_owned();
    let other = "\"00000000000000000000000000000000\"";

    for headers in [
        vec![("if-none-match", etag.as_str())],
        vec![("if-none-match", etag.as_str()), ("range", "bytes=0-3")],
        vec![("if-none-match", "*")],
    ] {
        let same = place.content("/a.txt", &headers).await;
        same.expect(304, b"");
        assert_eq!(same.header("cache-control"), Some("private, no-cache"));
        if headers[0].1 != "*" {
            assert_eq!(same.header("etag"), Some(etag.as_str()));
        }
        let head = place.read(Method::HEAD, "/a.txt", &headers).await;
        assert_eq!(head.status, 304);
    }
    let changed = [("if-none-match", other)];
    place.content("/a.txt", &changed).await.expect(200, BYTES);

    let same = [("if-match", etag.as_str())];
    place.content("/a.txt", &same).await.expect(200, BYTES);
    let changed = [("if-match", other)];
    assert_eq!(place.content("/a.txt", &changed).await.status, 412);
    // A client that has an `If-Match` of its own is not given another version by `If-Range`.
    let both = [
        ("if-match", other),
        ("if-range", other),
        ("range", "bytes=0-3"),
    ];
    assert_eq!(place.content("/a.txt", &both).await.status, 412);

    let rest = [("if-range", etag.as_str()), ("range", "bytes=4-")];
    place
        .content("/a.txt", &rest)
        .await
        .expect(206, &BYTES[4..]);
    for tag in [other, "Sun, 01 Nov 2020 00:00:00 GMT", "W/\"x\""] {
        let rest = [("if-range", tag), ("range", "bytes=4-")];
        place.content("/a.txt", &rest).await.expect(200, BYTES);
    }
    let alone = [("if-range", other)];
    place.content("/a.txt", &alone).await.expect(200, BYTES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_the_headers_of_the_content() {
    let place = Scene::on(Emulator).reading("").connect().await;
    place.put_at("a b.png", BYTES).await;
    let content = place.content("/a b.png", &[]).await;
    let head = place.read(Method::HEAD, "/a b.png", &[]).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    for name in [
        "content-length",
        "content-type",
        "content-disposition",
        "content-security-policy",
        "x-content-type-options",
        "cache-control",
        "accept-ranges",
        "etag",
        "last-modified",
    ] {
        assert!(head.header(name).is_some(), "{name}");
        assert_eq!(head.header(name), content.header(name), "{name}");
    }
    assert_eq!(place.read(Method::HEAD, "/absent", &[]).await.status, 404);
    // The connection is still in step: nothing of a body was sent.
    place.content("/a b.png", &[]).await.expect(200, BYTES);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_could_run_is_shown_in_place() {
    let place = Scene::on(Emulator).reading("").connect().await;
    let s3 = place.storage.customer.s3();
    for (key, stored, shown_as) in [
        ("a.png", Some("image/png"), Some("image/png")),
        ("a.txt", Some("text/plain"), Some("text/plain")),
        (
            "latin.txt",
            Some("text/plain; Charset=ISO-8859-1"),
            Some("text/plain; Charset=ISO-8859-1"),
        ),
        ("none.txt", None, Some("text/plain")),
        ("a.pdf", Some("application/pdf"), Some("application/pdf")),
        ("page.html", Some("text/html"), None),
        ("picture.svg", Some("image/svg+xml"), None),
        ("lying.png", Some("text/html; charset=utf-8"), None),
        ("x.xhtml", Some("application/xhtml+xml"), None),
        ("x.xml", Some("text/xml"), None),
        ("x.js", Some("text/javascript"), None),
        ("odd", Some("no-type-at-all"), None),
        ("none", None, None),
        ("none.png", None, Some("image/png")),
        ("none.html", None, None),
    ] {
        let put = s3.put_object().bucket(&place.storage.bucket).key(key);
        let put = put.set_content_type(stored.map(str::to_owned));
        put.body(ByteStream::from_static(BYTES))
            .send()
            .await
            .unwrap();
        let content = place.content(key, &[]).await;
        content.expect(200, BYTES);
        let disposition = content.header("content-disposition").unwrap();
        let kind = if shown_as.is_some() {
            "inline; "
        } else {
            "attachment; "
        };
        assert!(disposition.starts_with(kind), "{key}: {disposition}");
        let wanted = shown_as.unwrap_or("application/octet-stream");
        assert_eq!(content.header("content-type"), Some(wanted), "{key}");
        assert_eq!(content.header("x-content-type-options"), Some("nosniff"));
        let policy = content.header("content-security-policy").unwrap();
        assert_eq!(policy, "default-src 'none'; sandbox");
        assert_eq!(content.header("cache-control"), Some("private, no-cache"));
        // The metadata is true to what is stored.
        let metadata = place.metadata(key).await.expect(200);
        if let Some(stored) = stored {
            assert_eq!(metadata["content_type"], stored);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_browser_runs_keeps_its_type_as_an_attachment() {
    let place = Scene::on(Emulator).reading("").connect().await;
    let s3 = place.storage.customer.s3();
    for stored in [
        "application/zip",
        "application/vnd.apache.parquet",
        "audio/flac",
        "application/x-ndjson",
        "x-own/type",
    ] {
        let put = s3.put_object().bucket(&place.storage.bucket).key("a");
        let put = put.content_type(stored);
        put.body(ByteStream::from_static(BYTES))
            .send()
            .await
            .unwrap();
        let content = place.content("a", &[]).await;
        assert_eq!(content.header("content-type"), Some(stored));
        let disposition = content.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment; "), "{disposition}");
        let link = place.signed(&json!({"key": "a", "method": "GET"})).await;
        let fetched = plain_client().get(link).send().await.unwrap();
        assert_eq!(fetched.headers()["content-type"], stored);
        let disposition = fetched.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; "), "{disposition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_stay_within_their_header() {
    let place = Scene::on(Emulator).reading("").connect().await;
    for (path, ascii, encoded_name) in [
        ("d/a\"b;c.txt", "a_b;c.txt", "a%22b%3Bc.txt"),
        ("d/tab\there.txt", "tab_here.txt", "tab%09here.txt"),
        ("d/ü 日.txt", "_ _.txt", "%C3%BC%20%E6%97%A5.txt"),
        ("d/50%25.txt", "50_25.txt", "50%2525.txt"),
        ("d/back\\slash.txt", "back_slash.txt", "back%5Cslash.txt"),
    ] {
        place.put_at(path, BYTES).await;
        let content = place.content(path, &[]).await;
        content.expect(200, BYTES);
        assert_eq!(
            content.header("content-disposition").unwrap(),
            format!("inline; filename=\"{ascii}\"; filename*=UTF-8''{encoded_name}")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_metadata_and_encoding() {
    let place = Scene::on(Emulator).reading("").connect().await;
    let s3 = place.storage.customer.s3();
    let put = s3.put_object().bucket(&place.storage.bucket).key("a.txt");
    let put = put.content_type("text/plain").content_encoding("gzip");
    let put = put.metadata("owner", "acme").metadata("batch", "7");
    put.body(ByteStream::from_static(BYTES))
        .send()
        .await
        .unwrap();
    let metadata = place.metadata("/a.txt").await.expect(200);
    assert_eq!(metadata["metadata"], json!({"owner": "acme", "batch": "7"}));
    assert_eq!(metadata["size"], 10);
    // The bytes as they are stored, and how to read them.
    let content = place.content("/a.txt", &[]).await;
    content.expect(200, BYTES);
    assert_eq!(content.header("content-encoding"), Some("gzip"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_comes_whole() {
    const PART: usize = 1 << 20;
    let place = Scene::on(Emulator).reading("").connect().await;
    let mut body = vec![0_u8; 64 * PART];
    for (at, byte) in body.iter_mut().enumerate() {
        *byte = (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0];
    }
    let wanted = digest(&SHA256, &body);
    place.put_at("large.bin", body).await;

    let path = place.content_path("/large.bin");
    let request = place
        .app
        .request(Method::GET, &path, &place.workspace.member);
    let response = request.send().await.unwrap();
    assert_eq!(response.content_length(), Some(64 * PART as u64));
    let (mut hash, mut response) = (Context::new(&SHA256), response);
    while let Some(chunk) = response.chunk().await.unwrap() {
        hash.update(&chunk);
    }
    assert_eq!(hash.finish().as_ref(), wanted.as_ref());
}

/// A service whose built-in storage is the stub's bucket, and a member's token.
async fn on_stub(stub: &AwsStub) -> (TestApp, String) {
    let app = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.built_in_bucket = Some(stub.bucket.clone());
    })
    .await;
    let token = app.workspace().await.member;
    set_object(stub, 1000, 1000);
    let whole = Content::of(app.request(Method::GET, LARGE, &token)).await;
    assert_eq!((whole.status.as_u16(), whole.bytes.len()), (200, 1000));
    (app, token)
}

const LARGE: &str = "/v1/storages/built-in/files/content?key=%2Flarge.bin";

/// Every object is of this size from now on, and is cut off after so many bytes.
fn set_object(stub: &AwsStub, size: u64, until: u64) {
    stub.forget_rules();
    stub.when(move |request| {
        matches!(request.operation().as_str(), "GetObject" | "HeadObject")
            .then(|| large_object(request, size, until))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_breaks_never_looks_complete() {
    let stub = AwsStub::start().await;
    let (app, token) = on_stub(&stub).await;
    // Each attempt to go on breaks off as early.
    for (size, after) in [(1_000, 10), (1_000, 0), (10_000_000, 2_000_000)] {
        set_object(&stub, size, after);
        let response = app
            .request(Method::GET, LARGE, &token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.content_length(), Some(size));
        assert!(response.bytes().await.is_err(), "{size} {after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_the_transfer_from_s3() {
    let stub = AwsStub::start().await;
    let (app, token) = on_stub(&stub).await;
    // Far more than what is buffered on the way: it would take minutes.
    set_object(&stub, 1_000_000_000_000, u64::MAX);
    let response = app
        .request(Method::GET, LARGE, &token)
        .send()
        .await
        .unwrap();
    let mut response = response;
    assert!(!response.chunk().await.unwrap().unwrap().is_empty());
    assert_eq!(stub.streams(), 1);
    drop(response);
    let ended = async {
        while stub.streams() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended)
        .await
        .expect("the transfer from S3 goes on without a client");
}
