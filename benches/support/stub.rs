//! STS and S3 in this process, as fast as can be: a role, a bucket, and objects of any size whose bytes
//! are made up.
//!
//! The tests have a stub of their own, which keeps a log and answers with faults; this one is made for
//! speed, and streams bodies of any size both ways.
//!
//! It speaks AWS's wire format as far as the service uses it, checks no signature, and knows one role,
//! which wants an external ID that [`Stub::trust`] names. An object's name says its size: `1048576.bin`
//! has that many bytes. Uploads, also in parts, are read to the end and thrown away. [`Stub::fill`] sets
//! how many keys a listing has.

#![allow(
    dead_code,
    reason = "each benchmark is a program of its own and uses a part of it"
)]

#[path = "stub_bodies.rs"]
mod bodies;
#[path = "stub_keys.rs"]
mod keys;
#[path = "stub_sts.rs"]
mod sts;

use bodies::{AwsChunks, Pace, pass_over};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::{TcpListener, TcpStream};

pub const ACCOUNT: &str = "222222222222";
pub const ROLE: &str = "arn:aws:iam::222222222222:role/customer";
pub const BUCKET: &str = "customers-bucket";
/// The name of the threads of a stub that runs apart.
pub const THREADS: &str = "stub";

/// A running stub. It ends with its runtime.
#[derive(Clone)]
pub struct Stub {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// Knows the external IDs of many storages.
pub type IsExternalId = fn(&str) -> bool;

#[derive(Default)]
struct Shared {
    external_ids: Mutex<BTreeSet<String>>,
    /// Which external IDs the role takes besides.
    is_external_id: Mutex<Option<IsExternalId>>,
    /// Requests below this prefix are never answered.
    silent: Mutex<Option<String>>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    sts_delay_ms: AtomicUsize,
    bytes_a_second: AtomicU64,
    received: AtomicU64,
    keys: AtomicUsize,
    deleted: AtomicUsize,
}

impl Stub {
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let stub = Self {
            address: listener.local_addr()?,
            shared: Arc::default(),
        };
        let shared = stub.shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    // A client that leaves is an error here, and no concern of others.
                    let _ = serve(stream, &shared).await;
                });
            }
        });
        Ok(stub)
    }

    /// Starts it on threads of its own, whose work can be measured apart from the others'.
    pub fn start_apart() -> std::io::Result<Self> {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name(THREADS.to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .thread_name(THREADS)
                    .enable_all()
                    .build();
                match runtime {
                    Ok(runtime) => runtime.block_on(async {
                        // Whoever asked is waiting.
                        let _ = sender.send(Self::start().await);
                        std::future::pending::<()>().await;
                    }),
                    Err(error) => drop(sender.send(Err(error))),
                }
            })?;
        receiver.recv().map_err(std::io::Error::other)?
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The external ID that the role wants from now on.
    pub fn trust(&self, external_id: &str) {
        lock(&self.shared.external_ids).insert(external_id.to_owned());
    }

    /// The role takes these external IDs, too.
    pub fn trust_all_that(&self, is_external_id: IsExternalId) {
        *lock(&self.shared.is_external_id) = Some(is_external_id);
    }

    /// Answers nothing about keys below this prefix from now on; `None` answers again.
    pub fn silence(&self, prefix: Option<&str>) {
        *lock(&self.shared.silent) = prefix.map(str::to_owned);
    }

    /// How long AssumeRole takes from now on.
    pub fn slow_down_sts(&self, delay: Duration) {
        let delay = delay.as_millis() as usize;
        self.shared.sts_delay_ms.store(delay, Ordering::SeqCst);
    }

    /// How many bytes of one body come or go in a second from now on; 0 is as fast as can be.
    pub fn pace(&self, bytes_a_second: u64) {
        let pace = &self.shared.bytes_a_second;
        pace.store(bytes_a_second, Ordering::SeqCst);
    }

    /// How many keys a listing has from now on, below any prefix.
    pub fn fill(&self, keys: usize) {
        self.shared.keys.store(keys, Ordering::SeqCst);
    }

    /// How many bytes whole uploads and parts had so far.
    pub fn received(&self) -> u64 {
        self.shared.received.load(Ordering::SeqCst)
    }

    /// How many keys DeleteObjects named so far.
    pub fn deleted(&self) -> usize {
        self.shared.deleted.load(Ordering::SeqCst)
    }

    /// How many calls came in, of every operation.
    pub fn all_calls(&self) -> BTreeMap<&'static str, usize> {
        lock(&self.shared.calls).clone()
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: &str) -> usize {
        lock(&self.shared.calls)
            .get(operation)
            .copied()
            .unwrap_or(0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    /// Of a POST.
    body: Vec<u8>,
    /// Of a PUT: how many bytes it brought, or what is wrong with them.
    upload: Result<u64, &'static str>,
}

enum Reply {
    Short(u16, Vec<(&'static str, String)>, String),
    /// First byte, length, and whole size.
    Object(u64, u64, u64),
}

async fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, write) = stream.into_split();
    let mut write = BufWriter::with_capacity(64 * 1024, write);
    let mut buffer = Vec::new();
    while let Some(request) = next_request(&mut read, &mut buffer, shared).await? {
        if is_silent(&request, shared) {
            // Until the client gives up.
            let mut rest = [0; 1024];
            while read.read(&mut rest).await? > 0 {}
            return Ok(());
        }
        let (operation, reply) = answer(&request, shared);
        if operation == "AssumeRole" {
            let delay = shared.sts_delay_ms.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(delay as u64)).await;
        }
        *lock(&shared.calls).entry(operation).or_default() += 1;
        match reply {
            Reply::Short(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} x\r\nx-amz-request-id: STUB\r\n");
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                if status != 204 && request.method != "HEAD" {
                    head += &format!("content-length: {}\r\n", body.len());
                }
                write.write_all((head + "\r\n" + &body).as_bytes()).await?;
            }
            Reply::Object(first, length, size) => {
                let status = if length == size { 200 } else { 206 };
                let mut head = format!(
                    "HTTP/1.1 {status} x\r\nx-amz-request-id: STUB\r\ncontent-length: {length}\r\ncontent-type: application/octet-stream\r\netag: \"{size}\"\r\nlast-modified: Sun, 01 Nov 2026 00:00:00 GMT\r\naccept-ranges: bytes\r\n"
                );
                if status == 206 {
                    head += &format!(
                        "content-range: bytes {first}-{}/{size}\r\n",
                        first + length - 1
                    );
                }
                write.write_all((head + "\r\n").as_bytes()).await?;
                if request.method == "GET" {
                    let pace = Pace::new(shared.bytes_a_second.load(Ordering::SeqCst));
                    send_bytes(&mut write, length, &pace).await?;
                }
            }
        }
        write.flush().await?;
    }
    Ok(())
}

