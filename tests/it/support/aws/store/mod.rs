//! An S3-compatible store in this process. It keeps objects in memory and answers as Amazon S3 does, but
//! for a list of behaviours: `Store::with([Behaviour::SamePageForEver(10)])`.

mod behaviour;
mod listing;
mod objects;

pub use behaviour::Behaviour;

use crate::it::support::app::{TestApp, TestWorkspace};
use crate::it::support::aws::sdk_config_at;
use crate::it::support::aws::stub::{html, identity, s3_error};
use crate::it::support::aws::wire::{Reply, Request, Wire};
use crate::it::support::emulator::random_name;
use aws_config::SdkConfig;
use futures_util::FutureExt;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

/// An object as the store keeps it.
#[derive(Debug, Clone)]
pub struct StoredObject {
    pub body: Vec<u8>,
    pub etag: String,
    /// As they were sent: `content-type`, `x-amz-meta-…`.
    pub headers: Vec<(String, String)>,
    /// The composite CRC-32 of an object whose parts had one, as HeadObject shows it.
    pub crc32: Option<String>,
}

/// A part of an upload.
struct StoredPart {
    body: Vec<u8>,
    /// Whether it came with a checksum.
    has_crc32: bool,
}

/// What the store holds.
#[derive(Default)]
pub struct Holdings {
    pub objects: BTreeMap<String, StoredObject>,
    uploads: BTreeMap<String, BTreeMap<u32, StoredPart>>,
    behaviours: Vec<Behaviour>,
    /// How often each key of a deletion has failed, and pages without keys were sent.
    failed: BTreeMap<String, usize>,
    empty: usize,
    /// The operations of which an answer was lost.
    lost: BTreeSet<String>,
    pages: usize,
}

#[derive(Clone)]
pub struct Store {
    wire: Wire,
    holdings: Arc<Mutex<Holdings>>,
    pub bucket: String,
    /// Where its buckets are: empty, or a path without a slash at its end.
    path: &'static str,
}

impl Store {
    /// Holds nothing.
    pub async fn with(behaviours: impl IntoIterator<Item = Behaviour>) -> Self {
        Self::below("", behaviours).await
    }

    /// One whose endpoint has a path. Anything else is answered with 404.
    pub async fn below(
        path: &'static str,
        behaviours: impl IntoIterator<Item = Behaviour>,
    ) -> Self {
        let holdings = Arc::new(Mutex::new(Holdings {
            behaviours: behaviours.into_iter().collect(),
            ..Holdings::default()
        }));
        let own = holdings.clone();
        let wire = Wire::serve(move |request| {
            // STS is not below the path.
            let target = match request.form("Action") {
                Some(_) => Some(request.target.as_str()),
                None => request.target.strip_prefix(path),
            };
            let reply = match target {
                Some(target) => own.lock().unwrap().answer(&Request {
                    target: target.to_owned(),
                    ..request.clone()
                }),
                None => html(404),
            };
            async move { reply }.boxed()
        })
        .await;
        let bucket = random_name("store");
        Self {
            wire,
            holdings,
            bucket,
            path,
        }
    }

    /// Its address, with its path.
    pub fn endpoint(&self) -> String {
        format!("{}{}", self.url, self.path)
    }

    pub fn holdings(&self) -> MutexGuard<'_, Holdings> {
        self.holdings.lock().unwrap()
    }

    /// Behaves so from now on.
    pub fn behave(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        let mut holdings = self.holdings();
        holdings.behaviours = behaviours.into_iter().collect();
        holdings.failed.clear();
        holdings.empty = 0;
        holdings.lost.clear();
        holdings.pages = 0;
    }

    pub fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> &Self {
        self.holdings().store(key, body.into(), Vec::new());
        self
    }

    /// Objects of five bytes with these keys.
    pub fn holding<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        for key in keys {
            self.put(key, "hello");
        }
        self
    }

    pub fn holds(&self, key: &str) -> bool {
        self.holdings().objects.contains_key(key)
    }

    /// SDK settings that lead here.
    pub fn sdk_config(&self) -> SdkConfig {
        sdk_config_at(&self.wire.url, "AKIASTORESTORESTORES")
    }

    /// A service that may use the store, and a workspace of it.
    pub async fn app(&self) -> (TestApp, TestWorkspace) {
        let app = TestApp::spawn_on(&self.sdk_config(), |options| {
            options.endpoint_networks = Some("127.0.0.0/8".into());
        })
        .await;
        let workspace = app.workspace().await;
        (app, workspace)
    }

    /// Connects the bucket by an access key and its endpoint. The service must allow 127.0.0.0/8. Gives the
    /// storage's ID. A warning of the check is accepted.
    pub async fn connect(&self, app: &TestApp, workspace: &TestWorkspace) -> String {
        let settings = json!({
            "bucket": self.bucket, "auth": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "0123456789012345678901234567890123456789", "endpoint": self.endpoint(),
        });
        let dialog =
            crate::it::support::scene::Dialog::open_in(app, workspace.clone(), settings).await;
        let report = dialog.check().await.0;
        assert_ne!(report["outcome"], "failed", "{report:#}");
        let made = dialog.complete().await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    }
}

