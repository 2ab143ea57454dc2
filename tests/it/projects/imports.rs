//! Imports: killed, resumed, paused, stopped.

use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{
    IMPORT, ImportStep, JobStore, ProjectStore, StorageDeletion, StorageStore, WorkspaceStore,
};
use crate::application::people::caller::Member;
use crate::application::projects::imports::Pace;
use crate::application::projects::manifest::FileReference;
use crate::application::projects::selection::Selection;
use crate::application::projects::{FileSource, ListedFile};
use crate::domain::aws_failure::FailureKind;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::people::workspace::Role;
use crate::domain::project::{OnMissing, Progress, ProjectStatus, Skipped};
use crate::it::database::contract::samples::{self, any_job};
use crate::it::projects::fake::{LEASE, PREFIX, Rig, Trouble, assert_files};
use crate::it::support::database::{TestDb, on_both_engines};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

on_both_engines!(
    a_manifest_is_imported_however_often_the_worker_dies,
    a_folder_is_imported_however_often_the_worker_dies,
    workers_side_by_side_and_late_ones_change_nothing,
    imports_of_different_workspaces_go_on_side_by_side,
);

fn never() -> CancellationToken {
    CancellationToken::new()
}

/// So many objects in folders of ten, and their keys in the order of S3.
fn fill(rig: &Rig, count: usize) -> Vec<String> {
    let keys: Vec<String> = (0..count)
        .map(|n| format!("/data/{:04}/{n:05}.png", n / 10))
        .collect();
    for key in &keys {
        rig.bucket.put(format!("{PREFIX}{}", &key[1..]), "body");
    }
    keys
}

fn folder(text: &str) -> FileSource {
    let folder = Folder::parse(text).unwrap();
    FileSource::Folder(Selection::new(folder, vec![], vec![]).unwrap())
}

