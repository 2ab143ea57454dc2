use crate::application::kept::store::{
    PendingStore, ProjectStore, ProjectsOfFiles, StoreError, WorkspaceStore,
};
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{ProjectId, StorageId, StorageRef};
use crate::domain::project::{ImportFailure, ProjectStatus};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use std::time::Duration;

on_both_engines!(
    projects_come_back_as_they_were,
    a_project_needs_a_storage_of_its_workspace,
    a_storage_that_has_changed_gets_no_project,
    every_file_key_comes_back_byte_for_byte,
    another_workspace_sees_no_files,
    ten_thousand_files_at_once,
    the_count_is_right_however_many_come_at_once,
    a_creation_that_is_broken_off_leaves_nothing,
    damaged_projects_are_not_read,
    what_an_earlier_release_left_out_has_no_reasons,
    the_projects_of_files_are_counted_and_named,
    projects_are_counted_by_status,
);

async fn projects_are_counted_by_status(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    assert_eq!(db.count_projects().await, Ok(vec![]));
    for status in [
        ProjectStatus::Failed,
        ProjectStatus::Importing,
        ProjectStatus::Failed,
    ] {
        let mut project = new_project(&mine.id, Some(&stored.id));
        project.status = status;
        db.create_project(&project, 1, &[], None, None)
            .await
            .unwrap();
    }
    let mut counted = db.count_projects().await.unwrap();
    counted.sort_by_key(|(_, number)| *number);
    let expected = [(ProjectStatus::Importing, 1), (ProjectStatus::Failed, 2)];
    assert_eq!(counted, expected);
}

async fn projects_come_back_as_they_were(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let stored = storage(&db, &mine.id).await;
    let first = project(&db, &mine.id, Some(&stored.id)).await;
    let mut failed = new_project(&mine.id, None);
    failed.status = ProjectStatus::Failed;
    failed.progress.total = None;
    failed.failure = Some(ImportFailure {
        code: "file_not_found".into(),
        detail: "Weg ist weg.".into(),
        cause: Some("permission_missing".into()),
        remedy: Some("Frag's den Admin.".into()),
    });
    db.create_project(&failed, 1, &[], None, None)
        .await
        .unwrap();
    let made = [failed, first];
    for one in &made {
        assert_eq!(db.project(&mine.id, &one.id).await, Ok(Some(one.clone())));
        assert_eq!(db.project(&other.id, &one.id).await, Ok(None));
        assert_eq!(db.delete_project(&other.id, &one.id).await, Ok(false));
    }
    assert_eq!(db.list_projects(&mine.id, &all()).await.unwrap(), made);
    assert_eq!(
        db.list_projects(&mine.id, &page(None, 1)).await.unwrap(),
        made[..1]
    );
    let rest = page(Some(made[0].id.as_str()), 9);
    assert_eq!(db.list_projects(&mine.id, &rest).await.unwrap(), made[1..]);
    assert_eq!(db.list_projects(&other.id, &all()).await, Ok(vec![]));
    assert_eq!(db.delete_project(&mine.id, &made[1].id).await, Ok(true));
    assert_eq!(db.project(&mine.id, &made[1].id).await, Ok(None));
    assert_eq!(
        db.project_files(&mine.id, &made[1].id, None, 9).await,
        Ok(vec![])
    );
}

async fn a_project_needs_a_storage_of_its_workspace(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let foreign = storage(&db, &other.id).await;
    for storage in [&foreign.id, &StorageId::generate()] {
        let project = new_project(&mine.id, Some(storage));
        let made = db
            .create_project(&project, 1, &[file(0, "/a"), file(1, "/b")], None, None)
            .await;
        assert!(matches!(made, Err(StoreError::Conflict(_))), "{made:?}");
        assert_eq!(db.project(&mine.id, &project.id).await, Ok(None));
    }
    assert_eq!(reload(&db, &foreign).await.project_count, 0);
}

async fn a_storage_that_has_changed_gets_no_project(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let project = new_project(&mine.id, Some(&stored.id));
    for revision in [0, 2] {
        let files = [file(0, "/a")];
        let created = db
            .create_project(&project, revision, &files, None, None)
            .await;
        assert!(
            matches!(created, Err(StoreError::Conflict(_))),
            "{created:?}"
        );
        assert_eq!(db.project(&mine.id, &project.id).await, Ok(None));
    }
    assert_eq!(reload(&db, &stored).await.project_count, 0);
    assert_eq!(
        db.create_project(&project, 1, &[], None, None).await,
        Ok(())
    );
}

