//! The running service, as the tests of the API see it.

use crate::application::codes;
use crate::it::support::database::ready_sqlite;
use crate::it::support::emulator::Emulator;
use crate::logging::{LogFormat, LogSettings};
use crate::settings::{Options, Settings};
use crate::startup::Application;
use crate::startup::reload::Reload;
use crate::{logging, startup};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::MakeWriter;

pub const OPERATOR: &str = "operator-token-of-the-tests-0123456789";

/// The product's origin, which the tests' buckets let in by their CORS rules.
pub const ORIGIN: &str = "https://app.example.com";

/// The service on a free port, with a database of its own.
pub struct TestApp {
    pub address: SocketAddr,
    /// Where readiness and metrics are, when they have a listener of their own.
    pub management: Option<SocketAddr>,
    pub client: reqwest::Client,
    pub folder: TempDir,
    pub shutdown: CancellationToken,
    pub served: JoinHandle<Result<(), startup::StartError>>,
    reload: Arc<Reload>,
    options: Options,
}

/// An AWS that cannot be reached: nothing listens on the discard port.
pub fn no_aws() -> SdkConfig {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// A workspace and tokens of it.
#[derive(Clone)]
pub struct TestWorkspace {
    pub id: String,
    pub admin: String,
    pub member: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl TestApp {
    pub async fn spawn() -> Self {
        Self::spawn_with(|_| {}).await
    }

    /// Starts the service with settings that differ from the tests' own, and no AWS.
    pub async fn spawn_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::spawn_on(&no_aws(), change).await
    }

    /// Starts the service on the emulator, as the vendor's user, with the vendor's bucket for the
    /// built-in storage.
    pub async fn spawn_on_emulator() -> Self {
        Self::spawn_on_emulator_with(|_| {}).await
    }

    pub async fn spawn_on_emulator_with(change: impl FnOnce(&mut Options)) -> Self {
        let vendor = Emulator::vendor().await;
        Self::spawn_on(&vendor.sdk_config, |options| {
            options.allowed_origins = Some(ORIGIN.into());
            options.built_in_bucket = Some(vendor.bucket.clone());
            change(options);
        })
        .await
    }

    /// Starts the service on this AWS.
    pub async fn spawn_on(aws: &SdkConfig, change: impl FnOnce(&mut Options)) -> Self {
        capture_logs();
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options {
            listen: Some("127.0.0.1:0".into()),
            data_dir: folder.path().to_str().map(str::to_owned),
            operator_token: Some(OPERATOR.into()),
            drain: Some("0s".into()),
            ..Options::default()
        };
        change(&mut options);
        // A database that exists is as good as one that is made, which has tests of its own, and takes less time.
        let data_dir = options.data_dir.as_deref().map(Path::new);
        if options.database_url.is_none()
            && options.database_url_file.is_none()
            && options.migrate.is_none()
            && data_dir == Some(folder.path())
        {
            ready_sqlite(&folder.path().join("sallyport.db")).await;
        }
        let settings = Settings::parse(options.clone()).unwrap();
        let application = startup::build_with(settings, aws).await.unwrap();
        Self::run(application, folder, options)
    }

    /// Runs what was built from these settings.
    pub fn run(application: Application, folder: TempDir, options: Options) -> Self {
        Self {
            address: application.address(),
            management: application.management_address(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            folder,
            shutdown: application.shutdown(),
            reload: application.reload(),
            options,
            served: tokio::spawn(application.run()),
        }
    }

    /// What SIGHUP does.
    pub async fn hang_up(&self) {
        self.reload.run(self.options.clone()).await;
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: Method, path: &str, token: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, self.url(path));
        if token.is_empty() {
            request
        } else {
            request.header(AUTHORIZATION, format!("Bearer {token}"))
        }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(Method::GET, path, token)).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path, token)).await
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, token, body).await
    }

    pub async fn patch(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, token, body).await
    }

    pub async fn put(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, token, body).await
    }

    pub async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        self.send_text(method, path, token, body.to_string()).await
    }

    /// Sends a body as it is, as JSON.
    pub async fn send_text(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self
            .request(method, path, token)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        Answer::of(request).await
    }

    /// Makes a workspace with an admin's and a member's token.
    pub async fn workspace(&self) -> TestWorkspace {
        let made = self
            .post("/v1/workspaces", OPERATOR, &json!({"name": "Acme"}))
            .await
            .expect(201);
        let id = made["id"].as_str().unwrap().to_owned();
        TestWorkspace {
            admin: self.token(&id, "admin").await,
            member: self.token(&id, "member").await,
            id,
        }
    }

    /// Makes a token of a workspace.
    pub async fn token(&self, workspace: &str, role: &str) -> String {
        let path = format!("/v1/workspaces/{workspace}/tokens");
        let body = json!({"name": "test", "role": role});
        let made = self.post(&path, OPERATOR, &body).await.expect(201);
        made["token"].as_str().unwrap().to_owned()
    }

    /// Stops the service and waits for its end.
    pub async fn stop(mut self) -> Result<(), startup::StartError> {
        self.shutdown.cancel();
        (&mut self.served).await.unwrap()
    }
}