/// Kills workers at the S3 calls 0, 1, 2 … of their work, until one reaches the end.
async fn with_dying_workers(rig: &Arc<Rig>) -> usize {
    let mut idle = 0;
    for killed in 0..1000 {
        // Each goes one call further than the last one got, so some die early in a step, some late.
        rig.bucket.trouble(killed % 7, 1, Trouble::Hangs);
        let importer = rig.importer(20);
        let worker = tokio::spawn(async move { importer.round(&never()).await });
        tokio::select! {
            () = rig.bucket.hanging.notified() => {}
            () = async { while !worker.is_finished() { tokio::time::sleep(Duration::from_millis(1)).await } } => {}
        }
        if worker.is_finished() {
            if worker.await.unwrap().unwrap() {
                idle = 0;
                continue;
            }
            // What the dead one has locked may be free a moment later.
            idle += 1;
            if idle > 20 {
                return killed;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        worker.abort();
        let _ = worker.await;
        // The dead one's lease still runs.
        rig.bucket.no_trouble();
        assert!(!rig.importer(20).round(&never()).await.unwrap());
        rig.clock.forward(LEASE + Duration::from_secs(1));
    }
    panic!("the import did not end");
}

async fn a_manifest_is_imported_however_often_the_worker_dies(db: TestDb) {
    let rig = Arc::new(Rig::new(db, 50).await);
    let mut keys = fill(&rig, 130);
    let mut wanted = keys.clone();
    wanted.insert(0, "/data/absent".to_owned());
    wanted.insert(70, "/data/0000/absent".to_owned());
    wanted.swap(5, 100);
    keys = wanted
        .iter()
        .filter(|key| !key.ends_with("absent"))
        .cloned()
        .collect();
    let project = rig.import_manifest(&wanted, OnMissing::Skip).await;
    assert_eq!(project.status, ProjectStatus::Importing);
    assert_eq!(project.progress.total, Some(132));
    let killed = with_dying_workers(&rig).await;
    assert!(killed > 3, "{killed}");
    let ready = rig.project(&project.id).await;
    assert_eq!(ready.status, ProjectStatus::Ready);
    assert_files(&rig.files(&project.id).await, &keys);
    assert_eq!(
        (ready.file_count, ready.total_size, ready.skipped_count),
        (130, 520, 2)
    );
    let absent = Skipped {
        missing: 2,
        ..Skipped::default()
    };
    assert_eq!(ready.skipped, Some(absent));
    let all = Progress {
        done: 132,
        total: Some(132),
    };
    assert_eq!(ready.progress, all);
}

async fn a_folder_is_imported_however_often_the_worker_dies(db: TestDb) {
    let rig = Arc::new(Rig::new(db, 100).await);
    let keys = fill(&rig, 5_500);
    rig.bucket.put(format!("{PREFIX}data/"), "");
    rig.bucket.put(format!("{PREFIX}data/7/../x"), "unusable");
    rig.bucket.put(format!("{PREFIX}data-b/x"), "elsewhere");
    let project = rig.create(folder("/data"), OnMissing::Fail).await.unwrap();
    assert_eq!(project.status, ProjectStatus::Importing);
    assert_eq!(project.progress.total, None);
    let killed = with_dying_workers(&rig).await;
    assert!(killed > 0);
    let ready = rig.project(&project.id).await;
    assert_eq!(ready.status, ProjectStatus::Ready);
    assert_files(&rig.files(&project.id).await, &keys);
    assert_eq!((ready.file_count, ready.skipped_count), (5_500, 1));
    let unnamed = Skipped {
        no_file_key: 1,
        ..Skipped::default()
    };
    assert_eq!(ready.skipped, Some(unnamed));
    assert_eq!(ready.progress.total, Some(ready.progress.done));
}

async fn workers_side_by_side_and_late_ones_change_nothing(db: TestDb) {
    let rig = Arc::new(Rig::new(db, 10).await);
    let keys = fill(&rig, 95);
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    // One gets stuck in a step, and comes back when another has long done its work.
    rig.bucket.trouble(3, 1, Trouble::Hangs);
    let importer = rig.importer(10);
    let late = tokio::spawn(async move { importer.round(&never()).await });
    rig.bucket.hanging.notified().await;
    let (one, other) = (rig.importer(10), rig.importer(10));
    let stop = never();
    let (a, b) = tokio::join!(one.round(&stop), other.round(&stop));
    assert_eq!((a.unwrap(), b.unwrap()), (false, false));
    rig.clock.forward(LEASE + Duration::from_secs(1));
    let (a, b) = tokio::join!(one.round(&stop), other.round(&stop));
    assert!(a.unwrap() != b.unwrap(), "exactly one has the import");
    rig.bucket.let_go();
    late.await.unwrap().unwrap();
    assert_eq!(rig.project(&project.id).await.status, ProjectStatus::Ready);
    assert_files(&rig.files(&project.id).await, &keys);
}

/// With one worker, the second import does not wait for the end of the first.
async fn imports_of_different_workspaces_go_on_side_by_side(db: TestDb) {
    let rig = Rig::new(db, 10).await;
    let keys = fill(&rig, 60);
    let first = rig.import_manifest(&keys, OnMissing::Fail).await;
    let database = &rig.db.database;
    let other = samples::workspace(database).await;
    let storage = samples::storage(database, &other.id).await;
    let member = Member {
        workspace: other.id.clone(),
        ..rig.member()
    };
    let mut new = rig.new_project(
        FileSource::Manifest(FileKey::parse("/list.txt").unwrap()),
        OnMissing::Fail,
    );
    new.storage = Some(StorageRef::Own(storage.id));
    let second = rig
        .projects
        .create(&member, new, Keep::nothing())
        .await
        .unwrap();
    let worker = rig.importer_at(Pace {
        step: 10,
        lease: LEASE,
        turn: Duration::ZERO,
        ..Pace::default()
    });
    let done = async || {
        let second = database.project(&other.id, &second.id).await;
        let first = rig.project(&first.id).await;
        (first.progress.done, second.unwrap().unwrap().progress.done)
    };
    let mut seen = Vec::new();
    for _ in 0..6 {
        assert!(worker.round(&never()).await.unwrap());
        seen.push(done().await);
    }
    let turns = [(10, 0), (10, 10), (20, 10), (20, 20), (30, 20), (30, 30)];
    assert_eq!(seen, turns);
    // Alone, it goes on without a pause.
    let admin = Member {
        role: Role::Admin,
        ..member
    };
    let admin = admin.into_admin().unwrap();
    rig.projects.delete(&admin, &second.id).await.unwrap();
    let gets = rig.bucket.counts().2;
    assert!(worker.round(&never()).await.unwrap());
    assert_eq!(rig.project(&first.id).await.status, ProjectStatus::Ready);
    assert_eq!(rig.bucket.counts().2 - gets, 1, "the manifest is read once");
    assert_files(&rig.files(&first.id).await, &keys);
}

#[tokio::test]
async fn each_page_of_a_folder_is_read_once() {
    for (at_once, count) in [(100, 5_500), (10_000, 12_000), (100, 700)] {
        let rig = Rig::new(TestDb::sqlite().await, at_once).await;
        let keys = fill(&rig, count);
        let project = rig.create(folder("/data"), OnMissing::Fail).await.unwrap();
        assert_eq!(project.status, ProjectStatus::Importing);
        // What the request has read is not read again.
        let read = i64::try_from(rig.bucket.counts().0 * 1000).unwrap();
        assert_eq!(project.file_count, read.min(count as i64));
        assert_eq!(project.progress.done, project.file_count);
        assert!(rig.importer(10).round(&never()).await.unwrap());
        assert_eq!(rig.bucket.counts().0, count.div_ceil(1000));
        let ready = rig.project(&project.id).await;
        assert_eq!(ready.status, ProjectStatus::Ready);
        assert_eq!(ready.file_count, count as i64);
        assert_eq!(ready.total_size, 4 * count as i64);
        assert_files(&rig.files(&project.id).await, &keys);
    }
}

/// A step of an import that takes longer than the lease.
async fn in_a_long_step(rig: &Arc<Rig>) -> tokio::task::JoinHandle<bool> {
    rig.bucket.trouble(3, 1, Trouble::Hangs);
    let worker = rig.importer_at(Pace {
        step: 10,
        lease: Duration::from_millis(300),
        ..Pace::default()
    });
    let working = tokio::spawn(async move { worker.round(&never()).await.unwrap() });
    rig.bucket.hanging.notified().await;
    working
}

#[tokio::test]
async fn a_lease_is_renewed_while_a_step_takes_long() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 10).await);
    let keys = fill(&rig, 40);
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    let working = in_a_long_step(&rig).await;
    for _ in 0..5 {
        rig.clock.forward(Duration::from_millis(150));
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!rig.importer(10).round(&never()).await.unwrap());
    }
    // Once its worker is dead, the lease ends soon.
    working.abort();
    rig.bucket.let_go();
    rig.clock.forward(Duration::from_millis(301));
    assert!(rig.importer(10).round(&never()).await.unwrap());
    assert_files(&rig.files(&project.id).await, &keys);
}

