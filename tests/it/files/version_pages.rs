//! A file's page lists the versions that the bucket keeps.

use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, with_query};
use crate::it::support::scene::{ConnectedStorage, Scene};

fn page(storage: &ConnectedStorage, pairs: &[(&str, &str)]) -> String {
    with_query(&format!("/storages/{}/file", storage.id), pairs)
}

#[tokio::test]
async fn versions_are_listed_when_they_are_asked_for() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    scene.keep_versions().await;
    for body in ["one", "three"] {
        scene.storage.put("/a b.txt", body).await;
        scene.storage.put("/a b.txt.old", body).await;
    }
    let (app, workspace, storage) = scene.parts();
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let unasked = admin.get(&page(&storage, &[("key", "/a b.txt")])).await;
    assert_eq!(unasked.status, 200, "{unasked:?}");
    assert!(unasked.text.contains("versions=yes") && !unasked.text.contains("data-version"));

    let asked = page(&storage, &[("key", "/a b.txt"), ("versions", "yes")]);
    let there = admin.get(&asked).await;
    assert_eq!(there.status, 200, "{there:?}");
    assert_eq!(there.text.matches("<tr data-version>").count(), 2);
    assert!(there.text.contains("Current</span>") && !there.text.contains("Deleted"));

    let delete = format!("/storages/{}/files/delete", storage.id);
    let answer = admin.post(&delete, &[("key", "/a b.txt")]).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    // What the bucket still has of a deleted file is listed too.
    let gone = admin.get(&asked).await;
    assert_eq!(gone.status, 404, "{gone:?}");
    assert_eq!(gone.text.matches("<tr data-version>").count(), 3);
    assert!(gone.text.contains("Deleted, current</span>"));
}

#[tokio::test]
async fn what_is_not_granted_is_not_asked_for() {
    let scene = Scene::on(Emulator).access("read").connect().await;
    let (app, workspace, storage) = scene.parts();
    storage.put("/a.txt", "1").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let asked = page(&storage, &[("key", "/a.txt"), ("versions", "yes")]);
    let answer = member.get(&asked).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text.contains("without the permissions for versions"));
    assert!(!answer.text.contains("data-version"));
}
