//! The audit log names the files: who did what to which.

use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::Visitor;
use crate::it::support::scene::Scene;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::Executor;
use sqlx::sqlite::SqliteConnectOptions;
use std::cell::RefCell;
use std::collections::BTreeSet;

async fn events(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let log = app.get(&format!("/v1/audit-events?{query}"), token).await;
    log.expect(200)["audit_events"].as_array().unwrap().clone()
}

/// The newest entry: its action, its result, and the files with their parts.
async fn newest(place: &Scene) -> (String, String, Vec<(String, String)>) {
    let event = events(&place.app, &place.workspace.admin, "page_size=1")
        .await
        .remove(0);
    assert_eq!(event["target"], place.storage.id, "{event}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let files = event["files"].as_array().into_iter().flatten();
    let files: Vec<_> = files.map(|f| (text(&f["key"]), text(&f["part"]))).collect();
    assert_eq!(event["file_count"], files.len() as u64, "{event}");
    (text(&event["action"]), text(&event["result"]), files)
}

fn file(key: &str) -> Vec<(String, String)> {
    vec![(key.to_owned(), "file".to_owned())]
}

/// Every operation of the API that changes files, or lets somebody else change them, is made here once.
#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_file_names_it() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.allow_aborts().await;
    let seen = RefCell::new(BTreeSet::new());
    let expect = async |action: &str, files: Vec<(String, String)>| {
        let found = newest(&place).await;
        assert_eq!(found, (action.to_owned(), "done".to_owned(), files));
        seen.borrow_mut().insert(action.to_owned());
    };
    place.upload("/a b+%2e", "1").await.expect(200);
    expect("upload_file", file("/a b+%2e")).await;
    let both = json!({"from": "/a b+%2e", "to": "/b"});
    place.post("/files/copy", &both).await.expect(200);
    let from_to = |from: &str, to: &str| {
        vec![
            (from.to_owned(), "from".to_owned()),
            (to.to_owned(), "to".to_owned()),
        ]
    };
    expect("copy_file", from_to("/a b+%2e", "/b")).await;
    let both = json!({"from": "b", "to": "c"});
    place.post("/files/move", &both).await.expect(200);
    expect("move_file", from_to("/b", "/c")).await;
    let acl = place.path("/files/acl?key=/c");
    let body = json!({"acl": "bucket-owner-full-control"});
    let put = place.app.put(&acl, &place.workspace.admin, &body).await;
    let (action, _, files) = newest(&place).await;
    assert_eq!(
        (action.as_str(), files),
        ("put_file_acl", file("/c")),
        "{put:?}"
    );
    seen.borrow_mut().insert(action);
    place.delete("/files?key=/c&version_id=v1").await;
    let event = events(&place.app, &place.workspace.admin, "page_size=1")
        .await
        .remove(0);
    assert_eq!(event["files"][0]["version_id"], "v1", "{event}");
    place.delete("/files?key=/c").await.expect(204);
    expect("delete_file", file("/c")).await;
    let keys = json!({"keys": ["/x", {"key": "/y"}]});
    place.post("/files/delete", &keys).await.expect(200);
    expect("delete_files", [file("/x"), file("/y")].concat()).await;

    let begin = json!({"key": "/video", "size": 10});
    let begun = place.post("/files/multipart", &begin).await.expect(200);
    expect("begin_upload", file("/video")).await;
    let id = begun["upload_id"].as_str().unwrap();
    let parts = json!({"upload_id": id, "part_numbers": [1, 2]});
    place
        .post("/files/multipart/parts", &parts)
        .await
        .expect(200);
    expect("sign_upload_parts", file("/video")).await;
    let complete = json!({"upload_id": id, "parts": [{"part_number": 1, "etag": "\"x\""}]});
    place.post("/files/multipart/complete", &complete).await;
    let (action, _, files) = newest(&place).await;
    assert_eq!(
        (action.as_str(), files),
        ("complete_upload", file("/video"))
    );
    seen.borrow_mut().insert(action);
    place
        .post("/files/multipart/abort", &json!({"upload_id": id}))
        .await;
    let (action, _, files) = newest(&place).await;
    assert_eq!((action.as_str(), files), ("abort_upload", file("/video")));
    seen.borrow_mut().insert(action);

    for method in ["PUT", "DELETE"] {
        let body = json!({"keys": ["/p", "/q"], "method": method, "expires_in": 600});
        let signed = place.post("/files/sign", &body).await.expect(200);
        expect("sign_files", [file("/p"), file("/q")].concat()).await;
        let event = events(&place.app, &place.workspace.admin, "page_size=1")
            .await
            .remove(0);
        assert_eq!(event["signed"]["method"], method);
        assert_eq!(
            event["signed"]["expires_at"],
            signed["urls"][0]["expires_at"]
        );
    }
    // No operation is missing above.
    let document = place.app.get("/openapi.json", "").await.expect(200);
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/storages/{storage_id}/files") {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            if matches!(method.as_str(), "post" | "put" | "patch" | "delete") {
                let id = operation["operationId"].as_str().unwrap();
                assert!(seen.borrow().contains(id), "{id}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_deleted_a_file_is_found_by_its_key() {
    let place = Scene::on(Emulator).connect().await;
    let (app, workspace) = (&place.app, &place.workspace);
    let keys: Vec<String> = (0..1_234).map(|at| format!("/many/{at}")).collect();
    let body = json!({"keys": keys});
    let deleted = place.post("/files/delete", &body).await;
    deleted.expect(200);
    place.upload("/many/1200", "again").await.expect(200);
    let found = events(app, &workspace.admin, "key=/many/1200").await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["action"], "upload_file");
    let deletion = &found[1];
    assert_eq!(deletion["action"], "delete_files");
    assert_eq!(
        deletion["request_id"].as_str(),
        deleted.header("x-request-id")
    );
    assert!(deletion["actor"].as_str().unwrap().starts_with("tok_"));
    assert_eq!(deletion["file_count"], 1_234);
    let one = json!([{"key": "/many/1200", "part": "file", "result": "done"}]);
    assert_eq!(deletion["files"], one);
    // In pages, and with a token that belongs to this key only.
    let log = app
        .get(
            "/v1/audit-events?key=many/1200&page_size=1",
            &workspace.admin,
        )
        .await;
    let log = log.expect(200);
    let token = log["next_page_token"].as_str().unwrap();
    let rest = events(
        app,
        &workspace.admin,
        &format!("key=/many/1200&page_token={token}"),
    )
    .await;
    assert_eq!(rest, found[1..]);
    let other = format!("/v1/audit-events?key=/many/1&page_token={token}");
    app.get(&other, &workspace.admin)
        .await
        .refused_field("page_token");
    app.get("/v1/audit-events?key=", &workspace.admin)
        .await
        .refused_field("key");

    // Every file of the entry, in pages.
    let path = format!(
        "/v1/audit-events/{}/files",
        deletion["id"].as_str().unwrap()
    );
    let mut listed = Vec::new();
    let mut query = "?page_size=1000".to_owned();
    loop {
        let page = app
            .get(&format!("{path}{query}"), &workspace.admin)
            .await
            .expect(200);
        let files = page["files"].as_array().unwrap().clone();
        listed.extend(files.iter().map(|f| f["key"].as_str().unwrap().to_owned()));
        let Some(token) = page["next_page_token"].as_str() else {
            break;
        };
        query = format!("?page_size=1000&page_token={token}");
    }
    assert_eq!(listed, keys);
    app.get(&path, OPERATOR).await.expect(200);

    // Neither members nor another workspace's admins see any of it.
    let stranger = app.workspace().await;
    assert_eq!(
        events(app, &stranger.admin, "key=/many/1200").await,
        [] as [Value; 0]
    );
    app.get(&path, &stranger.admin)
        .await
        .problem(404, "not_found");
    app.get(&path, &workspace.member)
        .await
        .problem(403, "admin_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_each_file_is_written() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    // A storage for reading only refuses every one.
    let body = json!({"keys": ["/a", "/b"]});
    place
        .post("/files/delete", &body)
        .await
        .problem(409, "storage_read_only");
    let event = events(&place.app, &place.workspace.admin, "key=/b")
        .await
        .remove(0);
    assert_eq!(event["result"], "refused");
    assert_eq!(event["code"], "storage_read_only");
    assert_eq!(event["files"][0]["result"], "refused");
    assert_eq!(event["files"][0]["code"], "storage_read_only");
    let too_many: Vec<_> = (0..10_001).map(|at| format!("/{at}")).collect();
    let body = json!({"keys": too_many, "method": "DELETE"});
    place.post("/files/sign", &body).await.refused_field("keys");
    let event = events(&place.app, &place.workspace.admin, "page_size=1")
        .await
        .remove(0);
    assert_eq!(
        (&event["action"], &event["file_count"]),
        (&json!("sign_files"), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_written_where_the_operator_wants_them() {
    for reads in ["off", "on"] {
        let app = TestApp::spawn_on_emulator_with(|options| {
            options.audit_reads = Some(reads.into());
        })
        .await;
        let workspace = app.workspace().await;
        let storage = Scene::on(Emulator).connect_in(&app, &workspace).await;
        storage.put("/a.txt", "text").await;
        let place = Scene {
            app,
            workspace,
            storage,
        };
        place.content("/a.txt", &[]).await;
        place.content("/a.txt", &[("Range", "bytes=0-1")]).await;
        place
            .sign(&json!({"key": "/a.txt", "method": "GET"}))
            .await
            .expect(200);
        let visitor = Visitor::sign_in(&place.app, &place.workspace.admin, "member").await;
        let download = format!("/storages/{}/file/download?key=/a.txt", place.storage.id);
        assert_eq!(visitor.get(&download).await.status, 303);
        let shown = format!("/storages/{}/file?key=/a.txt", place.storage.id);
        assert_eq!(visitor.get(&shown).await.status, 200);
        let found = events(&place.app, &place.workspace.admin, "key=/a.txt").await;
        let actions: Vec<_> = found
            .iter()
            .map(|event| {
                (
                    event["action"].as_str().unwrap(),
                    event["signed"]["method"].as_str(),
                )
            })
            .collect();
        let expected: &[_] = match reads {
            "off" => &[],
            _ => &[
                ("file_page", None),
                ("download_file", Some("GET")),
                ("sign_files", Some("GET")),
                ("read_file", None),
                ("read_file", None),
            ],
        };
        assert_eq!(actions, expected, "{reads}");
        for event in &found {
            assert_eq!(event["result"], "done");
            assert_eq!(event["workspace_id"], place.workspace.id);
        }
    }
}

/// What cannot be written down is not done.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_that_the_log_cannot_hold() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().map(str::to_owned);
    let app = TestApp::spawn_on_emulator_with(|options| options.data_dir = folder).await;
    let workspace = app.workspace().await;
    let storage = Scene::on(Emulator).connect_in(&app, &workspace).await;
    let place = Scene {
        app,
        workspace,
        storage,
    };
    place.storage.put("/a.txt", "text").await;
    let file = data.path().join("sallyport.db");
    let mut raw = SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .unwrap();
    raw.execute("ALTER TABLE audit_intents RENAME TO away")
        .await
        .unwrap();
    place
        .delete("/files?key=/a.txt")
        .await
        .problem(500, "internal_error");
    let body = json!({"from": "/a.txt", "to": "/b.txt"});
    place
        .post("/files/move", &body)
        .await
        .problem(500, "internal_error");
    let body = json!({"key": "/a.txt", "method": "DELETE"});
    let signed = place.post("/files/sign", &body).await;
    signed.problem(500, "internal_error");
    let refused = place
        .app
        .post("/v1/storage-setups", &place.workspace.admin, &json!({}))
        .await;
    refused.problem(500, "internal_error");
    assert_eq!(place.bucket().await.0, ["a.txt"]);
    place
        .app
        .request(Method::GET, "/healthz", "")
        .send()
        .await
        .unwrap();
    raw.execute("ALTER TABLE away RENAME TO audit_intents")
        .await
        .unwrap();
    place.delete("/files?key=/a.txt").await.expect(204);
}
