//! The pages of files name the projects that use them.

use crate::it::support::app::{TestApp, TestWorkspace};
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, with_query};
use crate::it::support::scene::{ConnectedStorage, Scene};
use serde_json::json;

fn file(storage: &ConnectedStorage, what: &str, key: &str) -> String {
    with_query(&format!("/storages/{}/{what}", storage.id), &[("key", key)])
}

/// Makes a project of one file. Gives its ID.
async fn project(
    app: &TestApp,
    workspace: &TestWorkspace,
    storage: &ConnectedStorage,
    name: &str,
    key: &str,
) -> String {
    let body = json!({"name": name, "storage_id": storage.id, "files": [{"file_key": key}]});
    let made = app.post("/v1/projects", &workspace.member, &body).await;
    made.expect(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn projects_are_named_on_a_files_page_and_before_it_is_deleted() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    for key in ["/a b.txt", "/b.txt", "/free.txt"] {
        storage.put(key, "1").await;
    }
    let first = project(&app, &workspace, &storage, "Cats <i>", "/a b.txt").await;
    let second = project(&app, &workspace, &storage, "Dogs", "/b.txt").await;
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let link = |id: &str| format!("href=\"/projects/{id}\"");

    let used = admin.get(&file(&storage, "file", "/a b.txt")).await;
    assert_eq!(used.status, 200, "{used:?}");
    assert!(used.text.contains(&link(&first)) && used.text.contains("Cats &#60;i&#62;"));
    assert!(!used.text.contains(&link(&second)));
    let free = admin.get(&file(&storage, "file", "/free.txt")).await;
    assert!(free.text.contains("No project uses this file."), "{free:?}");

    let confirm = file(&storage, "files/confirm-delete", "/a b.txt");
    let asked = admin.post(&confirm, &[]).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    assert!(asked.text.contains("1 project uses this file."));
    assert!(asked.text.contains(&link(&first)));
    let several = format!("/storages/{}/files/confirm-delete", storage.id);
    let keys = [("key", "/a b.txt"), ("key", "/b.txt"), ("key", "/free.txt")];
    let asked = admin.post(&several, &keys).await;
    assert!(asked.text.contains("2 projects use some of these files."));
    assert!(asked.text.contains(&link(&first)) && asked.text.contains(&link(&second)));
    let asked = admin.post(&several, &keys[2..]).await;
    assert!(!asked.text.contains("id=\"used-by\""), "{asked:?}");

    // Of the same key in another storage nothing is said.
    let other = Scene::on(Emulator)
        .prefix("team")
        .connect_in(&app, &workspace)
        .await;
    other.put("/b.txt", "1").await;
    let elsewhere = admin.get(&file(&other, "file", "/b.txt")).await;
    assert!(elsewhere.text.contains("No project uses this file."));
    // A file that is gone still says who misses it.
    let delete = file(&storage, "files/delete", "/b.txt");
    assert_eq!(admin.post(&delete, &[]).await.status, 303);
    let gone = admin.get(&file(&storage, "file", "/b.txt")).await;
    assert_eq!(gone.status, 404);
    assert!(gone.text.contains(&link(&second)));
}
