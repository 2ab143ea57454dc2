//! Uploads in parts of which the answer to the last call is lost: what is there decides what is said of them.

use crate::application::bucket::body::{Piece, UploadBody};
use crate::application::bucket::multipart::{BucketMultipart, OpenedUpload, SentPart};
use crate::application::bucket::write::{
    BucketWrite, NewObject, PutFailure, StoredObject, WriteConditions,
};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::sessions::SessionPace;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use crate::it::aws::adapter::{files_on, object_key, own_bucket};
use crate::it::files::uploads::bytes;
use crate::it::support::aws::store::{Behaviour, Store};
use crate::it::support::aws::stub::s3_error;
use crate::it::support::aws::wire::Reply;
use crate::it::support::client::plain_client;
use tokio::sync::mpsc;

const MIB: usize = 1 << 20;
const COMPLETE: &str = "CompleteMultipartUpload";
const BEFORE: &str = "Wed, 31 Dec 2025 00:00:00 GMT";

struct Place {
    store: Store,
    files: S3Bucket,
    bucket: ConnectedBucket,
    key: ObjectKey,
}

impl Place {
    async fn with(behaviours: impl IntoIterator<Item = Behaviour>) -> Self {
        let store = Store::with(behaviours).await;
        let mut files = files_on(&store.sdk_config(), SessionPace::default());
        files.sizes.single = 100_000;
        files.sizes.part = 1 << 20;
        let bucket = own_bucket(&store.bucket, "");
        Self {
            key: object_key(&bucket, "/a.bin"),
            store,
            files,
            bucket,
        }
    }

    async fn put(&self, body: &[u8], if_none_match: bool) -> Result<StoredObject, PutFailure> {
        let (sender, pieces) = mpsc::channel(2);
        let chunk = Piece::chunk(body.to_vec().into());
        tokio::spawn(async move {
            if sender.send(chunk).await.is_ok() {
                let _ = sender.send(Piece::End).await;
            }
        });
        let object = NewObject {
            conditions: WriteConditions {
                if_none_match,
                if_match: None,
            },
            ..text()
        };
        let body = UploadBody::new(pieces, Some(body.len() as u64), Vec::new());
        self.files.put(&self.bucket, &self.key, &object, body).await
    }

    /// An upload whose parts somebody else sends, and has sent.
    async fn sent(&self, parts: &[&[u8]]) -> (OpenedUpload, Vec<SentPart>) {
        let object = text();
        let upload = self
            .files
            .begin_multipart(&self.bucket, &self.key, &object)
            .await
            .unwrap();
        let mut sent = Vec::new();
        for (number, part) in (1..).zip(parts) {
            let url = format!(
                "{}/{}/a.bin?partNumber={number}&uploadId={}",
                self.store.url, self.store.bucket, upload.id
            );
            let put = plain_client().put(url).body(part.to_vec());
            let answer = put.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            sent.push(SentPart {
                number,
                etag: answer.headers()["etag"].to_str().unwrap().to_owned(),
                checksum_crc32: None,
            });
        }
        (upload, sent)
    }

    async fn complete(
        &self,
        (upload, parts): &(OpenedUpload, Vec<SentPart>),
    ) -> Result<StoredObject, AwsFailure> {
        let object = text();
        self.files
            .complete_multipart(&self.bucket, &self.key, upload, &object, parts)
            .await
    }

    fn etag(&self) -> Option<String> {
        let holdings = self.store.holdings();
        holdings.objects.get("a.bin").map(|one| one.etag.clone())
    }
}

fn text() -> NewObject {
    NewObject {
        content_type: "text/plain".into(),
        ..NewObject::default()
    }
}

fn faults() -> [Reply; 3] {
    [
        Reply::Reset,
        s3_error(500, "InternalError", "x"),
        // The status is sent before the parts are put together.
        s3_error(200, "InternalError", "x"),
    ]
}

