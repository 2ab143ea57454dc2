//! Writes and deletions whose answers show too little: each is proved, or fails.

use crate::it::files::odd_stores::Place;
use crate::it::support::app::Answer;
use crate::it::support::aws::store::Behaviour;
use crate::it::support::aws::stub::s3_error;
use crate::it::support::aws::wire::Reply;
use serde_json::{Value, json};

const NOT_PROVED: &str = "store_answer_not_s3";

fn error_with_200(code: &str) -> Reply {
    let text =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>x</Message></Error>");
    Reply::answer(200, text).with("x-amz-request-id", "STOREREQUESTID")
}

impl Place {
    async fn delete_version(&self, key: &str) -> Answer {
        let path = format!("{}?key=%2F{key}&version_id=null", self.files);
        self.app.delete(&path, &self.workspace.admin).await
    }

    pub async fn post(&self, below: &str, body: Value) -> Answer {
        let path = format!("{}/{below}", self.files);
        self.app.post(&path, &self.workspace.admin, &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_with_another_status_than_204_is_proved() {
    let place = Place::with([Behaviour::DeleteWith200]).await;
    place.store.clear();
    place.delete("a.txt").await.expect(204);
    assert_eq!(place.store.count("HeadObject"), 1, "not looked for");
    place
        .store
        .behave([Behaviour::DeleteWith200, Behaviour::KeepsWhatIsDeleted]);
    place.delete("b.txt").await.problem(424, NOT_PROVED);
    for reply in [
        Reply::answer(202, "").with("x-amz-request-id", "STOREREQUESTID"),
        Reply::answer(200, "").with("x-amz-delete-marker", "true"),
        error_with_200("InternalError"),
    ] {
        place
            .store
            .behave([Behaviour::AnswerTo("DeleteObject", reply)]);
        place.delete("b.txt").await.problem(424, NOT_PROVED);
    }
    assert!(place.store.holds("b.txt"));
    // A gateway that answers the HEAD as it answers all else proves nothing.
    place.store.behave([
        Behaviour::DeleteWith200,
        Behaviour::KeepsWhatIsDeleted,
        Behaviour::AnswerTo("HeadObject", s3_error(403, "AccessDenied", "x")),
    ]);
    place.delete("b.txt").await.problem(424, NOT_PROVED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deletion_of_a_version_is_proved_by_its_id() {
    let place = Place::with([Behaviour::DeleteWith200]).await;
    place.store.clear();
    place.delete_version("a.txt").await.expect(204);
    assert_eq!(place.store.count("ListObjectVersions"), 1);
    let lies = || [Behaviour::DeleteWith200, Behaviour::KeepsWhatIsDeleted];
    place.store.behave(lies());
    place.delete_version("b.txt").await.problem(424, NOT_PROVED);
    // Where the store cannot list versions, it is asked for this one.
    let no_versions = || {
        Behaviour::AnswerTo(
            "ListObjectVersions",
            s3_error(501, "NotImplemented", "no versions here"),
        )
    };
    place
        .store
        .behave(lies().into_iter().chain([no_versions()]));
    place.delete_version("b.txt").await.problem(424, NOT_PROVED);
    // A delete marker that is still there.
    let marker = Reply::answer(405, "").with("x-amz-delete-marker", "true");
    place.store.behave([
        Behaviour::DeleteWith200,
        no_versions(),
        Behaviour::AnswerTo("HeadObject", marker),
    ]);
    place.delete_version("c.txt").await.problem(424, NOT_PROVED);
    place
        .store
        .behave([Behaviour::DeleteWith200, no_versions()]);
    place.delete_version("d.txt").await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_of_many_is_deleted_or_named() {
    let place = Place::with([]).await;
    let empty = Reply::answer(200, "<DeleteResult></DeleteResult>");
    for reply in [empty, error_with_200("InternalError")] {
        // Nothing is said of any key, and a deletion by itself is not believed either.
        place.store.behave([
            Behaviour::AnswerTo("DeleteObjects", reply),
            Behaviour::DeleteWith200,
            Behaviour::KeepsWhatIsDeleted,
        ]);
        let answer = place.delete_many(&["a.txt", "b.txt"]).await;
        assert_eq!(answer["deleted"], json!([]), "{answer:#}");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 2, "{answer:#}");
    }
    // Named twice, once each way: the error counts. A key that nobody asked for is none of the answer.
    let both = "<DeleteResult><Deleted><Key>a.txt</Key></Deleted><Deleted><Key>z.txt</Key></Deleted>\
                <Error><Key>a.txt</Key><Code>AccessDenied</Code><Message>x</Message></Error>\
                <Deleted><Key>b.txt</Key></Deleted><Deleted><Key>b.txt</Key></Deleted></DeleteResult>";
    place.store.behave([Behaviour::AnswerTo(
        "DeleteObjects",
        Reply::answer(200, both),
    )]);
    let answer = place.delete_many(&["a.txt", "b.txt", "b.txt"]).await;
    assert_eq!(answer["deleted"], json!(["/b.txt", "/b.txt"]), "{answer:#}");
    assert_eq!(answer["errors"][0]["key"], "/a.txt", "{answer:#}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_of_other_bytes_is_looked_into() {
    let place = Place::with([Behaviour::StoresOtherBytes]).await;
    place.put("new.txt", "hello").await.problem(424, NOT_PROVED);
    place.store.behave([
        Behaviour::ForgetsWhatIsPut,
        Behaviour::AnswerTo(
            "PutObject",
            Reply::answer(200, "")
                .with("etag", "\"00000000000000000000000000000000\"")
                .with("x-amz-request-id", "STOREREQUESTID"),
        ),
    ]);
    place.put("a.txt", "other").await.problem(424, NOT_PROVED);
    // A store whose ETags are no MD5 is believed once it gives the bytes back.
    place.store.behave([Behaviour::EtagsOfItsOwn]);
    place.store.clear();
    let stored = place.put("new.txt", "hello").await.expect(200);
    assert!(stored["etag"].is_string(), "{stored}");
    assert_eq!(place.store.count("GetObject"), 1);
    // The same with an encryption of which S3 says that its ETags are no MD5: nothing is asked.
    let kms = Reply::answer(200, "")
        .with("etag", "\"00000000000000000000000000000000\"")
        .with("x-amz-server-side-encryption", "aws:kms:dsse")
        .with("x-amz-server-side-encryption-bucket-key-enabled", "true")
        .with("x-amz-request-id", "STOREREQUESTID");
    place.store.behave([Behaviour::AnswerTo("PutObject", kms)]);
    place.store.clear();
    place.put("new.txt", "hello").await.expect(200);
    assert_eq!(place.store.count("GetObject"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_not_there_moves_nothing() {
    let place = Place::with([Behaviour::CopiesNothing]).await;
    place.store.put("z.txt", "other");
    let way = json!({"from": "/a.txt", "to": "/z.txt"});
    for behaviours in [
        vec![Behaviour::CopiesNothing],
        vec![
            Behaviour::CopiesNothing,
            Behaviour::NoEtagFrom("CopyObject"),
        ],
        vec![Behaviour::AnswerTo("CopyObject", Reply::answer(200, ""))],
        vec![Behaviour::AnswerTo(
            "CopyObject",
            error_with_200("InternalError"),
        )],
        vec![Behaviour::AnswerTo(
            "CopyObject",
            error_with_200("AccessDenied"),
        )],
    ] {
        place.store.behave(behaviours);
        for call in ["copy", "move"] {
            let answer = place.post(call, way.clone()).await;
            assert!(!answer.status.is_success(), "{answer:?}");
        }
        assert!(place.store.holds("a.txt"), "the original is gone");
    }
    place.store.behave([]);
    place.post("move", way).await.expect(200);
    assert!(!place.store.holds("a.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ends_of_an_upload_in_parts_are_proved() {
    let place = Place::with([]).await;
    let begin = async || {
        let begun = place.post("multipart", json!({"key": "/a.txt"})).await;
        begun.expect(200)["upload_id"].clone()
    };
    let complete = async |upload: &Value| {
        let parts = json!([{"part_number": 1, "etag": "\"e\""}]);
        place
            .post(
                "multipart/complete",
                json!({"upload_id": upload, "parts": parts}),
            )
            .await
    };
    // An object that was there before is not it.
    let upload = begin().await;
    for reply in [
        Reply::answer(
            200,
            "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>",
        ),
        error_with_200("InternalError"),
        error_with_200("AccessDenied"),
    ] {
        place
            .store
            .behave([Behaviour::AnswerTo("CompleteMultipartUpload", reply)]);
        let answer = complete(&upload).await;
        assert!(!answer.status.is_success(), "{answer:?}");
    }
    // An abort with another status is made again: then the upload must be unknown.
    let abort = async |upload: &Value| {
        place
            .post("multipart/abort", json!({"upload_id": upload}))
            .await
    };
    let ok = || Reply::answer(200, "").with("x-amz-request-id", "STOREREQUESTID");
    place
        .store
        .behave([Behaviour::AnswerTo("AbortMultipartUpload", ok())]);
    abort(&upload).await.problem(424, NOT_PROVED);
    let first = std::sync::atomic::AtomicBool::new(true);
    place.store.behave([Behaviour::when(move |request| {
        let is_first = request.operation() == "AbortMultipartUpload"
            && first.swap(false, std::sync::atomic::Ordering::SeqCst);
        is_first.then(ok)
    })]);
    abort(&upload).await.expect(204);
}
