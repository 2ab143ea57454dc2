//! Every operation on files, on every kind of storage.

use crate::it::connections::custom_endpoints::{app_allowing, user_key};
use crate::it::support::app::{Answer, ORIGIN, TestApp, TestWorkspace};
use crate::it::support::client::plain_client;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{Dialog, Scene};
use reqwest::Method;
use serde_json::{Value, json};

struct Kind<'a> {
    app: &'a TestApp,
    workspace: TestWorkspace,
    storage: String,
}

impl Kind<'_> {
    fn path(&self, below: &str) -> String {
        format!("/v1/storages/{}{below}", self.storage)
    }

    async fn get(&self, below: &str) -> Value {
        let path = self.path(below);
        let answer = self.app.get(&path, &self.workspace.member).await;
        answer.expect(200)
    }

    async fn send(&self, method: Method, below: &str, body: &Value) -> Answer {
        let (path, admin) = (self.path(below), &self.workspace.admin);
        self.app.send(method, &path, admin, body).await
    }

    async fn post(&self, below: &str, body: Value) -> Value {
        self.send(Method::POST, below, &body).await.expect(200)
    }

    async fn put(&self, key: &str, body: &'static str) {
        let path = self.path(&format!("/files/content?key={key}"));
        let request = self.app.request(Method::PUT, &path, &self.workspace.admin);
        let request = request.header("content-type", "text/plain").body(body);
        Answer::of(request).await.expect(200);
    }

    async fn keys(&self) -> Vec<String> {
        let listed = self.get("/files?recursive=true").await;
        let files = listed["files"].as_array().unwrap().iter();
        files
            .map(|file| file["key"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn signed(&self, method: &str, key: &str) -> String {
        let body = json!({"key": key, "method": method});
        let signed = self.post("/files/sign", body).await;
        signed["urls"][0]["url"].as_str().unwrap().to_owned()
    }

    async fn does_everything(&self) {
        let client = plain_client();
        self.put("/a.txt", "hello").await;
        let about = self.get("/files/metadata?key=/a.txt").await;
        assert_eq!(
            (&about["size"], &about["content_type"]),
            (&json!(5), &json!("text/plain"))
        );
        let read = self.app.request(
            Method::GET,
            &self.path("/files/content?key=/a.txt"),
            &self.workspace.member,
        );
        let part = read.header("range", "bytes=1-3").send().await.unwrap();
        assert_eq!(
            (part.status().as_u16(), part.text().await.unwrap().as_str()),
            (206, "ell")
        );

        let url = self.signed("GET", "/a.txt").await;
        let linked = client.get(url).send().await.unwrap();
        assert_eq!(linked.text().await.unwrap(), "hello");
        let url = self.signed("PUT", "/signed.txt").await;
        let put = client.put(url).body("signed").send().await.unwrap();
        assert_eq!(put.status(), 200);

        self.post(
            "/files/copy",
            json!({"from": "/a.txt", "to": "/copies/b.txt"}),
        )
        .await;
        self.post(
            "/files/move",
            json!({"from": "/copies/b.txt", "to": "/c.txt"}),
        )
        .await;
        assert_eq!(self.keys().await, ["/a.txt", "/c.txt", "/signed.txt"]);
        let versions = self.get("/files/versions?key=/a.txt").await;
        assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
        self.get("/files/acl?key=/a.txt").await;
        let acl = json!({"acl": "bucket-owner-full-control"});
        let owner_s = self.send(Method::PUT, "/files/acl?key=/a.txt", &acl).await;
        owner_s.expect(204);
        assert_eq!(self.get("/location").await["region"], "us-east-1");

        let begun = self
            .post("/files/multipart", json!({"key": "/parts.bin"}))
            .await;
        let upload = &begun["upload_id"];
        let parts = json!({"upload_id": upload, "part_numbers": [1]});
        let parts = self.post("/files/multipart/parts", parts).await;
        let url = parts["urls"][0]["url"].as_str().unwrap();
        let sent = client.put(url).body("in parts").send().await.unwrap();
        let etag = sent.headers()["etag"].to_str().unwrap().to_owned();
        let parts = json!({"upload_id": upload, "parts": [{"part_number": 1, "etag": etag}]});
        self.post("/files/multipart/complete", parts).await;
        assert_eq!(self.get("/files/metadata?key=/parts.bin").await["size"], 8);

        let path = self.path("/files?key=/a.txt");
        self.app
            .delete(&path, &self.workspace.admin)
            .await
            .expect(204);
        let keys = json!({"keys": ["/c.txt", "/parts.bin", "/signed.txt", "/absent"]});
        let deleted = self.post("/files/delete", keys).await;
        assert_eq!(deleted["errors"], json!([]), "{deleted:#}");
        assert_eq!(self.keys().await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_role() {
    let app = app_allowing("").await;
    let applied = Scene::on(Emulator).prefix("team").apply(&app).await;
    let storage = applied.dialog.finish().await;
    let kind = Kind {
        app: &app,
        workspace: applied.dialog.workspace,
        storage: storage["id"].as_str().unwrap().to_owned(),
    };
    kind.does_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_access_key_at_an_endpoint_of_its_own() {
    let app = app_allowing("127.0.0.0/8").await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    let methods = ["GET", "PUT", "POST", "HEAD", "DELETE"];
    customer.put_cors(&bucket, &[ORIGIN], &methods).await;
    let settings = json!({"bucket": bucket, "prefix": "team", "auth": "access_key"});
    let dialog = Dialog::open(&app, settings).await;
    let documents = dialog.documents().await;
    let (id, secret) = user_key(&customer, &documents["permission_policy"]).await;
    let key =
        json!({"access_key_id": id, "secret_access_key": secret, "endpoint": Emulator::url()});
    dialog.patch(key).await.expect(200);
    let storage = dialog.finish().await;
    let kind = Kind {
        app: &app,
        workspace: dialog.workspace,
        storage: storage["id"].as_str().unwrap().to_owned(),
    };
    kind.does_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_built_in_storage() {
    let app = TestApp::spawn_on_emulator().await;
    let kind = Kind {
        workspace: app.workspace().await,
        app: &app,
        storage: "built-in".into(),
    };
    kind.does_everything().await;
}
