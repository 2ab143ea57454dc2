//! A small HTTP server whose every answer, and every break of a connection, the test decides; it logs
//! what was asked and when. The stub and the proxy stand on it.

use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What to do with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Ends the connection without a word.
    Reset,
}

/// A request and when it was there: from its last byte to the answer's.
#[derive(Debug, Clone)]
pub struct Logged {
    pub operation: String,
    pub request: Request,
    pub from: Instant,
    pub to: Instant,
}

type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Reply> + Send + Sync>;

/// The server. It ends with the test's runtime.
#[derive(Clone)]
pub struct Wire {
    pub url: String,
    log: Arc<Mutex<Vec<Logged>>>,
}

impl Wire {
    pub async fn serve(
        handler: impl Fn(Request) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            log: Arc::default(),
        };
        let (handler, log): (Handler, _) = (Arc::new(handler), wire.log.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, handler.clone(), log.clone()));
            }
        });
        wire
    }

    /// Everything that was asked and answered, in the order in which it was asked.
    pub fn log(&self) -> Vec<Logged> {
        let mut log = self.log.lock().unwrap().clone();
        log.sort_by_key(|entry| entry.from);
        log
    }

    /// The requests of one operation.
    pub fn of(&self, operation: &str) -> Vec<Logged> {
        let mut log = self.log();
        log.retain(|entry| entry.operation == operation);
        log
    }

    pub fn count(&self, operation: &str) -> usize {
        self.of(operation).len()
    }

    /// How often S3 was asked.
    pub fn s3_count(&self) -> usize {
        let is_sts = |operation: &str| matches!(operation, "AssumeRole" | "GetCallerIdentity");
        let log = self.log();
        log.iter().filter(|e| !is_sts(&e.operation)).count()
    }

    pub fn clear(&self) {
        self.log.lock().unwrap().clear();
    }
}

async fn connection(
    mut stream: TcpStream,
    handler: Handler,
    log: Arc<Mutex<Vec<Logged>>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read(&mut stream, &mut buffer).await?;
        let from = Instant::now();
        let operation = request.operation();
        let head_only = request.method == "HEAD";
        let reply = handler(request.clone()).await;
        let done = |to| Logged {
            operation,
            request,
            from,
            to,
        };
        let Reply::Answer {
            status,
            headers,
            body,
        } = reply
        else {
            log.lock().unwrap().push(done(Instant::now()));
            // Unread bytes or a zero linger would send a reset; an early end does as well here.
            return None;
        };
        let mut text = format!("HTTP/1.1 {status} Status\r\n");
        for (name, value) in &headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let told = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if !told && status != 204 && status != 304 {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        if !head_only {
            bytes.extend_from_slice(&body);
        }
        log.lock().unwrap().push(done(Instant::now()));
        stream.write_all(&bytes).await.ok()?;
    }
}

/// Reads one request. `None`: the client has gone.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v);
    if header("expect").is_some() {
        stream
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .ok()?;
    }
    let length: usize = header("content-length").map_or(0, |v| v.parse().unwrap());
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer.drain(..length).collect();
    Some(Request {
        method,
        target,
        headers,
        body,
    })
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A field of the form that an STS call's body is.
    pub fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body)
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }

    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Bucket and key of a path-style S3 request; the key decoded.
    pub fn bucket_and_key(&self) -> (String, String) {
        let path = self.target.split('?').next().unwrap_or_default();
        let path = path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let key = percent_encoding::percent_decode_str(key).decode_utf8_lossy();
        (bucket.to_owned(), key.into_owned())
    }

    /// The Region that the request is signed for.
    pub fn region(&self) -> Option<&str> {
        let scope = self.header("authorization")?.split("Credential=").nth(1)?;
        scope.split('/').nth(2)
    }

    /// The access key that the request is signed with.
    pub fn access_key(&self) -> Option<&str> {
        let scope = self.header("authorization")?.split("Credential=").nth(1)?;
        scope.split('/').next()
    }

    /// The AWS operation.
    pub fn operation(&self) -> String {
        if let Some(action) = self.form("Action").filter(|_| self.method == "POST") {
            return action;
        }
        let (_, key) = self.bucket_and_key();
        let name = match (self.method.as_str(), key.is_empty()) {
            ("OPTIONS", _) => "CorsPreflight",
            ("HEAD", true) => "HeadBucket",
            ("HEAD", false) => "HeadObject",
            ("GET", true) if self.query("location").is_some() => "GetBucketLocation",
            ("GET", true) if self.query("list-type").is_some() => "ListObjectsV2",
            ("GET", false) => "GetObject",
            ("PUT", false) => "PutObject",
            ("DELETE", false) => "DeleteObject",
            _ => "Unknown",
        };
        name.to_owned()
    }
}

impl Reply {
    pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }
}

/// How many requests ran one after the other: the longest chain in which each began after the one before
/// had been answered.
pub fn rounds(log: &[Logged]) -> usize {
    let mut log: Vec<&Logged> = log.iter().collect();
    log.sort_by_key(|entry| entry.to);
    let mut rounds = 0;
    let mut end: Option<Instant> = None;
    for entry in log {
        if end.is_none_or(|end| entry.from >= end) {
            rounds += 1;
            end = Some(entry.to);
        }
    }
    rounds
}

/// Waits until `holds`, or fails after 20 s.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
