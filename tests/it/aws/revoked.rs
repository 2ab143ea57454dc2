//! Sessions that AWS no longer accepts: every way that uses one gets rid of it, and none makes more of them
//! than it should.

use crate::application::bucket::body::{Piece, UploadBody};
use crate::application::bucket::read::{BucketRead, ReadConditions};
use crate::application::bucket::sign::{BucketSign, ReadMethod, SignedCall, SignedResponse};
use crate::application::bucket::write::{BucketWrite, DeleteTarget, NewObject, PutFailure};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::sessions::SessionPace;
use crate::domain::aws_failure::{AwsFailure, DenialReason, FailureKind, PolicyEffect, PolicyKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::ids::WorkspaceId;
use crate::it::aws::adapter::{files_on, list, object_key, storage_on};
use crate::it::support::aws::stub::{AwsStub, denied, large_object, s3_error};
use crate::it::support::aws::wire::{Reply, Request};
use futures_util::StreamExt;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::sync::mpsc;

/// What S3 answers to a session of a role whose active sessions were revoked.
const REVOKED: &str = "User: arn:aws:sts::222222222222:assumed-role/stub/s is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::stub/a\" with an explicit deny in an identity-based policy";
/// From which age on a session is suspect here.
const TRUSTED: Duration = Duration::from_millis(100);

struct Stage {
    stub: AwsStub,
    files: S3Bucket,
    bucket: ConnectedBucket,
}

impl Stage {
    async fn set() -> Self {
        Self::with(SessionPace {
            trusted: TRUSTED,
            ..SessionPace::default()
        })
        .await
    }

    async fn with(pace: SessionPace) -> Self {
        let stub = AwsStub::start().await;
        let files = files_on(&stub.sdk_config(), pace);
        let bucket = storage_on(&stub, &WorkspaceId::generate());
        Self {
            stub,
            files,
            bucket,
        }
    }

    /// S3 denies everything to the sessions so far, which are old enough to be suspect. Nothing is logged yet.
    async fn revoke(&self) {
        self.revoke_for(|_| true).await;
    }

    /// The same for some of the requests.
    async fn revoke_for(&self, which: impl Fn(&Request) -> bool + Send + Sync + 'static) {
        tokio::time::sleep(TRUSTED + Duration::from_millis(50)).await;
        let last = self.stub.world().sessions;
        self.stub.when(move |request| {
            let revoked = session_of(request).is_some_and(|number| number <= last);
            (revoked && which(request)).then(|| denied(REVOKED))
        });
        self.stub.clear();
    }

    async fn list(&self) -> Result<(), AwsFailure> {
        list(&self.files, &self.bucket).await.map(drop)
    }

    async fn get(&self) -> Result<Vec<u8>, std::io::Error> {
        let key = object_key(&self.bucket, "/a.txt");
        let content = self
            .files
            .get(&self.bucket, &key, &ReadConditions::default())
            .await;
        let mut body = content.map_err(std::io::Error::other)?.body;
        let mut read = Vec::new();
        while let Some(chunk) = body.next().await {
            read.extend_from_slice(&chunk?);
        }
        Ok(read)
    }

    /// A body of so many bytes, whose length is announced or not.
    async fn put(&self, size: usize, announced: bool) -> Result<(), PutFailure> {
        let (sender, pieces) = mpsc::channel(1);
        let feeding = tokio::spawn(async move {
            let mut left = size;
            while left > 0 {
                let chunk = left.min(64 << 10);
                left -= chunk;
                if sender
                    .send(Piece::chunk(vec![7; chunk].into()))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            let _ = sender.send(Piece::End).await;
        });
        let length = announced.then_some(size as u64);
        let body = UploadBody::new(pieces, length, Vec::new());
        let key = object_key(&self.bucket, "/new");
        let object = NewObject {
            content_type: "text/plain".into(),
            ..NewObject::default()
        };
        let put = self.files.put(&self.bucket, &key, &object, body).await;
        feeding.abort();
        put.map(drop)
    }

    /// The number of the session that signs now.
    async fn signing(&self) -> usize {
        let key = object_key(&self.bucket, "/a.txt");
        let hour = Duration::from_secs(3600);
        let get = SignedCall::Read {
            method: ReadMethod::Get,
            objects: vec![(key.clone(), SignedResponse::default())],
            range: None,
        };
        let urls = self.files.sign(&self.bucket, get, hour).await;
        let url = urls.unwrap().into_first().unwrap().url;
        let part = SignedCall::Parts {
            key,
            upload_id: "upload".to_owned(),
            numbers: vec![1],
        };
        let parts = self.files.sign(&self.bucket, part, hour).await;
        let part = parts.unwrap().into_first().unwrap().url;
        assert_eq!(signer_of(&url), signer_of(&part));
        signer_of(&url)
    }

    fn assumed(&self) -> usize {
        self.stub.count("AssumeRole")
    }
}

fn number(access_key: &str) -> Option<usize> {
    access_key.strip_prefix("ASIASTUB")?.parse().ok()
}

/// The number of the session that signed a request.
fn session_of(request: &Request) -> Option<usize> {
    number(request.access_key()?)
}

fn signer_of(url: &str) -> usize {
    let (_, credential) = url.split_once("X-Amz-Credential=").unwrap();
    number(credential.split("%2F").next().unwrap()).unwrap()
}

/// Answers the calls of an upload in parts, which the stub does not know.
fn upload_in_parts(request: &Request) -> Option<Reply> {
    let xml = |name: &str, inner: &str| {
        Reply::answer(
            200,
            format!("<{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{name}>"),
        )
    };
    let (_, query) = request.target.split_once('?')?;
    let begins = query
        .split('&')
        .any(|pair| matches!(pair, "uploads" | "uploads="));
    match request.method.as_str() {
        "POST" if begins => Some(xml(
            "InitiateMultipartUploadResult",
            "<UploadId>upload</UploadId>",
        )),
        "POST" if query.contains("uploadId=") => Some(xml(
            "CompleteMultipartUploadResult",
            "<ETag>&quot;e&quot;</ETag>",
        )),
        "DELETE" if query.contains("uploadId=") => Some(Reply::answer(204, "")),
        "PUT" if query.contains("partNumber=") => {
            Some(Reply::answer(200, "").with("etag", "\"e\""))
        }
        _ => None,
    }
}

#[tokio::test]
async fn a_revoked_session_is_replaced_and_the_one_that_signs_too() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    let signed_by = stage.signing().await;
    stage.revoke().await;
    stage.list().await.unwrap();
    assert_eq!((stage.assumed(), stage.stub.count("ListObjectsV2")), (1, 2));
    // A URL by the old session would be a dead link.
    assert!(stage.signing().await > signed_by);
    assert_eq!(stage.assumed(), 2);
    stage.list().await.unwrap();
    assert_eq!(stage.assumed(), 2);
}

#[tokio::test]
async fn many_requests_replace_a_revoked_session_once() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    stage.revoke().await;
    for answer in join_all((0..60).map(|_| stage.list())).await {
        answer.unwrap();
    }
    assert_eq!(stage.assumed(), 1);
}