impl Deref for Store {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        &self.wire
    }
}

impl Holdings {
    /// The first of the behaviours that gives something.
    fn find<T>(&self, of: impl Fn(&Behaviour) -> Option<T>) -> Option<T> {
        self.behaviours.iter().find_map(of)
    }

    fn does(&self, is: impl Fn(&Behaviour) -> bool) -> bool {
        self.behaviours.iter().any(is)
    }

    /// The answer to one request, for a server of its own or another stub's.
    pub fn answer(&mut self, request: &Request) -> Reply {
        let operation = request.operation();
        if operation == "GetCallerIdentity" {
            return identity();
        }
        let scripted = self.find(|behaviour| match behaviour {
            Behaviour::HtmlWith200 => Some(html(200)),
            Behaviour::AnswerTo(to, reply) if operation == *to => Some(reply.clone()),
            Behaviour::When(rule) => rule(request),
            _ => None,
        });
        if let Some(reply) = scripted {
            return reply;
        }
        let mut reply = self.honest(&operation, request);
        let lost = self.find(|behaviour| match behaviour {
            Behaviour::LosesFirstAnswerTo(to, instead) if operation == *to => Some(instead.clone()),
            _ => None,
        });
        if let Some(instead) = lost
            && self.lost.insert(operation.clone())
        {
            return instead;
        }
        if self.does(|b| matches!(b, Behaviour::NoEtagFrom(of) if operation == *of)) {
            reply = without(reply, |name| name == "etag");
        }
        match self.does(|b| matches!(b, Behaviour::NoHeadersOfS3)) {
            true => without(reply, |name| name.starts_with("x-amz-") || name == "server"),
            false => reply
                .with("x-amz-request-id", "STOREREQUESTID")
                .with("x-amz-id-2", "host")
                .with("server", "AmazonS3"),
        }
    }

    fn honest(&mut self, operation: &str, request: &Request) -> Reply {
        match operation {
            "GetBucketLocation" => self.xml("LocationConstraint", String::new()),
            "HeadBucket" => Reply::answer(200, "").with("x-amz-bucket-region", "us-east-1"),
            "ListObjectsV2" => self.list(request),
            "ListObjectVersions" => self.list_versions(request),
            "CorsPreflight" => Reply::answer(200, "")
                .with(
                    "access-control-allow-origin",
                    request.header("origin").unwrap_or_default(),
                )
                .with(
                    "access-control-allow-methods",
                    "GET, PUT, POST, HEAD, DELETE",
                ),
            "GetObject" | "HeadObject" => self.get(request),
            "PutObject" => self.put_object(request),
            "CopyObject" => self.copy(request),
            "DeleteObject" => self.delete(request),
            "DeleteObjects" => self.delete_many(request),
            "CreateMultipartUpload" => self.create_upload(request),
            "UploadPart" => self.upload_part(request),
            "CompleteMultipartUpload" => self.complete_upload(request),
            "AbortMultipartUpload" => {
                let id = request.query("uploadId").unwrap_or_default();
                match self.uploads.remove(&id) {
                    Some(_) => Reply::answer(204, ""),
                    None => s3_error(404, "NoSuchUpload", "There is no such upload."),
                }
            }
            "GetObjectTagging" => self.xml("Tagging", "<TagSet></TagSet>".into()),
            _ => s3_error(501, "NotImplemented", "not in the store of the tests"),
        }
    }

    /// A document with this root, written as the store writes XML.
    fn xml(&self, root: &str, content: String) -> Reply {
        let mut text = match self.does(|b| matches!(b, Behaviour::NoNamespace)) {
            true => format!("<{root}>{content}</{root}>"),
            false => format!(
                "<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{content}</{root}>"
            ),
        };
        if self.does(|b| matches!(b, Behaviour::PrefixedNamespace)) {
            text = text.replace("</", "</s3:").replace("xmlns=", "xmlns:s3=");
            let mut prefixed = String::new();
            for (at, part) in text.split('<').enumerate() {
                let start = if at == 0 { "" } else { "<" };
                let prefix = if at == 0 || part.starts_with('/') {
                    ""
                } else {
                    "s3:"
                };
                prefixed.push_str(&format!("{start}{prefix}{part}"));
            }
            text = prefixed;
        }
        if !self.does(|b| matches!(b, Behaviour::NoXmlDeclaration)) {
            text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}");
        }
        if self.does(|b| matches!(b, Behaviour::ByteOrderMark)) {
            text.insert(0, '\u{feff}');
        }
        let mut bytes = text.into_bytes();
        if self.does(|b| matches!(b, Behaviour::HalfOfTheXml)) {
            bytes.truncate(bytes.len() / 2);
        }
        Reply::answer(200, bytes).with("content-type", "application/xml")
    }
}

fn without(mut reply: Reply, drops: impl Fn(&str) -> bool) -> Reply {
    match &mut reply {
        Reply::Answer { headers, .. }
        | Reply::Stream { headers, .. }
        | Reply::Chunked { headers, .. } => {
            headers.retain(|(name, _)| !drops(&name.to_ascii_lowercase()));
        }
        Reply::Reset => {}
    }
    reply
}

/// As text of XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
