//! Uploads of every size and form: whole or not at all.

use crate::it::support::app::{Answer, TestApp};
use crate::it::support::aws::wire::eventually;
use crate::it::support::client::chunked;
use crate::it::support::emulator::{Emulator, s3_client};
use crate::it::support::scene::Scene;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MIB: usize = 1 << 20;

/// Bytes that differ from place to place.
pub fn bytes(length: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..4_093u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut bytes = block.repeat(length / block.len() + 1);
    bytes.truncate(length);
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    STANDARD.encode(digest.as_ref())
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_every_size_arrive_whole() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    // Held, passed on by one call, and cut into parts.
    for (at, length) in [0, 1, 256 << 10, (256 << 10) + 1, 9 * MIB, 16 * MIB + 1]
        .into_iter()
        .enumerate()
    {
        let body = bytes(length);
        let key = format!("/sizes/{at}");
        let stored = place.upload(&key, body.clone()).await.expect(200);
        assert_eq!(stored["key"], key);
        assert_eq!(stored["size"], length);
        assert_eq!(stored["checksum"]["sha256"], sha256(&body));
        assert!(place.object(&key).await.unwrap() == body, "{length}");
        let metadata = place
            .get(&format!("/files/metadata?key={key}"))
            .await
            .expect(200);
        assert_eq!(
            (&metadata["size"], &metadata["etag"]),
            (&stored["size"], &stored["etag"])
        );
    }
    let (keys, open) = place.bucket().await;
    assert_eq!((keys.len(), open), (6, 0));
    assert!(keys.iter().all(|key| key.starts_with("team/sizes/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_unknown_length_arrive_whole() {
    let place = Scene::on(Emulator).connect().await;
    place.allow_aborts().await;
    for length in [0, 5, 300 << 10, 17 * MIB] {
        let body = bytes(length);
        let mut upload = place
            .begin_upload("/a", "Transfer-Encoding: chunked\r\n")
            .await;
        for piece in body.chunks(100_000) {
            upload.chunk(piece).await;
        }
        upload.chunk(b"").await;
        let (status, text) = upload.answer().await;
        assert_eq!(status, 200, "{text}");
        let stored: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(stored["size"], length);
        assert!(place.object("/a").await.unwrap() == body, "{length}");
    }
    assert_eq!(place.bucket().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn type_and_metadata_are_kept() {
    let place = Scene::on(Emulator).connect().await;
    let head = |key: &'static str| {
        let s3 = s3_client(&place.storage.customer.sdk_config);
        s3.head_object()
            .bucket(&place.storage.bucket)
            .key(key)
            .send()
    };
    let own = [
        ("content-type", "text/x-own; charset=latin1"),
        ("x-sallyport-meta-Owner", "Ann"),
    ];
    for (key, body) in [("own", bytes(3)), ("large", bytes(MIB))] {
        place.upload_with(key, body, &own).await.expect(200);
        let object = head(key).await.unwrap();
        assert_eq!(object.content_type(), Some("text/x-own; charset=latin1"));
        assert_eq!(object.metadata().unwrap()["owner"], "Ann");
    }
    for (key, content_type) in [
        ("a.png", "image/png"),
        ("a.unknown-ending", "application/octet-stream"),
    ] {
        place.upload(key, "x").await.expect(200);
        assert_eq!(head(key).await.unwrap().content_type(), Some(content_type));
    }
    let long = "x".repeat(2_049);
    let refused = place
        .upload_with("b", "x", &[("x-sallyport-meta-a", &long)])
        .await;
    refused.refused_field("X-Sallyport-Meta-");
    let coded = place
        .upload_with("b", "x", &[("content-encoding", "gzip")])
        .await;
    coded.problem(415, "unsupported_content_encoding");
    assert!(place.object("b").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_another_digest_is_not_stored() {
    let place = Scene::on(Emulator).connect().await;
    place.allow_aborts().await;
    for length in [3, MIB, 17 * MIB] {
        let body = bytes(length);
        let digest = format!("sha-256=:{}:", sha256(&body));
        place
            .upload_with("good", body.clone(), &[("content-digest", &digest)])
            .await
            .expect(200);
        place.delete("/files?key=good").await.expect(204);
        for (name, value) in [
            ("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==".to_owned()),
            ("Content-Digest", format!("sha-256=:{}:", sha256(b"other"))),
            ("x-amz-checksum-sha256", sha256(b"other")),
        ] {
            let refused = place
                .upload_with("bad", body.clone(), &[(name, &value)])
                .await;
            let problem = refused.problem(422, "checksum_mismatch");
            assert!(
                problem["detail"].as_str().unwrap().contains(name),
                "{problem}"
            );
        }
        place.nothing_left().await;
    }
    let refused = place
        .upload_with("bad", "x", &[("content-digest", "sha-256=x")])
        .await;
    refused.refused_field("Content-Digest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_leaves_nothing() {
    let place = Scene::on(Emulator).connect().await;
    place.allow_aborts().await;
    let part = bytes(9 * MIB);
    // Of a known length and held; known and passed on; known and cut; unknown and cut.
    for (headers, sent) in [
        ("Content-Length: 1000\r\n", 999),
        ("Content-Length: 2000000\r\n", 1_999_999),
        ("Content-Length: 100000000\r\n", 9 * MIB),
        ("Transfer-Encoding: chunked\r\n", 9 * MIB),
    ] {
        let mut upload = place.begin_upload("/broken", headers).await;
        if headers.starts_with("Transfer") {
            upload.chunk(&part[..sent]).await;
            // Its first part has been sent on, so an upload is open.
            for _ in 0..100 {
                if place.bucket().await.1 == 1 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_eq!(place.bucket().await.1, 1);
        } else {
            upload.send(&part[..sent]).await;
        }
        drop(upload);
        tokio::time::sleep(Duration::from_millis(300)).await;
        place.nothing_left().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_uploads_cleanly() {
    let place = Scene::on(Emulator).connect().await;
    place.allow_aborts().await;
    let mut upload = place
        .begin_upload("/a", "Transfer-Encoding: chunked\r\n")
        .await;
    upload.chunk(&bytes(9 * MIB)).await;
    for _ in 0..100 {
        if place.bucket().await.1 == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(place.bucket().await.1, 1);
    place.app.shutdown.cancel();
    drop(upload);
    place.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_hold() {
    let place = Scene::on(Emulator).connect().await;
    let only_new = [("if-none-match", "*")];
    for body in [bytes(3), bytes(MIB), bytes(17 * MIB)] {
        let first = place
            .upload_with("a", body.clone(), &only_new)
            .await
            .expect(200);
        let again = place.upload_with("a", body.clone(), &only_new).await;
        again.problem(412, "precondition_failed");
        let etag = first["etag"].as_str().unwrap();
        let other = place
            .upload_with("a", "new", &[("if-match", "\"other\"")])
            .await;
        other.problem(412, "precondition_failed");
        let same = place.upload_with("a", "new", &[("if-match", etag)]).await;
        same.expect(200);
        assert_eq!(place.object("a").await.unwrap(), b"new");
        place.delete("/files?key=a").await.expect(204);
        let gone = place.upload_with("a", body, &[("if-match", etag)]).await;
        gone.problem(412, "precondition_failed");
    }
    let refused = place
        .upload_with("a", "x", &[("if-none-match", "\"x\"")])
        .await;
    refused.refused_field("If-None-Match");
    place.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_uploads_that_want_to_be_first_one_is() {
    let place = Scene::on(Emulator).connect().await;
    let only_new = [("if-none-match", "*")];
    let uploads = (0..8).map(|at| {
        let length = if at % 2 == 0 { 10 } else { MIB };
        place.upload_with("a", bytes(length + at), &only_new)
    });
    let answers = futures_util::future::join_all(uploads).await;
    let stored: Vec<_> = answers.iter().filter(|a| a.status == 200).collect();
    assert_eq!(stored.len(), 1, "{answers:?}");
    for lost in answers.iter().filter(|a| a.status != 200) {
        lost.problem(412, "precondition_failed");
    }
    let size = stored[0].json()["size"].as_u64().unwrap() as usize;
    assert_eq!(place.object("a").await.unwrap().len(), size);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_and_where() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let path = place.content_path("/a");
    let by_member = place
        .app
        .put(&path, &place.workspace.member, &json!({}))
        .await;
    by_member.problem(403, "admin_required");
    let dots = place.upload("/../a", "x").await;
    dots.refused_field("key");
    place.nothing_left().await;

    let reading = Scene::on(Emulator).reading("team").connect().await;
    let refused = reading.upload("/a", "x").await;
    refused.problem(409, "storage_read_only");
    reading.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_of_one_workspace_do_not_delay_another() {
    let place = Scene::on(Emulator).connect().await;
    place.allow_aborts().await;
    let other = place.app.workspace().await;
    let there = Scene::on(Emulator).connect_in(&place.app, &other).await;
    let mut slow = Vec::new();
    for at in 0..4 {
        let mut upload = place
            .begin_upload(&format!("/slow/{at}"), "Transfer-Encoding: chunked\r\n")
            .await;
        upload.chunk(&bytes(300 << 10)).await;
        slow.push(upload);
    }
    // They are well under way, and go on sending now and then.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for upload in &mut slow {
        upload.chunk(b"x").await;
    }
    let body = bytes(512 << 10);
    let request = place
        .app
        .request(
            reqwest::Method::PUT,
            &there.path("/files/content?key=/a"),
            &other.admin,
        )
        .body(chunked(body));
    let answer = tokio::time::timeout(Duration::from_secs(5), Answer::of(request)).await;
    answer.expect("it waits for the slow ones").expect(200);
    for upload in &mut slow {
        upload.chunk(b"").await;
    }
    for upload in slow {
        assert_eq!(upload.answer().await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_refused_with_words() {
    let place = Scene::on(Emulator).connect().await;
    let envelope = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nbytes\r\n--x--\r\n";
    let form = [("content-type", "multipart/form-data; boundary=x")];
    let refused = place.upload_with("/a", envelope, &form).await;
    let problem = refused.problem(415, "unsupported_media_type");
    assert!(problem["detail"].as_str().unwrap().contains("form"));
    for name in [
        "x-amz-grant-read",
        "x-amz-meta-owner",
        "x-amz-tagging",
        "x-amz-storage-class",
        "x-amz-server-side-encryption",
        "x-amz-content-sha256",
    ] {
        let refused = place.upload_with("/a", "x", &[(name, "x")]).await;
        let problem = refused.refused_field(name);
        assert_eq!(problem["errors"][0]["code"], "unsupported_header");
    }
    place.nothing_left().await;
    let urlencoded = [("content-type", "application/x-www-form-urlencoded")];
    place
        .upload_with("/a", "a=b", &urlencoded)
        .await
        .expect(200);
}

/// Announces a body of so many bytes and sends one of them. Gives the connection.
async fn announcing(app: &TestApp, token: &str, line: &str, length: u64) -> TcpStream {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// The answer, up to the end of its JSON.
async fn answered(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let whole = async {
        while !answer.ends_with(b"}") {
            if stream.read_buf(&mut answer).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), whole)
        .await
        .expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A body that is refused by what its headers say neither takes memory nor waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_announced_as_too_large_is_refused_before_it_takes_memory() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.memory_budget = Some("16MiB".into());
    })
    .await;
    let workspace = app.workspace().await;
    let sign = "POST /v1/storages/built-in/files/sign";
    let copy = "POST /v1/storages/built-in/files/copy";
    let mut held = Vec::new();
    for length in [600_000, 400_000] {
        held.push(announcing(&app, &workspace.admin, sign, length).await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    // The workspace's share is taken: this one waits in vain.
    let waiting = announcing(&app, &workspace.admin, copy, 500_000).await;
    for length in [(1 << 20) + 1, 1 << 40] {
        let request = announcing(&app, &workspace.admin, copy, length).await;
        let refused = answered(request).await;
        assert!(refused.starts_with("HTTP/1.1 413"), "{length}: {refused}");
        assert!(refused.contains("\"body_too_large\""), "{refused}");
    }
    let content = "PUT /v1/storages/built-in/files/content?key=/a";
    let request = announcing(&app, &workspace.admin, content, (5 << 40) + 1).await;
    let refused = answered(request).await;
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
    assert!(refused.contains("5 TiB"), "{refused}");
    let waited = answered(waiting).await;
    assert!(waited.contains("\"service_busy\""), "{waited}");
}

/// Bodies of JSON take memory of their workspace's share, for as long as they come.
#[tokio::test(flavor = "multi_thread")]
async fn one_workspaces_bodies_leave_room_for_anothers() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.memory_budget = Some("16MiB".into());
    })
    .await;
    let (crowd, calm) = (app.workspace().await, app.workspace().await);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let head = format!(
            "POST /v1/storages/built-in/files/sign HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: 600000\r\n\r\n{{",
            crowd.member,
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        held.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let path = "/v1/storages/built-in/files/sign";
    let body = json!({"key": "/a", "padding": "x".repeat(600_000)});
    let refused = app.post(path, &crowd.member, &body).await;
    let problem = refused.problem(503, "service_busy");
    assert!(refused.header("retry-after").is_some(), "{problem}");
    app.post(path, &calm.member, &json!({"key": "/a"}))
        .await
        .expect(200);
    drop(held);
    eventually("the room is free", async || {
        let answer = app.post(path, &crowd.member, &json!({"key": "/a"})).await;
        answer.status == 200
    })
    .await;
}
