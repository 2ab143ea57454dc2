//! Projects over the API.

use crate::it::projects::{Setting, path, strings, wanted};
use crate::it::support::app::Answer;
use crate::it::support::emulator::{Emulator, s3_client};
use aws_sdk_s3::primitives::ByteStream;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_project_of_file_keys() {
    let setting = Setting::new().await;
    let body = json!({"files": [
        {"file_key": "/dogs/1.png", "name": "Rex"}, {"file_key": "cats/small/x y+%20é.png"},
        {"file_key": "/cats/1.png"},
    ]});
    let made = setting.create(body).await;
    let project = made.expect(201);
    assert_eq!(made.header("location"), Some(path(&project).as_str()));
    assert!(project["id"].as_str().unwrap().starts_with("prj_"));
    for (field, value) in [
        ("name", json!("Cats")),
        ("storage_id", json!(setting.storage.id)),
        ("status", json!("ready")),
        ("progress", json!({"done": 3, "total": 3})),
        ("file_count", json!(3)),
        ("total_size", json!(9)),
        ("skipped_count", json!(0)),
        ("skipped", json!([])),
    ] {
        assert_eq!(project[field], value, "{field}");
    }
    assert_eq!(setting.get(&path(&project)).await.expect(200), project);

    // In the order of the request, page by page.
    let files = format!("{}/files", path(&project));
    let first = setting.get(&format!("{files}?page_size=2")).await;
    let first = first.expect(200);
    let token = first["next_page_token"].as_str().unwrap();
    let second = format!("{files}?page_size=2&page_token={token}");
    let second = setting.get(&second).await.expect(200);
    assert!(second.get("next_page_token").is_none());
    let mut listed = first["files"].as_array().unwrap().clone();
    listed.extend(second["files"].as_array().unwrap().clone());
    let sizes: Vec<_> = listed.iter().map(|f| f["size"].clone()).collect();
    assert_eq!(sizes, [3, 3, 3]);
    let listed = Value::Array(listed);
    assert_eq!(
        strings(&listed, "file_key"),
        ["/dogs/1.png", "/cats/small/x y+%20é.png", "/cats/1.png"]
    );
    assert_eq!(strings(&listed, "name"), ["Rex", "x y+%20é.png", "1.png"]);
    for (key, etag) in strings(&listed, "file_key")
        .iter()
        .zip(strings(&listed, "etag"))
    {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("key", key)
            .finish();
        let metadata = setting.storage.path(&format!("/files/metadata?{query}"));
        assert_eq!(setting.get(&metadata).await.expect(200)["etag"], etag);
    }

    // Renamed, and found by its name and its storage.
    let (app, admin) = (&setting.app, &setting.workspace.admin);
    let name = json!({"name": "Dogs 100%"});
    let member = &setting.workspace.member;
    let refused = app.patch(&path(&project), member, &name).await;
    refused.problem(403, "admin_required");
    let renamed = app.patch(&path(&project), admin, &name).await;
    let project = renamed.expect(200);
    assert_eq!(project["name"], "Dogs 100%");
    assert_eq!(setting.get(&path(&project)).await.expect(200), project);
    for bad in [
        json!({"name": ""}),
        json!({"name": "A", "storage_id": "built-in"}),
    ] {
        let refused = app.patch(&path(&project), admin, &bad).await;
        assert_eq!(refused.status, 422);
    }
    let own = &setting.storage.id;
    for (query, found) in [
        (format!("storage_id={own}"), 1),
        ("storage_id=built-in".to_owned(), 0),
        ("name=dOGS".to_owned(), 1),
        ("name=100%25".to_owned(), 1),
        ("name=_ogs".to_owned(), 0),
        ("name=s%25100".to_owned(), 0),
        ("name=Cats".to_owned(), 0),
        (format!("storage_id={own}&name=dogs"), 1),
    ] {
        let listed = setting
            .get(&format!("/v1/projects?{query}"))
            .await
            .expect(200);
        assert_eq!(
            listed["projects"].as_array().unwrap().len(),
            found,
            "{query}"
        );
    }
    let odd = setting.get("/v1/projects?storage_id=x").await;
    odd.refused_field("storage_id");

    // A page token of another project's files is refused.
    let other = setting.create(wanted(&["/top.json"])).await.expect(201);
    let stolen = format!("{}/files?page_size=2&page_token={token}", path(&other));
    setting.get(&stolen).await.refused_field("page_token");

    // Newest first.
    let listed = setting.get("/v1/projects?page_size=1").await.expect(200);
    assert_eq!(
        strings(&listed["projects"], "id"),
        [other["id"].as_str().unwrap()]
    );
    let token = listed["next_page_token"].as_str().unwrap();
    let next = format!("/v1/projects?page_token={token}");
    let listed = setting.get(&next);
    assert_eq!(listed.await.expect(200)["projects"], json!([project]));
}

