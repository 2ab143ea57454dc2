//! Time to the first byte of each page, in an almost empty database and in one with 1,000,000 storages,
//! 10,000 of them in the visitor's workspace. It must not depend on either.
//!
//! Prints a table in Markdown. `cargo bench --bench pages`

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use sallyport::settings::{Options, Settings};
use sallyport::startup;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::path::Path;
use std::time::{Duration, Instant};

type Failed = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failed>;

const OPERATOR: &str = "operator-token-of-the-benchmark-0123456789";
/// Storages in the visitor's workspace, and in the database.
const OWN: u32 = 10_000;
const ALL: u32 = 1_000_000;
/// The others' are spread over this many workspaces.
const OTHERS: u32 = 1000;
const WARM_UP: usize = 20;
const ROUNDS: usize = 200;

fn main() -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let address = start(folder.path()).await?;
    let visitor = Visitor::new(&format!("http://{address}")).await?;
    let database = folder.path().join("sallyport.db");
    fill(&database, &visitor.workspace, 0, 1).await?;
    let project = add_project(&database, &visitor.workspace).await?;
    let setup = visitor.open_setup().await?;
    let storage = storage_id(0);
    let pages = [
        ("Start, signed out", "/signed-out".to_owned()),
        ("External object storage", "/settings/storages".into()),
        ("A storage", format!("/settings/storages/{storage}")),
        ("A setup", format!("/settings/setups/{setup}")),
        ("Projects", "/projects".into()),
        ("A new project", "/projects/new".into()),
        ("A project of 1,000 files", format!("/projects/{project}")),
    ];
    let almost_empty = visitor.measure(&pages).await?;
    let began = Instant::now();
    fill(&database, &visitor.workspace, 1, ALL).await?;
    eprintln!("{ALL} storages after {:.0?}", began.elapsed());
    let full = visitor.measure(&pages).await?;

    println!("| Page | 1 storage, median | p99 | {OWN} of {ALL} storages, median | p99 | ratio |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (((name, _), before), after) in pages.iter().zip(almost_empty).zip(full) {
        let ratio = after.median.as_secs_f64() / before.median.as_secs_f64();
        println!(
            "| {name} | {} | {} | {} | {} | {ratio:.2} |",
            milliseconds(before.median),
            milliseconds(before.slow),
            milliseconds(after.median),
            milliseconds(after.slow)
        );
    }
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// Starts the service on SQLite. Of these pages only the project's would call AWS, which refuses at once.
async fn start(folder: &Path) -> Result<std::net::SocketAddr> {
    let settings = Settings::parse(Options {
        listen: Some("127.0.0.1:0".into()),
        data_dir: folder.to_str().map(str::to_owned),
        operator_token: Some(OPERATOR.into()),
        service_principal: Some("arn:aws:iam::111111111111:root".into()),
        ..Options::default()
    })
    .map_err(|error| error.to_string())?;
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "benchmark");
    let aws = SdkConfig::builder()
        .retry_config(RetryConfig::disabled())
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let application = startup::build_with(settings, &aws).await?;
    let address = application.address();
    tokio::spawn(application.run());
    Ok(address)
}

/// Somebody signed in, by the session's cookie.
struct Visitor {
    client: Client,
    origin: String,
    workspace: String,
    cookie: String,
    token: String,
}

struct Times {
    median: Duration,
    /// The 99th percentile.
    slow: Duration,
}

impl Visitor {
    async fn new(origin: &str) -> Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()?;
        let post = async |path: &str, body: Value| -> Result<Value> {
            call(
                &client,
                Method::POST,
                &format!("{origin}{path}"),
                OPERATOR,
                &body,
            )
            .await
        };
        let made = post("/v1/workspaces", json!({"name": "Acme"})).await?;
        let workspace = text(&made, "id")?;
        let path = format!("/v1/workspaces/{workspace}");
        let admin = json!({"name": "benchmark", "role": "admin"});
        let token = post(&format!("{path}/tokens"), admin).await?;
        let token = text(&token, "token")?;
        let settings = json!({"role": "admin", "purpose": "settings"});
        let link = post(&format!("{path}/sign-in-links"), settings).await?;
        let link = url::Url::parse(&text(&link, "url")?)?;
        let answer = client
            .get(format!("{origin}{}", link.path()))
            .send()
            .await?;
        let cookie = answer
            .headers()
            .get("set-cookie")
            .ok_or("no session")?
            .to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self {
            client,
            origin: origin.to_owned(),
            workspace,
            cookie,
            token,
        })
    }

    async fn open_setup(&self) -> Result<String> {
        let url = format!("{}/v1/storage-setups", self.origin);
        let typed = json!({"display_name": "Archive", "bucket": "acme-archive"});
        let made = call(&self.client, Method::POST, &url, &self.token, &typed).await?;
        text(&made, "id")
    }

    /// Asks for the pages in turn, so that what else the machine does falls on all of them.
    async fn measure(&self, pages: &[(&str, String)]) -> Result<Vec<Times>> {
        let mut times = vec![Vec::with_capacity(ROUNDS); pages.len()];
        for round in 0..WARM_UP + ROUNDS {
            for ((_, path), times) in pages.iter().zip(&mut times) {
                let request = self
                    .client
                    .get(format!("{}{path}", self.origin))
                    .header(COOKIE, &self.cookie);
                let began = Instant::now();
                let response = request.send().await?;
                let took = began.elapsed();
                if !response.status().is_success() {
                    return Err(format!("{path}: {}", response.status()).into());
                }
                response.bytes().await?;
                if round >= WARM_UP {
                    times.push(took);
                }
            }
        }
        let of = |mut times: Vec<Duration>| {
            times.sort();
            Times {
                median: times[times.len() / 2],
                slow: times[times.len() * 99 / 100],
            }
        };
        Ok(times.into_iter().map(of).collect())
    }
}

