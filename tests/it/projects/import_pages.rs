//! Imports of folders: the next page is asked for while one is stored, and no workspace has all workers.

use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::ProjectStore;
use crate::application::people::caller::Member;
use crate::application::projects::FileSource;
use crate::application::projects::imports::Pace;
use crate::application::projects::selection::Selection;
use crate::database::DatabaseUrl;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::StorageRef;
use crate::domain::project::{OnMissing, ProjectStatus};
use crate::it::database::contract::samples;
use crate::it::projects::fake::{PREFIX, Rig, Trouble, assert_files};
use crate::it::support::aws::wire::eventually;
use crate::it::support::database::TestDb;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn folder() -> FileSource {
    let folder = Folder::parse("/data").unwrap();
    FileSource::Folder(Selection::new(folder, vec![], vec![]).unwrap())
}

/// So many objects, and their keys in the order of S3.
fn fill(rig: &Rig, count: usize) -> Vec<String> {
    let keys: Vec<String> = (0..count).map(|n| format!("/data/{n:05}.png")).collect();
    for key in &keys {
        rig.bucket.put(format!("{PREFIX}{}", &key[1..]), "body");
    }
    keys
}

fn working(rig: &Rig, pace: Pace) -> tokio::task::JoinHandle<bool> {
    let worker = rig.importer_at(pace);
    tokio::spawn(async move { worker.round(&CancellationToken::new()).await.unwrap() })
}

#[tokio::test]
async fn one_page_is_asked_for_while_another_is_stored_and_no_more() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 100).await);
    let keys = fill(&rig, 5_500);
    let project = rig.create(folder(), OnMissing::Fail).await.unwrap();
    // The request has read the first page; the worker is held at the second.
    rig.bucket.trouble(0, 1, Trouble::Hangs);
    let working = working(&rig, Pace::default());
    rig.bucket.hanging.notified().await;
    let DatabaseUrl::Sqlite(path) = &rig.db.url else {
        panic!("this is SQLite");
    };
    let options = SqliteConnectOptions::new().filename(path);
    let mut other = options.connect().await.unwrap();
    let begin = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other);
    begin.await.unwrap();
    rig.bucket.let_go();
    // The second page cannot be stored, and the third has been asked for.
    let lists = || rig.bucket.lists.load(SeqCst);
    eventually("a page is read ahead", async || lists() == 3).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(lists(), 3, "one page is in memory beside the one to store");
    assert_eq!(rig.project(&project.id).await.file_count, 1_000);
    let end = sqlx::raw_sql("ROLLBACK").execute(&mut other);
    end.await.unwrap();
    assert!(working.await.unwrap());
    assert_files(&rig.files(&project.id).await, &keys);
    let ready = rig.project(&project.id).await;
    assert_eq!(ready.status, ProjectStatus::Ready);
    assert_eq!(ready.progress.total, Some(5_500));
    // Each page once.
    assert_eq!(lists(), 6);
}

#[tokio::test]
async fn a_failure_of_the_page_ahead_keeps_what_was_stored() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 100).await);
    let keys = fill(&rig, 3_500);
    let project = rig.create(folder(), OnMissing::Fail).await.unwrap();
    let kind = crate::domain::aws_failure::FailureKind::Throttled;
    rig.bucket.trouble(1, 1, Trouble::Fails(kind));
    assert!(working(&rig, Pace::default()).await.unwrap());
    let half = rig.project(&project.id).await;
    assert_eq!(half.status, ProjectStatus::Importing);
    assert_eq!((half.file_count, half.progress.done), (2_000, 2_000));
    rig.clock.forward(Duration::from_secs(3));
    assert!(working(&rig, Pace::default()).await.unwrap());
    assert_files(&rig.files(&project.id).await, &keys);
    assert_eq!(rig.project(&project.id).await.status, ProjectStatus::Ready);
}

#[tokio::test]
async fn a_deleted_project_ends_the_wait_for_the_page_ahead() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 100).await);
    fill(&rig, 3_500);
    let project = rig.create(folder(), OnMissing::Fail).await.unwrap();
    rig.bucket.trouble(1, 1, Trouble::Hangs);
    let pace = Pace {
        lease: Duration::from_millis(300),
        ..Pace::default()
    };
    let working = working(&rig, pace);
    rig.bucket.hanging.notified().await;
    let database = &rig.db.database;
    let deleted = database.delete_project(&rig.workspace.id, &project.id);
    assert_eq!(deleted.await, Ok(true));
    // The call for the page still has no answer.
    let ended = tokio::time::timeout(Duration::from_secs(5), working).await;
    ended.unwrap().unwrap();
}

/// Two imports of a workspace that do not go on leave workers for those of another.
#[tokio::test]
async fn a_workspace_has_two_imports_in_work_at_most() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 100).await);
    let keys = fill(&rig, 2_500);
    let mut own = Vec::new();
    for _ in 0..3 {
        own.push(rig.create(folder(), OnMissing::Fail).await.unwrap().id);
    }
    rig.bucket.trouble(0, 2, Trouble::Hangs);
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(working(&rig, Pace::default()));
        rig.bucket.hanging.notified().await;
    }
    assert!(!working(&rig, Pace::default()).await.unwrap());

    let database = &rig.db.database;
    let other = samples::workspace(database).await;
    let storage = samples::storage(database, &other.id).await;
    let member = Member {
        workspace: other.id.clone(),
        ..rig.member()
    };
    let mut new = rig.new_project(folder(), OnMissing::Fail);
    new.storage = Some(StorageRef::Own(storage.id));
    let theirs = rig.projects.create(&member, new, Keep::nothing()).await;
    let theirs = theirs.unwrap().id;
    assert!(working(&rig, Pace::default()).await.unwrap());
    let ready = database.project(&other.id, &theirs).await.unwrap().unwrap();
    assert_eq!(ready.status, ProjectStatus::Ready);
    assert_eq!(ready.file_count, 2_500);

    rig.bucket.let_go();
    for worker in held {
        assert!(worker.await.unwrap());
    }
    while working(&rig, Pace::default()).await.unwrap() {}
    for id in &own {
        assert_files(&rig.files(id).await, &keys);
        assert_eq!(rig.project(id).await.status, ProjectStatus::Ready);
    }
}
