//! What the benchmarks share: the service as a process of its own, a storage on the stub, tables.

#![allow(
    dead_code,
    reason = "each benchmark is a program of its own and uses a part of this"
)]
#![allow(unused_macros, unused_imports, reason = "the same")]

pub mod cpu;
pub mod database;
pub mod load;
pub mod proxy;
pub mod report;
pub mod stub;
pub mod ticks;
pub mod transfer;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use stub::{BUCKET, ROLE, Stub};
use tempfile::TempDir;

pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub const OPERATOR: &str = "operator-token-of-the-benchmarks-0123456789";

/// The running service.
pub struct Service {
    pub url: String,
    pub client: reqwest::Client,
    /// From the start of the process to the first answer of `/readyz` that is 200.
    pub ready_after: Duration,
    process: Child,
    /// Its data folder, where it is this service's alone.
    _folder: Option<TempDir>,
}

impl Service {
    /// Starts the service's program on SQLite, with this address for AWS.
    pub async fn start(aws_url: &str) -> Outcome<Self> {
        Self::start_with(aws_url, &[]).await
    }

    /// The same with further settings, each a variable and its value.
    pub async fn start_with(aws_url: &str, settings: &[(&str, &str)]) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let mut service = Self::start_in(folder.path(), aws_url, settings).await?;
        service._folder = Some(folder);
        Ok(service)
    }

    /// The same with a data folder that stays.
    pub async fn start_in(
        folder: &Path,
        aws_url: &str,
        settings: &[(&str, &str)],
    ) -> Outcome<Self> {
        // Free at this moment: the service needs a port that is known before it starts.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let began = Instant::now();
        let process = Command::new(binary())
            .arg("serve")
            .env_clear()
            .env("SALLYPORT_LISTEN", format!("127.0.0.1:{port}"))
            .env("SALLYPORT_DATA_DIR", folder)
            .env("SALLYPORT_OPERATOR_TOKEN", OPERATOR)
            .env("SALLYPORT_CHECKS_PER_MINUTE", "10000")
            .env("SALLYPORT_LOG", "warn")
            .env("SALLYPORT_ALLOWED_ORIGINS", "https://app.example.com")
            .env("AWS_ENDPOINT_URL", aws_url)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .spawn()?;
        // A service that is slow to take a body is measured, not given up.
        let client = reqwest::Client::builder()
            .no_proxy()
            .tcp_user_timeout(None)
            .build()?;
        let mut service = Self {
            url: format!("http://127.0.0.1:{port}"),
            client,
            ready_after: Duration::ZERO,
            process,
            _folder: None,
        };
        let ready = format!("{}/readyz", service.url);
        while began.elapsed() < Duration::from_secs(30) {
            if let Ok(answer) = service.client.get(&ready).send().await
                && answer.status() == 200
            {
                service.ready_after = began.elapsed();
                return Ok(service);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err("the service did not become ready".into())
    }

    pub fn request(&self, method: Method, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .header(AUTHORIZATION, format!("Bearer {token}"))
    }

    /// Sends JSON, and gives the answer, which must be a success.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Outcome<Value> {
        let request = self
            .request(method, path, token)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{path}: {status}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// A figure from the kernel's account of the process, in MiB: `VmRSS` is its memory now, `VmHWM`
    /// the most it ever had.
    pub fn memory(&self, figure: &str) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure));
        let kib = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
        Ok(kib.ok_or("no such figure")?.parse::<f64>()? / 1024.0)
    }

    /// The processor time that the process has used.
    pub fn cpu(&self) -> Outcome<Duration> {
        cpu::of(&format!("/proc/{}/stat", self.process.id()))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The service's program: this build's, or the one that `BENCH_BINARY` names.
pub fn binary() -> PathBuf {
    std::env::var_os("BENCH_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_sallyport").into(), PathBuf::from)
}

/// A workspace with a setup whose role is the stub's.
pub struct Dialog {
    pub admin: String,
    pub setup: String,
}

impl Dialog {
    pub async fn open(service: &Service, stub: &Stub, access: &str) -> Outcome<Self> {
        Self::open_in(service, stub, access, "team").await
    }

