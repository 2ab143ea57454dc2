//! A file's page lists the versions that the bucket keeps.

use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, redirect, with_query};
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

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_version_is_shown_downloaded_and_restored() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    scene.keep_versions().await;
    let objects = format!("arn:aws:s3:::{}/*", scene.storage.bucket);
    scene.allow(&["s3:GetObjectVersion"], &objects).await;
    for body in ["the first content", "what replaced it"] {
        scene.storage.put("/a b.txt", body).await;
    }
    let listed = scene.get("/files/versions?key=/a%20b.txt").await;
    let listed = listed.expect(200);
    let id = |at: usize| listed["versions"][at]["version_id"].as_str().unwrap();
    let (latest, earlier) = (id(0), id(1));
    let (app, workspace, storage) = scene.parts();
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let other = app.workspace().await;
    let stranger = Visitor::sign_in(&app, &other.admin, "admin").await;
    let at = |below: &str, version: &str| {
        let path = format!("/storages/{}/file/version{below}", storage.id);
        with_query(&path, &[("key", "/a b.txt"), ("version_id", version)])
    };

    let list = page(&storage, &[("key", "/a b.txt"), ("versions", "yes")]);
    let list = member.get(&list).await;
    let shown = at("", earlier);
    let link = format!("href=\"{}\"", shown.replace('&', "&#38;"));
    assert!(list.text.contains(&link), "{}", list.text);
    let seen = member.get(&shown).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let content = ("the first content", "what replaced it");
    let shown_content = seen.text.contains(content.0) && !seen.text.contains(content.1);
    assert!(shown_content, "{}", seen.text);
    assert!(
        seen.text
            .contains("earlier version of the file, not the current one")
    );
    assert!(
        !seen.text.contains("version/restore"),
        "members change nothing"
    );
    // The current version has the file's own page.
    let current = member.get(&at("", latest)).await;
    assert_eq!(redirect(&current), page(&storage, &[("key", "/a b.txt")]));

    let content = format!("{}&download=yes", at("/content", earlier));
    let saved = member.get(&content).await;
    assert_eq!(
        (saved.status.as_u16(), saved.text.as_str()),
        (200, "the first content")
    );
    let disposition = saved.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; filename=\"a b.txt\""));
    assert!(
        saved
            .header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );

    let restore = at("/restore", earlier);
    for (visitor, status) in [(&member, 403), (&stranger, 404)] {
        assert_eq!(visitor.get(&restore).await.status, status);
        assert_eq!(visitor.post(&restore, &[]).await.status, status);
    }
    for below in ["", "/content"] {
        assert_eq!(
            stranger.get(&at(below, earlier)).await.status,
            404,
            "{below}"
        );
        assert_eq!(
            member.get(&at(below, "unknown")).await.status,
            404,
            "{below}"
        );
        assert_eq!(member.get(&at(below, "")).await.status, 422, "{below}");
    }
    let asked = admin.get(&restore).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    assert!(asked.text.contains("Restore this version?") && asked.text.contains(earlier));
    assert_eq!(admin.post_bare(&restore, &[]).await.status, 403);
    let own = page(&storage, &[("key", "/a b.txt")]);
    assert!(admin.get(&own).await.text.contains("what replaced it"));

    let answer = admin.post(&restore, &[]).await;
    assert!(
        redirect(&answer).contains("done=version_restored"),
        "{answer:?}"
    );
    let now = admin.get(redirect(&answer)).await;
    assert!(
        now.text.contains("The version was restored") && now.text.contains("the first content")
    );
    // What was replaced is a version now.
    let replaced = admin.get(&at("", latest)).await;
    assert_eq!(replaced.status, 200, "{replaced:?}");
    assert!(replaced.text.contains("what replaced it"));
    let refused = admin.post(&at("/restore", "unknown"), &[]).await;
    assert_eq!(refused.status, 404, "{refused:?}");
}