async fn send_bytes(
    write: &mut (impl AsyncWriteExt + Unpin),
    length: u64,
    pace: &Pace,
) -> std::io::Result<()> {
    static BYTES: [u8; 256 * 1024] = [b'x'; 256 * 1024];
    let mut left = length;
    while left > 0 {
        let part = left.min(BYTES.len() as u64);
        write.write_all(&BYTES[..part as usize]).await?;
        left -= part;
        pace.keep(length - left).await;
    }
    Ok(())
}

/// Reads a request with its body; `None` when the client has left.
async fn next_request(
    read: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut Vec<u8>,
    shared: &Shared,
) -> std::io::Result<Option<Request>> {
    let mut more = async |buffer: &mut Vec<u8>| -> std::io::Result<bool> {
        let mut part = [0; 16 * 1024];
        let got = read.read(&mut part).await?;
        buffer.extend_from_slice(&part[..got]);
        Ok(got > 0)
    };
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if !more(buffer).await? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
        upload: Ok(0),
    };
    buffer.drain(..end);
    if request.method == "PUT" {
        let pace = Pace::new(shared.bytes_a_second.load(Ordering::SeqCst));
        let Some(upload) = upload(&request, read, buffer, length, &pace).await? else {
            return Ok(None);
        };
        request.upload = upload;
        return Ok(Some(request));
    }
    let length = length.and_then(|length| usize::try_from(length).ok());
    let length = length.unwrap_or(0);
    while buffer.len() < length {
        if !more(buffer).await? {
            return Ok(None);
        }
    }
    let rest = buffer.split_off(length);
    request.body = std::mem::replace(buffer, rest);
    Ok(Some(request))
}

