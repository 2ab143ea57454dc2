//! How many calls it takes to find files, and that the right ones are found.

use crate::application::projects::lookup::{Found, look_up};
use crate::application::projects::source_files::SourceFiles;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::WorkspaceId;
use crate::it::database::contract::samples;
use crate::it::projects::fake::{FakeBucket, PREFIX, Trouble, explainer, failure};
use proptest::prelude::*;

fn connected() -> ConnectedBucket {
    let mut setup = samples::new_setup(&WorkspaceId::generate());
    setup.draft = samples::role_draft();
    setup.connection().unwrap()
}

fn keys(texts: impl IntoIterator<Item = String>) -> Vec<FileKey> {
    let keys = texts.into_iter().map(|text| FileKey::parse(&text).unwrap());
    keys.collect()
}

async fn found(bucket: &FakeBucket, keys: &[FileKey]) -> Vec<Option<Found>> {
    let keys: Vec<&FileKey> = keys.iter().collect();
    let source = SourceFiles {
        files: bucket,
        explainer: &explainer(),
    };
    look_up(source, &connected(), &keys).await.unwrap()
}

fn put(bucket: &FakeBucket, paths: impl IntoIterator<Item = String>) {
    for path in paths {
        let body = vec![b'x'; path.len()];
        bucket.put(format!("{PREFIX}{path}"), body);
    }
}

#[tokio::test]
async fn a_thousand_keys_of_a_folder_are_one_list() {
    let bucket = FakeBucket::default();
    put(&bucket, (0..3000).map(|n| format!("before/{n}")));
    put(&bucket, (0..1000).map(|n| format!("data/{n:04}.png")));
    put(&bucket, (0..5000).map(|n| format!("data/inner/{n}")));
    put(&bucket, (0..3000).map(|n| format!("data-b/{n}")));
    let wanted = keys((0..1000).rev().map(|n| format!("/data/{n:04}.png")));
    let found = found(&bucket, &wanted).await;
    assert!(found.iter().flatten().all(|file| file.size == 13));
    assert_eq!(found.iter().flatten().count(), 1000);
    let (lists, heads, _) = bucket.counts();
    assert!(lists <= 2 && heads == 0, "{lists} lists, {heads} heads");
}

#[tokio::test]
async fn ten_thousand_keys_are_about_ten_lists() {
    let bucket = FakeBucket::default();
    put(&bucket, (0..10_000).map(|n| format!("data/{n:05}")));
    let wanted = keys((0..10_000).map(|n| format!("data/{n:05}")));
    let found = found(&bucket, &wanted).await;
    assert!(found.iter().all(Option::is_some));
    let (lists, heads, _) = bucket.counts();
    assert!(lists <= 11 && heads == 0, "{lists} lists, {heads} heads");
}

#[tokio::test]
async fn few_keys_of_many_folders_are_asked_for() {
    let bucket = FakeBucket::default();
    put(&bucket, (0..5).map(|n| format!("{n}/a")));
    let wanted = keys((0..5).map(|n| format!("/{n}/a")));
    assert!(found(&bucket, &wanted).await.iter().all(Option::is_some));
    assert_eq!(bucket.counts(), (0, 5, 0));
}

#[tokio::test]
async fn keys_far_apart_do_not_list_the_whole_folder() {
    let bucket = FakeBucket::default();
    put(&bucket, (0..100_000).map(|n| format!("data/{n:06}")));
    let wanted = keys((0..100).map(|n| format!("/data/{:06}", n * 1000)));
    assert!(found(&bucket, &wanted).await.iter().all(Option::is_some));
    let (lists, heads, _) = bucket.counts();
    assert!(lists <= 4 && heads <= 100, "{lists} lists, {heads} heads");
}

#[tokio::test]
async fn a_denial_is_not_a_missing_file() {
    for (count, kind, code) in [
        (2, FailureKind::AccessDenied, "storage_access_denied"),
        (20, FailureKind::AccessDenied, "storage_access_denied"),
        (2, FailureKind::NoSuchBucket, "bucket_not_found"),
        (20, FailureKind::Timeout, "storage_timeout"),
    ] {
        let bucket = FakeBucket::default();
        bucket.trouble(0, 1, Trouble::Fails(kind));
        let wanted = keys((0..count).map(|n| format!("/a/{n}")));
        let wanted: Vec<&FileKey> = wanted.iter().collect();
        let source = SourceFiles {
            files: &bucket,
            explainer: &explainer(),
        };
        let error = look_up(source, &connected(), &wanted).await.unwrap_err();
        assert_eq!(error.code, code);
        assert_eq!(failure(kind).kind, kind);
    }
}

/// Names that sort and prefix each other in every way.
fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "a",
            "b",
            "0",
            "1",
            "/",
            "//",
            "-",
            ".x",
            " ",
            "~",
            "\u{1}",
            "ü",
            "\u{10ffff}",
            "\u{e000}",
        ]),
        1..6,
    )
    .prop_map(|parts| format!("k{}", parts.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_there_is_found_and_nothing_else(
        present in prop::collection::btree_set(name(), 0..120),
        wanted in prop::collection::btree_set(name(), 1..120),
        both in prop::collection::btree_set(name(), 0..60),
    ) {
        let bucket = FakeBucket::default();
        put(&bucket, present.iter().chain(&both).cloned());
        let asked: Vec<&String> = wanted.union(&both).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let wanted = keys(asked.iter().map(|key| format!("/{key}")));
        let found = runtime.block_on(found(&bucket, &wanted));
        for (key, found) in asked.iter().zip(found) {
            let there = present.contains(*key) || both.contains(*key);
            prop_assert_eq!(found.map(|file| file.size), there.then_some(key.len() as i64), "{:?}", key);
        }
    }
}