#[tokio::test]
async fn a_missing_permission_costs_one_session_a_minute_and_no_other() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    let signed_by = stage.signing().await;
    stage.stub.answer_to("GetObject", denied("Access Denied"));
    stage.stub.clear();
    for _ in 0..3 {
        tokio::time::sleep(TRUSTED + Duration::from_millis(50)).await;
        for answer in join_all((0..10).map(|_| stage.get())).await {
            answer.unwrap_err();
        }
    }
    assert_eq!(stage.assumed(), 1);
    // Nothing was proved against the session that signs.
    assert_eq!(stage.signing().await, signed_by);
}

#[tokio::test]
async fn the_denial_of_a_young_session_costs_nothing() {
    let stage = Stage::with(SessionPace::default()).await;
    stage.list().await.unwrap();
    stage.revoke().await;
    let denial = stage.list().await.unwrap_err();
    assert_eq!(denial.kind, FailureKind::AccessDenied);
    let by_identity = DenialReason::By(PolicyKind::Identity, PolicyEffect::ExplicitDeny);
    assert_eq!(denial.reason(), by_identity);
    assert_eq!((stage.assumed(), stage.stub.count("ListObjectsV2")), (0, 1));
}

#[tokio::test]
async fn credentials_that_are_never_accepted_cost_one_session_a_minute() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    let rejected = s3_error(403, "InvalidAccessKeyId", "unknown");
    stage.stub.answer_to("ListObjectsV2", rejected);
    stage.stub.clear();
    for _ in 0..10 {
        let failure = stage.list().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadCredentials);
    }
    assert_eq!(stage.assumed(), 1);
}