/// Reads an upload's body; `None` when the client has left.
async fn upload(
    request: &Request,
    read: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut Vec<u8>,
    length: Option<u64>,
    pace: &Pace,
) -> std::io::Result<Option<Result<u64, &'static str>>> {
    // As S3: it wants to know the length.
    let Some(length) = length else {
        return Ok(Some(Err("MissingContentLength")));
    };
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    if !header("content-encoding").is_some_and(|coding| coding.contains("aws-chunked")) {
        let came = pass_over(read, buffer, length, pace, |_| {}).await?;
        return Ok(came.then_some(Ok(length)));
    }
    let mut chunks = AwsChunks::default();
    if !pass_over(read, buffer, length, pace, |bytes| chunks.see(bytes)).await? {
        return Ok(None);
    }
    let declared = header("x-amz-decoded-content-length").and_then(|text| text.parse().ok());
    let trailer = header("x-amz-trailer").is_none_or(|name| chunks.trailer.contains(name));
    Ok(Some(match chunks.broken || !trailer {
        true => Err("MalformedTrailerError"),
        false if declared != Some(chunks.payload) => Err("IncompleteBody"),
        false => Ok(chunks.payload),
    }))
}

/// The key in a path that names the stub's bucket, or one with a number behind its name: filled storages have a bucket
/// each. Empty for the bucket itself.
fn key(path: &str) -> Option<&str> {
    let rest = path.trim_start_matches('/').strip_prefix(BUCKET)?;
    match rest.strip_prefix('-') {
        Some(numbered) => Some(numbered.split_once('/').map_or("", |(_, key)| key)),
        None => Some(rest.trim_start_matches('/')),
    }
}

/// The bucket that a path names.
fn bucket(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    path.split_once('/').map_or(path, |(bucket, _)| bucket)
}

fn is_silent(request: &Request, shared: &Shared) -> bool {
    let silent = lock(&shared.silent);
    let Some(silent) = silent.as_deref() else {
        return false;
    };
    key(&request.path).is_some_and(|key| key.starts_with(silent))
        || keys::parameter(&request.query, "prefix").is_some_and(|asked| asked.starts_with(silent))
}

fn is_working_folder(query: &str) -> bool {
    let prefix = keys::parameter(query, "prefix").unwrap_or_default();
    ["temp/", "export/"]
        .iter()
        .any(|folder| prefix.ends_with(folder))
}