#[tokio::test]
async fn a_deleted_project_ends_a_step_that_has_begun() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 10).await);
    let keys = fill(&rig, 40);
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    let working = in_a_long_step(&rig).await;
    let deleted = rig
        .db
        .database
        .delete_project(&rig.workspace.id, &project.id);
    assert_eq!(deleted.await, Ok(true));
    // The call to the storage still has no answer.
    let ended = tokio::time::timeout(Duration::from_secs(5), working).await;
    ended.unwrap().unwrap();
}

#[tokio::test]
async fn an_import_that_had_only_to_be_ended_is_ended() {
    let rig = Rig::new(TestDb::sqlite().await, 10).await;
    let keys = fill(&rig, 12);
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    // A worker stops between its last step and the end.
    let db = &rig.db.database;
    let now = time::OffsetDateTime::now_utc();
    db.claim_job(&any_job(IMPORT, "dead", now, now))
        .await
        .unwrap()
        .unwrap();
    let step = ImportStep {
        files: vec![crate::it::database::contract::samples::file(0, "/data/0000/00000.png")],
        skipped: Skipped::default(),
        cursor: r#"{"done":12,"files":1,"after":null,"continuation":null,"missing":0,"first_missing":[],"ended":true,"tries":0}"#.into(),
        progress: Progress { done: 12, total: Some(12) },
        lease_until: now - Duration::from_secs(60),
    };
    assert_eq!(
        db.advance_import("dead", &project.id, &step).await,
        Ok(true)
    );
    let calls = rig.bucket.counts();
    assert!(rig.importer(10).round(&never()).await.unwrap());
    assert_eq!(rig.bucket.counts(), calls);
    let ready = rig.project(&project.id).await;
    assert_eq!((ready.status, ready.file_count), (ProjectStatus::Ready, 1));
}

