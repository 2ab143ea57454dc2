//! What customers share in the SDK, and do not feel of each other: the cache of credentials and the budget of
//! retries.

use crate::aws::sessions::SessionPace;
use crate::domain::aws_failure::FailureKind;
use crate::domain::ids::WorkspaceId;
use crate::it::aws::adapter::{files_on, list, own_bucket, storage_on};
use crate::it::support::aws::stub::{AwsStub, s3_error, sts_error};
use crate::it::support::emulator::credentials;
use aws_config::identity::IdentityCache;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// As a credential process: each time it is asked costs something.
#[derive(Debug)]
struct Counting(Arc<AtomicUsize>);

impl ProvideCredentials for Counting {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.fetch_add(1, Ordering::SeqCst);
        future::ProvideCredentials::ready(Ok(credentials("AKIASTUBSTUBSTUBSTUB", "secret", None)))
    }
}

/// The SDK's own cache holds 64 providers, and each session is one.
#[tokio::test]
async fn many_sessions_leave_the_service_its_credentials() {
    let stub = AwsStub::start().await;
    let asked = Arc::<AtomicUsize>::default();
    let sdk = stub
        .sdk_config()
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(Counting(asked.clone())))
        .identity_cache(IdentityCache::lazy().build())
        .build();
    let files = files_on(&sdk, SessionPace::default());
    let built_in = own_bucket(&stub.bucket, "");
    for _ in 0..150 {
        let storage = storage_on(&stub, &WorkspaceId::generate());
        list(&files, &storage).await.unwrap();
        list(&files, &built_in).await.unwrap();
    }
    for answer in join_all((0..50).map(|_| list(&files, &built_in))).await {
        answer.unwrap();
    }
    assert_eq!(stub.count("AssumeRole"), 150);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// S3 answers the first try of each read of one storage with SlowDown, and every try of another's.
#[tokio::test]
async fn a_throttled_bucket_takes_nobody_else_s_retries() {
    let stub = AwsStub::start().await;
    let files = files_on(&stub.sdk_config(), SessionPace::default());
    let first = storage_on(&stub, &WorkspaceId::generate());
    list(&files, &first).await.unwrap();
    let second = storage_on(&stub, &WorkspaceId::generate());
    list(&files, &second).await.unwrap();
    let keys: Vec<String> = stub
        .of("ListObjectsV2")
        .iter()
        .map(|logged| logged.request.access_key().unwrap().to_owned())
        .collect();
    let seen = Mutex::new(HashSet::new());
    stub.when(move |request| {
        let throttled = match request.access_key()? {
            key if key == keys[0] => true,
            key if key == keys[1] => {
                // The SDK sends the same ID with each try of a call.
                let call = request.header("amz-sdk-invocation-id").unwrap().to_owned();
                seen.lock().unwrap().insert(call)
            }
            _ => false,
        };
        throttled.then(|| s3_error(503, "SlowDown", "Please reduce your request rate."))
    });
    list(&files, &second).await.unwrap();
    stub.clear();
    for answer in join_all((0..200).map(|_| list(&files, &first))).await {
        assert_eq!(answer.unwrap_err().kind, FailureKind::Throttled);
    }
    // Its budget was used up: there were fewer tries than three for each.
    let tries = stub.count("ListObjectsV2");
    assert!((201..590).contains(&tries), "{tries}");
    for _ in 0..5 {
        list(&files, &second).await.unwrap();
    }
}

/// The same with AssumeRole and workspaces.
#[tokio::test]
async fn a_throttled_workspace_takes_nobody_else_s_retries() {
    let stub = AwsStub::start().await;
    let files = files_on(&stub.sdk_config(), SessionPace::default());
    let (greedy, other) = (WorkspaceId::generate(), WorkspaceId::generate());
    let end = greedy.as_str()[greedy.as_str().len() - 20..].to_owned();
    let seen = Mutex::new(HashSet::new());
    stub.when(move |request| {
        let name = request.form("RoleSessionName")?;
        let call = request.header("amz-sdk-invocation-id").unwrap().to_owned();
        let throttled = name.contains(&end) || seen.lock().unwrap().insert(call);
        throttled.then(|| sts_error(400, "Throttling", "Rate exceeded"))
    });
    // Each storage has a session of its own.
    let storages: Vec<_> = (0..90).map(|_| storage_on(&stub, &greedy)).collect();
    for answer in join_all(storages.iter().map(|storage| list(&files, storage))).await {
        assert_eq!(answer.unwrap_err().kind, FailureKind::Throttled);
    }
    let tries = stub.count("AssumeRole");
    assert!((91..260).contains(&tries), "{tries}");
    for _ in 0..5 {
        list(&files, &storage_on(&stub, &other)).await.unwrap();
    }
}
