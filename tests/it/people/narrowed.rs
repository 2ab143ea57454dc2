//! Tokens that are narrowed to storages and folders, and tokens for browsers.

use crate::it::people::routes::operations;
use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, TestWorkspace};
use crate::it::support::pages::Visitor;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const FILES: &str = "/v1/storages/built-in/files";

/// A request of an operation on a file.
struct Asked {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Asked {
    fn bare(method: Method, path: String) -> Self {
        let body = None;
        Self { method, path, body }
    }

    fn with(method: Method, path: &str, body: Value) -> Self {
        Self {
            method,
            path: format!("{FILES}{path}"),
            body: Some(body),
        }
    }

    async fn send(&self, app: &TestApp, token: &str) -> Answer {
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
fn requests(operation: &str, key: &str, inside: &str, upload: &str) -> Vec<Asked> {
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

async fn begin(app: &TestApp, token: &str, key: &str) -> String {
    let path = format!("{FILES}/multipart");
    let begun = app
        .post(&path, token, &json!({"key": key}))
        .await
        .expect(200);
    begun["upload_id"].as_str().unwrap().to_owned()
}

/// Makes a narrowed token.
async fn token(app: &TestApp, workspace: &TestWorkspace, body: Value) -> String {
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let made = app.post(&path, OPERATOR, &body).await.expect(201);
    made["token"].as_str().unwrap().to_owned()
}

async fn with_files() -> (TestApp, TestWorkspace) {
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

/// Makes a token for a browser.
async fn browser(app: &TestApp, maker: &str, body: Value) -> Answer {
    let mut whole = json!({"storage_id": "built-in", "origin": ORIGIN});
    whole
        .as_object_mut()
        .unwrap()
        .extend(body.as_object().unwrap().clone());
    app.post("/v1/browser-tokens", maker, &whole).await
}

fn secret(answer: &Answer) -> String {
    answer.expect(201)["token"].as_str().unwrap().to_owned()
}

async fn from_page(app: &TestApp, path: &str, token: &str, origin: Option<&str>) -> Answer {
    let request = app.request(Method::GET, path, token);
    Answer::of(match origin {
        Some(origin) => request.header("origin", origin),
        None => request,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_does_what_it_was_made_for() {
    let (app, workspace) = with_files().await;
    let made = browser(&app, &workspace.admin, json!({"folder": "/in/"})).await;
    let reads = secret(&made);
    assert!(reads.starts_with("sb_"));
    let inside = format!("{FILES}/content?key=/in/a.txt");
    let page = async |path: &str| from_page(&app, path, &reads, Some(ORIGIN)).await;
    assert_eq!(page(&inside).await.status, 200);
    page(&format!("{FILES}?folder=/in/")).await.expect(200);
    // From another page, or from none.
    for origin in [Some("https://evil.example"), Some("null"), None] {
        from_page(&app, &inside, &reads, origin)
            .await
            .problem(403, "origin_mismatch");
    }
    for outside in [
        format!("{FILES}?folder=/"),
        format!("{FILES}/content?key=/elsewhere/a.txt"),
        format!("{FILES}/content?key=/in-other/a.txt"),
        format!("{FILES}/content?key=/elsewhere/absent"),
    ] {
        let refused = page(&outside).await;
        let problem = refused.problem(403, "outside_of_token");
        // Whoever browses learns where to begin.
        let listed = match outside.contains("?folder=") {
            true => json!(["/in/"]),
            false => Value::Null,
        };
        assert_eq!(problem["folders"], listed, "{outside}");
    }
    // Routes that are for no page, further tokens among them.
    for operation in operations() {
        if !operation.gate.takes_browser_tokens {
            let refused = operation.send(&app, &reads, &[("origin", ORIGIN)]).await;
            assert_eq!(refused.status, 403, "{}: {refused:?}", operation.id);
        }
    }
    // It reads, and does not write.
    let key = "/in/out/a.txt";
    let upload = begin(&app, &workspace.admin, key).await;
    for operation in [
        "upload_file",
        "begin_upload",
        "sign_upload_parts",
        "complete_upload",
        "abort_upload",
    ] {
        for asked in requests(operation, key, key, &upload) {
            let refused = asked.send(&app, &reads).await;
            refused.problem(403, "outside_of_token");
        }
    }
    let asked = json!({"operations": ["write"], "folder": "/in/"});
    let writes = secret(&browser(&app, &workspace.admin, asked).await);
    let sign = async |method: &str| {
        let body = json!({"key": key, "method": method});
        Asked::with(Method::POST, "/sign", body)
            .send(&app, &writes)
            .await
    };
    sign("PUT").await.expect(200);
    for method in ["GET", "DELETE"] {
        sign(method).await.problem(403, "outside_of_token");
    }
    let listed = format!("{FILES}?folder=/in/");
    from_page(&app, &listed, &writes, Some(ORIGIN))
        .await
        .problem(403, "outside_of_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_never_does_more_than_its_maker() {
    let (app, workspace) = with_files().await;
    let write = json!({"operations": ["write"], "folder": "/in/"});
    browser(&app, &workspace.member, write)
        .await
        .problem(403, "admin_required");
    let body = json!({"name": "x", "role": "admin", "folders": ["/in/"]});
    let narrowed = token(&app, &workspace, body).await;
    browser(&app, &narrowed, json!({"folder": "/elsewhere/"}))
        .await
        .problem(403, "outside_of_token");
    let whole = secret(&browser(&app, &narrowed, json!({})).await);
    let read = async |key: &str| {
        let path = format!("{FILES}/content?key={key}");
        from_page(&app, &path, &whole, Some(ORIGIN)).await
    };
    assert_eq!(read("/in/a.txt").await.status, 200);
    read("/elsewhere/a.txt")
        .await
        .problem(403, "outside_of_token");
    browser(&app, &workspace.admin, json!({"expires_in": 3601}))
        .await
        .refused_field("expires_in");
    browser(&app, &workspace.admin, json!({"origin": "app.example.com"}))
        .await
        .refused_field("origin");
    browser(&app, &workspace.admin, json!({"operations": []}))
        .await
        .refused_field("operations");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_is_for_pages_that_may_call_the_api() {
    const OWN: &str = "https://tools.example.org";
    let (app, workspace) = with_files().await;
    let asked = json!({"origin": OWN});
    let refused = browser(&app, &workspace.admin, asked.clone()).await;
    let problem = refused.problem(422, "origin_not_allowed");
    assert_eq!(problem["errors"][0]["field"], "origin");
    let remedy = problem["remedy"].as_str().unwrap();
    assert!(remedy.contains("PUT /v1/workspace/origins"), "{remedy}");
    // The origins of one workspace are nothing to another.
    let other = app.workspace().await;
    let origins = json!({"origins": [OWN]});
    app.put("/v1/workspace/origins", &other.admin, &origins)
        .await
        .expect(200);
    browser(&app, &workspace.admin, asked.clone())
        .await
        .problem(422, "origin_not_allowed");
    app.put("/v1/workspace/origins", &workspace.admin, &origins)
        .await
        .expect(200);
    browser(&app, &workspace.member, asked).await.expect(201);
    // The service's own pages need no entry. Without `SALLYPORT_PUBLIC_URL` they are where the tests listen.
    let own = json!({"origin": "http://127.0.0.1:0"});
    browser(&app, &workspace.member, own).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_that_reads_shows_a_file_s_metadata() {
    let (app, workspace) = with_files().await;
    let asked = |operations: Value| json!({"folder": "/in/", "operations": operations});
    let reads = secret(&browser(&app, &workspace.member, asked(json!(["read"]))).await);
    let page = async |token: &str, key: &str| {
        let path = format!("{FILES}/metadata?key={key}");
        from_page(&app, &path, token, Some(ORIGIN)).await
    };
    assert_eq!(page(&reads, "/in/a.txt").await.expect(200)["size"], 1);
    page(&reads, "/elsewhere/a.txt")
        .await
        .problem(403, "outside_of_token");
    let lists = secret(&browser(&app, &workspace.member, asked(json!(["list"]))).await);
    page(&lists, "/in/a.txt")
        .await
        .problem(403, "outside_of_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_token_ends_with_its_time_and_with_its_maker() {
    let (app, workspace) = with_files().await;
    let inside = format!("{FILES}/content?key=/in/a.txt");
    let page = async |token: &str| from_page(&app, &inside, token, Some(ORIGIN)).await;
    let short = secret(&browser(&app, &workspace.admin, json!({"expires_in": 1})).await);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    page(&short).await.problem(401, "unauthenticated");

    let body = json!({"name": "x", "role": "member"});
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let maker = app.post(&path, OPERATOR, &body).await.expect(201);
    let made = secret(&browser(&app, maker["token"].as_str().unwrap(), json!({})).await);
    assert_eq!(page(&made).await.status, 200);
    let path = format!("{path}/{}", maker["id"].as_str().unwrap());
    app.delete(&path, OPERATOR).await.expect(204);
    page(&made).await.problem(401, "unauthenticated");

    // By a key of the product's, for one of its people.
    let body = json!({"name": "web tier", "scopes": ["files:read"]});
    let key = app.post("/v1/keys", OPERATOR, &body).await.expect(201);
    let asked = json!({"storage_id": "built-in", "origin": ORIGIN});
    let request = app
        .request(
            Method::POST,
            "/v1/browser-tokens",
            key["key"].as_str().unwrap(),
        )
        .header("Sallyport-Workspace", &workspace.id)
        .header("Sallyport-Actor", "user-1")
        .header("content-type", "application/json")
        .body(asked.to_string());
    let made = secret(&Answer::of(request).await);
    assert_eq!(page(&made).await.status, 200);
    let path = format!("{FILES}/content?key=/elsewhere/absent");
    let refused = from_page(&app, &path, &made, Some("https://evil.example")).await;
    refused.problem(403, "origin_mismatch");
    let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    app.delete(&path, OPERATOR).await.expect(204);
    page(&made).await.problem(401, "unauthenticated");
    for changed in [
        format!("{made}x"),
        made[..made.len() - 4].to_owned(),
        "sb_x".to_owned(),
    ] {
        page(&changed).await.problem(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_makes_tokens_for_browsers_from_the_service_s_own_pages() {
    let (app, workspace) = with_files().await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let own = app.url("");
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let body = json!({"storage_id": "built-in", "origin": ORIGIN, "folder": "/in/"});
        let mut request = visitor
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    };
    let path = "/v1/browser-tokens";
    let made = ask(path, &[("origin", own.as_str())]).await;
    let token = made.expect(201)["token"].as_str().unwrap().to_owned();
    let inside = format!("{FILES}/content?key=/in/a.txt");
    let read = from_page(&app, &inside, &token, Some(ORIGIN)).await;
    assert_eq!(read.status, 200);
    // Another site's page sends the cookie along, and nothing else of the API takes it.
    for headers in [&[("origin", "https://evil.example")][..], &[]] {
        ask(path, headers).await.problem(403, "cross_site");
    }
    let actor = [("origin", own.as_str()), ("Sallyport-Actor", "somebody")];
    ask(path, &actor).await.problem(403, "actor_not_allowed");
    let elsewhere = ask("/v1/projects", &[("origin", own.as_str())]).await;
    elsewhere.problem(401, "unauthenticated");
    // The session ends, and the token with it.
    assert_eq!(visitor.post("/sign-out", &[]).await.status, 303);
    from_page(&app, &inside, &token, Some(ORIGIN))
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_for_browsers_are_limited_for_each_workspace() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.browser_tokens_per_minute = Some("2".into());
    })
    .await;
    let (noisy, quiet) = (app.workspace().await, app.workspace().await);
    for _ in 0..2 {
        browser(&app, &noisy.member, json!({})).await.expect(201);
    }
    let refused = browser(&app, &noisy.member, json!({})).await;
    refused.problem(429, "too_many_browser_tokens");
    assert!(refused.header("retry-after").is_some());
    browser(&app, &quiet.member, json!({})).await.expect(201);
}
