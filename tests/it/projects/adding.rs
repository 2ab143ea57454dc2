//! Files that are added to a project.

use crate::application::kept::idempotency::Keep;
use crate::application::projects::adding::AddedFiles;
use crate::application::projects::manifest::FileReference;
use crate::application::projects::{FileSource, ListedFile};
use crate::domain::files::file_key::FileKey;
use crate::domain::project::{OnMissing, Progress, ProjectStatus};
use crate::it::projects::fake::{PREFIX, Rig, assert_files};
use crate::it::projects::{Setting, path, strings, wanted};
use crate::it::support::app::Answer;
use crate::it::support::database::{TestDb, on_both_engines};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

on_both_engines!(
    many_add_to_one_project_at_once,
    a_project_that_is_not_ready_takes_no_files,
);

#[tokio::test]
async fn files_are_added_behind_those_that_are_there() {
    let setting = Setting::new().await;
    let project = setting
        .create(wanted(&["/dogs/1.png", "/cats/1.png"]))
        .await
        .expect(201);
    let files = format!("{}/files", path(&project));
    let body = json!({"files": [
        {"file_key": "/top.json", "name": "Top"}, {"file_key": "cats/1.png", "name": "Other"},
        {"file_key": "/cats/2.png"},
    ]});
    let added = setting.post(&files, &body).await.expect(200);
    assert_eq!(
        added,
        json!({"added": 2, "already_there": 1, "file_count": 4})
    );
    let listed = setting.get(&files).await.expect(200);
    assert_eq!(
        strings(&listed["files"], "file_key"),
        ["/dogs/1.png", "/cats/1.png", "/top.json", "/cats/2.png"]
    );
    // What was there keeps its name.
    assert_eq!(
        strings(&listed["files"], "name"),
        ["1.png", "1.png", "Top", "2.png"]
    );
    let now = setting.get(&path(&project)).await.expect(200);
    for (field, value) in [
        ("status", json!("ready")),
        ("file_count", json!(4)),
        ("total_size", json!(12)),
        ("progress", json!({"done": 4, "total": 4})),
        ("skipped_count", json!(0)),
    ] {
        assert_eq!(now[field], value, "{field}");
    }

    // Again: all of them are there.
    let again = setting.post(&files, &body).await.expect(200);
    assert_eq!(
        again,
        json!({"added": 0, "already_there": 3, "file_count": 4})
    );
    // What is in the project is not looked up again.
    let s3 = setting.storage.customer.s3();
    s3.delete_object()
        .bucket(setting.storage.bucket.as_str())
        .key("team/top.json")
        .send()
        .await
        .unwrap();
    setting.post(&files, &body).await.expect(200);
}

#[tokio::test]
async fn a_missing_file_adds_nothing() {
    let setting = Setting::new().await;
    let project = setting.create(wanted(&["/dogs/1.png"])).await.expect(201);
    let files = format!("{}/files", path(&project));
    let body = wanted(&["/none", "/cats/1.png", "/cats/1.PNG", "/dogs/1.png"]);
    let refused = setting.post(&files, &body).await;
    let refused = refused.problem(422, "missing_files");
    assert_eq!(refused["missing_files"], json!(["/none", "/cats/1.PNG"]));
    assert_eq!(refused["file_count"], 4);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.ends_with("Nothing was added."), "{detail}");
    assert_eq!(setting.keys(&project).await, ["/dogs/1.png"]);
    assert_eq!(
        setting.get(&path(&project)).await.expect(200),
        project,
        "nothing has changed"
    );

    for (body, field) in [
        (json!({}), "files"),
        (json!({"files": []}), "files"),
        (json!({"files": "/cats/1.png"}), "files"),
        (
            json!({"files": [{"file_key": "/a/../b"}]}),
            "files[0].file_key",
        ),
        (
            json!({"files": [{"file_key": "/cats/1.png", "name": ""}]}),
            "files[0].name",
        ),
        (wanted(&["/cats/1.png", "cats/1.png"]), "files[1].file_key"),
        (
            json!({"files": [{"file_key": "/cats/1.png"}], "folder": "/"}),
            "folder",
        ),
    ] {
        setting.post(&files, &body).await.refused_field(field);
    }
    let many: Vec<String> = (0..10_001).map(|n| format!("/{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = setting.post(&files, &wanted(&many)).await;
    refused.problem(422, "too_many_files");
    assert_eq!(setting.keys(&project).await, ["/dogs/1.png"]);
}

#[tokio::test]
async fn another_workspace_adds_nothing() {
    let setting = Setting::new().await;
    let project = setting.create(wanted(&["/dogs/1.png"])).await.expect(201);
    let files = format!("{}/files", path(&project));
    let body = wanted(&["/cats/1.png"]);
    let other = setting.app.workspace().await;
    for token in [&other.admin, &other.member] {
        let refused = setting.app.post(&files, token, &body).await;
        refused.problem(404, "not_found");
    }
    assert_eq!(setting.keys(&project).await, ["/dogs/1.png"]);
    // Admins add files as members do, and the log says who did.
    let admin = &setting.workspace.admin;
    let added = setting.app.post(&files, admin, &body).await.expect(200);
    assert_eq!(added["added"], 1);
    let log = setting.app.get("/v1/audit-events", admin).await.expect(200);
    let event = &log["audit_events"][0];
    assert_eq!(event["action"], "add_project_files");
    assert_eq!(event["target"], project["id"]);
    assert_eq!(event["result"], "done");
}

#[tokio::test]
async fn an_idempotent_request_gets_its_first_answer_again() {
    let setting = Setting::new().await;
    let project = setting.create(wanted(&["/dogs/1.png"])).await.expect(201);
    let files = format!("{}/files", path(&project));
    let add = |body: Value| {
        let request = setting
            .app
            .request(Method::POST, &files, &setting.workspace.member)
            .header("Idempotency-Key", "once")
            .header("Content-Type", "application/json")
            .body(body.to_string());
        Answer::of(request)
    };
    // A refusal gives the key back.
    add(wanted(&["/none"])).await.problem(422, "missing_files");
    let first = add(wanted(&["/cats/1.png"])).await.expect(200);
    assert_eq!(first["added"], 1);
    let again = add(wanted(&["/cats/1.png"])).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(200), first);
    add(wanted(&["/cats/2.png"]))
        .await
        .problem(422, "idempotency_key_reused");
    assert_eq!(setting.keys(&project).await, ["/dogs/1.png", "/cats/1.png"]);
}

