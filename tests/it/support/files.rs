//! A customer's bucket, connected through the API: what the tests of files start from.

use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::emulator::{Customer, Emulator};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The service, a workspace, and a storage that passed its check.
pub struct Place {
    pub app: TestApp,
    pub workspace: TestWorkspace,
    pub customer: Customer,
    pub bucket: String,
    /// As stored: empty or with a trailing slash.
    pub prefix: String,
    pub storage: String,
}

impl Place {
    /// A fresh bucket, connected with this prefix for reading, on a service of its own.
    pub async fn connect(prefix: &str) -> Self {
        let vendor = Emulator::vendor().await;
        let app = TestApp::spawn_on(&vendor.sdk_config, |options| {
            options.built_in_bucket = Some(vendor.bucket.clone());
        })
        .await;
        let workspace = app.workspace().await;
        let customer = Emulator::customer();
        let bucket = customer.create_bucket().await;
        let storage = connect(&app, &workspace, &customer, &bucket, prefix).await;
        Self {
            app,
            workspace,
            customer,
            bucket,
            prefix: prefix.to_owned(),
            storage,
        }
    }

    /// Puts an object below the prefix, by the customer's own credentials. `path` has no leading slash
    /// but its own.
    pub async fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        let key = format!("{}{path}", self.prefix);
        self.customer.put_object(&self.bucket, &key, body).await;
    }

    pub async fn get(&self, path_and_query: &str) -> Answer {
        self.app.get(path_and_query, &self.workspace.member).await
    }

    /// A page of a folder; `query` begins with `&` or is empty.
    pub async fn list(&self, folder: &str, query: &str) -> Answer {
        self.get(&format!("{}{query}", self.list_path(folder)))
            .await
    }

    pub fn list_path(&self, folder: &str) -> String {
        format!(
            "/v1/storages/{}/files?folder={}",
            self.storage,
            encoded(folder)
        )
    }

    pub fn content_path(&self, key: &str) -> String {
        format!(
            "/v1/storages/{}/files/content?key={}",
            self.storage,
            encoded(key)
        )
    }

    pub async fn metadata(&self, key: &str) -> Answer {
        self.get(&format!(
            "/v1/storages/{}/files/metadata?key={}",
            self.storage,
            encoded(key)
        ))
        .await
    }

    /// The content, with request headers.
    pub async fn content(&self, key: &str, headers: &[(&str, &str)]) -> Content {
        self.read(Method::GET, key, headers).await
    }

    pub async fn read(&self, method: Method, key: &str, headers: &[(&str, &str)]) -> Content {
        let mut request = self
            .app
            .request(method, &self.content_path(key), &self.workspace.member);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Content::of(request).await
    }

    pub async fn sign(&self, body: &Value) -> Answer {
        let path = format!("/v1/storages/{}/files/sign", self.storage);
        self.app.post(&path, &self.workspace.member, body).await
    }

    /// One signed URL.
    pub async fn signed(&self, body: &Value) -> String {
        let answer = self.sign(body).await.expect(200);
        answer["urls"][0]["url"].as_str().unwrap().to_owned()
    }

    /// Every key of a listing, page by page: folders' keys and files' keys.
    pub async fn all(
        &self,
        folder: &str,
        recursive: bool,
        page_size: u32,
    ) -> (Vec<String>, Vec<String>) {
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        let query = format!("&recursive={recursive}&page_size={page_size}");
        let mut token = String::new();
        loop {
            let page = self.list(folder, &format!("{query}{token}")).await;
            let page = page.expect(200);
            let keys = |list: &str| -> Vec<String> {
                let list = page[list].as_array().unwrap();
                assert!(list.len() <= page_size as usize);
                let key = |entry: &Value| entry["key"].as_str().unwrap().to_owned();
                list.iter().map(key).collect()
            };
            folders.extend(keys("folders"));
            files.extend(keys("files"));
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={}", encoded(next)),
                None => return (folders, files),
            }
        }
    }
}

/// Opens a setup, lets the customer apply exactly the rendered documents, checks and completes it. Gives
/// the storage's ID.
pub async fn connect(
    app: &TestApp,
    workspace: &TestWorkspace,
    customer: &Customer,
    bucket: &str,
    prefix: &str,
) -> String {
    let admin = &workspace.admin;
    let body = json!({"bucket": bucket, "prefix": prefix, "access": "read"});
    let setup = app
        .post("/v1/storage-setups", admin, &body)
        .await
        .expect(201);
    let path = format!("/v1/storage-setups/{}", setup["id"].as_str().unwrap());
    let documents = app
        .get(&format!("{path}/documents"), admin)
        .await
        .expect(200);
    let name = crate::it::support::emulator::random_name("role");
    let role_arn = customer
        .put_role(
            &name,
            &documents["trust_policy"],
            &documents["permission_policy"],
        )
        .await;
    let origins = setup["allowed_origins"].as_array().unwrap().iter();
    let origins: Vec<_> = origins.map(|origin| origin.as_str().unwrap()).collect();
    customer
        .put_cors(bucket, &origins, &["GET", "HEAD", "PUT"])
        .await;
    let body = json!({"role_arn": role_arn});
    app.patch(&path, admin, &body).await.expect(200);
    let report = app
        .post(&format!("{path}/check"), admin, &json!({}))
        .await
        .expect(200);
    assert_ne!(report["outcome"], "failed", "{report:#}");
    let storage = app
        .post(&format!("{path}/complete"), admin, &json!({}))
        .await
        .expect(201);
    storage["id"].as_str().unwrap().to_owned()
}

/// Everything but letters and digits, as a query's value.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// An answer with bytes for a body.
#[derive(Debug)]
pub struct Content {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Content {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    #[track_caller]
    pub fn expect(&self, status: u16, bytes: &[u8]) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.bytes == bytes, "other bytes: {self:?}");
    }
}

/// A plain client that knows nothing of the service and its tokens.
pub fn plain_client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// A GET of this URL exactly as it is written, by hand: no URL parser touches it. Gives status and body.
pub async fn raw_get(url: &str) -> (u16, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let at = rest.find('/').unwrap();
    let (host, target) = rest.split_at(at);
    let address: SocketAddr = host.parse().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    assert!(
        !head.to_ascii_lowercase().contains("transfer-encoding"),
        "{head}"
    );
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer[end + 4..].to_vec())
}