#[tokio::test]
async fn a_wrong_clock_costs_no_session() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    let skewed = s3_error(403, "RequestTimeTooSkewed", "The difference is too large.");
    stage.stub.answer_to("ListObjectsV2", skewed);
    tokio::time::sleep(TRUSTED * 2).await;
    stage.stub.clear();
    let failure = stage.list().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::ClockSkew);
    assert_eq!(stage.assumed(), 0);
}

/// A body that is passed on cannot be sent twice, and its part can: parts are kept until the store has them.
/// The next one meets another session, and so does a URL.
#[tokio::test]
async fn a_passed_on_body_meets_a_revoked_session_once() {
    for (size, parts) in [(300 << 10, false), (7 << 20, true)] {
        let stage = Stage::set().await;
        stage.stub.when(|request| {
            // Parts are left to the rules below: first that of the revocation.
            upload_in_parts(request).filter(|_| !is_part(request))
        });
        stage.list().await.unwrap();
        let signed_by = stage.signing().await;
        // An upload in parts begins with a call that can be repeated: this is about the parts.
        stage
            .revoke_for(move |request| !parts || is_part(request))
            .await;
        stage.stub.when(upload_in_parts);
        if !parts {
            let failure = stage.put(size, true).await.unwrap_err();
            let PutFailure::Aws(failure) = failure else {
                panic!("{failure:?}");
            };
            assert_eq!(failure.kind, FailureKind::AccessDenied);
        }
        stage.put(size, true).await.unwrap();
        assert_eq!(stage.assumed(), 1);
        assert!(stage.signing().await > signed_by);
    }
}

fn is_part(request: &Request) -> bool {
    request.target.contains("partNumber=")
}

#[tokio::test]
async fn a_held_body_is_sent_again_with_another_session() {
    // One that is small, and one of unknown length that is held part by part.
    for (size, announced) in [(1_000, true), (9 << 20, false)] {
        let stage = Stage::set().await;
        stage
            .stub
            .when(|request| upload_in_parts(request).filter(|_| !is_part(request)));
        stage.list().await.unwrap();
        stage.revoke_for(|request| request.method == "PUT").await;
        stage.stub.when(upload_in_parts);
        stage.put(size, announced).await.unwrap();
        assert_eq!(stage.assumed(), 1);
    }
}

#[tokio::test]
async fn a_read_goes_on_with_another_session() {
    const SIZE: u64 = 3_000_000;
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    // The object breaks off; the rest is asked for when the session has been revoked.
    stage
        .revoke_for(|request| request.header("range").is_some())
        .await;
    stage.stub.when(|request| {
        let until = if request.header("range").is_some() {
            SIZE
        } else {
            1_000_000
        };
        (request.operation() == "GetObject").then(|| large_object(request, SIZE, until))
    });
    let read = stage.get().await.unwrap();
    assert_eq!(read.len() as u64, SIZE);
    assert_eq!(stage.assumed(), 1);
}

/// S3 denies DeleteObjects key by key, in an answer whose status is 200.
#[tokio::test]
async fn deletions_in_one_call_notice_a_revoked_session() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    tokio::time::sleep(TRUSTED + Duration::from_millis(50)).await;
    let last = stage.stub.world().sessions;
    stage.stub.when(move |request| {
        if request.method != "POST" || !request.target.contains("?delete") {
            return None;
        }
        let denied = |key: &str| {
            format!("<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>{REVOKED}</Message></Error>")
        };
        let inner = match session_of(request) {
            Some(number) if number <= last => denied("a") + &denied("b"),
            _ => String::new(),
        };
        let result = format!(
            "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</DeleteResult>"
        );
        Some(Reply::answer(200, result))
    });
    stage.stub.clear();
    let targets: Vec<DeleteTarget> = ["/a", "/b"]
        .iter()
        .map(|key| DeleteTarget {
            key: object_key(&stage.bucket, key),
            version_id: None,
        })
        .collect();
    for outcome in stage.files.delete_many(&stage.bucket, &targets).await {
        outcome.unwrap();
    }
    assert_eq!(stage.assumed(), 1);
}