async fn every_file_key_comes_back_byte_for_byte(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let long = "ü".repeat(512);
    let keys = [
        "a",
        "A",
        "//a",
        "///",
        "a//b",
        " a ",
        "a+b",
        "%2e%2e",
        "a%",
        "a_b",
        "a'b\"c\\d",
        "日本/語.png",
        "e\u{301}",
        "é",
        "\u{1f600}",
        "a\nb",
        &long,
    ];
    let files: Vec<_> = (0..).zip(keys).map(|(at, key)| file(at, key)).collect();
    let project = new_project(&mine.id, None);
    db.create_project(&project, 1, &files, None, None)
        .await
        .unwrap();
    assert_eq!(
        db.project_files(&mine.id, &project.id, None, 100).await,
        Ok(files.clone())
    );
    // Looked up one by one, each finds itself alone: no folding of case, no pattern, no normal form.
    for one in &files {
        let path = [one.file_key.path().to_owned()];
        assert_eq!(
            db.project_files_by_path(&mine.id, &project.id, &path).await,
            Ok(vec![one.clone()])
        );
    }
    for absent in ["%", "a%_", "", "AA"] {
        let path = [absent.to_owned()];
        assert_eq!(
            db.project_files_by_path(&mine.id, &project.id, &path).await,
            Ok(vec![])
        );
    }
    assert_eq!(
        db.project_files(&mine.id, &project.id, Some(3), 2).await,
        Ok(files[4..6].to_vec())
    );
}

async fn another_workspace_sees_no_files(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let project = project(&db, &mine.id, None).await;
    let paths = ["a/ü.png".to_owned(), "/b %.txt".to_owned()];
    let by_path = |workspace: &_| {
        let (db, workspace, id, paths) = (
            db.clone(),
            Clone::clone(workspace),
            project.id.clone(),
            paths.clone(),
        );
        async move {
            let found = db.project_files_by_path(&workspace, &id, &paths).await;
            found.unwrap().len()
        }
    };
    assert_eq!(by_path(&mine.id).await, 2);
    assert_eq!(by_path(&other.id).await, 0);
    assert_eq!(
        db.project_files(&other.id, &project.id, None, 9).await,
        Ok(vec![])
    );
    assert_eq!(
        db.project_files(&mine.id, &ProjectId::generate(), None, 9)
            .await,
        Ok(vec![])
    );
}

async fn ten_thousand_files_at_once(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let files: Vec<_> = (0..10_000)
        .map(|at| file(at, &format!("/folder/{at:05}.png")))
        .collect();
    let project = new_project(&mine.id, Some(&stored.id));
    db.create_project(&project, 1, &files, None, None)
        .await
        .unwrap();
    let mut read = Vec::new();
    while read.len() < files.len() {
        let page = db
            .project_files(
                &mine.id,
                &project.id,
                read.len().checked_sub(1).map(|n| n as i64),
                1000,
            )
            .await
            .unwrap();
        assert_eq!(page.len(), 1000);
        read.extend(page);
    }
    assert!(read == files);
    let mut paths: Vec<_> = files.iter().map(|f| f.file_key.path().to_owned()).collect();
    paths.reverse();
    paths.push("absent".into());
    paths.push(paths[0].clone());
    let found = db
        .project_files_by_path(&mine.id, &project.id, &paths)
        .await
        .unwrap();
    assert!(found == files);
    assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(true));
}

