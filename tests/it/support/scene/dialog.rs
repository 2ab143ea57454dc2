//! An open setup, driven through the API: the part of a scene that is not finished.

use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::scene::report::Report;
use serde_json::{Value, json};

/// An open setup.
pub struct Dialog<'a> {
    pub app: &'a TestApp,
    pub workspace: TestWorkspace,
    pub id: String,
    pub external_id: String,
}

impl<'a> Dialog<'a> {
    /// Opens a setup in a workspace of its own.
    pub async fn open(app: &'a TestApp, settings: Value) -> Self {
        let workspace = app.workspace().await;
        Self::open_in(app, workspace, settings).await
    }

    pub async fn open_in(app: &'a TestApp, workspace: TestWorkspace, settings: Value) -> Self {
        let made = app
            .post("/v1/storage-setups", &workspace.admin, &settings)
            .await
            .expect(201);
        Self {
            app,
            workspace,
            id: made["id"].as_str().unwrap().to_owned(),
            external_id: made["external_id"].as_str().unwrap().to_owned(),
        }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/v1/storage-setups/{}{rest}", self.id)
    }

    pub async fn get(&self) -> Value {
        let answer = self.app.get(&self.path(""), &self.workspace.admin).await;
        answer.expect(200)
    }

    pub async fn patch(&self, settings: Value) -> Answer {
        let (path, token) = (self.path(""), &self.workspace.admin);
        self.app.patch(&path, token, &settings).await
    }

    pub async fn documents(&self) -> Value {
        let path = self.path("/documents");
        self.app.get(&path, &self.workspace.admin).await.expect(200)
    }

    /// Checks, and asserts what every report has.
    pub async fn check(&self) -> Report {
        let (path, token) = (self.path("/check"), &self.workspace.admin);
        Report::of(&self.app.post(&path, token, &json!({})).await)
    }

    pub async fn complete(&self) -> Answer {
        let (path, token) = (self.path("/complete"), &self.workspace.admin);
        self.app.post(&path, token, &json!({})).await
    }

    /// Checks, completes, and gives the storage.
    pub async fn finish(&self) -> Value {
        self.check().await.works();
        self.complete().await.expect(201)
    }

    /// Nothing came of it: the check is required, and there is no storage.
    pub async fn refused(&self) {
        self.complete().await.problem(409, "check_required");
        let storages = self.app.get("/v1/storages", &self.workspace.admin).await;
        assert_eq!(storages.expect(200)["storages"], json!([]));
    }
}
