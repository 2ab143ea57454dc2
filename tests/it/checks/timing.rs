//! What is independent is asked at the same time: read from the log, not from a clock.

use crate::it::support::app::app_on;
use crate::it::support::aws::store::Store;
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::aws::versioned::Versions;
use crate::it::support::aws::wire::{Logged, rounds};
use crate::it::support::scene::{Dialog, Scene};
use serde_json::json;
use std::time::Duration;

/// The rounds of a check. Where a deletion overtakes a reading on a busy machine, the check takes more: the least of
/// a few is what it takes.
async fn rounds_of(access: &str, empty: bool, versioned: bool) -> usize {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).access(access).open(&app).await;
    let versions = Versions::default();
    if versioned {
        let own = versions.clone();
        stub.when(move |request| own.answer(request));
    }
    if empty {
        stub.world().objects.clear();
    }
    // The first makes the connections, and learns who the service is.
    dialog.check().await;
    stub.world().delay = Duration::from_millis(150);
    let mut least = usize::MAX;
    for _ in 0..3 {
        stub.clear();
        let report = dialog.check().await;
        match empty {
            true => drop(report.warned(&["get_object"])),
            false => drop(report.passed()),
        }
        least = least.min(rounds(&stub.log()));
    }
    assert_eq!(versions.count(), 0);
    least
}

#[tokio::test]
async fn reading_takes_three_rounds() {
    assert_eq!(rounds_of("read", false, false).await, 3);
    assert_eq!(rounds_of("read", true, false).await, 3);
}

#[tokio::test]
async fn reading_and_writing_takes_three_rounds_too() {
    assert_eq!(rounds_of("read_write", false, false).await, 3);
    // The version, and the marker that the deletion makes, are deleted after it.
    assert_eq!(rounds_of("read_write", false, true).await, 4);
}

/// The calls for the probe object, one of each kind.
fn of_probe(log: &[Logged], operation: &str) -> Logged {
    let is_it = |one: &&Logged| {
        let (_, key) = one.request.bucket_and_key();
        one.operation == operation && key.contains("sallyport-check-")
    };
    log.iter().find(is_it).unwrap().clone()
}

#[tokio::test]
async fn another_store_is_asked_one_after_the_other() {
    let store = Store::with([]).await.holding(["a.txt"]);
    let (app, workspace) = store.app().await;
    let settings = json!({
        "bucket": store.bucket, "auth": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "0123456789012345678901234567890123456789",
        "endpoint": store.endpoint(), "access": "read_write",
    });
    let dialog = Dialog::open_in(&app, workspace, settings).await;
    let report = dialog.check().await;
    assert_ne!(report.0["outcome"], "failed", "{:#}", report.0);
    let log = store.log();
    let list = log
        .iter()
        .find(|one| one.operation == "ListObjectsV2")
        .unwrap();
    let [put, get, delete] =
        ["PutObject", "GetObject", "DeleteObject"].map(|operation| of_probe(&log, operation));
    assert!(list.to <= put.from && put.to <= get.from && get.to <= delete.from);
}
