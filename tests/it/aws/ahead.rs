//! Large objects: pieces that are read ahead, and parts that are sent at the same time.

use crate::application::bucket::body::{BodyFault, Piece, UploadBody};
use crate::application::bucket::read::{BucketRead, ObjectContent, ReadConditions};
use crate::application::bucket::write::{BucketWrite, NewObject, PutFailure, StoredObject};
use crate::application::budget::{ByteBudget, Reserved};
use crate::aws::files::ahead::AheadSizes;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::spool::Spools;
use crate::aws::sessions::SessionPace;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::it::aws::adapter::{files_on, object_key, own_bucket};
use crate::it::files::uploads::bytes;
use crate::it::support::aws::store::{Behaviour, Store};
use crate::it::support::aws::stub::s3_error;
use crate::it::support::aws::wire::{Reply, eventually};
use futures_util::StreamExt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

const SIZE: usize = 1_000_003;
const KEY: &str = "/a.bin";

/// Sizes that a test can afford. It goes ahead however fast the store is.
const SIZES: AheadSizes = AheadSizes {
    first: 200_000,
    piece: 100_000,
    pieces: 3,
    least_waiting: 0,
    part: 100_000,
    parts: 3,
};

struct Place {
    store: Store,
    files: S3Bucket,
    bucket: ConnectedBucket,
    memory: Arc<ByteBudget>,
}

impl Place {
    async fn with(behaviours: impl IntoIterator<Item = Behaviour>) -> Self {
        Self::with_sizes(behaviours, SIZES).await
    }

    async fn with_sizes(
        behaviours: impl IntoIterator<Item = Behaviour>,
        sizes: AheadSizes,
    ) -> Self {
        let store = Store::with(behaviours).await;
        let memory = Arc::new(ByteBudget::new(16 << 20));
        let files = files_on(&store.sdk_config(), SessionPace::default());
        let mut files = files.going_ahead(memory.clone(), sizes);
        files.sizes.single = 100_000;
        files.uploads.pace.pauses = [Duration::from_millis(10); 4];
        let bucket = own_bucket(&store.bucket, "");
        Self {
            store,
            files,
            bucket,
            memory,
        }
    }

    async fn get(&self, range: Option<&str>) -> Result<ObjectContent, FailureKind> {
        let conditions = ReadConditions {
            range: range.map(str::to_owned),
            ..ReadConditions::default()
        };
        let key = object_key(&self.bucket, KEY);
        let content = self.files.get(&self.bucket, &key, &conditions).await;
        content.map_err(|failure| failure.kind)
    }

    async fn put(&self, body: UploadBody) -> Result<StoredObject, PutFailure> {
        let object = NewObject {
            content_type: "text/plain".into(),
            ..NewObject::default()
        };
        let key = object_key(&self.bucket, KEY);
        self.files.put(&self.bucket, &key, &object, body).await
    }

    /// The memory that went ahead is given back.
    async fn nothing_taken(&self) {
        eventually("memory is still taken", async || self.memory.taken() == 0).await;
    }
}

