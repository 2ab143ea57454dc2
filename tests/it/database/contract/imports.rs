use crate::application::kept::store::{
    ClaimedJob, IMPORT, ImportStep, JobStore, NewJob, ProjectStore, StorageStore,
};
use crate::database::Database;
use crate::domain::ids::{ProjectId, WorkspaceId};
use crate::domain::project::{ImportFailure, Progress, Project, ProjectStatus, Skipped};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

on_both_engines!(
    an_import_goes_from_claim_to_ready,
    a_worker_without_the_lease_changes_nothing,
    a_lease_ends_or_is_released,
    imports_are_claimed_once,
    a_failed_import_keeps_no_files,
    an_import_goes_with_its_project,
    a_step_is_all_or_nothing,
    a_page_is_stored_by_one_statement_whatever_its_keys_are,
);

pub async fn import(db: &Database, workspace: &WorkspaceId) -> (Project, NewJob) {
    let storage = storage(db, workspace).await;
    let mut project = new_project(workspace, Some(&storage.id));
    project.status = ProjectStatus::Importing;
    project.progress = Progress {
        done: 0,
        total: None,
    };
    (
        project.file_count,
        project.total_size,
        project.skipped_count,
    ) = (0, 0, 0);
    project.skipped = Some(Skipped::default());
    let job = NewJob {
        kind: IMPORT,
        workspace: workspace.clone(),
        subject: project.id.to_string(),
        payload: "{\"folder\": \"/ä/\"}".into(),
        cursor: None,
        due: OffsetDateTime::UNIX_EPOCH,
    };
    db.create_project(&project, 1, &[], Some(&job), None)
        .await
        .unwrap();
    (project, job)
}

fn step(from: i64, until: OffsetDateTime) -> ImportStep {
    ImportStep {
        files: (from..from + 3)
            .map(|at| file(at, &format!("/{at}")))
            .collect(),
        skipped: Skipped {
            missing: 1,
            archived: 0,
            no_file_key: 1,
            working_folder: 3,
        },
        cursor: format!("after {from}"),
        progress: Progress {
            done: from + 3,
            total: Some(9),
        },
        lease_until: until,
    }
}

async fn claim(db: &Database, worker: &str, now: OffsetDateTime) -> Option<ClaimedJob> {
    db.claim_job(&any_job(IMPORT, worker, now, now + Duration::minutes(1)))
        .await
        .unwrap()
}

/// The job as a worker gets it that takes it first.
fn claimed(job: &NewJob, worker: &str) -> ClaimedJob {
    ClaimedJob {
        kind: job.kind.to_owned(),
        workspace: job.workspace.clone(),
        subject: job.subject.clone(),
        payload: job.payload.clone(),
        cursor: None,
        worker: worker.to_owned(),
    }
}

async fn load(db: &Database, workspace: &WorkspaceId, id: &ProjectId) -> Project {
    db.project(workspace, id).await.unwrap().unwrap()
}

async fn an_import_goes_from_claim_to_ready(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let at = now();
    assert_eq!(claim(&db, "w1", at).await, None);
    let (project, job) = import(&db, &mine.id).await;
    assert_eq!(load(&db, &mine.id, &project.id).await, project);
    assert_eq!(claim(&db, "w1", at).await, Some(claimed(&job, "w1")));
    for from in [0, 3] {
        let step = step(from, at + Duration::minutes(1));
        assert_eq!(db.advance_import("w1", &project.id, &step).await, Ok(true));
    }
    let half = load(&db, &mine.id, &project.id).await;
    assert_eq!(
        (half.file_count, half.total_size, half.skipped_count),
        (6, 10 + 20 + 30 + 40 + 50 + 60, 10)
    );
    let by_reason = Skipped {
        missing: 2,
        archived: 0,
        no_file_key: 2,
        working_folder: 6,
    };
    assert_eq!(half.skipped, Some(by_reason));
    assert_eq!(half.status, ProjectStatus::Importing);
    // Another worker goes on where this one stopped.
    let later = at + Duration::minutes(2);
    let resumed = claim(&db, "w2", later).await.unwrap();
    assert_eq!(resumed.cursor.as_deref(), Some("after 3"));
    assert_eq!(half.progress.done, 6);
    assert_eq!(resumed.payload, job.payload);
    assert_eq!(db.finish_import("w2", &project.id, None).await, Ok(true));
    let ready = load(&db, &mine.id, &project.id).await;
    assert_eq!(ready.status, ProjectStatus::Ready);
    assert_eq!(ready.file_count, 6);
    assert_eq!(ready.failure, None);
    assert_eq!(claim(&db, "w3", later + Duration::days(1)).await, None);
    assert_eq!(db.finish_import("w2", &project.id, None).await, Ok(false));
}

