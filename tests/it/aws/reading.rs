//! Reads that S3 cuts off: they go on with the same object, or end as broken.

use crate::application::bucket::read::{BucketRead, ReadConditions};
use crate::aws::files::bucket::S3Bucket;
use crate::domain::connection::ConnectedBucket;
use crate::it::aws::adapter::{adapter, object_key};
use crate::it::files::uploads::bytes;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// A way to the emulator on which each connection breaks after so many bytes of answers. Gives its
/// address and counts the connections.
async fn breaking(after: u64) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let emulator = Emulator::url();
                let address = emulator.strip_prefix("http://").unwrap();
                let mut server = TcpStream::connect(address).await.unwrap();
                let (mut from_client, mut to_client) = client.split();
                let (from_server, mut to_server) = server.split();
                let mut cut = from_server.take(after);
                tokio::select! {
                    _ = copy(&mut from_client, &mut to_server) => {}
                    _ = copy(&mut cut, &mut to_client) => {}
                }
                let _ = to_client.flush().await;
            });
        }
    });
    (url, connections)
}

/// The adapter on that way.
async fn behind(place: &Scene, after: u64) -> (S3Bucket, ConnectedBucket, Arc<AtomicUsize>) {
    let (url, connections) = breaking(after).await;
    let sdk = place.storage.customer.sdk_config.to_builder();
    let (files, bucket) = adapter(place, &sdk.endpoint_url(url).build());
    (files, bucket, connections)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_goes_on_after_a_break() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let body = bytes(2_500_000);
    place.storage.put("/a", body.clone()).await;
    let (files, bucket, connections) = behind(&place, 1 << 20).await;
    let key = object_key(&bucket, "/a");
    for range in [None, Some((1_000usize, 2_400_000usize))] {
        let conditions = ReadConditions {
            range: range.map(|(first, last)| format!("bytes={first}-{last}")),
            ..ReadConditions::default()
        };
        let before = connections.load(Ordering::Relaxed);
        let mut content = files.get(&bucket, &key, &conditions).await.unwrap();
        let mut read = Vec::new();
        while let Some(chunk) = content.body.next().await {
            read.extend_from_slice(&chunk.unwrap());
        }
        let (first, last) = range.unwrap_or((0, body.len() - 1));
        assert!(read == body[first..=last]);
        // The last connection of one read may serve the next one too.
        assert!(connections.load(Ordering::Relaxed) - before >= 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_never_mixes_two_objects() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let body = bytes(2_500_000);
    place.storage.put("/a", body.clone()).await;
    let (files, bucket, _) = behind(&place, 1 << 20).await;
    let key = object_key(&bucket, "/a");
    let conditions = ReadConditions::default();
    let mut content = files.get(&bucket, &key, &conditions).await.unwrap();
    let first = content.body.next().await.unwrap().unwrap();
    place.storage.put("/a", vec![0; 2_500_000]).await;
    let mut read = first.to_vec();
    let broken = loop {
        match content.body.next().await {
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            end => break end,
        }
    };
    assert!(broken.is_some_and(|end| end.is_err()));
    assert!(body.starts_with(&read));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_gives_up_in_the_end() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.storage.put("/a", bytes(2_500_000)).await;
    let (files, bucket, connections) = behind(&place, 100_000).await;
    let key = object_key(&bucket, "/a");
    let conditions = ReadConditions::default();
    let mut content = files.get(&bucket, &key, &conditions).await.unwrap();
    let mut length = 0;
    let end = loop {
        match content.body.next().await {
            Some(Ok(chunk)) => length += chunk.len(),
            end => break end,
        }
    };
    assert!(end.is_some_and(|end| end.is_err()));
    assert!(length < 400_000, "{length}");
    assert_eq!(connections.load(Ordering::Relaxed), 4);
}