async fn the_count_is_right_however_many_come_at_once(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let mut tasks = Vec::new();
    for at in 0..20 {
        let (db, workspace, id) = (db.clone(), mine.id.clone(), stored.id.clone());
        tasks.push(tokio::spawn(async move {
            let made = project(&db, &workspace, Some(&id)).await;
            if at % 2 == 0 {
                assert_eq!(db.delete_project(&workspace, &made.id).await, Ok(true));
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(reload(&db, &stored).await.project_count, 10);
    assert_eq!(db.list_projects(&mine.id, &all()).await.unwrap().len(), 10);
    assert_eq!(db.delete_workspace(&mine.id).await, Ok(true));
}

async fn a_creation_that_is_broken_off_leaves_nothing(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let files: Vec<_> = (0..3000).map(|at| file(at, &format!("/{at}"))).collect();
    let mut broken_off = 0;
    let mut whole = 0;
    for millis in 0..20 {
        let project = new_project(&mine.id, Some(&stored.id));
        let (task_db, id, files) = (db.clone(), project.id.clone(), files.clone());
        let task = tokio::spawn(async move {
            task_db
                .create_project(&project, 1, &files, None, None)
                .await
        });
        tokio::time::sleep(Duration::from_millis(millis * 3)).await;
        task.abort();
        let outcome = task.await;
        // A commit that was on its way holds the storage's row. This waits for its end.
        let found = db
            .change_storage(&mine.id, &stored.id, seen(1, None), &keep())
            .await;
        assert_eq!(found, Ok(true));
        let found = db.project(&mine.id, &id).await.unwrap();
        let read = db.project_files(&mine.id, &id, None, 5000).await.unwrap();
        match (&outcome, &found) {
            (Ok(Ok(())), Some(_)) => assert_eq!(read.len(), 3000),
            (Err(_), None) => assert!(read.is_empty()),
            // Broken off while the commit was on its way.
            (Err(_), Some(_)) => assert_eq!(read.len(), 3000),
            odd => panic!("{odd:?}"),
        }
        match found {
            Some(_) => whole += 1,
            None => broken_off += 1,
        }
        assert_eq!(reload(&db, &stored).await.project_count, whole);
    }
    assert!(broken_off > 0);
}

async fn what_an_earlier_release_left_out_has_no_reasons(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let made = project(&db, &mine.id, None).await;
    assert_eq!(made.skipped.map(|skipped| skipped.total()), Some(1));
    for (sql, skipped_count) in [
        // It goes on with an import that this release has begun.
        ("UPDATE projects SET skipped_count = skipped_count + 2", 3),
        // It made the project.
        ("UPDATE projects SET skipped_reasons = NULL", 3),
    ] {
        tester.tamper(sql).await.unwrap();
        let read = db.project(&mine.id, &made.id).await.unwrap().unwrap();
        assert_eq!((read.skipped_count, read.skipped), (skipped_count, None));
    }
    // A later release knows more reasons.
    let sql = r#"UPDATE projects SET skipped_reasons = '{"missing":1,"moon":2}'"#;
    tester.tamper(sql).await.unwrap();
    let read = db.project(&mine.id, &made.id).await.unwrap().unwrap();
    assert_eq!(read.skipped, None);
}

async fn damaged_projects_are_not_read(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    let made = project(&db, &mine.id, None).await;
    for sql in [
        "UPDATE projects SET status = 'done'",
        "UPDATE project_files SET path = '../up' WHERE position = 1",
    ] {
        tester.tamper(sql).await.unwrap();
    }
    assert!(matches!(
        db.project(&mine.id, &made.id).await,
        Err(StoreError::Damaged { record, .. }) if record == format!("projects/{}", made.id)
    ));
    assert!(matches!(
        db.project_files(&mine.id, &made.id, None, 9).await,
        Err(StoreError::Damaged { .. })
    ));
    assert!(FileKey::parse("../up").is_err());
}

async fn the_projects_of_files_are_counted_and_named(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let stored = storage(&db, &mine.id).await;
    let place = StorageRef::Own(stored.id.clone());
    let keys = ["/a", "//b %"].map(|key| FileKey::parse(key).unwrap());
    let mut made = Vec::new();
    for files in [
        vec![file(0, "/a"), file(1, "//b %")],
        vec![file(0, "//b %")],
        vec![file(0, "/A"), file(1, "/b %")],
    ] {
        let project = new_project(&mine.id, Some(&stored.id));
        db.create_project(&project, 1, &files, None, None)
            .await
            .unwrap();
        made.insert(0, (project.id, project.name));
    }
    let built_in = new_project(&mine.id, None);
    db.create_project(&built_in, 1, &[file(0, "/a")], None, None)
        .await
        .unwrap();

    // A project with several of them is counted once.
    let found = db.projects_of_files(&mine.id, &place, &keys, 9).await;
    let found = found.unwrap();
    assert_eq!((found.count, found.newest.as_slice()), (2, &made[1..]));
    let cut = db.projects_of_files(&mine.id, &place, &keys, 1).await;
    let cut = cut.unwrap();
    assert_eq!((cut.count, cut.newest.as_slice()), (2, &made[1..2]));
    let first = db.projects_of_files(&mine.id, &place, &keys[..1], 9).await;
    assert_eq!(first.unwrap().newest, made[2..]);
    let here = db
        .projects_of_files(&mine.id, &StorageRef::BuiltIn, &keys, 9)
        .await
        .unwrap();
    assert_eq!(here.newest, [(built_in.id, built_in.name)]);
    for (workspace, keys) in [(&mine.id, &keys[..0]), (&other.id, &keys[..])] {
        let none = db.projects_of_files(workspace, &place, keys, 9).await;
        assert_eq!(none, Ok(ProjectsOfFiles::default()));
    }
}