#[tokio::test]
async fn a_shutdown_gives_the_import_back_at_once() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 10).await);
    let keys = fill(&rig, 60);
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    rig.bucket.trouble(4, 1, Trouble::Hangs);
    let stop = never();
    let importer = rig.importer(10);
    let running = tokio::spawn(importer.run(stop.clone()));
    rig.bucket.hanging.notified().await;
    stop.cancel();
    running.await.unwrap();
    let half = rig.project(&project.id).await;
    assert_eq!(half.status, ProjectStatus::Importing);
    assert!(half.file_count > 0 && half.file_count < 60, "{half:?}");
    assert_eq!(half.progress.done, half.file_count);
    // Without waiting for a lease.
    rig.bucket.no_trouble();
    assert!(rig.importer(10).round(&never()).await.unwrap());
    assert_files(&rig.files(&project.id).await, &keys);
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_with_growing_pauses() {
    let rig = Rig::new(TestDb::sqlite().await, 10).await;
    let keys = fill(&rig, 40);
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    rig.bucket
        .trouble(2, 3, Trouble::Fails(FailureKind::Throttled));
    let importer = rig.importer(10);
    let mut waited = 0;
    while rig.project(&project.id).await.status == ProjectStatus::Importing {
        // Nobody takes it before its pause is over.
        if !importer.round(&never()).await.unwrap() {
            rig.clock.forward(Duration::from_secs(1));
            waited += 1;
        }
    }
    // Two, four and eight seconds.
    assert!((14..=17).contains(&waited), "{waited}");
    assert_eq!(rig.project(&project.id).await.status, ProjectStatus::Ready);
    assert_files(&rig.files(&project.id).await, &keys);
}

/// Works on the import for hours. Gives the code of its failure.
async fn outcome(rig: &Rig, id: &crate::domain::ids::ProjectId) -> Option<String> {
    let mut rounds = 0;
    while rig.project(id).await.status == ProjectStatus::Importing {
        rig.importer(10).round(&never()).await.unwrap();
        rig.clock.forward(Duration::from_secs(121));
        rounds += 1;
        assert!(rounds < 20);
    }
    let project = rig.project(id).await;
    if project.failure.is_some() {
        assert_eq!(project.status, ProjectStatus::Failed);
        assert_eq!((project.file_count, project.total_size), (0, 0));
        assert!(rig.files(id).await.is_empty());
    }
    project.failure.map(|failure| failure.code)
}

/// The code of the cause, and what to do about it.
async fn told(rig: &Rig, id: &crate::domain::ids::ProjectId) -> (Option<String>, Option<String>) {
    let failure = rig.project(id).await.failure.unwrap();
    (failure.cause, failure.remedy)
}

#[tokio::test]
async fn failures_that_stay_end_the_import() {
    for (kind, code, cause, tries) in [
        (
            FailureKind::Throttled,
            "storage_throttled",
            "aws_throttled",
            8,
        ),
        (
            FailureKind::Network,
            "storage_unavailable",
            "aws_unreachable",
            8,
        ),
        (
            FailureKind::AccessDenied,
            "storage_access_denied",
            "denied_without_reason",
            1,
        ),
        (
            FailureKind::NoSuchBucket,
            "bucket_not_found",
            "bucket_not_found",
            1,
        ),
    ] {
        let rig = Rig::new(TestDb::sqlite().await, 10).await;
        let keys = fill(&rig, 20);
        let project = rig.import_manifest(&keys, OnMissing::Fail).await;
        rig.bucket.trouble(0, usize::MAX, Trouble::Fails(kind));
        let before = rig.bucket.counts().2;
        assert_eq!(outcome(&rig, &project.id).await.as_deref(), Some(code));
        assert_eq!(rig.bucket.counts().2 - before, tries, "{kind:?}");
        let (told, remedy) = told(&rig, &project.id).await;
        assert_eq!(told.as_deref(), Some(cause));
        assert!(remedy.is_some(), "{kind:?}");
    }
}