#[tokio::test]
async fn missing_files_fail_or_are_left_out() {
    let setting = Setting::new().await;
    // `/cats/9.png` is at `team-b/`, `/cats/8.png` outside of the prefix.
    let mut keys = vec![
        "/cats/9.png",
        "/cats/1.png",
        "/cats/8.png",
        "/none",
        "/cats/1.PNG",
    ];
    let more: Vec<String> = (0..20).map(|n| format!("/cats/absent-{n}.png")).collect();
    keys.extend(more.iter().map(String::as_str));
    let refused = setting
        .create(wanted(&keys))
        .await
        .problem(422, "missing_files");
    let missing: Vec<&str> = keys
        .iter()
        .copied()
        .filter(|k| *k != "/cats/1.png")
        .collect();
    assert_eq!(refused["missing_files"], json!(missing));
    assert_eq!(setting.project_count().await, 0);

    let mut body = wanted(&keys);
    body["on_missing"] = json!("skip");
    let project = setting.create(body).await.expect(201);
    assert_eq!(project["file_count"], 1);
    assert_eq!(project["skipped_count"], 24);
    let reasons = json!([{"reason": "missing", "count": 24}]);
    assert_eq!(project["skipped"], reasons);
    assert_eq!(project["progress"], json!({"done": 25, "total": 25}));
    assert_eq!(setting.keys(&project).await, ["/cats/1.png"]);

    let mut body = wanted(&["/none"]);
    body["on_missing"] = json!("skip");
    let refused = setting.create(body).await.problem(422, "missing_files");
    assert_eq!(refused["missing_files"], json!(["/none"]));
    assert_eq!(setting.project_count().await, 1);
}

#[tokio::test]
async fn a_project_of_a_folder() {
    let setting = Setting::new().await;
    for (body, keys) in [
        (
            json!({"folder": "/cats/"}),
            &[
                "/cats/1.png",
                "/cats/2.png",
                "/cats/notes.txt",
                "/cats/small/3.png",
                "/cats/small/x y+%20é.png",
            ][..],
        ),
        (
            json!({"folder": "cats", "include": ["*.png"]}),
            &["/cats/1.png", "/cats/2.png"],
        ),
        (
            json!({"folder": "/", "include": ["**/*.png"], "exclude": ["cats/[0-9].*", "**/x *"]}),
            &["/cats/small/3.png", "/dogs/1.png"],
        ),
    ] {
        let project = setting.create(body.clone()).await.expect(201);
        assert_eq!(setting.keys(&project).await, keys, "{body}");
        assert_eq!(project["file_count"], keys.len());
    }
    for body in [
        json!({"folder": "/cat"}),
        json!({"folder": "/cats/", "include": ["*.jpg"]}),
    ] {
        setting.create(body).await.problem(422, "no_files");
    }
}