    /// The same with another prefix than the stub's usual one.
    pub async fn open_in(
        service: &Service,
        stub: &Stub,
        access: &str,
        prefix: &str,
    ) -> Outcome<Self> {
        let body = json!({"name": "Bench"});
        let made = service
            .send(Method::POST, "/v1/workspaces", OPERATOR, &body)
            .await?;
        let path = format!("/v1/workspaces/{}/tokens", text(&made["id"])?);
        let body = json!({"name": "bench", "role": "admin"});
        let made = service.send(Method::POST, &path, OPERATOR, &body).await?;
        let admin = text(&made["token"])?;
        let body = json!({"bucket": BUCKET, "prefix": prefix, "role_arn": ROLE, "access": access});
        let setup = service
            .send(Method::POST, "/v1/storage-setups", &admin, &body)
            .await?;
        stub.trust(&text(&setup["external_id"])?);
        Ok(Self {
            admin,
            setup: format!("/v1/storage-setups/{}", text(&setup["id"])?),
        })
    }

    /// Checks the connection; fails unless it passes.
    pub async fn check(&self, service: &Service) -> Outcome<()> {
        let path = format!("{}/check", self.setup);
        let report = service
            .send(Method::POST, &path, &self.admin, &json!({}))
            .await?;
        match report["outcome"].as_str() {
            Some("passed") => Ok(()),
            _ => Err(format!("the check did not pass: {report:#}").into()),
        }
    }

    /// Gives the storage's path.
    pub async fn complete(&self, service: &Service) -> Outcome<String> {
        let path = format!("{}/complete", self.setup);
        let storage = service
            .send(Method::POST, &path, &self.admin, &json!({}))
            .await?;
        Ok(format!("/v1/storages/{}", text(&storage["id"])?))
    }
}

/// A storage connected for reading: its path and a token.
pub async fn connect(service: &Service, stub: &Stub) -> Outcome<(String, String)> {
    connect_for(service, stub, "read").await
}

/// A storage connected for this access: its path and an admin's token.
pub async fn connect_for(
    service: &Service,
    stub: &Stub,
    access: &str,
) -> Outcome<(String, String)> {
    let dialog = Dialog::open(service, stub, access).await?;
    dialog.check(service).await?;
    Ok((dialog.complete(service).await?, dialog.admin))
}

pub fn text(value: &Value) -> Outcome<String> {
    Ok(value.as_str().ok_or("not text")?.to_owned())
}

/// The HTTP client that the service has, too.
fn https_client() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https()
}

/// SDK settings for an address, as a plain program would have them.
pub fn sdk_config(url: &str) -> aws_config::SdkConfig {
    let credentials =
        aws_credential_types::Credentials::new("AKIAEXAMPLE", "secret", None, None, "bench");
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url(url)
        .http_client(https_client())
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
        )
        .build()
}

pub fn s3_client(sdk: &aws_config::SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// A number from the environment: how much is measured.
pub fn amount(variable: &str, default: u64) -> Outcome<u64> {
    match std::env::var(variable) {
        Ok(value) => value
            .parse()
            .map_err(|_| format!("{variable}: `{value}` is no number").into()),
        Err(_) => Ok(default),
    }
}

/// The sum of what a metric has, whatever its labels. Zero where it has not counted anything.
pub async fn metric(service: &Service, name: &str) -> Outcome<f64> {
    let answer = service.client.get(format!("{}/metrics", service.url));
    let text = answer.send().await?.text().await?;
    let mut sum = 0.0;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix(name)
            && rest.starts_with(['{', ' '])
            && let Some((_, value)) = rest.rsplit_once(' ')
        {
            sum += value.parse::<f64>()?;
        }
    }
    Ok(sum)
}

/// The middle one.
pub fn median(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Prints a table, and reports it: the first row is its head.
pub fn table(title: &str, rows: &[Vec<String>]) {
    report::table(title, rows);
    println!("\n{title}");
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, width))| match at {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        println!("  {}", cells.join("   ").trim_end());
    }
}

/// One row of a table.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($cell.to_string()),*] };
}
pub(crate) use row;

/// Runs a benchmark on a runtime with two threads.
pub fn run(bench: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    // `cargo bench` and `cargo test --benches` pass flags of the test harness: nothing to measure for
    // the latter.
    if std::env::args().any(|flag| flag == "--test") {
        return Ok(());
    }
    raise_descriptors();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(bench)
}

/// A benchmark is both sides of a thousand connections: the soft limit of descriptors is too low in many places.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where that is refused, a benchmark that needs more fails by itself.
    let _ = setrlimit(Resource::Nofile, wanted);
}
