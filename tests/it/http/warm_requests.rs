//! Requests for files ask the database nothing once what they need is known.

use crate::domain::people::scope::Scope;
use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, logs_of};
use crate::it::support::aws::wire::eventually;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene as Place;
use reqwest::Method;
use serde_json::{Value, json};

/// How often the request took a connection to the database.
fn asked(answer: &Answer) -> usize {
    let id = answer.header("x-request-id").unwrap();
    let lines = logs_of(id);
    let taken = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "takes a connection to the database");
    taken.count()
}

struct Request {
    method: Method,
    path: String,
    token: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Request {
    fn new(method: Method, path: String, token: &str) -> Self {
        Self {
            method,
            path,
            token: token.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    async fn send(&self, app: &TestApp) -> Answer {
        let mut request = app.request(self.method.clone(), &self.path, &self.token);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &self.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 200, "{} {answer:?}", self.path);
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_files_asks_the_database_nothing_once_it_is_known() {
    let place = Place::on(Emulator).connect().await;
    place.storage.put("/a.txt", "text").await;
    let (app, workspace) = (&place.app, &place.workspace);
    let own = "https://own.example.com";
    let origins = json!({"origins": [own]});
    app.put("/v1/workspace/origins", &workspace.admin, &origins)
        .await
        .expect(200);
    let named = json!({"external_id": "customer-1"});
    let path = format!("/v1/workspaces/{}", workspace.id);
    app.patch(&path, OPERATOR, &named).await.expect(200);
    let product = json!({"name": "web tier", "scopes": [Scope::FilesRead.as_str()]});
    let product = app.post("/v1/keys", OPERATOR, &product).await.expect(201);
    let product = product["key"].as_str().unwrap();
    let browser = json!({
        "storage_id": place.storage.id,
        "operations": ["list", "read"],
        "origin": ORIGIN,
    });
    let browser = app
        .post("/v1/browser-tokens", &workspace.member, &browser)
        .await
        .expect(201);
    let browser = browser["token"].as_str().unwrap();

    let list = || place.list_path("/");
    let get = |path: String, token: &str| Request::new(Method::GET, path, token);
    let member = workspace.member.as_str();
    let sign = Request {
        body: Some(json!({"key": "/a.txt", "method": "GET"})),
        ..Request::new(Method::POST, place.path("/files/sign"), member)
    };
    let requests = [
        get(place.content_path("/a.txt"), member),
        get(place.path("/files/metadata?key=%2Fa.txt"), member),
        get(list(), member),
        get(list(), member).with("origin", own),
        sign,
        get(list(), product).with("sallyport-workspace", &workspace.id),
        get(list(), product).with("sallyport-workspace", "external:customer-1"),
        get(list(), browser).with("origin", ORIGIN),
    ];
    for request in &requests {
        eventually("it asks nothing", async || {
            asked(&request.send(app).await) == 0
        })
        .await;
    }
    // What is shown is asked for.
    let shown = get("/v1/workspace".to_owned(), member).send(app).await;
    assert!(asked(&shown) > 0);
}