#[tokio::test]
async fn a_refusal_of_the_role_is_remembered_until_it_is_forgotten() {
    let stage = Stage::set().await;
    let trusted = stage.stub.world().external_id.take();
    let refused = async || {
        for answer in join_all((0..20).map(|_| stage.list())).await {
            let failure = answer.unwrap_err();
            assert_eq!(
                (failure.operation, failure.kind),
                ("AssumeRole", FailureKind::AccessDenied)
            );
        }
    };
    refused().await;
    refused().await;
    assert_eq!(stage.assumed(), 1);
    // One role's refusal says nothing of another storage, nor of this one after a change.
    let mut changed = stage.bucket.clone();
    changed.revision += 1;
    stage.stub.world().external_id = trusted;
    list(&stage.files, &changed).await.unwrap();
    stage.list().await.unwrap_err();
    stage.files.forget(&stage.bucket.owner).await;
    stage.list().await.unwrap();
    assert_eq!(stage.assumed(), 3);
}

#[tokio::test]
async fn a_refusal_is_remembered_for_a_short_while_only() {
    let stage = Stage::with(SessionPace {
        refusal: Duration::from_millis(200),
        ..SessionPace::default()
    })
    .await;
    let trusted = stage.stub.world().external_id.take();
    stage.list().await.unwrap_err();
    stage.stub.world().external_id = trusted;
    stage.list().await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.list().await.unwrap();
}

/// What is under way when a storage is deleted asks nothing more of AWS.
#[tokio::test]
async fn a_read_of_a_deleted_storage_does_not_go_on() {
    let stage = Stage::set().await;
    stage.stub.when(|request| {
        let is_read = request.operation() == "GetObject";
        is_read.then(|| large_object(request, 3_000_000, 1_000_000))
    });
    let key = object_key(&stage.bucket, "/a.txt");
    let conditions = ReadConditions::default();
    let read = stage.files.get(&stage.bucket, &key, &conditions).await;
    let mut body = read.unwrap().body;
    body.next().await.unwrap().unwrap();
    stage.files.end(&stage.bucket.owner).await;
    let mut end = None;
    while let Some(chunk) = body.next().await {
        end = chunk.err();
    }
    assert!(end.is_some());
    stage.list().await.unwrap_err();
    let asked: Vec<_> = stage.stub.log();
    let asked: Vec<_> = asked.iter().map(|entry| entry.operation.as_str()).collect();
    assert_eq!(asked, ["AssumeRole", "GetObject"]);
}

/// An absent file shows as well as one that is read that S3 accepts the new session.
#[tokio::test]
async fn an_absent_file_proves_the_new_session_too() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    let signed_by = stage.signing().await;
    stage.stub.world().objects.clear();
    stage.revoke().await;
    let absent = stage.get().await.unwrap_err();
    assert!(absent.to_string().contains("NoSuchKey"), "{absent}");
    assert!(stage.signing().await > signed_by);
}

/// Forgetting a storage drops its sessions: also one that was just being made.
#[tokio::test]
async fn a_forgotten_owner_has_no_session_left() {
    let stage = Stage::set().await;
    stage.list().await.unwrap();
    stage.files.forget(&stage.bucket.owner).await;
    stage.stub.world().delay = Duration::from_millis(200);
    let forgotten = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stage.files.forget(&stage.bucket.owner).await;
    };
    let (listed, ()) = tokio::join!(stage.list(), forgotten);
    listed.unwrap();
    stage.stub.world().delay = Duration::ZERO;
    stage.stub.clear();
    stage.list().await.unwrap();
    assert_eq!(stage.assumed(), 1);
}
