//! A failing operation answers with the cause that the check finds in the same world.

mod as_in_checks;
mod custom_endpoints;
mod readers;

use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::aws::stub::denied;
use crate::it::support::aws::wire::Reply;
use crate::it::support::scene::Report;
use reqwest::Method;
use serde_json::{Value, json};

/// A storage, and whoever uses it.
struct Used<'a> {
    app: &'a TestApp,
    workspace: &'a TestWorkspace,
    storage: String,
}

impl Used<'_> {
    fn path(&self, below: &str) -> String {
        format!("/v1/storages/{}{below}", self.storage)
    }

    async fn send(&self, method: Method, below: &str, body: &Value) -> Answer {
        let (path, admin) = (self.path(below), &self.workspace.admin);
        self.app.send(method, &path, admin, body).await
    }

    async fn get(&self, below: &str) -> Answer {
        self.app.get(&self.path(below), &self.workspace.admin).await
    }

    async fn put(&self) -> Answer {
        let path = self.path("/files/content?key=/new.txt");
        let request = self.app.request(Method::PUT, &path, &self.workspace.admin);
        Answer::of(request.body("hello")).await
    }

    async fn check(&self) -> Report {
        Report::of(&self.send(Method::POST, "/check", &json!({})).await)
    }

    async fn begin(&self) -> Answer {
        let body = json!({"key": "/large.bin", "size": 20_000_000});
        self.send(Method::POST, "/files/multipart", &body).await
    }

    /// The operation that makes this call of S3.
    async fn by_call(&self, call: &str) -> Answer {
        match call {
            "ListObjectsV2" => self.get("/files").await,
            "HeadObject" => self.get("/files/metadata?key=/a.txt").await,
            "GetObject" => self.get("/files/content?key=/a.txt").await,
            "PutObject" => self.put().await,
            "DeleteObject" => {
                self.send(Method::DELETE, "/files?key=/a.txt", &json!({}))
                    .await
            }
            other => panic!("{other}"),
        }
    }

    /// Every operation, by name. The upload was begun before.
    async fn everything(&self, upload: &str) -> Vec<(&'static str, Answer)> {
        let none = json!({});
        let copy = json!({"from": "/a.txt", "to": "/b.txt"});
        let sign = |method: &str| json!({"key": "/a.txt", "method": method});
        let parts = json!({"upload_id": upload, "part_numbers": [1]});
        let complete = json!({
            "upload_id": upload, "parts": [{"part_number": 1, "etag": "\"part\""}],
        });
        let abort = json!({"upload_id": upload});
        let files =
            json!({"name": "P", "storage_id": self.storage, "files": [{"file_key": "/a.txt"}]});
        let folder = json!({"name": "P", "storage_id": self.storage, "folder": "/"});
        let admin = &self.workspace.admin;
        vec![
            ("list", self.get("/files").await),
            ("metadata", self.get("/files/metadata?key=/a.txt").await),
            ("content", self.get("/files/content?key=/a.txt").await),
            ("versions", self.get("/files/versions?key=/a.txt").await),
            ("acl", self.get("/files/acl?key=/a.txt").await),
            ("location", self.get("/location").await),
            ("put", self.put().await),
            ("copy", self.send(Method::POST, "/files/copy", &copy).await),
            ("move", self.send(Method::POST, "/files/move", &copy).await),
            (
                "delete",
                self.send(Method::DELETE, "/files?key=/a.txt", &none).await,
            ),
            ("multipart", self.begin().await),
            (
                "parts",
                self.send(Method::POST, "/files/multipart/parts", &parts)
                    .await,
            ),
            (
                "complete",
                self.send(Method::POST, "/files/multipart/complete", &complete)
                    .await,
            ),
            (
                "abort",
                self.send(Method::POST, "/files/multipart/abort", &abort)
                    .await,
            ),
            (
                "sign GET",
                self.send(Method::POST, "/files/sign", &sign("GET")).await,
            ),
            (
                "sign PUT",
                self.send(Method::POST, "/files/sign", &sign("PUT")).await,
            ),
            (
                "project of keys",
                self.app.post("/v1/projects", admin, &files).await,
            ),
            (
                "project of a folder",
                self.app.post("/v1/projects", admin, &folder).await,
            ),
        ]
    }
}

/// What a problem says is what the report says of that step.
#[track_caller]
fn same(problem: &Value, report: &Report, step: &str) {
    let found = &report.step(step)["problem"];
    assert_eq!(problem["cause"], found["code"], "{problem:#} {found:#}");
    for member in ["side", "certainty", "causes", "learn_more"] {
        assert_eq!(problem[member], found[member], "{member}: {problem:#}");
    }
    // One change of a check may be for several calls that failed.
    let (change, whole) = (&problem["patch"], &found["patch"]);
    for member in ["target", "operation", "console"] {
        assert_eq!(change[member], whole[member], "{member}: {problem:#}");
    }
    let actions = |patch: &Value| patch["document"]["Action"].as_array().cloned();
    let all = actions(whole).unwrap_or_default();
    let own = actions(change).unwrap_or_default();
    for action in &own {
        assert!(all.contains(action), "{action}: {found:#}");
    }
    // Its words name every action then.
    if all.len() > own.len() {
        return;
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (detail, remedy) = (text(&problem["detail"]), text(&problem["remedy"]));
    assert!(detail.contains(&text(&found["title"])), "{detail}");
    // A check also says what became of its own file.
    let explanation = text(&found["explanation"]);
    let explanation = explanation.split(" The probe file").next().unwrap();
    assert!(detail.contains(explanation), "{detail}");
    assert!(remedy.contains(&text(&found["remedy"])), "{remedy}");
}

fn not_allowed(action: &str, resource: &str, why: &str) -> Reply {
    denied(&format!(
        "User: arn:aws:sts::222222222222:assumed-role/stub/x is not authorized to perform: {action} on resource: \"{resource}\" {why}"
    ))
}