fn listed(keys: &[String]) -> Vec<ListedFile> {
    let keys = keys.iter().map(|key| ListedFile {
        file: FileReference::Key(FileKey::parse(key).unwrap()),
        name: None,
    });
    keys.collect()
}

fn fill(rig: &Rig, count: usize) -> Vec<String> {
    let keys: Vec<String> = (0..count).map(|n| format!("/data/{n:03}.png")).collect();
    for key in &keys {
        rig.bucket.put(format!("{PREFIX}{}", &key[1..]), "body");
    }
    keys
}

async fn many_add_to_one_project_at_once(db: TestDb) {
    let rig = Rig::new(db, 100).await;
    let keys = fill(&rig, 21);
    let first = FileSource::Listed(listed(&keys[..1]));
    let project = rig.create(first, OnMissing::Fail).await.unwrap();
    let member = rig.member();
    // Each adds four files of its own, and one that all of them add.
    let adding = (0..4).map(|n| {
        let mut own = keys[1 + 4 * n..5 + 4 * n].to_vec();
        own.push(keys[20].clone());
        rig.projects
            .add_files(&member, &project.id, listed(&own), Keep::nothing())
    });
    let outcomes = join_all(adding).await;
    let outcomes: Vec<AddedFiles> = outcomes.into_iter().map(Result::unwrap).collect();
    let added: i64 = outcomes.iter().map(|outcome| outcome.added).sum();
    assert_eq!(added, 17);
    let there: i64 = outcomes.iter().map(|outcome| outcome.already_there).sum();
    assert_eq!(there, 3);
    assert_eq!(outcomes.iter().map(|o| o.file_count).max(), Some(18));
    let files = rig.files(&project.id).await;
    // In whatever order they came: without a gap, and each once.
    let order: Vec<String> = files.iter().map(|file| file.file_key.to_string()).collect();
    assert_files(&files, &order);
    let mut sorted = order;
    sorted.sort();
    let mut all = keys[..17].to_vec();
    all.push(keys[20].clone());
    assert_eq!(sorted, all);
    let now = rig.project(&project.id).await;
    assert_eq!((now.file_count, now.total_size), (18, 72));
    let whole = Progress {
        done: 18,
        total: Some(18),
    };
    assert_eq!(now.progress, whole);
}

async fn a_project_that_is_not_ready_takes_no_files(db: TestDb) {
    let rig = Rig::new(db, 5).await;
    let keys = fill(&rig, 10);
    let member = rig.member();
    let never = CancellationToken::new();
    let project = rig.import_manifest(&keys[..9], OnMissing::Fail).await;
    assert_eq!(project.status, ProjectStatus::Importing);
    let one = || listed(&keys[9..]);
    let adding = rig
        .projects
        .add_files(&member, &project.id, one(), Keep::nothing());
    assert_eq!(adding.await.unwrap_err().code, "project_importing");
    while rig.importer(20).round(&never).await.unwrap() {}
    let adding = rig
        .projects
        .add_files(&member, &project.id, one(), Keep::nothing());
    assert_eq!(adding.await.unwrap().added, 1);
    assert_files(&rig.files(&project.id).await, &keys);

    let mut absent = keys[..8].to_vec();
    absent.push("/data/none.png".to_owned());
    let project = rig.import_manifest(&absent, OnMissing::Fail).await;
    while rig.importer(20).round(&never).await.unwrap() {}
    assert_eq!(rig.project(&project.id).await.status, ProjectStatus::Failed);
    let adding = rig
        .projects
        .add_files(&member, &project.id, one(), Keep::nothing());
    assert_eq!(adding.await.unwrap_err().code, "project_failed");
    assert!(rig.files(&project.id).await.is_empty());
}
