//! A small HTTP server whose every answer, and every break of a connection, the test decides; it logs
//! what was asked and when. The stub and the proxy stand on it.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
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
    /// An object whose bytes are made up as they are sent. Where `sent` is less than `length`, the
    /// connection ends there.
    Stream {
        status: u16,
        headers: Vec<(String, String)>,
        length: u64,
        sent: u64,
    },
    /// An answer whose length is not announced. Where it `breaks`, its end never comes.
    Chunked {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        breaks: bool,
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
    streams: Arc<AtomicUsize>,
}

impl Wire {
    pub async fn serve(
        handler: impl Fn(Request) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::serve_through("http", |stream| async { Some(stream) }.boxed(), handler).await
    }

    /// The same behind what `open` makes of a connection, such as TLS.
    pub async fn serve_through<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        scheme: &str,
        open: impl Fn(TcpStream) -> BoxFuture<'static, Option<S>> + Send + Sync + 'static,
        handler: impl Fn(Request) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            url: format!("{scheme}://{}", listener.local_addr().unwrap()),
            log: Arc::default(),
            streams: Arc::default(),
        };
        let (handler, own): (Handler, _) = (Arc::new(handler), wire.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (opened, handler, own) = (open(stream), handler.clone(), own.clone());
                tokio::spawn(async move { connection(opened.await?, handler, own).await });
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

    /// How many objects are being sent now.
    pub fn streams(&self) -> usize {
        self.streams.load(Ordering::SeqCst)
    }

    pub fn clear(&self) {
        self.log.lock().unwrap().clear();
    }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    handler: Handler,
    wire: Wire,
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
        let logged = |to| wire.log.lock().unwrap().push(done(to));
        let (status, headers, body) = match reply {
            Reply::Answer {
                status,
                headers,
                body,
            } => (status, headers, body),
            Reply::Stream {
                status,
                headers,
                length,
                sent,
            } => {
                logged(Instant::now());
                let head = head(status, &headers) + &format!("content-length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.ok()?;
                if head_only {
                    continue;
                }
                let _sending = Sending::begin(&wire.streams);
                send_made_up(&mut stream, sent.min(length)).await.ok()?;
                if sent < length {
                    return None;
                }
                continue;
            }
            Reply::Chunked {
                status,
                headers,
                body,
                breaks,
            } => {
                logged(Instant::now());
                let head = head(status, &headers) + "transfer-encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes()).await.ok()?;
                if head_only {
                    continue;
                }
                for chunk in body.chunks(7_000) {
                    let size = format!("{:x}\r\n", chunk.len());
                    stream.write_all(size.as_bytes()).await.ok()?;
                    stream.write_all(chunk).await.ok()?;
                    stream.write_all(b"\r\n").await.ok()?;
                }
                if breaks {
                    return None;
                }
                stream.write_all(b"0\r\n\r\n").await.ok()?;
                continue;
            }
            Reply::Reset => {
                logged(Instant::now());
                // Unread bytes or a zero linger would send a reset; an early end does as well here.
                return None;
            }
        };
        let mut text = head(status, &headers);
        let has_length = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if !has_length && status != 204 && status != 304 {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        if !head_only {
            bytes.extend_from_slice(&body);
        }
        logged(Instant::now());
        stream.write_all(&bytes).await.ok()?;
    }
}

/// The status line and these headers.
fn head(status: u16, headers: &[(String, String)]) -> String {
    let mut text = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text
}

/// Counts an object under way, until it is dropped.
struct Sending<'a>(&'a AtomicUsize);

impl<'a> Sending<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn send_made_up(stream: &mut (impl AsyncWrite + Unpin), length: u64) -> std::io::Result<()> {
    static BYTES: [u8; 64 * 1024] = [b'x'; 64 * 1024];
    let mut left = length;
    while left > 0 {
        let part = left.min(BYTES.len() as u64);
        stream.write_all(&BYTES[..part as usize]).await?;
        left -= part;
    }
    Ok(())
}

/// Reads one request. `None`: the client has gone.
async fn read(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    buffer: &mut Vec<u8>,
) -> Option<Request> {
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

    /// The AWS operation; `PUT cors` and the like for a bucket's own rules.
    pub fn operation(&self) -> String {
        if let Some(action) = self.form("Action").filter(|_| self.method == "POST") {
            return action;
        }
        let (_, key) = self.bucket_and_key();
        let asked = |name| key.is_empty() && self.query(name).is_some();
        if let Some(of) = ["cors", "lifecycle", "policy"]
            .into_iter()
            .find(|of| asked(of))
        {
            return format!("{} {of}", self.method);
        }
        let name = match (self.method.as_str(), key.is_empty()) {
            ("OPTIONS", _) => "CorsPreflight",
            ("HEAD", true) => "HeadBucket",
            ("HEAD", false) => "HeadObject",
            ("GET", true) if self.query("location").is_some() => "GetBucketLocation",
            ("GET", true) if self.query("list-type").is_some() => "ListObjectsV2",
            ("GET", true) if self.query("versions").is_some() => "ListObjectVersions",
            ("GET", false) if self.query("tagging").is_some() => "GetObjectTagging",
            ("GET", false) if self.query("acl").is_some() => "GetObjectAcl",
            ("PUT", false) if self.query("acl").is_some() => "PutObjectAcl",
            ("GET", false) => "GetObject",
            ("POST", true) if self.query("delete").is_some() => "DeleteObjects",
            ("POST", false) if self.target.contains("?uploads") => "CreateMultipartUpload",
            ("POST", false) if self.query("uploadId").is_some() => "CompleteMultipartUpload",
            ("PUT", false) if self.query("partNumber").is_some() => "UploadPart",
            ("DELETE", false) if self.query("uploadId").is_some() => "AbortMultipartUpload",
            ("PUT", false) if self.header("x-amz-copy-source").is_some() => "CopyObject",
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
        match &mut self {
            Self::Answer { headers, .. }
            | Self::Stream { headers, .. }
            | Self::Chunked { headers, .. } => {
                headers.push((name.to_owned(), value.into()));
            }
            Self::Reset => {}
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
