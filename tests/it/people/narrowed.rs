//! Tokens that are narrowed to storages and folders.

use crate::it::people::routes::operations;
use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, TestWorkspace};
use reqwest::Method;
use serde_json::{Value, json};

pub(super) const FILES: &str = "/v1/storages/built-in/files";

/// A request of an operation on a file.
pub(super) struct Asked {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Asked {
    fn bare(method: Method, path: String) -> Self {
        let body = None;
        Self { method, path, body }
    }

    pub(super) fn with(method: Method, path: &str, body: Value) -> Self {
        Self {
            method,
            path: format!("{FILES}{path}"),
            body: Some(body),
        }
    }

    pub(super) async fn send(&self, app: &TestApp, token: &str) -> Answer {
        let request = app.request(self.method.clone(), &self.path, token);
        let request = request.header("origin", ORIGIN);
        Answer::of(match &self.body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => request,
        })
        .await
    }
}

/// What an operation does with a file: all the ways in which a request names it. `upload` is the ID of an upload
/// of the file, `inside` another file that may be written.
pub(super) fn requests(operation: &str, key: &str, inside: &str, upload: &str) -> Vec<Asked> {
    let get = |path: &str| vec![Asked::bare(Method::GET, format!("{FILES}{path}"))];
    let post = |path: &str, body: Value| Asked::with(Method::POST, path, body);
    let folder = key.rsplit_once('/').unwrap().0;
    match operation {
        "list_files" => {
            let mut asked = get(&format!("?folder={folder}/"));
            asked.extend(get(&format!("?folder={folder}/&recursive=true")));
            asked
        }
        "read_file" => get(&format!("/content?key={key}")),
        "read_file_head" => vec![Asked::bare(
            Method::HEAD,
            format!("{FILES}/content?key={key}"),
        )],
        "upload_file" => vec![Asked::bare(
            Method::PUT,
            format!("{FILES}/content?key={key}"),
        )],
        "delete_file" => vec![
            Asked::bare(Method::DELETE, format!("{FILES}?key={key}")),
            Asked::bare(Method::DELETE, format!("{FILES}?key={key}&version_id=v")),
        ],
        "delete_files" => vec![post("/delete", json!({"keys": [inside, key]}))],
        "sign_files" => ["GET", "HEAD", "PUT", "DELETE"]
            .map(|method| post("/sign", json!({"keys": [inside, key], "method": method})))
            .into(),
        "begin_upload" => vec![post("/multipart", json!({"key": key}))],
        "sign_upload_parts" => vec![post(
            "/multipart/parts",
            json!({"upload_id": upload, "part_numbers": [1]}),
        )],
        "complete_upload" => vec![post(
            "/multipart/complete",
            json!({"upload_id": upload, "parts": [{"part_number": 1, "etag": "x"}]}),
        )],
        "abort_upload" => vec![post("/multipart/abort", json!({"upload_id": upload}))],
        "get_file_metadata" => get(&format!("/metadata?key={key}")),
        "list_file_versions" => get(&format!("/versions?key={key}")),
        "get_file_acl" => get(&format!("/acl?key={key}")),
        "copy_file" => vec![
            post("/copy", json!({"from": key, "to": inside})),
            post("/copy", json!({"from": inside, "to": key})),
        ],
        "move_file" => vec![
            post("/move", json!({"from": key, "to": inside})),
            post("/move", json!({"from": inside, "to": key})),
        ],
        "put_file_acl" => vec![Asked::with(
            Method::PUT,
            &format!("/acl?key={key}"),
            json!({"acl": "private"}),
        )],
        other => panic!("say here how `{other}` names a file"),
    }
}

/// The operations on files of a storage.
fn of_files() -> Vec<String> {
    let all = operations().into_iter();
    let of_files = all.filter(|o| o.pattern.starts_with("/v1/storages/{storage_id}/files"));
    let ids: Vec<String> = of_files.map(|operation| operation.id).collect();
    assert!(ids.len() >= 17, "{ids:?}");
    ids
}

