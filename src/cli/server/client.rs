//! A client of the API.

use crate::cli::ending::Failed;
use crate::cli::terminal::printable;
use crate::domain::ids::StorageRef;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// For a connection to be made.
const CONNECT: Duration = Duration::from_secs(15);
/// How the product's own bucket is called among the storages.
const BUILT_IN: &str = "built-in";
/// For an answer that is no file.
const ANSWER: Duration = Duration::from_secs(300);
/// How many missing files an error names.
const SHOWN: usize = 20;
/// The largest token file.
const LARGEST_TOKEN: u64 = 4096;

/// Which server, and with which token.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct ServerAddress {
    /// The server's address, like https://sallyport.example.com
    #[arg(long, value_name = "URL", env = "SALLYPORT_SERVER")]
    server: Option<String>,

    /// A file with the API token. Without it, the token is that in SALLYPORT_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The same, and which storage.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct ServerOptions {
    #[command(flatten)]
    address: ServerAddress,

    /// The storage's ID, or built-in. Without it, the workspace's default storage
    #[arg(long, value_name = "ID", value_parser = crate::cli::connection::parse(StorageRef::parse))]
    storage: Option<StorageRef>,
}

/// A server, and a token for it.
pub struct Server {
    http: reqwest::Client,
    base: Url,
    storage: Option<StorageRef>,
}

/// The parameters of a request's query.
pub type Query<'a> = &'a [(&'a str, &'a str)];

impl Server {
    pub fn of(options: &ServerOptions) -> Result<Self, Failed> {
        let server = Self::at(&options.address)?;
        Ok(Self {
            storage: options.storage.clone(),
            ..server
        })
    }

    /// For what is of no storage.
    pub fn at(options: &ServerAddress) -> Result<Self, Failed> {
        let given = options.server.as_deref().unwrap_or_default().trim();
        if given.is_empty() {
            return Err(Failed::usage(
                "no server is named: use --server, or set SALLYPORT_SERVER. Example: https://sallyport.example.com",
            ));
        }
        let base = address(given)?;
        let mut token = HeaderValue::from_str(&format!("Bearer {}", token(options)?))
            .map_err(|_| Failed::usage("the token has a character that no token has"))?;
        token.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, token)]);
        Ok(Self {
            http: http(headers)?,
            base,
            storage: None,
        })
    }

    /// The path of something of the storage: the one that was named, or the workspace's default one.
    pub async fn storage_path(&self, rest: &[&str]) -> Result<Vec<String>, Failed> {
        let storage = match &self.storage {
            Some(storage) => storage.to_string(),
            None => self.default_storage().await?,
        };
        let path = ["v1", "storages", &storage].into_iter();
        Ok(path
            .chain(rest.iter().copied())
            .map(str::to_owned)
            .collect())
    }

    /// The storage that was named, as a request's body takes it.
    pub fn named_storage(&self) -> Option<String> {
        self.storage.as_ref().map(ToString::to_string)
    }

    async fn default_storage(&self) -> Result<String, Failed> {
        let mut found = None;
        self.pages(&["v1", "storages"], &[], async |page| {
            let storages = page["storages"].as_array().into_iter().flatten();
            found = storages
                .filter(|storage| storage["is_default"] == true)
                .find_map(|storage| storage["id"].as_str().map(str::to_owned));
            Ok(found.is_none())
        })
        .await?;
        if found.is_none() {
            // The list has the workspace's own storages only.
            let built_in = self.request(Method::GET, &["v1", "storages", BUILT_IN], &[]);
            let built_in = self.send(built_in).await.ok();
            let built_in = match built_in {
                Some(answer) => json_of(answer).await?,
                None => Value::Null,
            };
            if built_in["is_default"] == true {
                found = Some(BUILT_IN.to_owned());
            }
        }
        found.ok_or_else(|| {
            Failed::usage("the workspace has no default storage: name one with --storage")
        })
    }

    /// Every page of a list, until `take` has enough.
    pub async fn pages(
        &self,
        path: &[&str],
        query: Query<'_>,
        mut take: impl AsyncFnMut(Value) -> Result<bool, Failed>,
    ) -> Result<(), Failed> {
        let mut token: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            if let Some(token) = &token {
                query.push(("page_token", token));
            }
            let page = self.json(Method::GET, path, &query, None).await?;
            token = page["next_page_token"].as_str().map(str::to_owned);
            if !take(page).await? || token.is_none() {
                return Ok(());
            }
        }
    }

    /// A request that is answered with JSON, or with nothing.
    pub async fn json(
        &self,
        method: Method,
        path: &[&str],
        query: Query<'_>,
        body: Option<&Value>,
    ) -> Result<Value, Failed> {
        let mut request = self.request(method.clone(), path, query).timeout(ANSWER);
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        if method == Method::POST && path == ["v1", "projects"] {
            request = request.header("Idempotency-Key", uuid::Uuid::new_v4().to_string());
        }
        let answer = self.send(request).await?;
        json_of(answer).await
    }

    pub fn request(&self, method: Method, path: &[&str], query: Query<'_>) -> RequestBuilder {
        self.http.request(method, located(&self.base, path, query))
    }

    /// The answer, if it is a success.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Failed> {
        let server = &self.base;
        let answer = request.send().await.map_err(|error| {
            Failed::from(format!(
                "no answer from {}: {}",
                printable(server.as_str()),
                reason(error)
            ))
        })?;
        successful(answer).await
    }
}

/// An HTTP client that follows nobody elsewhere: it carries a secret.
pub fn http(headers: HeaderMap) -> Result<reqwest::Client, Failed> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("sallyport/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .build()
        .map_err(|error| Failed::from(error.to_string()))
}

