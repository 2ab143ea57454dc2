//! Several files of a folder, downloaded as one archive.

use crate::it::support::app::TestApp;
use crate::it::support::client::Content;
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::Visitor;
use crate::it::support::scene::{ConnectedStorage, Scene};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use std::process::Command;

const MIB: usize = 1 << 20;

/// The form of the folder's page, with these files selected.
async fn form(
    visitor: &Visitor<'_>,
    storage: &ConnectedStorage,
    folder: &str,
    keys: &[&str],
) -> reqwest::RequestBuilder {
    let csrf = visitor.csrf().await;
    let mut fields = url::form_urlencoded::Serializer::new(String::new());
    fields.extend_pairs([("csrf", csrf.as_str()), ("folder", folder)]);
    fields.append_pair("storage_id", &storage.id);
    fields.extend_pairs(keys.iter().map(|key| ("key", *key)));
    visitor
        .request(Method::POST, &path(storage))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        // A browser takes compressed answers, and an archive is none.
        .header("Accept-Encoding", "gzip")
        .body(fields.finish())
}

fn path(storage: &ConnectedStorage) -> String {
    format!("/storages/{}/files/archive", storage.id)
}

/// The files of an archive, as Python's `zipfile` reads them: names and contents.
fn unpacked(archive: &[u8]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, archive).unwrap();
    let script = "import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(json.dumps([[i.filename, z.read(i).decode()] for i in z.infolist()]))";
    let mut python = Command::new("python3");
    let read = python.args(["-c", script]).arg(&path).output().unwrap();
    assert!(read.status.success(), "{read:?}");
    serde_json::from_slice(&read.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn selected_files_come_as_an_archive_with_safe_names() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    let files = [
        ("/in box/..\\..\\evil.txt", ".._.._evil.txt"),
        ("/in box/C:x.txt", "C_x.txt"),
        ("/in box/a:b.txt", "a_b.txt"),
        ("/in box/a_b.txt", "a_b (2).txt"),
        ("/in box/<script>.txt", "<script>.txt"),
        ("/in box/ü…✓ 日本.txt", "ü…✓ 日本.txt"),
        ("/in box/\u{202e}gnp.exe", "_gnp.exe"),
        ("/in box//twice.txt", "twice.txt"),
    ];
    for (key, _) in files {
        storage.put(key, format!("content of {key}")).await;
    }
    storage.put("/in box/empty", "").await;
    // Members may read, so they may do this.
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let mut keys: Vec<&str> = files.iter().map(|(key, _)| *key).collect();
    keys.extend(["/in box/empty", files[0].0]);
    let answer = Content::of(form(&member, &storage, "/in box/", &keys).await).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/zip"));
    let disposition = answer.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; filename=\"in box.zip\""));
    let announced: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!(announced, answer.bytes.len());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox"), "{policy}");

    let mut wanted: Vec<(String, String)> = files
        .iter()
        .map(|(key, name)| ((*name).to_owned(), format!("content of {key}")))
        .collect();
    wanted.push(("empty".to_owned(), String::new()));
    assert_eq!(unpacked(&answer.bytes), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanishes_breaks_the_archive_off() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    // So large that the service cannot have read it before the client has.
    scene.storage.put("/a.bin", vec![7; 48 * MIB]).await;
    scene.storage.put("/b.txt", "b").await;
    let (app, workspace, storage) = scene.parts();
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let request = form(&member, &storage, "/", &["/a.bin", "/b.txt"]).await;
    let mut answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let announced = answer.content_length().unwrap();
    let mut read = answer.chunk().await.unwrap().unwrap().len() as u64;
    let s3 = storage.customer.s3();
    let delete = s3.delete_object().bucket(&storage.bucket);
    delete
        .key(storage.object_key("/b.txt"))
        .send()
        .await
        .unwrap();
    let broke = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => read += chunk.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broke, "it looks whole: {read} of {announced} bytes");
    assert!(read < announced && read >= 48 * MIB as u64, "{read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_packed_is_refused_before_it_begins() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    let other = app.workspace().await;
    storage.put("/a.txt", "a").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let send = async |visitor: &Visitor<'_>, keys: &[&str]| {
        let answer = Content::of(form(visitor, &storage, "/", keys).await).await;
        (
            answer.status.as_u16(),
            String::from_utf8(answer.bytes).unwrap_or_default(),
        )
    };
    let (status, page) = send(&member, &["/a.txt", "/gone <b>.txt"]).await;
    assert_eq!(status, 404, "{page}");
    assert!(page.contains("/gone &#60;b&#62;.txt"), "{page}");
    let refused: [&[&str]; 3] = [&[], &["/a/../b"], &["/a.txt", ""]];
    for keys in refused {
        assert_eq!(send(&member, keys).await.0, 422, "{keys:?}");
    }
    let many: Vec<String> = (0..1_001).map(|at| format!("/{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(send(&member, &many).await.0, 422);
    // Another workspace's file is not there, and without its token no form is taken.
    let stranger = Visitor::sign_in(&app, &other.admin, "admin").await;
    assert_eq!(send(&stranger, &["/a.txt"]).await.0, 404);
    let bare = member
        .post_bare(&path(&storage), &[("key", "/a.txt")])
        .await;
    assert_eq!(bare.status, 403);
    assert_eq!(send(&member, &["/a.txt"]).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_a_read_of_each_of_its_files() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.audit_reads = Some("on".into());
    })
    .await;
    let workspace = app.workspace().await;
    let storage = Scene::on(Emulator).connect_in(&app, &workspace).await;
    storage.put("/a", "a").await;
    storage.put("/b", "b").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let answer = Content::of(form(&member, &storage, "/", &["/a", "/b"]).await).await;
    assert_eq!(answer.status, 200);
    let log = app.get("/v1/audit-events?action=archive_files", &workspace.admin);
    let log: Value = log.await.expect(200);
    let files: Vec<&Value> = log["audit_events"][0]["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["key"])
        .collect();
    assert_eq!(files, [&json!("/a"), &json!("/b")], "{log:#}");
}
