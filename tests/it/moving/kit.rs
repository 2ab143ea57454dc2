//! A workspace with everything in it, and what is seen of it.

use crate::application::kept::vault::Vault;
use crate::application::moving::file::{Seal, Sealed};
use crate::it::keys::{secret, with};
use crate::it::storages::lost_key::by_key;
use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, TestWorkspace};
use crate::it::support::database::TestDb;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use reqwest::Method;
use serde_json::{Value, json};

/// The service on this database, with the emulator.
pub async fn start(db: &TestDb, key: &str, transfer_key: Option<&str>) -> TestApp {
    let vendor = Emulator::vendor().await;
    TestApp::spawn_on(&vendor.sdk_config, |options| {
        with(db, key, "")(options);
        options.service_principal = None;
        options.allowed_origins = Some(ORIGIN.into());
        options.endpoint_networks = Some("127.0.0.0/8".into());
        options.transfer_key = transfer_key.map(str::to_owned);
    })
    .await
}

/// A workspace with two storages, a setup, a project, a webhook and more.
pub struct Full {
    pub workspace: TestWorkspace,
    /// The paths of the storages, the one by a role first.
    pub storages: [String; 2],
    pub setup: Value,
    pub webhook: String,
    /// What nobody may read in a file.
    pub secrets: Vec<String>,
}

pub async fn full(app: &TestApp) -> Full {
    let workspace = app.workspace().await;
    let of_it = format!("/v1/workspaces/{}", workspace.id);
    let change = json!({
        "external_id": "tenant-4711", "metadata": {"plan": "pro"}, "limits": {"storages": 50},
    });
    app.patch(&of_it, OPERATOR, &change).await.expect(200);
    let admin = &workspace.admin;
    let by_role = Scene::on(Emulator).connect_in(app, &workspace).await;
    by_role.put("/images/a.txt", "text").await;
    by_role.put("/images/b.txt", "more").await;
    let role_path = by_role.path("");
    let id = role_path.rsplit('/').next().unwrap().to_owned();
    let default = json!({"storage_id": id});
    let path = "/v1/workspace/default-storage";
    app.put(path, admin, &default).await.expect(200);
    let (key_path, (_, secret_key)) = by_key(app, &workspace).await;
    let setup = app.post("/v1/storage-setups", admin, &secret()).await;
    let setup = setup.expect(201);
    let project = json!({"name": "Cats", "storage_id": id, "folder": "/images/"});
    app.post("/v1/projects", admin, &project).await.expect(201);
    let origins = json!({"origins": [ORIGIN]});
    app.put("/v1/workspace/origins", admin, &origins)
        .await
        .expect(200);
    let hook = json!({"url": "https://127.0.0.1:9/hooks", "types": ["project.failed"]});
    let hook = app.post("/v1/webhooks", admin, &hook).await.expect(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secrets = vec![
        secret_key,
        text(&secret()["secret_access_key"]),
        text(&hook["secret"]),
        workspace.admin.clone(),
        workspace.member.clone(),
        text(&setup["external_id"]),
        "tenant-4711".to_owned(),
        "images/a.txt".to_owned(),
    ];
    Full {
        storages: [role_path, key_path],
        setup,
        webhook: format!("/v1/webhooks/{}", text(&hook["id"])),
        secrets,
        workspace,
    }
}

pub async fn export(app: &TestApp, workspace: &str, more: &str) -> Answer {
    let path = format!("/v1/export?workspace_id={workspace}{more}");
    app.get(&path, OPERATOR).await
}

/// The file of an export.
pub async fn exported(app: &TestApp, workspace: &str, more: &str) -> String {
    let answer = export(app, workspace, more).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

pub async fn import(app: &TestApp, file: impl Into<reqwest::Body>, query: &str) -> Answer {
    let path = format!("/v1/import{query}");
    let request = app.request(Method::POST, &path, OPERATOR).body(file);
    Answer::of(request).await
}

pub async fn delete(app: &TestApp, workspace: &str) {
    let path = format!("/v1/workspaces/{workspace}");
    app.delete(&path, OPERATOR).await.expect(204);
}

/// Whether there is such a workspace.
pub async fn is_there(app: &TestApp, workspace: &str) -> bool {
    let path = format!("/v1/workspaces/{workspace}");
    app.get(&path, OPERATOR).await.status == 200
}

fn items<'a>(list: &'a Value, name: &str) -> Vec<&'a Value> {
    list[name].as_array().unwrap().iter().collect()
}

fn without(value: &Value, members: &[&str]) -> Value {
    let mut value = value.clone();
    for member in members {
        value.as_object_mut().unwrap().remove(*member);
    }
    value
}

/// All that the API says of the workspace, but for what time and checks change by themselves.
pub async fn shown(app: &TestApp, workspace: &TestWorkspace) -> Value {
    let mut all = Vec::new();
    for path in ["", "/tokens"] {
        let path = format!("/v1/workspaces/{}{path}", workspace.id);
        all.push(app.get(&path, OPERATOR).await.expect(200));
    }
    let tokens = all.pop().unwrap();
    let tokens = items(&tokens, "tokens").into_iter();
    all.extend(tokens.map(|token| without(token, &["last_used_at"])));
    let mut paths: Vec<String> = ["workspace", "workspace/origins", "webhooks"]
        .map(|path| format!("/v1/{path}"))
        .into();
    let admin = &workspace.admin;
    let setups = app.get("/v1/storage-setups", admin).await.expect(200);
    for setup in items(&setups, "storage_setups") {
        let id = setup["id"].as_str().unwrap();
        paths.push(format!("/v1/storage-setups/{id}"));
        if setup["status"] == "open" {
            paths.push(format!("/v1/storage-setups/{id}/documents"));
        }
    }
    let projects = app.get("/v1/projects", admin).await.expect(200);
    for project in items(&projects, "projects") {
        let id = project["id"].as_str().unwrap();
        paths.push(format!("/v1/projects/{id}"));
        paths.push(format!("/v1/projects/{id}/files"));
    }
    let storages = app.get("/v1/storages", admin).await.expect(200);
    for storage in items(&storages, "storages") {
        all.push(without(storage, &["health"]));
        let id = storage["id"].as_str().unwrap();
        paths.push(format!("/v1/storages/{id}/documents"));
    }
    for path in paths {
        all.push(app.get(&path, admin).await.expect(200));
    }
    json!(all)
}

/// Everything that a file has inside of its parts, and its end.
pub fn opened(vault: &Vault, file: &str) -> String {
    let mut lines = file.lines();
    let seal = Seal::of(vault, lines.next().unwrap().as_bytes());
    let mut all = String::new();
    for line in lines {
        let plain = match Sealed::read(line.as_bytes()).unwrap() {
            Sealed::Part { number, sealed } => seal.open_part(number, &sealed),
            Sealed::End { parts, sealed } => seal.open_end(parts, &sealed),
        };
        all.push_str(&String::from_utf8(plain.unwrap()).unwrap());
        all.push('\n');
    }
    all
}

/// Whether the database keeps a part of any file.
pub async fn has_parts(db: &TestDb) -> bool {
    let parts = "SELECT import_id FROM moved_parts";
    !db.texts(parts, "import_id").await.is_empty()
}
