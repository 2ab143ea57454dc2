//! Projects on stores that list otherwise than Amazon S3: never a short one, and none that stops others.

use crate::it::support::app::{TestApp, TestWorkspace};
use crate::it::support::aws::store::{Behaviour, Store};
use crate::it::support::aws::wire::{Reply, eventually};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

async fn create(app: &TestApp, workspace: &TestWorkspace, storage: &str) -> String {
    let body = json!({"name": "P", "storage_id": storage, "folder": "/"});
    let answer = app.post("/v1/projects", &workspace.admin, &body).await;
    let project = answer.json();
    assert!(answer.status.is_success(), "{project:#}");
    assert_eq!(project["status"], "importing", "{project:#}");
    project["id"].as_str().unwrap().to_owned()
}

async fn project(app: &TestApp, workspace: &TestWorkspace, id: &str) -> Value {
    let path = format!("/v1/projects/{id}");
    app.get(&path, &workspace.member).await.expect(200)
}

async fn holding(count: usize, behaviours: impl IntoIterator<Item = Behaviour>) -> Store {
    let keys: Vec<String> = (0..count).map(|at| format!("{at:04}.png")).collect();
    let store = Store::with(behaviours).await;
    store.holding(keys.iter().map(String::as_str))
}

/// Keys without end, in order, two at a time.
fn endless() -> Behaviour {
    let at = AtomicUsize::new(0);
    Behaviour::when(move |request| {
        (request.operation() == "ListObjectsV2").then(|| {
            let at = at.fetch_add(2, Ordering::SeqCst);
            let contents: String = (at..at + 2)
                .map(|at| format!("<Contents><Key>x{at:012}.png</Key><Size>5</Size></Contents>"))
                .collect();
            let text = format!(
                "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
                 <NextContinuationToken>{at}</NextContinuationToken>{contents}</ListBucketResult>"
            );
            Reply::answer(200, text).with("x-amz-request-id", "x")
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_ends_with_all_files_or_says_that_it_failed() {
    let store = holding(60, []).await;
    let (app, workspace) = store.app().await;
    let storage = store.connect(&app, &workspace).await;
    store.behave([Behaviour::PagesOf(2)]);
    let whole = create(&app, &workspace, &storage).await;
    eventually("all files come", async || {
        project(&app, &workspace, &whole).await["status"] == "ready"
    })
    .await;
    assert_eq!(project(&app, &workspace, &whole).await["file_count"], 60);
    // A store that keeps no order gives all of them too, by its tokens.
    store.behave([Behaviour::PagesOf(2), Behaviour::Descending]);
    let descending = create(&app, &workspace, &storage).await;
    eventually("all files come in another order", async || {
        project(&app, &workspace, &descending).await["status"] == "ready"
    })
    .await;
    assert_eq!(
        project(&app, &workspace, &descending).await["file_count"],
        60
    );
    for behaviour in [Behaviour::StartAfterIgnored, Behaviour::RepeatsLastKey] {
        let store = holding(60, [Behaviour::PagesOf(2)]).await;
        let (app, workspace) = store.app().await;
        let storage = store.connect(&app, &workspace).await;
        store.behave([Behaviour::PagesOf(2), behaviour]);
        let body = json!({"name": "P", "storage_id": storage, "folder": "/"});
        let answer = app.post("/v1/projects", &workspace.admin, &body).await;
        if answer.status == 502 {
            answer.problem(502, "listing_incomplete");
            continue;
        }
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        eventually("the import fails", async || {
            project(&app, &workspace, &id).await["status"] == "failed"
        })
        .await;
        let failed = project(&app, &workspace, &id).await;
        assert!(
            failed.to_string().contains("listing_incomplete"),
            "{failed:#}"
        );
        assert!(store.count("ListObjectsV2") < 60);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_listing_of_one_tenant_stops_no_other() {
    let hostile = holding(60, []).await;
    let honest = holding(60, []).await;
    let (app, one) = hostile.app().await;
    let other = app.workspace().await;
    let storage = honest.connect(&app, &other).await;
    let endless_one = hostile.connect(&app, &one).await;
    hostile.behave([endless()]);
    honest.behave([Behaviour::PagesOf(2)]);
    for _ in 0..2 {
        create(&app, &one, &endless_one).await;
    }
    let id = create(&app, &other, &storage).await;
    let began = Instant::now();
    while project(&app, &other, &id).await["status"] != "ready" {
        assert!(began.elapsed() < Duration::from_secs(60), "it waits");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(project(&app, &other, &id).await["file_count"], 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_files_are_named_when_a_project_is_made() {
    let store = holding(3, []).await;
    let (app, workspace) = store.app().await;
    let storage = store.connect(&app, &workspace).await;
    store.behave([Behaviour::StorageClassOf("DEEP_ARCHIVE")]);
    let create = async |on_archived: Value| {
        let body = json!({
            "name": "P", "storage_id": storage, "folder": "/", "on_archived": on_archived,
        });
        app.post("/v1/projects", &workspace.admin, &body).await
    };
    for kept in [Value::Null, json!("keep")] {
        let project = create(kept).await.expect(201);
        assert_eq!(project["archived_count"], 3);
        assert_eq!(project["skipped_count"], 0);
        let path = format!("/v1/projects/{}/files", project["id"].as_str().unwrap());
        let files = app.get(&path, &workspace.member).await.expect(200);
        assert_eq!(files["files"][0]["storage_class"], "DEEP_ARCHIVE");
    }
    for refused in ["fail", "skip"] {
        let answer = create(json!(refused)).await;
        let problem = answer.problem(422, "archived_files");
        assert!(
            problem["archived_files"]
                .as_array()
                .is_some_and(|keys| !keys.is_empty())
        );
    }
    assert_eq!(create(json!("later")).await.status, 422);
    // A class that is read at once.
    store.behave([Behaviour::StorageClassOf("GLACIER_IR")]);
    let project = create(json!("fail")).await.expect(201);
    assert_eq!(project["archived_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_is_not_taken_for_the_one_that_was_meant() {
    let store = holding(0, []).await;
    store.put("team/a.txt", "hello");
    store.put("odd\u{200b} /a.txt", "hello");
    let (app, workspace) = store.app().await;
    let storage = store.connect(&app, &workspace).await;
    let create = async |folder: &str| {
        let body = json!({"name": "P", "storage_id": storage, "folder": folder});
        app.post("/v1/projects", &workspace.admin, &body).await
    };
    for typed in ["/team ", "team\u{200b}/", "/team\u{2028}", "\u{a0}team"] {
        let problem = create(typed).await.refused_field("folder");
        assert_eq!(
            problem["errors"][0]["code"], "invalid_folder",
            "{problem:#}"
        );
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("Use `/team/`."), "{detail}");
    }
    create("/team").await.expect(201);
    // One that exists can be opened, and used.
    let path = format!("/v1/storages/{storage}/files?folder=/odd%E2%80%8B%20/");
    let page = app.get(&path, &workspace.member).await.expect(200);
    assert_eq!(page["files"][0]["name"], "a.txt", "{page:#}");
    create("/odd\u{200b} /").await.expect(201);
}