/// An address with a path and a query in it. Everything but letters and digits is encoded.
fn located(base: &Url, path: &[&str], query: Query<'_>) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if !pairs.is_empty() {
        url.set_query(Some(&pairs.join("&")));
    }
    url
}

/// The server's address.
fn address(text: &str) -> Result<Url, Failed> {
    let refuse = || {
        Failed::usage(format!(
            "`{}` is not a server's address. Example: https://sallyport.example.com",
            printable(text)
        ))
    };
    let url = Url::parse(text).map_err(|_| refuse())?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if is_plain && url.host().is_some() => Ok(url),
        _ => Err(refuse()),
    }
}

fn token(options: &ServerAddress) -> Result<String, Failed> {
    let text = match &options.token_file {
        Some(path) => {
            let file = std::fs::File::open(path);
            let mut text = String::new();
            file.and_then(|file| {
                use std::io::Read;
                file.take(LARGEST_TOKEN).read_to_string(&mut text)
            })
            .map_err(|error| {
                let path = printable(&path.display().to_string());
                Failed::usage(format!("the token file `{path}` cannot be read: {error}"))
            })?;
            text
        }
        None => std::env::var("SALLYPORT_TOKEN").unwrap_or_default(),
    };
    match text.trim() {
        "" => Err(Failed::usage(
            "no token is given: use --token-file, or set SALLYPORT_TOKEN",
        )),
        token => Ok(token.to_owned()),
    }
}

pub async fn json_of(answer: Response) -> Result<Value, Failed> {
    let text = answer
        .bytes()
        .await
        .map_err(|error| Failed::from(format!("the answer broke off: {}", reason(error))))?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&text).map_err(|_| {
        Failed::from("the answer is not Sallyport's: is the address right?".to_owned())
    })
}

/// The answer, or the problem that it is, in words.
pub async fn successful(answer: Response) -> Result<Response, Failed> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    if status.is_redirection() {
        let to = answer.headers().get(LOCATION);
        let to = to.and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        return Err(Failed::from(format!(
            "the server sends its callers to {}, where the secret is not sent. Use the address that it really has. (HTTP {})",
            printable(to),
            status.as_u16()
        )));
    }
    let retry = answer.headers().get("retry-after");
    let retry = retry.and_then(|wait| wait.to_str().ok()).map(printable);
    let text = answer.bytes().await.unwrap_or_default();
    let problem: Value = serde_json::from_slice(&text).unwrap_or_default();
    Err(Failed::from(in_words(status, &problem, retry.as_deref())))
}

/// A problem of the API in words.
fn in_words(status: StatusCode, problem: &Value, retry: Option<&str>) -> String {
    let text = |value: &Value, name: &str| printable(value[name].as_str().unwrap_or_default());
    if problem["code"].as_str().is_none() {
        return format!(
            "the server answered {status}, and not as Sallyport does: is the address right?"
        );
    }
    let mut lines = vec![text(problem, "detail")];
    for error in problem["errors"].as_array().into_iter().flatten() {
        let (field, detail) = (text(error, "field"), text(error, "detail"));
        lines.push(format!("  {field}: {detail}"));
    }
    let missing = problem["missing_files"].as_array();
    let missing = missing.map_or(&[][..], Vec::as_slice);
    for key in missing.iter().take(SHOWN).filter_map(Value::as_str) {
        lines.push(format!("  {}", printable(key)));
    }
    if missing.len() > SHOWN {
        lines.push(format!("  and {} more", missing.len() - SHOWN));
    }
    if let Some(remedy) = problem["remedy"].as_str() {
        lines.push(printable(remedy));
    }
    if let Some(wait) = retry {
        lines.push(format!("Try again in {wait} s."));
    }
    let cause = problem["cause"]
        .as_str()
        .map_or_else(String::new, |cause| format!(", cause {}", printable(cause)));
    lines.push(format!(
        "({}{cause}, HTTP {}, request {})",
        text(problem, "code"),
        status.as_u16(),
        text(problem, "request_id")
    ));
    lines.join("\n")
}

/// Why a request failed, without its address: that may hold a secret.
pub fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    printable(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_carry_every_key_as_it_is() {
        let base = address("https://host.example/below").unwrap();
        let url = located(&base, &["v1", "x"], &[("key", "/a b/é\n?&#%+.png")]);
        assert_eq!(
            url.as_str(),
            "https://host.example/below/v1/x?key=%2Fa%20b%2F%C3%A9%0A%3F%26%23%25%2B%2Epng"
        );
        for wrong in [
            "",
            "host",
            "ftp://host",
            "https://me:pass@host",
            "https://h/?a=b",
        ] {
            let refused = address(wrong).unwrap_err();
            assert_eq!(refused.status, 2, "{wrong}");
            assert!(!refused.why.contains("\u{1b}"));
        }
    }

    #[test]
    fn a_problem_is_told_with_its_code_and_nothing_that_a_terminal_obeys() {
        let problem = json!({"code": "invalid_request", "detail": "A \u{1b}[2J field.", "remedy": "Change it.",
            "errors": [{"field": "name", "detail": "Too long."}], "request_id": "r"});
        let words = in_words(StatusCode::UNPROCESSABLE_ENTITY, &problem, Some("3"));
        for part in [
            "A \\u{1b}[2J field.",
            "  name: Too long.",
            "Change it.",
            "in 3 s",
            "(invalid_request, HTTP 422, request r)",
        ] {
            assert!(words.contains(part), "{words}");
        }
        let strange = in_words(StatusCode::BAD_GATEWAY, &Value::Null, None);
        assert!(strange.contains("502"), "{strange}");
    }
}
