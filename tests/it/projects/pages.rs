//! The pages of projects, as a browser without JavaScript uses them.

use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, hidden, redirect, with_query};
use crate::it::support::scene::{ConnectedStorage, Scene};

async fn two_files(storage: &ConnectedStorage) {
    storage.put("/a b.txt", "one").await;
    storage
        .put("/in/cat.png", vec![0x89, b'P', b'N', b'G'])
        .await;
}

#[tokio::test]
async fn from_ticked_files_to_a_project_and_its_end() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    two_files(&storage).await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let empty = member.get("/projects").await;
    assert!(empty.text.contains("No projects yet"));

    let chosen = [
        ("storage_id", storage.id.as_str()),
        ("key", "/a b.txt"),
        ("key", "/in/cat.png"),
    ];
    let form = member.post("/projects/new", &chosen).await;
    assert_eq!(form.status, 200);
    assert!(form.text.contains("/a b.txt\n/in/cat.png\n</textarea>"));
    let selected = format!("value=\"{}\" selected", storage.id);
    assert!(form.text.contains(&selected), "{}", form.text);
    let token = hidden(&form.text, "token");
    let fields = [
        ("storage_id", storage.id.as_str()),
        ("name", "Cats <b>"),
        ("from", "keys"),
        ("keys", "/a b.txt\r\n/in/cat.png\r\n"),
        ("token", token.as_str()),
    ];
    let made = member.post("/projects", &fields).await;
    let path = redirect(&made).split('?').next().unwrap().to_owned();
    let again = member.post("/projects", &fields).await;
    assert_eq!(redirect(&again), redirect(&made), "one form, one project");

    let page = member.get(redirect(&made)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("The project was created.") && page.text.contains("Ready"));
    assert!(page.text.contains(">a b.txt<") && !page.text.contains("Cats <b>"));
    assert!(!page.text.contains("/delete\""), "members delete nothing");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("img-src 'self' http"), "{policy}");
    let list = member.get("/projects").await;
    assert_eq!(list.text.matches(&format!("href=\"{path}\"")).count(), 1);

    let download = with_query(&format!("{path}/download"), &[("key", "/a b.txt")]);
    let answer = member.get(&download).await;
    let content = reqwest::get(redirect(&answer)).await.unwrap();
    assert_eq!(content.text().await.unwrap(), "one");
    let picture = with_query(&format!("{path}/picture"), &[("key", "/in/cat.png")]);
    let answer = member.get(&picture).await;
    let content = reqwest::get(redirect(&answer)).await.unwrap();
    assert_eq!(content.headers()["content-type"], "image/png");
    let other = with_query(&format!("{path}/download"), &[("key", "/other")]);
    assert_eq!(member.get(&other).await.status, 422);
    let link = with_query(&format!("{path}/link"), &[("key", "/a b.txt")]);
    assert!(member.post(&link, &[]).await.text.contains("id=\"link\""));

    let delete = format!("{path}/delete");
    assert_eq!(member.get(&delete).await.status, 403);
    assert_eq!(member.post(&delete, &[]).await.status, 403);
    let stranger = app.workspace().await;
    let stranger = Visitor::sign_in(&app, &stranger.admin, "admin").await;
    for path in [&path, &delete, &download, &format!("{path}/progress")] {
        assert_eq!(stranger.get(path).await.status, 404, "{path}");
    }
    assert_eq!(stranger.post(&delete, &[]).await.status, 404);
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    assert_eq!(admin.post_bare(&delete, &[]).await.status, 403, "CSRF");
    assert!(
        admin
            .get(&delete)
            .await
            .text
            .contains("stay in the storage")
    );
    let gone = admin.post(&delete, &[]).await;
    assert_eq!(redirect(&gone), "/projects?done=project_deleted");
    assert_eq!(admin.get(&path).await.status, 404);
}