async fn a_worker_without_the_lease_changes_nothing(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let (project, job) = import(&db, &mine.id).await;
    let at = now();
    let step = step(0, at);
    assert_eq!(db.advance_import("w1", &project.id, &step).await, Ok(false));
    assert!(claim(&db, "w1", at).await.is_some());
    assert_eq!(db.advance_import("w2", &project.id, &step).await, Ok(false));
    assert_eq!(db.finish_import("w2", &project.id, None).await, Ok(false));
    let stranger = claimed(&job, "w2");
    assert_eq!(db.release_job(&stranger).await, Ok(()));
    assert_eq!(db.end_job(&stranger).await, Ok(()));
    let resting = rest(at, Some("x"));
    assert_eq!(db.rest_job(&stranger, &resting).await, Ok(()));
    let later = at + Duration::hours(1);
    assert_eq!(db.renew_job(&stranger, later).await, Ok(false));
    assert_eq!(claim(&db, "w2", at).await, None);
    // A worker that lost its lease to another finds out.
    assert!(claim(&db, "w2", at + Duration::hours(1)).await.is_some());
    assert_eq!(db.advance_import("w1", &project.id, &step).await, Ok(false));
    assert_eq!(load(&db, &mine.id, &project.id).await, project);
    let absent = ProjectId::generate();
    assert_eq!(db.advance_import("w1", &absent, &step).await, Ok(false));
}

async fn a_lease_ends_or_is_released(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let (project, job) = import(&db, &mine.id).await;
    let at = now();
    assert!(claim(&db, "w1", at).await.is_some());
    // At the very end of the lease it still holds.
    assert_eq!(claim(&db, "w2", at + Duration::minutes(1)).await, None);
    let over = at + Duration::minutes(1) + Duration::microseconds(1);
    let again = claim(&db, "w2", over).await.unwrap();
    assert_eq!(again, claimed(&job, "w2"));
    assert_eq!(db.release_job(&again).await, Ok(()));
    assert!(claim(&db, "w3", at).await.is_some());
    // A step moves the end.
    let step = step(0, at + Duration::hours(1));
    assert_eq!(db.advance_import("w3", &project.id, &step).await, Ok(true));
    assert_eq!(claim(&db, "w4", at + Duration::minutes(59)).await, None);
}

async fn imports_are_claimed_once(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let mut made = HashSet::new();
    for _ in 0..7 {
        made.insert(import(&db, &mine.id).await.1.subject);
    }
    let at = now();
    let mut claimers = Vec::new();
    for worker in 0..20 {
        let db = db.clone();
        claimers.push(tokio::spawn(async move {
            claim(&db, &format!("w{worker}"), at).await
        }));
    }
    let mut taken = Vec::new();
    for claimer in claimers {
        taken.extend(claimer.await.unwrap().map(|job| job.subject));
    }
    assert_eq!(taken.len(), 7);
    assert_eq!(taken.into_iter().collect::<HashSet<_>>(), made);
}

async fn a_failed_import_keeps_no_files(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let (project, _) = import(&db, &mine.id).await;
    let at = now();
    assert!(claim(&db, "w1", at).await.is_some());
    let step = step(0, at);
    assert_eq!(db.advance_import("w1", &project.id, &step).await, Ok(true));
    let failure = ImportFailure {
        code: "storage_access_denied".into(),
        detail: "Die Rolle verweigert's.".into(),
        cause: Some("permission_missing".into()),
        remedy: Some("Frag's den Admin.".into()),
    };
    let finished = db.finish_import("w1", &project.id, Some(&failure)).await;
    assert_eq!(finished, Ok(true));
    let failed = load(&db, &mine.id, &project.id).await;
    assert_eq!(failed.status, ProjectStatus::Failed);
    assert_eq!(failed.failure, Some(failure));
    assert_eq!((failed.file_count, failed.total_size), (0, 0));
    assert_eq!(
        db.project_files(&mine.id, &project.id, None, 9).await,
        Ok(vec![])
    );
}