/// The service on this AWS, with the origin that the tests' buckets let in.
pub async fn app_on(aws: &aws_config::SdkConfig) -> TestApp {
    TestApp::spawn_on(aws, |options| {
        options.allowed_origins = Some(ORIGIN.into());
    })
    .await
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Answer {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// A problem with this status and code; checks what every problem has.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let body = self.json();
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["type"], "about:blank");
        assert!(!body["title"].as_str().unwrap().is_empty());
        assert!(!body["detail"].as_str().unwrap().is_empty());
        assert!(codes::PROBLEMS.contains(&code), "{code} is not listed");
        for error in body["errors"].as_array().into_iter().flatten() {
            let code = error["code"].as_str().unwrap();
            assert!(codes::FIELDS.contains(&code), "{code} is not listed");
        }
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"));
        assert!(body["request_id"].is_string());
        body
    }

    /// A refusal that names exactly this field.
    #[track_caller]
    pub fn refused_field(&self, field: &str) -> Value {
        assert_eq!(self.status, 422, "{self:?}");
        let body = self.json();
        let fields: Vec<_> = body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| {
                let code = e["code"].as_str().unwrap();
                assert!(codes::FIELDS.contains(&code), "{code} is not listed");
                e["field"].as_str().unwrap()
            })
            .collect();
        assert_eq!(fields, [field], "{body}");
        body
    }
}

/// The log of all tests of this process. It grows to a gigabyte: what looks for the lines of one request must not read
/// all others, for the time of which nobody could write.
struct Logs {
    text: Vec<u8>,
    /// Where the lines of a request are in `text`.
    of_requests: BTreeMap<String, Vec<Range<usize>>>,
}

static LOGS: Mutex<Logs> = Mutex::new(Logs {
    text: Vec::new(),
    of_requests: BTreeMap::new(),
});

impl Logs {
    /// Takes whole lines.
    fn add(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let start = self.text.len();
            self.text.extend_from_slice(line);
            let id = std::str::from_utf8(line)
                .ok()
                .and_then(|line| line.split_once("\"request_id\":\""))
                .and_then(|(_, rest)| rest.split_once('"'));
            if let Some((id, _)) = id {
                let lines = self.of_requests.entry(id.to_owned()).or_default();
                lines.push(start..self.text.len());
            }
        }
    }
}

/// What every service of this process has logged so far, at `debug`.
pub fn logs() -> String {
    let logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&logs.text).into_owned()
}

/// The log's lines about one request, as JSON.
pub fn logs_of(request_id: &str) -> Vec<Value> {
    let logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = logs.of_requests.get(request_id).into_iter().flatten();
    lines
        .filter_map(|line| serde_json::from_slice::<Value>(&logs.text[line.clone()]).ok())
        .filter(|line| line["span"]["request_id"] == request_id)
        .collect()
}

fn capture_logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let settings = LogSettings {
            filter: "debug".into(),
            format: LogFormat::Json,
        };
        tracing::subscriber::set_global_default(logging::subscriber(&settings, LogWriter)).unwrap();
    });
}

#[derive(Clone, Copy)]
struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGS.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}