#[tokio::test]
async fn missing_files_fail_the_import_with_their_number() {
    let rig = Rig::new(TestDb::sqlite().await, 10).await;
    let mut keys = fill(&rig, 60);
    for n in 0..15 {
        keys.insert(25 + n, format!("/gone/{n}"));
    }
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    assert_eq!(
        outcome(&rig, &project.id).await.as_deref(),
        Some("missing_files")
    );
    let failure = rig.project(&project.id).await.failure.unwrap();
    assert!(failure.detail.starts_with("15 of 75 files"), "{failure:?}");
    assert!(
        failure.detail.contains("`/gone/9` and 5 more"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_changed_manifest_ends_the_import() {
    for change in [Some("other"), None] {
        let rig = Rig::new(TestDb::sqlite().await, 10).await;
        let keys = fill(&rig, 40);
        let project = rig.import_manifest(&keys, OnMissing::Fail).await;
        match change {
            Some(text) => rig.bucket.put(format!("{PREFIX}list.txt"), text),
            None => drop(
                rig.bucket
                    .objects
                    .lock()
                    .unwrap()
                    .remove(&format!("{PREFIX}list.txt")),
            ),
        }
        let code = outcome(&rig, &project.id).await;
        assert_eq!(code.as_deref(), Some("manifest_changed"));
    }
}

#[tokio::test]
async fn a_storage_that_must_be_checked_again_stops_the_import() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 10).await);
    let keys = fill(&rig, 40);
    let project = rig.import_manifest(&keys, OnMissing::Fail).await;
    rig.bucket.trouble(3, 1, Trouble::Hangs);
    let importer = rig.importer(10);
    let worker = tokio::spawn(async move { importer.round(&never()).await });
    rig.bucket.hanging.notified().await;
    change_role(&rig).await;
    rig.bucket.let_go();
    worker.await.unwrap().unwrap();
    let calls = rig.bucket.counts();
    assert_eq!(
        outcome(&rig, &project.id).await.as_deref(),
        Some("check_required")
    );
    assert_eq!(rig.bucket.counts(), calls);
}

/// As replicas of earlier versions change a connection: at once, without a check.
async fn change_role(rig: &Rig) {
    let change = format!(
        "UPDATE storages SET revision = revision + 1, role_arn = 'arn:aws:iam::123456789012:role/other'
         WHERE id = '{}'",
        rig.storage.id
    );
    rig.db.tamper(&change).await.unwrap();
}

#[tokio::test]
async fn deleting_project_and_storage_stops_the_import() {
    for with_workspace in [false, true] {
        let rig = Arc::new(Rig::new(TestDb::sqlite().await, 10).await);
        let keys = fill(&rig, 40);
        let project = rig.import_manifest(&keys, OnMissing::Fail).await;
        rig.bucket.trouble(3, 1, Trouble::Hangs);
        let importer = rig.importer(10);
        let worker = tokio::spawn(async move { importer.round(&never()).await });
        rig.bucket.hanging.notified().await;
        let (db, id) = (&rig.db.database, &rig.workspace.id);
        if with_workspace {
            assert_eq!(db.delete_workspace(id).await, Ok(true));
        } else {
            let in_use = db.delete_storage(id, &rig.storage.id, None, None).await;
            assert_eq!(in_use, Ok(StorageDeletion::InUse(1)));
            let admin = Member {
                role: Role::Admin,
                ..rig.member()
            };
            let admin = admin.into_admin().unwrap();
            rig.projects.delete(&admin, &project.id).await.unwrap();
            let deleted = db.delete_storage(id, &rig.storage.id, None, None).await;
            assert_eq!(deleted, Ok(StorageDeletion::Deleted));
        }
        rig.bucket.let_go();
        worker.await.unwrap().unwrap();
        let calls = rig.bucket.counts();
        rig.clock.forward(LEASE * 10);
        assert!(!rig.importer(10).round(&never()).await.unwrap());
        assert_eq!(rig.bucket.counts(), calls);
        assert_eq!(db.project(id, &project.id).await, Ok(None));
    }
}

