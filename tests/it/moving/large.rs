//! Many files of projects, a few at a time, and one state of them.

use crate::application::kept::store::{Expired, MovingStore, RetentionStore};
use crate::domain::ids::{ProjectId, WorkspaceId};
use crate::it::keys::{key, with};
use crate::it::moving::kit::{delete, exported, has_parts, import};
use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::database::{TestDb, on_both_engines};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    a_hundred_thousand_files_go_in_small_parts,
    a_reader_sees_one_state,
    parts_that_were_left_are_removed,
);

const FILES: u64 = 100_000;

/// A project with so many files, made behind the back of the service.
async fn project(db: &TestDb, workspace: &str, files: u64) -> String {
    let id = ProjectId::generate().to_string();
    let numbers = "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x + 1 <";
    db.tamper(&format!(
        "INSERT INTO projects (id, workspace_id, name, status, progress_done, file_count, total_size,
             skipped_count, created_at)
         VALUES ('{id}', '{workspace}', 'Many', 'ready', {files}, {files}, {files}, 0, 1);
         INSERT INTO project_files (project_id, position, path, name, size)
         {numbers} {files}) SELECT '{id}', x, 'folder/file-' || x || '.txt', 'file-' || x, 1 FROM n"
    ))
    .await
    .unwrap();
    id
}

async fn a_hundred_thousand_files_go_in_small_parts(db: TestDb) {
    let app = TestApp::spawn_with(with(&db, &key(), "")).await;
    let workspace = app.workspace().await;
    let large = project(&db, &workspace.id, FILES).await;
    // Small ones share their parts.
    for _ in 0..20 {
        project(&db, &workspace.id, 3).await;
    }
    let files = format!("/v1/projects/{large}/files?page_size=1000");
    let before = app.get(&files, &workspace.admin).await.expect(200);
    let file = exported(&app, &workspace.id, "").await;
    let longest = file.lines().map(str::len).max().unwrap();
    assert!(longest < 256 << 10, "{longest}");
    let lines = file.lines().count() as u64;
    assert!((FILES / 250..FILES / 100).contains(&lines), "{lines}");

    delete(&app, &workspace.id).await;
    let report = import(&app, file, "").await.expect(201);
    assert_eq!(report["imported"]["project_files"], FILES + 60);
    assert_eq!(report["imported"]["projects"], 21);
    let codes = &report["warnings"];
    assert_eq!(codes, &json!([]), "{report:#}");
    let after = app.get(&files, &workspace.admin).await.expect(200);
    assert_eq!(after["files"], before["files"]);
    let sql = format!("SELECT path FROM project_files WHERE project_id = '{large}'");
    let paths = db.texts(&sql, "path").await;
    assert_eq!(paths.len() as u64, FILES);
    let last = format!("folder/file-{}.txt", FILES - 1);
    assert!(paths.contains(&last));
    let path = format!("/v1/workspaces/{}", workspace.id);
    let shown: Value = app.get(&path, OPERATOR).await.expect(200);
    assert_eq!(shown["state"], "active");
}

async fn a_reader_sees_one_state(db: TestDb) {
    let app = TestApp::spawn_with(with(&db, &key(), "")).await;
    let workspace = app.workspace().await;
    project(&db, &workspace.id, 600).await;
    let id = WorkspaceId::parse(&workspace.id).unwrap();
    let mut reader = db.database.read_workspace(&id).await.unwrap().unwrap();
    let first = reader.next().await.unwrap().unwrap();
    assert_eq!(first.table, "workspaces");
    project(&db, &workspace.id, 600).await;
    let (mut projects, mut files) = (0, 0);
    while let Some(rows) = reader.next().await.unwrap() {
        match rows.table.as_str() {
            "projects" => projects += rows.rows.len(),
            "project_files" => files += rows.rows.len(),
            _ => {}
        }
    }
    assert_eq!((projects, files), (1, 600));
    let none = WorkspaceId::generate();
    assert!(db.database.read_workspace(&none).await.unwrap().is_none());
}

async fn parts_that_were_left_are_removed(db: TestDb) {
    let store = &db.database;
    let at = OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
    store.keep_part("import", 1, b"sealed", at).await.unwrap();
    let kept = store.kept_part("import", 1).await.unwrap();
    assert_eq!(kept.as_deref(), Some(&b"sealed"[..]));
    assert_eq!(store.kept_part("import", 2).await, Ok(None));
    let remove = async |before| store.remove_expired(Expired::LeftParts, before, 10).await;
    assert_eq!(remove(at).await, Ok(0));
    assert_eq!(remove(at + Duration::seconds(1)).await, Ok(1));
    assert!(!has_parts(&db).await);
}