async fn put(app: &TestApp, token: &str, key: &str) -> Answer {
    let path = format!("{FILES}/content?key={key}");
    let request = app.request(Method::PUT, &path, token);
    Answer::of(request.header("content-type", "text/plain").body("x")).await
}

pub(super) async fn begin(app: &TestApp, token: &str, key: &str) -> String {
    let path = format!("{FILES}/multipart");
    let begun = app
        .post(&path, token, &json!({"key": key}))
        .await
        .expect(200);
    begun["upload_id"].as_str().unwrap().to_owned()
}

/// Makes a narrowed token.
pub(super) async fn token(app: &TestApp, workspace: &TestWorkspace, body: Value) -> String {
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let made = app.post(&path, OPERATOR, &body).await.expect(201);
    made["token"].as_str().unwrap().to_owned()
}

pub(super) async fn with_files() -> (TestApp, TestWorkspace) {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    for key in [
        "/in/out/a.txt",
        "/in/a.txt",
        "/elsewhere/a.txt",
        "/in-other/a.txt",
    ] {
        put(&app, &workspace.admin, key).await.expect(200);
    }
    (app, workspace)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_of_files_leads_out_of_a_token_s_folders() {
    let (app, workspace) = with_files().await;
    let bounds = json!({"name": "narrow", "role": "admin", "folders": ["/in"], "write_folders": ["/in/out/"]});
    let narrowed = token(&app, &workspace, bounds).await;
    let inside = "/in/out/a.txt";
    for operation in of_files() {
        for key in [
            "/elsewhere/a.txt",
            "/elsewhere/absent.txt",
            "/in-other/a.txt",
        ] {
            let upload = begin(&app, &workspace.admin, key).await;
            for asked in requests(&operation, key, inside, &upload) {
                let refused = asked.send(&app, &narrowed).await;
                assert_eq!(
                    refused.status, 403,
                    "{operation} {}: {refused:?}",
                    asked.path
                );
                if asked.method != Method::HEAD {
                    refused.problem(403, "outside_of_token");
                }
            }
        }
        let upload = begin(&app, &workspace.admin, inside).await;
        for asked in requests(&operation, inside, "/in/out/b.txt", &upload) {
            let allowed = asked.send(&app, &narrowed).await;
            assert_ne!(
                allowed.status, 403,
                "{operation} {}: {allowed:?}",
                asked.path
            );
            put(&app, &workspace.admin, inside).await.expect(200);
        }
    }
    // Read, and not written.
    let read = app
        .get(&format!("{FILES}/content?key=/in/a.txt"), &narrowed)
        .await;
    assert_eq!(read.status, 200);
    put(&app, &narrowed, "/in/a.txt")
        .await
        .problem(403, "outside_of_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_writes_in_its_folders_and_nowhere_else() {
    let (app, workspace) = with_files().await;
    let bounds = json!({"name": "annotators", "role": "member", "write_folders": ["/export/"]});
    let annotator = token(&app, &workspace, bounds).await;
    put(&app, &annotator, "/export/a.json").await.expect(200);
    let read = app
        .get(&format!("{FILES}/content?key=/elsewhere/a.txt"), &annotator)
        .await;
    assert_eq!(read.status, 200);
    for key in ["/a.json", "/exports/a.json", "/export", "/Export/a.json"] {
        put(&app, &annotator, key)
            .await
            .problem(403, "admin_required");
    }
    let path = format!("{FILES}?key=/export/a.json");
    app.delete(&path, &annotator).await.expect(204);
    // A member without folders writes nowhere, as ever.
    put(&app, &workspace.member, "/export/a.json")
        .await
        .problem(403, "admin_required");

    // The token says what it is narrowed to when it is listed.
    let list = app
        .get(&format!("/v1/workspaces/{}/tokens", workspace.id), OPERATOR)
        .await;
    let list = list.expect(200);
    let mut tokens = list["tokens"].as_array().unwrap().iter();
    let listed = tokens.find(|token| token["name"] == "annotators").unwrap();
    assert_eq!(listed["write_folders"], json!(["/export/"]));
    assert!(listed["folders"].is_null() && listed["storage_ids"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrowed_token_reaches_its_storages_and_changes_none() {
    let (app, workspace) = with_files().await;
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    for bad in [
        json!({"name": "x", "role": "admin", "storage_ids": []}),
        json!({"name": "x", "role": "admin", "storage_ids": vec!["built-in"; 101]}),
    ] {
        app.post(&path, OPERATOR, &bad)
            .await
            .refused_field("storage_ids");
    }
    let absent = format!("sto_{}", "0".repeat(32));
    let bad = json!({"name": "x", "role": "admin", "storage_ids": ["built-in", absent]});
    app.post(&path, OPERATOR, &bad)
        .await
        .refused_field("storage_ids[1]");

    let body = json!({"name": "x", "role": "admin", "storage_ids": ["built-in"]});
    let narrowed = token(&app, &workspace, body).await;
    app.get("/v1/storages/built-in", &narrowed)
        .await
        .expect(200);
    put(&app, &narrowed, "/x.txt").await.expect(200);
    for below in ["", "/location", "/files?folder=/"] {
        let other = format!("/v1/storages/{absent}{below}");
        app.get(&other, &narrowed)
            .await
            .problem(403, "outside_of_token");
    }
    // Whoever made or changed a storage, or let somebody in, would reach more.
    for operation in operations() {
        let by_admins = [
            "open_storage_setup",
            "change_storage",
            "delete_storage",
            "set_default_storage",
            "create_sign_in_link",
            "create_administrator_link",
            "list_audit_events",
            "list_sessions",
            "delete_project",
        ];
        if by_admins.contains(&operation.id.as_str()) {
            let refused = operation.send(&app, &narrowed, &[]).await;
            refused.problem(403, "outside_of_token");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_hold_only_files_that_the_token_reads() {
    let (app, workspace) = with_files().await;
    let body = json!({"name": "x", "role": "member", "folders": ["/in/"]});
    let narrowed = token(&app, &workspace, body).await;
    let make = async |token: &str, source: Value| {
        let mut body = json!({"name": "P", "storage_id": "built-in"});
        body.as_object_mut()
            .unwrap()
            .extend(source.as_object().unwrap().clone());
        app.post("/v1/projects", token, &body).await
    };
    for outside in [
        json!({"files": [{"file_key": "/in/a.txt"}, {"file_key": "/elsewhere/a.txt"}]}),
        json!({"files": [{"file_key": "/elsewhere/absent"}]}),
        json!({"folder": "/"}),
        json!({"folder": "/elsewhere/"}),
        json!({"manifest_file_key": "/in/a.txt"}),
    ] {
        make(&narrowed, outside)
            .await
            .problem(403, "outside_of_token");
    }
    make(&narrowed, json!({"folder": "/in/"})).await.expect(201);

    let all = json!({"files": [{"file_key": "/elsewhere/a.txt"}, {"file_key": "/in/a.txt"}]});
    let project = make(&workspace.member, all).await.expect(201);
    let path = format!("/v1/projects/{}/files", project["id"].as_str().unwrap());
    let listed = app.get(&path, &narrowed).await.expect(200);
    let files = listed["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{listed}");
    assert_eq!(files[0]["file_key"], "/in/a.txt");
    let with_urls = format!("{path}?sign=GET");
    let signed = app.get(&with_urls, &narrowed).await.expect(200);
    let files = signed["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{signed}");
    assert!(files[0]["url"].as_str().unwrap().contains("/in/a.txt?"));
    let sign = async |key: &str| {
        let body = json!({"keys": [key]});
        app.post(&format!("{path}/sign"), &narrowed, &body).await
    };
    sign("/in/a.txt").await.expect(200);
    sign("/elsewhere/a.txt")
        .await
        .problem(403, "outside_of_token");
    let more = json!({"files": [{"file_key": "/elsewhere/a.txt"}]});
    app.post(&path, &narrowed, &more)
        .await
        .problem(403, "outside_of_token");
}