async fn read(mut content: ObjectContent) -> (Vec<u8>, Option<io::Error>) {
    let mut read = Vec::new();
    while let Some(chunk) = content.body.next().await {
        match chunk {
            Ok(chunk) => read.extend_from_slice(&chunk),
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_comes_in_its_order_by_several_calls() {
    let place = Place::with([]).await;
    let body = bytes(SIZE);
    place.store.put("a.bin", body.clone());
    for (range, first, last) in [
        (None, 0, SIZE - 1),
        (Some("bytes=10-"), 10, SIZE - 1),
        (Some("bytes=10-700000"), 10, 700_000),
        (Some("bytes=10-9999999"), 10, SIZE - 1),
    ] {
        place.store.clear();
        let content = place.get(range).await.unwrap();
        assert_eq!(content.metadata.size, Some(SIZE as i64));
        assert_eq!(content.content_length, Some((last - first + 1) as u64));
        let served = format!("bytes {first}-{last}/{SIZE}");
        assert_eq!(content.content_range, range.map(|_| served));
        let (read, error) = read(content).await;
        assert!(error.is_none(), "{error:?}");
        assert!(read == body[first..=last], "{range:?}");
        let calls = place.store.of("GetObject");
        let pieces = (last - first + 1 - 200_000).div_ceil(100_000);
        assert_eq!(calls.len(), 1 + pieces, "{range:?}");
        let with_etag = calls
            .iter()
            .filter(|call| call.request.header("if-match").is_some());
        assert_eq!(with_etag.count(), pieces);
        place.nothing_taken().await;
    }
    // What is small comes by one call, and so does a small part of what is large.
    for range in ["bytes=0-199999", "bytes=-5"] {
        place.store.clear();
        let (read, error) = read(place.get(Some(range)).await.unwrap()).await;
        assert!(error.is_none() && !read.is_empty());
        assert_eq!(place.store.count("GetObject"), 1, "{range}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_changes_meanwhile_is_not_mixed_with_the_other() {
    let place = Place::with([]).await;
    let body = bytes(SIZE);
    place.store.put("a.bin", body.clone());
    let mut content = place.get(None).await.unwrap();
    let first = content.body.next().await.unwrap().unwrap();
    place.store.put("a.bin", vec![0; SIZE]);
    let (rest, error) = read(content).await;
    assert!(error.is_some());
    let all = [first.to_vec(), rest].concat();
    assert!(all.len() < SIZE && body.starts_with(&all));
    place.nothing_taken().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_ignores_ranges_sends_the_whole_object() {
    let place = Place::with([Behaviour::RangeIgnored]).await;
    let body = bytes(SIZE);
    place.store.put("a.bin", body.clone());
    let content = place.get(None).await.unwrap();
    assert_eq!(content.content_length, Some(SIZE as u64));
    assert_eq!(content.content_range, None);
    assert!(read(content).await.0 == body);
    assert_eq!(place.store.count("GetObject"), 1);
    // Whoever asks for a part does not get the whole for it.
    let refused = place.get(Some("bytes=10-")).await;
    assert_eq!(refused.err(), Some(FailureKind::InvalidResponse));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_in_pieces_comes_by_one_call() {
    let body = bytes(SIZE);
    for behaviour in [
        // Nothing tells the object from another one.
        Behaviour::NoEtagFrom("GetObject"),
        Behaviour::ContentRange("bytes 0-199999/*"),
        Behaviour::ContentRange("bytes 1-200000/1000003"),
    ] {
        let place = Place::with([behaviour]).await;
        place.store.put("a.bin", body.clone());
        let content = place.get(None).await.unwrap();
        assert_eq!(content.content_length, Some(SIZE as u64));
        assert!(read(content).await.0 == body);
        assert_eq!(place.store.count("GetObject"), 2);
    }
    let place = Place::with([]).await;
    place.store.put("a.bin", "");
    let empty = place.get(None).await.unwrap();
    assert_eq!(empty.content_length, Some(0));
    assert!(read(empty).await.0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_the_rest_comes_by_one_call() {
    let sizes = AheadSizes {
        piece: 1 << 30,
        ..SIZES
    };
    let place = Place::with_sizes([], sizes).await;
    let body = bytes(SIZE);
    place.store.put("a.bin", body.clone());
    assert!(read(place.get(None).await.unwrap()).await.0 == body);
    assert_eq!(place.store.count("GetObject"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_gives_the_memory_back() {
    let place = Place::with([]).await;
    place.store.put("a.bin", bytes(SIZE));
    let mut content = place.get(None).await.unwrap();
    content.body.next().await.unwrap().unwrap();
    assert!(place.memory.taken() > 0, "nothing is ahead");
    drop(content);
    place.nothing_taken().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_fails_or_is_too_long_comes_with_the_rest_by_one_call() {
    let place = Place::with([]).await;
    let body = bytes(SIZE);
    place.store.put("a.bin", body.clone());
    let etag = place.store.holdings().objects["a.bin"].etag.clone();
    let header = |name: &str, value: String| (name.to_owned(), value);
    let too_long = Reply::Chunked {
        status: 206,
        headers: vec![
            header("etag", etag),
            header("content-range", format!("bytes 300000-399999/{SIZE}")),
        ],
        body: vec![0; 100_001],
        breaks: false,
    };
    for reply in [s3_error(400, "InvalidRequest", "x"), too_long] {
        let once = AtomicBool::new(true);
        place.store.behave([Behaviour::when(move |request| {
            let is_it = request.header("range") == Some("bytes=300000-399999");
            (is_it && once.swap(false, Ordering::SeqCst)).then(|| reply.clone())
        })]);
        place.store.clear();
        let (read, error) = read(place.get(None).await.unwrap()).await;
        assert!(error.is_none(), "{error:?}");
        assert!(read == body);
        let rest = format!("bytes=300000-{}", SIZE - 1);
        let calls = place.store.of("GetObject");
        let of_rest = calls
            .iter()
            .filter(|call| call.request.header("range") == Some(rest.as_str()));
        assert_eq!(of_rest.count(), 1);
        place.nothing_taken().await;
    }
}

/// A body of which so many bytes come, in pieces, and its end where all of them do.
fn body_of(body: &[u8], sent: usize) -> UploadBody {
    UploadBody::new(pieces_of(body, sent), Some(body.len() as u64), Vec::new())
}

fn pieces_of(body: &[u8], sent: usize) -> mpsc::Receiver<Piece> {
    let (sender, pieces) = mpsc::channel(1);
    let chunks: Vec<_> = body[..sent].chunks(30_000).map(<[u8]>::to_vec).collect();
    let is_whole = sent == body.len();
    tokio::spawn(async move {
        for chunk in chunks {
            if sender.send(Piece::chunk(chunk.into())).await.is_err() {
                return;
            }
        }
        if is_whole {
            let _ = sender.send(Piece::End).await;
        }
    });
    pieces
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_arrives_in_parts_from_memory() {
    let once = AtomicBool::new(true);
    let place = Place::with([Behaviour::when(move |request| {
        let is_second = request.query("partNumber").as_deref() == Some("2");
        let fails = is_second && once.swap(false, Ordering::SeqCst);
        fails.then(|| s3_error(500, "InternalError", "x"))
    })])
    .await;
    let body = bytes(SIZE);
    let stored = place.put(body_of(&body, SIZE)).await.unwrap();
    assert_eq!(stored.size, Some(SIZE as u64));
    assert!(stored.sha256.is_some());
    assert!(place.store.holdings().objects["a.bin"].body == body);
    // Eleven, and one of them once more.
    assert_eq!(place.store.count("UploadPart"), 12);
    place.nothing_taken().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_between_its_parts_leaves_nothing() {
    let place = Place::with([]).await;
    let body = bytes(SIZE);
    let failed = place.put(body_of(&body, 450_000)).await;
    assert_eq!(failed, Err(PutFailure::Body(BodyFault::Incomplete)));
    assert!(!place.store.holds("a.bin"));
    assert_eq!(place.store.count("CompleteMultipartUpload"), 0);
    assert_eq!(place.store.count("AbortMultipartUpload"), 1);
    place.nothing_taken().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_the_store_fails_for_good_ends_the_upload() {
    let place = Place::with([Behaviour::when(|request| {
        let is_part = request.query("partNumber").is_some();
        is_part.then(|| s3_error(403, "AccessDenied", "x"))
    })])
    .await;
    let failed = place.put(body_of(&bytes(SIZE), SIZE)).await;
    assert!(matches!(failed, Err(PutFailure::Aws(_))), "{failed:?}");
    assert!(!place.store.holds("a.bin"));
    assert_eq!(place.store.count("AbortMultipartUpload"), 1);
    place.nothing_taken().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_for_its_parts_a_large_body_is_passed_on() {
    let sizes = AheadSizes {
        part: 1 << 30,
        ..SIZES
    };
    let place = Place::with_sizes([], sizes).await;
    let body = bytes(SIZE);
    place.put(body_of(&body, SIZE)).await.unwrap();
    assert!(place.store.holdings().objects["a.bin"].body == body);
    // A part passed on has 1 MiB at least here.
    assert_eq!(place.store.count("UploadPart"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_under_way_gives_memory_back_that_others_want() {
    const BLOCK: u64 = 4 << 10;
    // What a part of 100,000 bytes takes.
    const ROOM: u64 = 25 * BLOCK;
    let place = Place::with([]).await;
    let others: Arc<Mutex<Vec<Reserved>>> = Arc::default();
    let seen: Arc<Mutex<Vec<(String, u64)>>> = Arc::default();
    let (memory, held, own) = (place.memory.clone(), others.clone(), seen.clone());
    place.store.behave([Behaviour::when(move |request| {
        let number = request.query("partNumber")?;
        let mut held = held.lock().unwrap();
        if held.is_empty() {
            for who in ["b", "c", "d", "e", "f"] {
                held.extend(std::iter::from_fn(|| memory.try_take_ahead(who, BLOCK)));
            }
        }
        let of_others = held.len() as u64 * BLOCK;
        own.lock()
            .unwrap()
            .push((number, memory.taken() - of_others));
        None
    })]);
    let body = bytes(SIZE);
    place.put(body_of(&body, SIZE)).await.unwrap();
    assert!(place.store.holdings().objects["a.bin"].body == body);
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.first().map(|(_, own)| *own), Some(3 * ROOM));
    let of_last = seen.iter().find(|(number, _)| number == "11");
    assert_eq!(of_last.map(|(_, own)| *own), Some(2 * ROOM), "{seen:?}");
    others.lock().unwrap().clear();
    place.nothing_taken().await;
}

/// Uploads that have one spool and wait for a second one would wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn with_room_for_one_part_those_of_unknown_length_take_turns() {
    let mut place = Place::with([]).await;
    let folder = tempfile::tempdir().unwrap();
    // A workspace has a quarter of it.
    let room = ByteBudget::with_patience(32 << 20, Duration::from_millis(50));
    place.files.uploads.spools = Spools::with_room(folder.path(), room);
    let body = bytes(17 << 20);
    let sent = UploadBody::new(pieces_of(&body, body.len()), None, Vec::new());
    let stored = place.put(sent).await.unwrap();
    assert_eq!(stored.size, Some(body.len() as u64));
    assert!(place.store.holdings().objects["a.bin"].body == body);
    assert_eq!(place.store.count("UploadPart"), 3);
}