#[tokio::test]
async fn a_project_of_a_manifest() {
    let setting = Setting::new().await;
    let two = ["/cats/1.png", "/dogs/1.png"];
    for (name, text) in [
        ("/lists/a.txt", "# two\n/cats/1.png\r\n\ndogs/1.png\n"),
        (
            "/lists/a.csv",
            "file_key,label\n\"/cats/1.png\",\"a,b\"\n/dogs/1.png,c\n",
        ),
        (
            "/lists/a.json",
            r#"["cats/1.png", {"file_key": "/dogs/1.png", "name": "Rex"}]"#,
        ),
        (
            "/lists/a.jsonl",
            "\"cats/1.png\"\n{\"file_key\": \"/dogs/1.png\"}\n",
        ),
    ] {
        setting.storage.put(name, text).await;
        let project = setting.create(json!({"manifest_file_key": name})).await;
        let project = project.expect(201);
        assert_eq!(setting.keys(&project).await, two, "{name}");
    }
    setting
        .storage
        .put("/lists/bad.txt", "/cats/1.png\n../x\n/cats/1.png\n")
        .await;
    let refused = setting
        .create(json!({"manifest_file_key": "/lists/bad.txt"}))
        .await;
    let refused = refused.problem(422, "invalid_request");
    let details = strings(&refused["errors"], "detail");
    assert!(details[0].starts_with("Line 2: ") && details[1].starts_with("Line 3: "));

    setting
        .storage
        .put("/lists/missing.txt", "/cats/1.png\n/none\n")
        .await;
    let body = json!({"manifest_file_key": "/lists/missing.txt"});
    let refused = setting.create(body).await.problem(422, "missing_files");
    assert_eq!(refused["missing_files"], json!(["/none"]));
    setting.storage.put("/lists/empty.txt", "# nothing\n").await;
    let body = json!({"manifest_file_key": "/lists/empty.txt"});
    setting.create(body).await.problem(422, "no_files");
    let absent = setting.create(json!({"manifest_file_key": "/lists/absent.txt"}));
    absent.await.refused_field("manifest_file_key");
    assert_eq!(setting.project_count().await, 4);
}

#[tokio::test]
async fn signed_urls_of_a_project_s_files() {
    let setting = Setting::new().await;
    let project = setting
        .create(wanted(&["/cats/small/x y+%20é.png", "/cats/1.png"]))
        .await
        .expect(201);
    let sign = format!("{}/files/sign", path(&project));
    let keys = ["/cats/1.png", "/cats/small/x y+%20é.png"];
    let body = json!({"keys": keys, "expires_in": 60, "download_name": "cat.png"});
    let signed = setting.post(&sign, &body).await.expect(200);
    assert_eq!(strings(&signed["urls"], "key"), keys);
    for (url, body) in strings(&signed["urls"], "url").iter().zip(["one", "odd"]) {
        let answer = Answer::of(setting.app.client.get(url)).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, body));
    }
    // A file of the storage that is not the project's.
    let body = json!({"keys": ["/cats/1.png", "/cats/2.png", "/none"]});
    let refused = setting
        .post(&sign, &body)
        .await
        .problem(422, "not_in_project");
    assert_eq!(refused["unknown_files"], json!(["/cats/2.png", "/none"]));
    assert_eq!(strings(&refused["errors"], "field"), ["keys[1]", "keys[2]"]);
    for (field, value) in [
        ("keys", json!([])),
        ("keys", json!("/a")),
        ("keys", json!(null)),
        ("expires_in", json!(0)),
        ("expires_in", json!(-1)),
        ("method", json!("PUT")),
    ] {
        let mut body = json!({"keys": ["/cats/1.png"]});
        body[field] = value;
        setting.post(&sign, &body).await.refused_field(field);
    }
    let body = json!({"keys": ["/cats/1.png", "/../x"]});
    setting.post(&sign, &body).await.refused_field("keys[1]");
}

#[tokio::test]
async fn the_default_storage_and_the_built_in_one() {
    let setting = Setting::new().await;
    let vendor = Emulator::vendor().await;
    s3_client(&vendor.sdk_config)
        .put_object()
        .bucket(&vendor.bucket)
        .key(format!("workspaces/{}/mine.txt", setting.workspace.id))
        .body(ByteStream::from_static(b"built-in"))
        .send()
        .await
        .unwrap();
    let here = json!({"name": "A", "files": [{"file_key": "/mine.txt"}]});
    let named =
        json!({"name": "A", "storage_id": "built-in", "files": [{"file_key": "/mine.txt"}]});
    for body in [&here, &named] {
        let project = setting.post("/v1/projects", body).await.expect(201);
        assert_eq!(project["storage_id"], "built-in");
        let sign = format!("{}/files/sign", path(&project));
        let signed = setting.post(&sign, &json!({"keys": ["/mine.txt"]})).await;
        let url = signed.expect(200)["urls"][0]["url"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            Answer::of(setting.app.client.get(url)).await.text,
            "built-in"
        );
    }
    let default = json!({"storage_id": setting.storage.id});
    setting
        .app
        .put(
            "/v1/workspace/default-storage",
            &setting.workspace.admin,
            &default,
        )
        .await
        .expect(200);
    setting
        .post("/v1/projects", &here)
        .await
        .problem(422, "missing_files");
    let body = json!({"name": "A", "files": [{"file_key": "/top.json"}]});
    let project = setting.post("/v1/projects", &body).await.expect(201);
    assert_eq!(project["storage_id"], setting.storage.id);
}