async fn call(
    client: &Client,
    method: Method,
    url: &str,
    token: &str,
    body: &Value,
) -> Result<Value> {
    let answer = client
        .request(method, url)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string())
        .send()
        .await?;
    Ok(serde_json::from_str(
        &answer.error_for_status()?.text().await?,
    )?)
}

fn text(answer: &Value, name: &str) -> Result<String> {
    let text = answer[name].as_str();
    Ok(text
        .ok_or_else(|| format!("no {name} in {answer}"))?
        .to_owned())
}

fn storage_id(number: u32) -> String {
    format!("sto_{number:032x}")
}

/// Writes the storages with these numbers, from `first` to before `end`, as the service would have.
async fn fill(database: &Path, workspace: &str, first: u32, end: u32) -> Result<()> {
    let mut raw = SqliteConnectOptions::new()
        .filename(database)
        .connect()
        .await?;
    let now = "CAST(unixepoch() AS INTEGER) * 1000000";
    let last = end - 1;
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    );
    // Of the canonical form of UUID version 4.
    let external_id = "printf('00000000-0000-4000-8000-%012x', i)";
    let owner = format!(
        "CASE WHEN i < {OWN} THEN '{workspace}' ELSE printf('wrk_%032x', i % {OTHERS}) END"
    );
    for statement in [
        "BEGIN".to_owned(),
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {OTHERS} - 1)
             INSERT OR IGNORE INTO workspaces SELECT printf('wrk_%032x', i), 'Another', {now} FROM n"
        ),
        format!("{numbers} INSERT INTO external_ids SELECT {external_id}, {now} FROM n"),
        format!(
            "{numbers} INSERT INTO setups (id, workspace_id, status, external_id, display_name,
                 bucket, prefix, access, auth, role_arn, region, revision, created_at, expires_at)
             SELECT printf('set_%032x', i), {owner}, 'completed', {external_id}, 'Storage ' || i,
                 'bucket-' || i, 'team/', 'read_write', 'role',
                 'arn:aws:iam::222222222222:role/sallyport', 'us-east-1', 1, {now}, {now} FROM n"
        ),
        // The next check is far away: only the pages are measured.
        format!(
            "{numbers} INSERT INTO storages (id, workspace_id, setup_id, display_name, bucket, prefix,
                 access, region, auth, role_arn, external_id, revision, verified_revision, health,
                 health_since, next_check_at, created_at)
             SELECT printf('sto_%032x', i), {owner}, printf('set_%032x', i), 'Storage ' || i,
                 'bucket-' || i, 'team/', 'read_write', 'us-east-1', 'role',
                 'arn:aws:iam::222222222222:role/sallyport', {external_id}, 1, 1, 'healthy', {now},
                 9000000000000000, {now} FROM n"
        ),
        "COMMIT".to_owned(),
    ] {
        raw.execute(AssertSqlSafe(statement)).await?;
    }
    Ok(())
}

/// A project with 1,000 files in the first storage. Gives its ID.
async fn add_project(database: &Path, workspace: &str) -> Result<String> {
    let mut raw = SqliteConnectOptions::new()
        .filename(database)
        .connect()
        .await?;
    let (id, storage) = (format!("prj_{:032x}", 1), storage_id(0));
    let project = format!(
        "INSERT INTO projects (id, workspace_id, name, storage_id, status, progress_done,
             progress_total, file_count, total_size, skipped_count, created_at)
         VALUES ('{id}', '{workspace}', 'Texts', '{storage}', 'ready', 1000, 1000, 1000, 1000000, 0,
             CAST(unixepoch() AS INTEGER) * 1000000)"
    );
    let files = format!(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
         INSERT INTO project_files (project_id, position, path, name, size)
         SELECT '{id}', i, printf('texts/%04d.txt', i), printf('%04d.txt', i), 1000 FROM n"
    );
    let count = format!("UPDATE storages SET project_count = 1 WHERE id = '{storage}'");
    for statement in [project, files, count] {
        raw.execute(AssertSqlSafe(statement)).await?;
    }
    Ok(id)
}
