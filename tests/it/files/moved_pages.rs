//! Several files are moved on the pages, as a browser without JavaScript does it.

use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, redirect, with_query};
use crate::it::support::scene::Scene;

#[tokio::test]
async fn several_files_are_moved_and_each_that_stays_says_why() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    for key in ["/in box/ü+1 %.txt", "/in box/b.txt", "/new/b.txt"] {
        storage.put(key, key).await;
    }
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let chosen = [
        ("folder", "/in box/"),
        ("key", "/in box/ü+1 %.txt"),
        ("key", "/in box/b.txt"),
    ];
    let confirm = format!("/storages/{}/files/confirm-move", storage.id);
    let page = admin.post(&confirm, &chosen).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("Move 2 files") && page.text.contains("value=\"/in box/\""));
    let none = admin.post(&confirm, &[("folder", "/")]).await;
    assert_eq!(none.status, 422);
    assert!(none.text.contains("No file was selected"));

    let path = format!("/storages/{}/files/move", storage.id);
    let to = |folder: &'static str| [&chosen[..], &[("to", folder)]].concat();
    let wrong = admin.post(&path, &to("/new/../x")).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert!(wrong.text.contains("id=\"to-error\"") && wrong.text.contains("value=\"/new/../x\""));
    let same = admin.post(&path, &to("/in box")).await;
    assert_eq!(same.status, 422, "{same:?}");
    let said = same.text.matches("The file is in this folder already.");
    assert_eq!(said.count(), 2);
    // What is there stays, and the other file is moved.
    let partly = admin.post(&path, &to("/new")).await;
    assert_eq!(partly.status, 422, "{partly:?}");
    assert!(partly.text.contains("1 file was not moved"));
    assert!(
        partly
            .text
            .contains("There is a file with this name in the folder already")
    );
    assert_eq!(partly.text.matches("name=\"key\"").count(), 1);
    let listing = format!("/storages/{}/files", storage.id);
    let listing = with_query(&listing, &[("folder", "/in box/")]);
    let page = admin.get(&listing).await;
    assert!(page.text.contains(">b.txt<") && !page.text.contains(">ü+1 %.txt<"));

    let rest = [
        ("folder", "/in box/"),
        ("key", "/in box/b.txt"),
        ("to", "/new/"),
        ("replace", "yes"),
    ];
    let answer = admin.post(&path, &rest).await;
    assert!(redirect(&answer).contains("done=file_moved"), "{answer:?}");
    let page = admin.get(redirect(&answer)).await;
    assert!(page.text.contains("The file was moved."));
    assert!(page.text.contains(">b.txt<") && page.text.contains(">ü+1 %.txt<"));

    // The audit log names each file twice, with what became of it.
    let events = app.get("/v1/audit-events?action=move_files", &workspace.admin);
    let events = events.await.expect(200);
    let files = events["audit_events"][1]["files"].as_array().unwrap();
    let results: Vec<_> = files
        .iter()
        .map(|f| f["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["done", "done", "refused", "refused"]);

    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    assert_eq!(member.post(&path, &rest).await.status, 403);
    assert_eq!(member.post(&confirm, &chosen).await.status, 403);
    let other = app.workspace().await;
    let stranger = Visitor::sign_in(&app, &other.admin, "admin").await;
    assert_eq!(stranger.post(&path, &rest).await.status, 404);
}