fn answer(request: &Request, shared: &Shared) -> (&'static str, Reply) {
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    let key = key(&request.path);
    let bucket = bucket(&request.path);
    match (request.method.as_str(), key) {
        ("POST", None) => sts::answer(&String::from_utf8_lossy(&request.body), shared),
        ("OPTIONS", _) => {
            let origin = header("origin").unwrap_or("*").to_owned();
            let headers = vec![
                ("access-control-allow-origin", origin),
                (
                    "access-control-allow-methods",
                    "GET, HEAD, PUT, POST, DELETE".into(),
                ),
                ("access-control-allow-headers", "*".into()),
                (
                    "access-control-expose-headers",
                    "Accept-Ranges, Content-Disposition, Content-Encoding, Content-Length, Content-Range, ETag, Last-Modified, x-amz-version-id".into(),
                ),
            ];
            ("Preflight", Reply::Short(200, headers, String::new()))
        }
        (_, None) => ("Other", error(404, "NoSuchBucket")),
        _ if header("x-amz-expected-bucket-owner").is_some_and(|owner| owner != ACCOUNT) => {
            ("WrongOwner", error(403, "AccessDenied"))
        }
        ("HEAD", Some("")) => {
            let region = vec![("x-amz-bucket-region", "us-east-1".to_owned())];
            ("HeadBucket", Reply::Short(200, region, String::new()))
        }
        ("GET", Some("")) if request.query.contains("location") => (
            "GetBucketLocation",
            xml(r#"<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>"#.into()),
        ),
        ("GET", Some("")) if keys::has(&request.query, "versions") => (
            "ListObjectVersions",
            xml("<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>".into()),
        ),
        ("GET", Some("")) if shared.keys.load(Ordering::SeqCst) > 0 => {
            let keys = shared.keys.load(Ordering::SeqCst);
            (
                "ListObjectsV2",
                xml(keys::page(bucket, &request.query, keys)),
            )
        }
        // Nobody has written into the folders that the lifecycle configuration empties.
        ("GET", Some("")) if is_working_folder(&request.query) => (
            "ListObjectsV2",
            xml(format!(
                "<ListBucketResult><Name>{bucket}</Name><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"
            )),
        ),
        ("GET", Some("")) => (
            "ListObjectsV2",
            xml(format!(
                "<ListBucketResult><Name>{bucket}</Name><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>{}1024.bin</Key><Size>1024</Size><ETag>\"1024\"</ETag><LastModified>2026-11-01T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>",
                keys::parameter(&request.query, "prefix").unwrap_or_default()
            )),
        ),
        ("POST", Some(key)) => posted(request, key, shared),
        ("PUT", Some(_)) => {
            let operation = match keys::parameter(&request.query, "partNumber") {
                Some(_) => "UploadPart",
                None => "PutObject",
            };
            let reply = match request.upload {
                Ok(length) => {
                    shared.received.fetch_add(length, Ordering::SeqCst);
                    Reply::Short(200, vec![("etag", "\"put\"".into())], String::new())
                }
                Err("MissingContentLength") => error(411, "MissingContentLength"),
                Err(code) => error(400, code),
            };
            (operation, reply)
        }
        ("DELETE", Some(_)) if keys::parameter(&request.query, "uploadId").is_some() => (
            "AbortMultipartUpload",
            Reply::Short(204, vec![], String::new()),
        ),
        ("DELETE", Some(_)) => ("DeleteObject", Reply::Short(204, vec![], String::new())),
        ("GET", Some(_)) if request.query.contains("acl") => {
            ("GetObjectAcl", error(404, "NoSuchKey"))
        }
        // What a check wrote, which it compares.
        ("GET", Some(key)) if key.contains("sallyport-check-") => (
            "GetObject",
            Reply::Short(
                200,
                vec![("etag", "\"put\"".into())],
                "Written by Sallyport to check that it may write here. It may be deleted.\n".into(),
            ),
        ),
        ("HEAD", Some(key)) => ("HeadObject", object(key, header("range"))),
        (_, Some(key)) => ("GetObject", object(key, header("range"))),
    }
}

/// Uploads in parts, and DeleteObjects.
fn posted(request: &Request, key: &str, shared: &Shared) -> (&'static str, Reply) {
    let query = request.query.as_str();
    if key.is_empty() {
        let doomed = keys::doomed(&request.body);
        shared.deleted.fetch_add(doomed, Ordering::SeqCst);
        let body = String::from_utf8_lossy(&request.body);
        let deleted: String = body
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split("</Key>").next())
            .map(|key| format!("<Deleted><Key>{key}</Key></Deleted>"))
            .collect();
        return (
            "DeleteObjects",
            xml(format!("<DeleteResult>{deleted}</DeleteResult>")),
        );
    }
    let place = format!("<Bucket>{BUCKET}</Bucket><Key>x</Key>");
    if keys::parameter(query, "uploadId").is_some() {
        let text = format!(
            "<CompleteMultipartUploadResult>{place}<ETag>&quot;parts-1&quot;</ETag></CompleteMultipartUploadResult>"
        );
        return ("CompleteMultipartUpload", xml(text));
    }
    let text = format!(
        "<InitiateMultipartUploadResult>{place}<UploadId>upload</UploadId></InitiateMultipartUploadResult>"
    );
    ("CreateMultipartUpload", xml(text))
}

fn object(key: &str, range: Option<&str>) -> Reply {
    let name = key.rsplit('/').next().unwrap_or_default();
    let Some(size) = name
        .split_once(".bin")
        .and_then(|(size, _)| size.parse::<u64>().ok())
    else {
        return error(404, "NoSuchKey");
    };
    let asked = range
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, last)| {
            let first = first.parse::<u64>().ok()?;
            let last = last.parse().unwrap_or(u64::MAX).min(size.checked_sub(1)?);
            (first <= last).then_some((first, last - first + 1))
        });
    let (first, length) = asked.unwrap_or((0, size));
    Reply::Object(first, length, size)
}

fn xml(body: String) -> Reply {
    Reply::Short(200, vec![("content-type", "text/xml".into())], body)
}

fn error(status: u16, code: &str) -> Reply {
    Reply::Short(
        status,
        vec![("content-type", "application/xml".into())],
        format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"),
    )
}