async fn an_import_goes_with_its_project(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let (project, _) = import(&db, &mine.id).await;
    let at = now();
    assert!(claim(&db, "w1", at).await.is_some());
    assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(true));
    let step = step(0, at);
    assert_eq!(db.advance_import("w1", &project.id, &step).await, Ok(false));
    assert_eq!(db.finish_import("w1", &project.id, None).await, Ok(false));
    assert_eq!(claim(&db, "w1", at + Duration::days(1)).await, None);
    let storage = project.storage.own().unwrap();
    let storage = db.storage(&mine.id, storage).await.unwrap().unwrap();
    assert_eq!(storage.project_count, 0);
}

async fn a_step_is_all_or_nothing(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let (project, _) = import(&db, &mine.id).await;
    let at = now();
    assert!(claim(&db, "w1", at).await.is_some());
    let first = step(0, at);
    assert_eq!(db.advance_import("w1", &project.id, &first).await, Ok(true));
    let before = load(&db, &mine.id, &project.id).await;
    // Its last file has the place of an earlier one.
    let mut bad = step(3, at + Duration::hours(9));
    bad.files.push(file(0, "/again"));
    assert!(db.advance_import("w1", &project.id, &bad).await.is_err());
    assert_eq!(load(&db, &mine.id, &project.id).await, before);
    let resumed = claim(&db, "w2", at + Duration::minutes(2)).await.unwrap();
    assert_eq!(resumed.cursor, Some(first.cursor));
    let files = db.project_files(&mine.id, &project.id, None, 9).await;
    assert_eq!(files, Ok(first.files));
}

/// Keys that break texts which are put together by hand.
fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "/it's",
        "/\"quoted\"",
        "/back\\slash\\\"",
        "/'); DROP TABLE project_files; --",
        "/{\"path\": \"other\"}",
        "/[1, null]",
        "/null",
        "//begins with a slash",
        "/line\nand\ttab\rand\u{1}",
        "/$1 ? ?1 :a @b",
        "/\u{7f}\u{85}\u{2028}\u{feff}",
        "/e\u{301} and \u{e9}",
        "/日本語/🎉",
    ]
    .map(str::to_owned)
    .into();
    keys.push(format!("/{}", "k".repeat(1024)));
    keys.push(format!("/{}", "ü".repeat(512)));
    keys
}

async fn a_page_is_stored_by_one_statement_whatever_its_keys_are(db: TestDb) {
    let (database, postgres) = (&db.database, db.is_postgres());
    let mine = workspace(database).await;
    let (project, _) = import(database, &mine.id).await;
    let at = now();
    assert!(claim(database, "w1", at).await.is_some());
    if postgres {
        // Only PostgreSQL has triggers for whole statements.
        let count = "CREATE TABLE counted (one TEXT);
            CREATE FUNCTION count_one() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO counted VALUES ('one'); RETURN NULL; END $$;
            CREATE TRIGGER counts AFTER INSERT ON project_files
                FOR EACH STATEMENT EXECUTE FUNCTION count_one();";
        db.tamper(count).await.unwrap();
    }
    let odd = odd_keys();
    let keys = odd.into_iter().chain((0..).map(|n| format!("/{n:05}")));
    let files: Vec<_> = keys
        .take(1_000)
        .zip(0..)
        .map(|(key, position)| file(position, &key))
        .collect();
    let mut page = step(0, at + Duration::minutes(1));
    page.files = files.clone();
    let advanced = database.advance_import("w1", &project.id, &page).await;
    assert_eq!(advanced, Ok(true));
    let stored = database.project_files(&mine.id, &project.id, None, 2_000);
    assert_eq!(stored.await, Ok(files));
    if postgres {
        let counted = db.texts("SELECT one FROM counted", "one").await;
        assert_eq!(counted.len(), 1);
    }
}