#[tokio::test]
async fn missing_keys_are_listed_and_can_be_left_out() {
    let scene = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = scene.parts();
    two_files(&storage).await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let form = member.get("/projects/new").await;
    assert!(form.text.contains("(default)") && form.text.contains("Built-in storage"));
    let token = hidden(&form.text, "token");
    let keys = "file_key,name\r\n/a b.txt,One\r\n/<gone>.txt,\r\n";
    let mut fields = vec![
        ("storage_id", storage.id.as_str()),
        ("name", "Cats"),
        ("from", "keys"),
        ("keys", keys),
        ("token", token.as_str()),
    ];
    let refused = member.post("/projects", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("1 file is not in the storage"));
    assert!(refused.text.contains("/&#60;gone&#62;.txt") && !refused.text.contains("<gone>"));
    assert!(refused.text.contains("/a b.txt,One") && refused.text.contains("value=\"Cats\""));
    assert!(
        member
            .get("/projects")
            .await
            .text
            .contains("No projects yet")
    );
    fields.push(("on_missing", "skip"));
    let made = member.post("/projects", &fields).await;
    let page = member.get(redirect(&made)).await;
    assert!(page.text.contains("1 file was left out") && page.text.contains(">One<"));
}

#[tokio::test]
async fn bad_input_stays_and_is_told_beside_its_field() {
    let scene = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = scene.parts();
    two_files(&storage).await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let send = |from: &'static str, more: &[(&'static str, &'static str)]| {
        let base = [
            ("storage_id", storage.id.as_str()),
            ("from", from),
            ("token", "t"),
        ];
        let fields: Vec<_> = base.into_iter().chain(more.iter().copied()).collect();
        let member = &member;
        async move { member.post("/projects", &fields).await }
    };
    let answer = send("keys", &[("keys", "/ok\n/x/../y")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("id=\"name-error\"") && answer.text.contains("Line 2:"));
    assert!(answer.text.contains("/ok\n/x/../y"));
    let answer = send("keys", &[("name", "N"), ("keys", "/a b.txt\n/a b.txt")]).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .text
            .contains("Line 2: This file key is there already: Line 1."),
        "{}",
        answer.text
    );
    let answer = send("folder", &[("name", "N"), ("folder", "/none/")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("There are no files for this project."));
    let answer = send(
        "folder",
        &[("name", "N"), ("folder", "/"), ("include", "[")],
    )
    .await;
    assert!(answer.text.contains("id=\"include-error\""));
    let answer = send("manifest", &[("name", "N"), ("manifest", "/gone.csv")]).await;
    assert!(
        answer.text.contains("id=\"manifest-error\""),
        "{}",
        answer.text
    );
    let answer = send(
        "folder",
        &[("name", "N"), ("folder", "/"), ("include", "**/*.png\r\n")],
    )
    .await;
    let page = member.get(redirect(&answer)).await;
    assert!(page.text.contains(">cat.png<") && !page.text.contains(">a b.txt<"));
}

#[tokio::test]
async fn a_file_that_was_deleted_since_is_told() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    two_files(&storage).await;
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let form = admin.get("/projects/new").await;
    let token = hidden(&form.text, "token");
    let fields = [
        ("storage_id", storage.id.as_str()),
        ("name", "Cats"),
        ("from", "keys"),
        ("keys", "/a b.txt\n/in/cat.png"),
        ("on_archived", "skip"),
        ("token", token.as_str()),
    ];
    let made = admin.post("/projects", &fields).await;
    let path = redirect(&made).split('?').next().unwrap().to_owned();
    let whole = admin.get(&path).await;
    assert!(!whole.text.contains("any more"), "{}", whole.text);

    let delete = format!("/storages/{}/files/delete", storage.id);
    let deleted = admin.post(&delete, &[("key", "/a b.txt")]).await;
    assert_eq!(deleted.status, 303);
    let page = admin.get(&path).await;
    assert!(
        page.text.contains("1 file is not in the storage any more"),
        "{}",
        page.text
    );
    assert_eq!(page.text.matches("Not there").count(), 1);
    assert_eq!(page.text.matches("/download?key=").count(), 1);
}
