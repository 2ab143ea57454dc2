//! The WebDriver protocol, as far as the tests need it: one `chromedriver` for the test process, and
//! sessions of it, each a Chromium with a profile of its own.

use reqwest::Method;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A refused WebDriver command.
#[derive(Debug, thiserror::Error)]
#[error("{error}: {message}")]
pub struct Refused {
    /// The protocol's word for it, like `stale element reference`.
    pub error: String,
    pub message: String,
}

impl Refused {
    /// Whether the page changed under the command, so it may be tried again.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.error.as_str(),
            "stale element reference" | "element click intercepted" | "element not interactable"
        ) || self.message.contains("Node with given id does not belong")
    }
}

struct Driver {
    url: String,
    profiles: PathBuf,
    /// Closed by the end of the process, which ends the driver and its browsers.
    _alive: ChildStdin,
    /// Ends by itself, when `_alive` does.
    _process: Child,
}

fn driver() -> &'static Driver {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let profiles = tempfile::Builder::new()
            .prefix("sallyport-browser-")
            .tempdir()
            .unwrap()
            .keep();
        let mut child = Command::new("sh")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/it/support/chromedriver.sh"
            ))
            .arg(&profiles)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port: u16 = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                said += &line;
                let port = line.split_once("started successfully on port ")?.1;
                port.trim_end_matches('.').parse().ok()
            })
            .unwrap_or_else(|| {
                panic!("chromedriver did not start: {said}. `tools/install chromium` installs it")
            });
        // The pipe must stay open, or the driver's next line would end it.
        std::thread::spawn(move || lines.for_each(drop));
        Driver {
            url: format!("http://127.0.0.1:{port}"),
            profiles,
            _alive: child.stdin.take().unwrap(),
            _process: child,
        }
    })
}

/// The name by which the driver knows the browser, and where it is. Debian has the same browser without windows as a
/// package of its own: it takes a third of the processor time.
fn browser() -> (&'static str, &'static str) {
    const SHELL: &str = "/usr/lib/chromium/chromium-headless-shell";
    match Path::new(SHELL).exists() {
        true => ("chrome-headless-shell", SHELL),
        false => ("chrome", "/usr/bin/chromium"),
    }
}

/// What a browser is started with.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Whether pages may run scripts.
    pub scripts: bool,
}

/// One browser.
pub struct Session {
    client: reqwest::Client,
    url: String,
}

impl Session {
    pub async fn open(start: Start) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let driver = tokio::task::spawn_blocking(driver).await.unwrap();
        let profile = driver
            .profiles
            .join(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
        let (name, binary) = browser();
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
            "--lang=en-GB",
            "--accept-lang=en-GB",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--window-size=1200,900",
        ];
        if !start.scripts {
            arguments.push("--blink-settings=scriptEnabled=false");
        }
        let profile = format!("--user-data-dir={}", profile.display());
        arguments.push(&profile);
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": name,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": 60_000, "pageLoad": 60_000, "implicit": 0},
            "goog:chromeOptions": {"binary": binary, "args": arguments},
        }}});
        let url = format!("{}/session", driver.url);
        let made = call(&client, Method::POST, &url, Some(&capabilities))
            .await
            .unwrap();
        let id = made["sessionId"].as_str().unwrap();
        Self {
            url: format!("{url}/{id}"),
            client,
        }
    }

    pub async fn get(&self, command: &str) -> Result<Value, Refused> {
        let url = format!("{}/{command}", self.url);
        call(&self.client, Method::GET, &url, None).await
    }

    pub async fn post(&self, command: &str, body: Value) -> Result<Value, Refused> {
        let url = format!("{}/{command}", self.url);
        call(&self.client, Method::POST, &url, Some(&body)).await
    }

    pub async fn delete(&self, command: &str) -> Result<Value, Refused> {
        let url = format!("{}/{command}", self.url);
        call(&self.client, Method::DELETE, &url, None).await
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.post("goog/cdp/execute", body).await.unwrap()
    }

    /// Ends the browser.
    pub async fn close(&self) {
        let _ = call(&self.client, Method::DELETE, &self.url, None).await;
    }
}

async fn call(
    client: &reqwest::Client,
    method: Method,
    url: &str,
    body: Option<&Value>,
) -> Result<Value, Refused> {
    let mut request = client.request(method, url);
    if let Some(body) = body {
        request = request
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let succeeded = response.status().is_success();
    let mut answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let value = answer["value"].take();
    if succeeded {
        return Ok(value);
    }
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Err(Refused {
        error: text("error"),
        message: text("message"),
    })
}