#[tokio::test]
async fn a_storage_that_changes_while_files_are_looked_up_gets_no_project() {
    let rig = Arc::new(Rig::new(TestDb::sqlite().await, 10).await);
    fill(&rig, 1);
    rig.bucket.trouble(0, 1, Trouble::Hangs);
    let (task_rig, file_key) = (rig.clone(), FileKey::parse("/data/0000/00000.png").unwrap());
    let creating = tokio::spawn(async move {
        let files = vec![ListedFile {
            file: FileReference::Key(file_key),
            name: None,
        }];
        task_rig
            .create(FileSource::Listed(files), OnMissing::Fail)
            .await
    });
    rig.bucket.hanging.notified().await;
    change_role(&rig).await;
    rig.bucket.let_go();
    let error = creating.await.unwrap().unwrap_err();
    assert_eq!(error.code, "changed_meanwhile");
    let stored = rig.db.database.storage(&rig.workspace.id, &rig.storage.id);
    assert_eq!(stored.await.unwrap().unwrap().project_count, 0);
}

#[tokio::test]
async fn a_key_that_ends_in_a_slash_is_a_file_when_it_has_bytes() {
    let rig = Rig::new(TestDb::sqlite().await, 10).await;
    rig.bucket.put(PREFIX, "no file key");
    rig.bucket
        .put(format!("{PREFIX}data/"), "in the folder's key");
    rig.bucket.put(format!("{PREFIX}data/empty/"), "");
    rig.bucket
        .put(format!("{PREFIX}data/full/"), "twenty-one bytes here");
    rig.bucket.put(format!("{PREFIX}data/x"), "body");
    let project = rig.create(folder("/data"), OnMissing::Fail).await.unwrap();
    let keys = ["/data/", "/data/full/", "/data/x"].map(str::to_owned);
    let files = rig.files(&project.id).await;
    let found: Vec<_> = files.iter().map(|file| file.file_key.to_string()).collect();
    assert_eq!((found.as_slice(), project.skipped_count), (&keys[..], 0));
    assert_eq!(files[1].size, 21);
    // The object with the prefix's own key is in the whole listing, and cannot be named by a file key.
    let whole = rig.create(folder("/"), OnMissing::Fail).await.unwrap();
    assert_eq!((whole.file_count, whole.skipped_count), (3, 1));
}

#[tokio::test]
async fn an_empty_folder_makes_no_project() {
    let rig = Rig::new(TestDb::sqlite().await, 10).await;
    let error = rig
        .create(folder("/data"), OnMissing::Fail)
        .await
        .unwrap_err();
    assert_eq!(error.code, "no_files");
    // So many that do not match that a request does not look at all of them.
    fill(&rig, 3000);
    let nothing = Selection::new(Folder::root(), vec!["*.txt".into()], vec![]).unwrap();
    let project = rig
        .create(FileSource::Folder(nothing), OnMissing::Fail)
        .await;
    let project = project.unwrap();
    assert_eq!(project.status, ProjectStatus::Importing);
    assert_eq!(
        outcome(&rig, &project.id).await.as_deref(),
        Some("no_files")
    );
}

#[tokio::test]
async fn twelve_thousand_files_with_the_service_s_own_limits() {
    let rig = Rig::new(TestDb::sqlite().await, 10_000).await;
    let keys = fill(&rig, 12_000);
    let by_manifest = rig.import_manifest(&keys, OnMissing::Fail).await;
    let by_folder = rig.create(folder("/data"), OnMissing::Fail).await.unwrap();
    for project in [by_manifest, by_folder] {
        assert_eq!(project.status, ProjectStatus::Importing);
        assert!(rig.importer(1000).round(&never()).await.unwrap());
        assert_eq!(rig.project(&project.id).await.status, ProjectStatus::Ready);
        assert_files(&rig.files(&project.id).await, &keys);
    }
    let few = Selection::new(Folder::root(), vec!["data/00??/**".into()], vec![]).unwrap();
    let project = rig.create(FileSource::Folder(few), OnMissing::Fail).await;
    assert_eq!(project.unwrap().status, ProjectStatus::Importing);
    let wanted = keys[..10_000].iter().map(|key| ListedFile {
        file: FileReference::Key(FileKey::parse(key).unwrap()),
        name: None,
    });
    let files = FileSource::Listed(wanted.collect());
    let ready = rig.create(files, OnMissing::Fail).await.unwrap();
    assert_eq!(ready.status, ProjectStatus::Ready);
    assert_files(&rig.files(&ready.id).await, &keys[..10_000]);
}
