//! Projects: named sets of files, by file key.

mod adding;
pub mod api;
mod bad_requests;
mod content;
pub mod fake;
mod import_pages;
mod imports;
mod large;
mod lookup;
mod manifests;
mod odd_stores;
mod only_reads;
mod pages;
mod signed_pages;
mod working_folders;

use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{ConnectedStorage, Scene};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

/// The service, a workspace, and a storage of it with some files.
struct Setting {
    app: TestApp,
    workspace: TestWorkspace,
    storage: ConnectedStorage,
}

const FILES: &[(&str, &str)] = &[
    ("/cats/1.png", "one"),
    ("/cats/2.png", "twoo"),
    ("/cats/notes.txt", "note"),
    ("/cats/small/3.png", "three"),
    ("/cats/small/x y+%20é.png", "odd"),
    ("/dogs/1.png", "dog"),
    ("/top.json", "[]"),
];

impl Setting {
    async fn new() -> Self {
        let scene = Scene::on(Emulator).prefix("team").connect().await;
        let (app, workspace, storage) = scene.parts();
        join_all(FILES.iter().map(|(key, body)| storage.put(key, *body))).await;
        let (s3, bucket) = (storage.customer.s3(), storage.bucket.as_str());
        for key in ["team-b/cats/9.png", "cats/8.png"] {
            s3.put_object()
                .bucket(bucket)
                .key(key)
                .send()
                .await
                .unwrap();
        }
        Self {
            app,
            workspace,
            storage,
        }
    }

    /// A request of the member's for a project in the storage.
    async fn create(&self, body: Value) -> Answer {
        let mut whole = json!({"name": "Cats", "storage_id": self.storage.id});
        for (field, value) in body.as_object().unwrap() {
            whole[field] = value.clone();
        }
        self.post("/v1/projects", &whole).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.app.post(path, &self.workspace.member, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(path, &self.workspace.member).await
    }

    async fn keys(&self, project: &Value) -> Vec<String> {
        let files = self
            .get(&format!("{}/files?page_size=1000", path(project)))
            .await;
        let files = files.expect(200);
        strings(&files["files"], "file_key")
    }

    /// The project, once its import has ended.
    async fn ended(&self, project: &Value) -> Value {
        for _ in 0..600 {
            let now = self.get(&path(project)).await.expect(200);
            if now["status"] != "importing" {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the import does not end");
    }

    async fn project_count(&self) -> usize {
        let listed = self.get("/v1/projects").await.expect(200);
        listed["projects"].as_array().unwrap().len()
    }
}

fn path(project: &Value) -> String {
    format!("/v1/projects/{}", project["id"].as_str().unwrap())
}

fn strings(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

fn wanted(keys: &[&str]) -> Value {
    let files: Vec<Value> = keys.iter().map(|key| json!({"file_key": key})).collect();
    json!({"files": files})
}