fn code(failure: &PutFailure) -> Option<&str> {
    match failure {
        PutFailure::Aws(failure) => failure.error_code.as_deref(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_last_answer_was_lost_is_stored() {
    let body = bytes(2 * MIB + 7);
    for fault in faults() {
        let place = Place::with([Behaviour::LosesFirstAnswerTo(COMPLETE, fault.clone())]).await;
        let stored = place.put(&body, false).await.unwrap();
        assert_eq!(stored.size, Some(body.len() as u64));
        assert_eq!(stored.etag, place.etag());
        assert!(place.etag().unwrap().ends_with("-3\""));
        assert!(place.store.holdings().objects["a.bin"].body == body);
        assert_eq!(place.store.count(COMPLETE), 2, "{fault:?}");
        assert_eq!(place.store.count("HeadObject"), 1, "{fault:?}");
        assert_eq!(place.store.count("AbortMultipartUpload"), 0, "{fault:?}");
    }
    // The condition was looked at before: what the upload itself made does not break it.
    let place = Place::with([Behaviour::LosesFirstAnswerTo(COMPLETE, Reply::Reset)]).await;
    let stored = place.put(&body, true).await.unwrap();
    assert_eq!(stored.etag, place.etag());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_etags_that_are_no_md5s_checksums_prove_it() {
    let lost = || Behaviour::LosesFirstAnswerTo(COMPLETE, Reply::Reset);
    let place = Place::with([lost(), Behaviour::EtagsOfItsOwn]).await;
    let body = bytes(2 * MIB + 7);
    let stored = place.put(&body, false).await.unwrap();
    assert_eq!(stored.etag, place.etag());
    assert_eq!(place.store.count("HeadObject"), 2);
    // Parts that were sent without checksums prove nothing then.
    place.store.behave([lost(), Behaviour::EtagsOfItsOwn]);
    let sent = place.sent(&[b"one", b"two"]).await;
    let failed = place.complete(&sent).await.unwrap_err();
    let unknown = Some(AwsFailure::OUTCOME_UNKNOWN);
    assert_eq!(failed.error_code.as_deref(), unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_proved_is_not_claimed() {
    let lost = || Behaviour::LosesFirstAnswerTo(COMPLETE, Reply::Reset);
    let body = bytes(2 * MIB + 7);
    let unknown = Some(AwsFailure::OUTCOME_UNKNOWN);
    // The same bytes, and older than the upload: another upload may have made it.
    let place = Place::with([lost(), Behaviour::LastModifiedHeader(BEFORE)]).await;
    let failed = place.put(&body, false).await.unwrap_err();
    assert_eq!(code(&failed), unknown);
    // Nothing is seen of it.
    for reply in [
        s3_error(404, "NoSuchKey", "x"),
        s3_error(403, "AccessDenied", "x"),
    ] {
        let place = Place::with([lost(), Behaviour::AnswerTo("HeadObject", reply)]).await;
        let failed = place.put(&body, false).await.unwrap_err();
        assert_eq!(code(&failed), unknown);
    }
    // Another object is there by then.
    let place = Place::with([lost()]).await;
    place.store.behave([
        lost(),
        Behaviour::when(move |request| {
            let is_head = request.operation() == "HeadObject";
            is_head.then(|| {
                Reply::answer(200, "")
                    .with("etag", "\"00000000000000000000000000000000-3\"")
                    .with("content-length", (2 * MIB + 7).to_string())
                    .with("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
                    .with("x-amz-request-id", "1")
            })
        }),
    ]);
    let failed = place.put(&body, false).await.unwrap_err();
    assert_eq!(code(&failed), unknown);
    assert!(place.store.holds("a.bin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_others_sent_are_completed_once_and_asked_for_twice() {
    for fault in faults() {
        let place = Place::with([Behaviour::LosesFirstAnswerTo(COMPLETE, fault)]).await;
        let sent = place.sent(&[b"one", b"two"]).await;
        let stored = place.complete(&sent).await.unwrap();
        assert_eq!((stored.size, &stored.etag), (Some(6), &place.etag()));
        // The caller has lost the answer, and asks again.
        let again = place.complete(&sent).await.unwrap();
        assert_eq!(again, stored);
        // No longer where something else is there.
        place.store.put("a.bin", "onetwo");
        let failed = place.complete(&sent).await.unwrap_err();
        assert_eq!(failed.error_code.as_deref(), Some("NoSuchUpload"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_others_gave_up_is_not_found_even_where_such_an_object_is_there() {
    let place = Place::with([]).await;
    let first = place.sent(&[b"one", b"two"]).await;
    place.complete(&first).await.unwrap();
    // Stored before the second upload began.
    place.store.behave([Behaviour::LastModifiedHeader(BEFORE)]);
    let second = place.sent(&[b"one", b"two"]).await;
    let (files, bucket, key) = (&place.files, &place.bucket, &place.key);
    files
        .abort_multipart(bucket, key, &second.0.id)
        .await
        .unwrap();
    let failed = place.complete(&second).await.unwrap_err();
    assert_eq!(failed.error_code.as_deref(), Some("NoSuchUpload"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_to_the_end_is_looked_at_too() {
    let failing = Behaviour::AnswerTo(COMPLETE, s3_error(500, "InternalError", "x"));
    let place = Place::with([failing]).await;
    let body = bytes(2 * MIB + 7);
    let failed = place.put(&body, false).await.unwrap_err();
    assert_eq!(code(&failed), Some("InternalError"));
    assert_eq!(place.store.count(COMPLETE), 3);
    assert_eq!(place.store.count("HeadObject"), 1);
    assert_eq!(place.store.count("AbortMultipartUpload"), 1);
}
