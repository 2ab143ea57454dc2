//! Bodies that come slowly, stores that break while they are sent to, and stores that stand still.

use crate::application::bucket::body::{BodyFault, Piece, UploadBody};
use crate::application::bucket::multipart::BucketMultipart;
use crate::application::bucket::write::{BucketWrite, NewObject, PutFailure, StoredObject};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::upload_limits::Pace;
use crate::domain::connection::ConnectedBucket;
use crate::it::aws::adapter::{adapter, object_key};
use crate::it::files::uploads::bytes;
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::aws::stub::s3_error;
use crate::it::support::aws::wire::{Reply, Request};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const MIB: usize = 1 << 20;
/// Objects of more than 6 MiB have parts of 5 MiB here.
const PART: usize = 5 * MIB;

/// As the service's, with no time to lose.
fn quick(stall: Duration) -> Pace {
    Pace {
        stall,
        pauses: [Duration::from_millis(10); 4],
        ..Pace::default()
    }
}

/// A body that comes in pieces, with a pause after each.
fn body_of(body: &[u8], announced: bool, piece: usize, pause: Duration) -> UploadBody {
    let (sender, pieces) = mpsc::channel(1);
    let chunks: Vec<_> = body.chunks(piece).map(<[u8]>::to_vec).collect();
    tokio::spawn(async move {
        for chunk in chunks {
            if sender.send(Piece::chunk(chunk.into())).await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        let _ = sender.send(Piece::End).await;
    });
    UploadBody::new(pieces, announced.then_some(body.len() as u64), Vec::new())
}

fn at_once(body: &[u8], announced: bool) -> UploadBody {
    body_of(body, announced, 60_000, Duration::ZERO)
}

async fn put(
    (files, bucket): &(S3Bucket, ConnectedBucket),
    key: &str,
    body: UploadBody,
) -> Result<StoredObject, PutFailure> {
    let object = NewObject {
        content_type: "text/plain".into(),
        ..NewObject::default()
    };
    files
        .put(bucket, &object_key(bucket, key), &object, body)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_take_far_longer_than_the_store_may_stand_still() {
    let stall = Duration::from_secs(2);
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let mut to = adapter(&place, &place.storage.customer.sdk_config);
    to.0.uploads.pace = quick(stall);
    // By one call; by parts that each take three times the limit; spooled.
    let uploads = [
        ("/one", 600 << 10, true),
        ("/parts", 2 * PART, true),
        ("/chunked", MIB, false),
    ];
    let sent = uploads.map(|(key, length, announced)| {
        let (body, to) = (bytes(length), &to);
        let steps = 14 * length.div_ceil(PART).max(1);
        let body_sent = body_of(&body, announced, length / steps, stall / 4);
        async move {
            let began = Instant::now();
            put(to, key, body_sent).await.unwrap();
            (key, body, began.elapsed())
        }
    });
    for (key, body, took) in join_all(sent).await {
        assert!(place.object(key).await.unwrap() == body, "{key}");
        assert!(took > 3 * stall, "{key}: {took:?}");
    }
}

/// Answers the first request that this is true of.
fn once(proxy: &AwsProxy, reply: Reply, which: impl Fn(&Request) -> bool + Send + Sync + 'static) {
    let first = AtomicBool::new(true);
    proxy.when(move |request| {
        let hit = which(request) && first.swap(false, Ordering::SeqCst);
        hit.then(|| reply.clone())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_the_store_fails_is_sent_again() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let body = bytes(2 * PART + 7);
    let chunked = bytes(17 * MIB);
    let faults = [
        s3_error(500, "InternalError", "x"),
        s3_error(503, "SlowDown", "x"),
        s3_error(400, "RequestTimeout", "x"),
        Reply::Reset,
    ];
    for (round, fault) in faults.into_iter().enumerate() {
        for (key, body, announced) in [("/announced", &body, true), ("/chunked", &chunked, false)] {
            let proxy = AwsProxy::start().await;
            once(&proxy, fault.clone(), |request| {
                request.query("partNumber").as_deref() == Some("2")
            });
            let to = adapter(
                &place,
                &proxy.sdk_config(&place.storage.customer.sdk_config),
            );
            let mut to = to;
            to.0.uploads.pace = quick(Duration::from_secs(30));
            let stored = put(&to, key, at_once(body, announced)).await.unwrap();
            assert_eq!(stored.size, Some(body.len() as u64));
            assert!(place.object(key).await.unwrap() == *body, "{round} {key}");
            assert_eq!(proxy.count("UploadPart"), 4, "{round} {key}");
            place.delete(&format!("/files?key={key}")).await.expect(204);
        }
    }
    assert_eq!(place.bucket().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_failed_again_and_again_ends_the_upload() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.allow_aborts().await;
    let proxy = AwsProxy::start().await;
    proxy.when(|request| {
        (request.operation() == "UploadPart").then(|| s3_error(500, "InternalError", "x"))
    });
    let mut to = adapter(
        &place,
        &proxy.sdk_config(&place.storage.customer.sdk_config),
    );
    to.0.uploads.pace = quick(Duration::from_secs(30));
    let failed = put(&to, "/a", at_once(&bytes(2 * PART), true)).await;
    assert!(matches!(failed, Err(PutFailure::Aws(_))), "{failed:?}");
    assert_eq!(proxy.count("UploadPart"), 5);
    assert_eq!(proxy.count("CompleteMultipartUpload"), 0);
    assert_eq!(place.bucket().await, (vec![], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_comes_alone_is_sent_again_too() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let proxy = AwsProxy::start().await;
    once(&proxy, s3_error(503, "SlowDown", "x"), |request| {
        request.query("partNumber").as_deref() == Some("2")
    });
    let mut to = adapter(
        &place,
        &proxy.sdk_config(&place.storage.customer.sdk_config),
    );
    to.0.uploads.pace = quick(Duration::from_secs(30));
    let (files, bucket) = &to;
    let key = object_key(bucket, "/a");
    let object = NewObject {
        content_type: "text/plain".into(),
        ..NewObject::default()
    };
    let upload = files.begin_relayed(bucket, &key, &object).await.unwrap();
    let body = bytes(PART + 9);
    let mut parts = Vec::new();
    for (number, content) in (1..).zip(body.chunks(PART)) {
        let content = at_once(content, true);
        let sent = files.relay_part(bucket, &key, &upload.id, number, content);
        parts.push(sent.await.unwrap());
    }
    let stored = files.complete_multipart(bucket, &key, &upload, &object, &parts);
    assert_eq!(stored.await.unwrap().size, Some(body.len() as u64));
    assert!(place.object("/a").await.unwrap() == body);
    assert_eq!(proxy.count("UploadPart"), 3);
    assert_eq!(place.bucket().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_came_alone_is_named_with_its_checksum() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let proxy = AwsProxy::start().await;
    proxy.when(|request| {
        let answer = || {
            Reply::answer(200, "")
                .with("etag", "\"e\"")
                .with("x-amz-checksum-crc32", "AAAAAA==")
                .with("x-amz-request-id", "1")
        };
        (request.operation() == "UploadPart").then(answer)
    });
    let (files, bucket) = adapter(
        &place,
        &proxy.sdk_config(&place.storage.customer.sdk_config),
    );
    let key = object_key(&bucket, "/a");
    let object = NewObject {
        content_type: "text/plain".into(),
        ..NewObject::default()
    };
    let upload = files.begin_relayed(&bucket, &key, &object).await.unwrap();
    let content = at_once(b"abc", true);
    let part = files
        .relay_part(&bucket, &key, &upload.id, 1, content)
        .await;
    let part = part.unwrap();
    assert_eq!(part.checksum_crc32.as_deref(), Some("AAAAAA=="));
    // The emulator has no such part. What it was asked is what counts here.
    let completed = files
        .complete_multipart(&bucket, &key, &upload, &object, &[part])
        .await;
    assert!(completed.is_err(), "{completed:?}");
    let asked = proxy.of("CompleteMultipartUpload").remove(0);
    let asked = String::from_utf8_lossy(&asked.request.body);
    let checksum = "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>";
    assert!(asked.contains(checksum), "{asked}");
}

/// A way to the emulator on which one connection, once, breaks after so many bytes of requests.
async fn breaking(after: u64) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let broken = Arc::new(AtomicU64::new(0));
    let counted = broken.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let emulator = Emulator::url();
                let address = emulator.strip_prefix("http://").unwrap();
                let mut server = TcpStream::connect(address).await.unwrap();
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let up = async {
                    let (mut buffer, mut passed) = (vec![0; 16 << 10], 0);
                    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                        passed += read as u64;
                        let first = || counted.fetch_add(1, Ordering::SeqCst) == 0;
                        if passed > after && counted.load(Ordering::SeqCst) == 0 && first() {
                            return;
                        }
                        if to_server.write_all(&buffer[..read]).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! {
                    () = up => {}
                    _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    (url, broken)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_within_a_part_costs_that_part_alone() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    for (announced, length) in [(true, 2 * PART + 7), (false, 17 * MIB)] {
        let body = bytes(length);
        let (url, broken) = breaking(2 * MIB as u64).await;
        let sdk = place.storage.customer.sdk_config.to_builder();
        let mut to = adapter(&place, &sdk.endpoint_url(url).build());
        to.0.uploads.pace = quick(Duration::from_secs(30));
        // The rest of the part comes after the break.
        let slowly = body_of(&body, announced, 100_000, Duration::from_millis(5));
        put(&to, "/a", slowly).await.unwrap();
        assert!(place.object("/a").await.unwrap() == body);
        assert_eq!(broken.load(Ordering::SeqCst), 1);
    }
    assert_eq!(place.bucket().await.1, 0);
}

/// A store that takes so many bytes of each connection, and then stands still.
async fn standing_still(after: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut client, _)) = listener.accept().await {
            held.push(tokio::spawn(async move {
                let mut taken = (&mut client).take(after);
                let _ = tokio::io::copy(&mut taken, &mut tokio::io::sink()).await;
                tokio::time::sleep(Duration::from_secs(600)).await;
            }));
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stands_still_is_not_waited_for() {
    let place = Scene::on(Emulator).connect().await;
    let stall = Duration::from_millis(500);
    // More than the buffers of the connection hold; all of it taken, and no answer.
    for (after, length, all_taken) in [(1_000, 48 * MIB, false), (u64::MAX, MIB, true)] {
        let sdk = place.storage.customer.sdk_config.to_builder();
        let url = standing_still(after).await;
        let mut to = adapter(&place, &sdk.endpoint_url(url).build());
        to.0.uploads.pace = quick(stall);
        to.0.sizes.single = 64 << 20;
        let began = Instant::now();
        match put(&to, "/a", at_once(&bytes(length), true)).await {
            Err(PutFailure::StoreStalled { limit, all_sent }) => {
                assert_eq!((limit, all_sent), (stall, all_taken));
            }
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() < 20 * stall);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_unknown_length_must_come_at_a_least_rate() {
    let place = Scene::on(Emulator).connect().await;
    let mut to = adapter(&place, &place.storage.customer.sdk_config);
    to.0.uploads.pace = Pace {
        grace: Duration::from_millis(300),
        least_rate: 2 << 20,
        ..quick(Duration::from_secs(30))
    };
    let body = bytes(MIB);
    let slow = body_of(&body, false, 20_000, Duration::from_millis(50));
    let failed = put(&to, "/a", slow).await;
    let fault = BodyFault::TooSlow {
        least_rate: 2 << 20,
    };
    assert_eq!(failed, Err(PutFailure::Body(fault)));
    // With a length it may take as long as it needs.
    let slow = body_of(&body, true, 20_000, Duration::from_millis(50));
    put(&to, "/a", slow).await.unwrap();
    assert!(place.object("/a").await.unwrap() == body);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_disk_a_body_of_known_length_still_arrives() {
    let place = Scene::on(Emulator).connect().await;
    let (files, bucket) = adapter(&place, &place.storage.customer.sdk_config);
    let to = (files.spooling_in("/dev/null/no-folder"), bucket);
    let body = bytes(2 * PART);
    put(&to, "/a", at_once(&body, true)).await.unwrap();
    assert!(place.object("/a").await.unwrap() == body);
    let refused = put(&to, "/b", at_once(&body, false)).await;
    assert!(matches!(refused, Err(PutFailure::Spool(_))), "{refused:?}");
    assert_eq!(place.bucket().await.0, ["a"]);
}