#[tokio::test]
async fn another_workspace_sees_nothing() {
    let setting = Setting::new().await;
    let project = setting.create(wanted(&["/cats/1.png"])).await.expect(201);
    let other = setting.app.workspace().await;
    let (app, project) = (&setting.app, path(&project));
    for token in [&other.admin, &other.member] {
        app.get(&project, token).await.problem(404, "not_found");
        app.get(&format!("{project}/files"), token)
            .await
            .problem(404, "not_found");
        let keys = json!({"keys": ["/cats/1.png"]});
        let sign = app
            .post(&format!("{project}/files/sign"), token, &keys)
            .await;
        sign.problem(404, "not_found");
        let body = json!({"name": "x", "storage_id": setting.storage.id, "folder": "/"});
        app.post("/v1/projects", token, &body)
            .await
            .problem(404, "not_found");
        let listed = app.get("/v1/projects", token).await.expect(200);
        assert_eq!(listed["projects"], json!([]));
    }
    app.delete(&project, &other.admin)
        .await
        .problem(404, "not_found");
    setting.get(&project).await.expect(200);
    let stolen = app.get("/v1/projects?page_token=x", &other.member).await;
    stolen.refused_field("page_token");
}

#[tokio::test]
async fn a_storage_with_projects_stays() {
    let setting = Setting::new().await;
    let (app, admin) = (&setting.app, &setting.workspace.admin);
    let storage = setting.storage.path("");
    assert_eq!(setting.storage.body["role_arn"], setting.storage.role_arn);
    assert_eq!(setting.storage.body["project_count"], 0);
    let one = setting.create(wanted(&["/cats/1.png"])).await.expect(201);
    let two = setting.create(json!({"folder": "/"})).await.expect(201);
    let refused = app
        .delete(&storage, admin)
        .await
        .problem(409, "storage_in_use");
    assert_eq!(refused["project_count"], 2);
    assert_eq!(
        app.get(&storage, admin).await.expect(200)["project_count"],
        2
    );
    // Members may not delete.
    app.delete(&path(&one), &setting.workspace.member)
        .await
        .problem(403, "admin_required");
    for project in [&one, &two] {
        app.delete(&path(project), admin).await.expect(204);
        app.delete(&path(project), admin)
            .await
            .problem(404, "not_found");
        setting.get(&path(project)).await.problem(404, "not_found");
    }
    app.delete(&storage, admin).await.expect(204);
    setting
        .create(wanted(&["/cats/1.png"]))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn an_idempotent_request_makes_one_project() {
    let setting = Setting::new().await;
    let body = json!({"name": "Once", "storage_id": setting.storage.id, "folder": "/cats/"});
    let create = |key: &'static str, body: Value| {
        let request = setting
            .app
            .request(Method::POST, "/v1/projects", &setting.workspace.member)
            .header("Idempotency-Key", key)
            .json_body(&body);
        Answer::of(request)
    };
    let answers = join_all((0..8).map(|_| create("race", body.clone()))).await;
    let mut ids = Vec::new();
    for answer in &answers {
        match answer.status.as_u16() {
            201 => ids.push(answer.json()["id"].clone()),
            _ => drop(answer.problem(409, "idempotency_key_in_progress")),
        }
    }
    let again = create("race", body.clone()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    ids.push(again.expect(201)["id"].clone());
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(setting.project_count().await, 1);
    let mut other = body.clone();
    other["name"] = json!("Twice");
    create("race", other)
        .await
        .problem(422, "idempotency_key_reused");
    // A refusal gives the key back.
    let mut missing = wanted(&["/none"]);
    missing["name"] = json!("x");
    missing["storage_id"] = json!(setting.storage.id);
    for _ in 0..2 {
        create("later", missing.clone())
            .await
            .problem(422, "missing_files");
    }
    setting.storage.put("/none", "now it is").await;
    create("later", missing).await.expect(201);
}

trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for reqwest::RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.to_string())
    }
}
