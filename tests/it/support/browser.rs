//! Chromium for a test: pages that are waited for, and whose console must stay clean.
//!
//! ```ignore
//! browser::run("name", async |browsers| {
//!     let page = browsers.open().await;
//!     page.goto(&url).await;
//! }).await;
//! ```
//!
//! What a failed test's pages looked like is left in `.build/browser-failures/`.

use crate::it::support::webdriver::{Refused, Session, Start};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long anything on a page may take. Generous: the machine may be busy with the other tests.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// How many tests drive browsers at a time.
static TURNS: Semaphore = Semaphore::const_new(2);

/// The browsers of one test.
pub struct Browsers {
    pages: Mutex<Vec<Arc<Page>>>,
}

/// Runs a test that needs browsers, in its turn. Afterwards the browsers are closed, and an unexpected
/// message on a page's console fails the test.
pub async fn run(name: &str, test: impl AsyncFnOnce(&Browsers)) {
    let _turn = TURNS.acquire().await.unwrap();
    let browsers = Browsers {
        pages: Mutex::default(),
    };
    let mut result = AssertUnwindSafe(test(&browsers)).catch_unwind().await;
    let pages = std::mem::take(&mut *browsers.pages.lock().unwrap());
    if result.is_ok() {
        let clean = AssertUnwindSafe(async {
            for page in &pages {
                page.assert_clean_console().await;
            }
        });
        result = clean.catch_unwind().await;
    }
    for (number, page) in pages.iter().enumerate() {
        if result.is_err() {
            let name = format!("{name}-{number}");
            let _ = AssertUnwindSafe(page.keep(&name)).catch_unwind().await;
        }
        page.session.close().await;
    }
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

impl Browsers {
    /// Another browser, without cookies.
    pub async fn open(&self) -> Arc<Page> {
        self.open_with(Start { scripts: true }).await
    }

    /// A browser whose pages run no scripts.
    pub async fn open_without_scripts(&self) -> Arc<Page> {
        self.open_with(Start { scripts: false }).await
    }

    async fn open_with(&self, start: Start) -> Arc<Page> {
        let page = Arc::new(Page {
            session: Session::open(start).await,
            expected: Mutex::default(),
        });
        self.pages.lock().unwrap().push(page.clone());
        page
    }
}

/// A browser, by one of its tabs: by its first one, unless the test opens more.
pub struct Page {
    pub session: Session,
    expected: Mutex<Vec<String>>,
}

/// Something on the page.
#[derive(Debug, Clone)]
pub struct Element(Value);

impl Element {
    fn id(&self) -> &str {
        // The protocol's name for an element's reference (WebDriver, "web element identifier").
        self.0["element-6066-11e4-a52e-4f735466cecf"]
            .as_str()
            .unwrap()
    }
}

/// Finds what a person would: shown, of this kind, and named so.
const NAMED: &str = r"
const [selector, name] = arguments;
const text = (e) => (e.getAttribute('aria-label') || e.innerText || e.value || '').trim().replace(/\s+/g, ' ');
const shown = [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility());
return shown.find((e) => text(e) === name) || shown.find((e) => text(e).startsWith(name)) || null;";

const LABELLED: &str = r"
const [name] = arguments;
const text = (e) => e.innerText.trim().replace(/\s+/g, ' ');
const labels = [...document.querySelectorAll('label')].filter((l) => l.control && l.checkVisibility());
const label = labels.find((l) => text(l) === name) || labels.find((l) => text(l).startsWith(name));
return label ? label.control : null;";

impl Page {
    /// Loads an address.
    pub async fn goto(&self, url: &str) {
        self.session.post("url", json!({"url": url})).await.unwrap();
    }

    pub async fn reload(&self) {
        self.session.post("refresh", json!({})).await.unwrap();
    }

    /// The tab's address.
    pub async fn url(&self) -> String {
        let url = self.session.get("url").await.unwrap();
        url.as_str().unwrap().to_owned()
    }

    /// The path and query of the tab's address.
    pub async fn path(&self) -> String {
        let url = url::Url::parse(&self.url().await).unwrap();
        match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        }
    }

    /// Runs a script in the page. It is not subject to the page's Content-Security-Policy.
    pub async fn script(&self, script: &str, arguments: Value) -> Result<Value, Refused> {
        let body = json!({"script": script, "args": arguments});
        self.session.post("execute/sync", body).await
    }

    /// The value of an expression.
    pub async fn eval(&self, expression: &str) -> Value {
        self.script(&format!("return ({expression});"), json!([]))
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The value of an asynchronous function's body. What it throws fails the test.
    pub async fn eval_async(&self, body: &str, arguments: Value) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);
             (async (...arguments) => {{ {body} }})(...given).then(
               (value) => done({{value}}), (error) => done({{thrown: String(error)}}));"
        );
        let body = json!({"script": script, "args": arguments});
        let mut answer = self.session.post("execute/async", body).await.unwrap();
        assert!(answer["thrown"].is_null(), "{}", answer["thrown"]);
        answer["value"].take()
    }

    /// Waits until a script gives something that is neither null nor false.
    pub async fn wait(&self, what: &str, script: &str, arguments: Value) -> Value {
        self.wait_for(what, script, arguments, PATIENCE).await
    }

    async fn wait_for(
        &self,
        what: &str,
        script: &str,
        arguments: Value,
        patience: Duration,
    ) -> Value {
        let until = Instant::now() + patience;
        loop {
            let found = self.script(script, arguments.clone()).await;
            match found {
                Ok(Value::Null | Value::Bool(false)) => {}
                Ok(value) => return value,
                Err(refused) if Instant::now() > until => panic!("waiting for {what}: {refused}"),
                Err(_) => {}
            }
            if Instant::now() > until {
                let text = self.text().await;
                panic!("waited in vain for {what}\n{}\n{text}", self.url().await);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What the page shows, as text.
    pub async fn text(&self) -> String {
        let text = self.eval("document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows a text.
    pub async fn see(&self, text: &str) {
        let script = "return document.body.innerText.replace(/\\s+/g, ' ').includes(arguments[0]);";
        self.wait(&format!("the text {text:?}"), script, json!([text]))
            .await;
    }

    /// Waits until a text is no longer shown.
    pub async fn see_no(&self, text: &str) {
        let script =
            "return !document.body.innerText.replace(/\\s+/g, ' ').includes(arguments[0]);";
        self.wait(&format!("the text {text:?} to go"), script, json!([text]))
            .await;
    }

    /// Waits for the tab's path to start so, and gives it.
    pub async fn at(&self, path: &str) -> String {
        let script = "return location.pathname.startsWith(arguments[0]) && document.readyState === 'complete';";
        self.wait(&format!("the address {path}"), script, json!([path]))
            .await;
        self.path().await
    }

    /// Waits for the first shown element of a CSS selector.
    pub async fn find(&self, selector: &str) -> Element {
        let script = "return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility()) || null;";
        Element(self.wait(selector, script, json!([selector])).await)
    }

    /// The same for what may take longer: so many seconds at most.
    pub async fn find_within(&self, selector: &str, seconds: u64) -> Element {
        let script = "return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility()) || null;";
        let patience = Duration::from_secs(seconds);
        let found = self.wait_for(selector, script, json!([selector]), patience);
        Element(found.await)
    }

    pub async fn has(&self, selector: &str) -> bool {
        let script = "return document.querySelector(arguments[0]) !== null;";
        self.script(script, json!([selector])).await.unwrap() == true
    }

    /// Waits for a button, or a link, by what it says.
    pub async fn button(&self, name: &str) -> Element {
        let kinds = "button, summary, [role=button], input[type=submit], a[href]";
        let what = format!("the button {name:?}");
        Element(self.wait(&what, NAMED, json!([kinds, name])).await)
    }

    pub async fn has_button(&self, name: &str) -> bool {
        let found = self.script(NAMED, json!(["button, summary, a[href]", name]));
        !found.await.unwrap().is_null()
    }

    /// Waits for a field, by its label.
    pub async fn field(&self, label: &str) -> Element {
        let what = format!("the field {label:?}");
        Element(self.wait(&what, LABELLED, json!([label])).await)
    }

    /// The value in a field.
    pub async fn value(&self, label: &str) -> String {
        let field = self.field(label).await;
        let value = self.script("return arguments[0].value;", json!([field.0]));
        value.await.unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// Clicks on a button or link by what it says; finds it again where the page changed meanwhile.
    pub async fn press(&self, name: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let button = self.button(name).await;
            match self.try_click(&button).await {
                Err(refused) if refused.is_passing() && Instant::now() < until => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                other => return other.unwrap(),
            }
        }
    }

    pub async fn click(&self, element: &Element) {
        self.try_click(element).await.unwrap();
    }

    /// Clicks on what a script gave.
    pub async fn click_value(&self, element: Value) {
        self.click(&Element(element)).await;
    }

    async fn try_click(&self, element: &Element) -> Result<(), Refused> {
        let command = format!("element/{}/click", element.id());
        self.session.post(&command, json!({})).await.map(drop)
    }

    /// Puts a text in a field, in place of what it has, as by typing.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        for (command, body) in [("clear", json!({})), ("value", json!({"text": text}))] {
            let command = format!("element/{}/{command}", field.id());
            self.session.post(&command, body).await.unwrap();
        }
    }

    /// Chooses a radio button, checkbox or option by its label.
    pub async fn choose(&self, label: &str) {
        let control = self.field(label).await;
        let script = "const e = arguments[0]; (e.checkVisibility() && e.offsetWidth > 1 ? e : e.labels[0]).click();";
        self.script(script, json!([control.0])).await.unwrap();
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [
                    json!({"type": "keyDown", "value": key}),
                    json!({"type": "keyUp", "value": key}),
                ]
            })
            .collect();
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.session.post("actions", body).await.unwrap();
    }

    /// Looks into a frame of the page, until [`leave_frame`](Self::leave_frame).
    pub async fn enter_frame(&self, frame: &Element) {
        let body = json!({"id": frame.0});
        self.session.post("frame", body).await.unwrap();
    }

    pub async fn leave_frame(&self) {
        let body = json!({"id": null});
        self.session.post("frame", body).await.unwrap();
    }

    /// The cookies that the page's address gets.
    pub async fn cookies(&self) -> Vec<Value> {
        let cookies = self.session.get("cookie").await.unwrap();
        cookies.as_array().unwrap().clone()
    }

    /// The tab that the commands go to.
    pub async fn tab(&self) -> Value {
        self.session.get("window").await.unwrap()
    }

    /// Opens another tab of the same browser, and gives it; the commands go to it from now on.
    pub async fn open_tab(&self) -> Value {
        let opened = self.session.post("window/new", json!({"type": "tab"}));
        let tab = opened.await.unwrap()["handle"].clone();
        self.to_tab(&tab).await;
        tab
    }

    pub async fn to_tab(&self, tab: &Value) {
        let body = json!({"handle": tab});
        self.session.post("window", body).await.unwrap();
    }

    pub async fn delete_cookies(&self) {
        self.session.delete("cookie").await.unwrap();
    }

    /// Light or dark, without motion, this wide.
    pub async fn appearance(&self, scheme: &str, width: u32, height: u32) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.session
            .devtools("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.session
            .devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// The viewer's time zone.
    pub async fn zone(&self, zone: &str) {
        self.session
            .devtools("Emulation.setTimezoneOverride", json!({"timezoneId": zone}))
            .await;
    }

    /// A picture of the window, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        let picture = self.session.get("screenshot").await.unwrap();
        STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    /// A message of the console that contains this is no fault: a refusal that the test wants.
    pub fn expect_console(&self, text: &str) {
        self.expected.lock().unwrap().push(text.to_owned());
    }

    /// The server answers with this status, and the console says so.
    pub fn expect_status(&self, status: u16) {
        self.expect_console(&format!("responded with a status of {status}"));
    }

    /// Everything on the console since this was last asked.
    pub async fn console(&self) -> Vec<Value> {
        let log = self.session.post("se/log", json!({"type": "browser"}));
        log.await.unwrap().as_array().unwrap().clone()
    }

    /// Fails on errors and on violations of the Content-Security-Policy that were not expected.
    pub async fn assert_clean_console(&self) {
        let console = self.console().await;
        let expected = self.expected.lock().unwrap().clone();
        let faults: Vec<&Value> = console
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["source"] == "security")
            .filter(|entry| {
                let message = entry["message"].as_str().unwrap_or_default();
                // htmx tells of a save under way that the next page overtook; that page saves it all.
                let overtaken = ["htmx:sendAbort", "htmx:afterRequest"];
                !expected.iter().any(|text| message.contains(text))
                    && !overtaken.iter().any(|text| message.contains(text))
            })
            .collect();
        assert!(faults.is_empty(), "the console says {faults:#?}");
    }

    /// Leaves the page's picture and source for whoever looks into the failure.
    async fn keep(&self, name: &str) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.build/browser-failures");
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), self.screenshot().await).unwrap();
        let source = self.session.get("source").await.unwrap();
        let about = format!(
            "<!-- {} {:?} -->\n{}",
            self.url().await,
            self.console().await,
            source.as_str().unwrap_or_default()
        );
        std::fs::write(format!("{folder}/{name}.html"), about).unwrap();
        eprintln!("see {folder}/{name}.png and .html");
    }
}

// Keys that are no characters (WebDriver, "keyboard actions").
pub const ENTER: &str = "\u{E007}";
pub const TAB: &str = "\u{E004}";
