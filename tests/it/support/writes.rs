//! A storage that may be written to, and what its bucket holds.

use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::files::encoded;
use crate::it::support::storage::ConnectedStorage;
use aws_sdk_s3::types::{BucketVersioningStatus, EncodingType, VersioningConfiguration};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Writable {
    pub app: TestApp,
    pub workspace: TestWorkspace,
    pub storage: ConnectedStorage,
}

impl Writable {
    pub async fn connect(prefix: &str) -> Self {
        Self::connect_with(prefix, "read_write").await
    }

    pub async fn connect_with(prefix: &str, access: &str) -> Self {
        let app = TestApp::spawn_on_emulator().await;
        let workspace = app.workspace().await;
        let storage = ConnectedStorage::connect_with(&app, &workspace, prefix, access).await;
        Self {
            app,
            workspace,
            storage,
        }
    }

    pub fn path(&self, below: &str) -> String {
        self.storage.path(below)
    }

    pub fn content_path(&self, key: &str) -> String {
        self.path(&format!("/files/content?key={}", encoded(key)))
    }

    pub async fn upload(&self, key: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.upload_with(key, body, &[]).await
    }

    pub async fn upload_with(
        &self,
        key: &str,
        body: impl Into<reqwest::Body>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let path = self.content_path(key);
        let mut request = self
            .app
            .request(Method::PUT, &path, &self.workspace.admin)
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    }

    pub async fn post(&self, below: &str, body: &Value) -> Answer {
        let path = self.path(below);
        self.app.post(&path, &self.workspace.admin, body).await
    }

    /// The same with a body that is not kept elsewhere.
    pub async fn post_owned(&self, below: &str, body: Value) -> Answer {
        self.post(below, &body).await
    }

    pub async fn get(&self, below: &str) -> Answer {
        let path = self.path(below);
        self.app.get(&path, &self.workspace.member).await
    }

    pub async fn delete(&self, below: &str) -> Answer {
        let path = self.path(below);
        self.app.delete(&path, &self.workspace.admin).await
    }

    /// The bytes of an object, asked of the bucket itself; `None` where there is none.
    pub async fn object(&self, file_key: &str) -> Option<Vec<u8>> {
        let answer = self
            .storage
            .customer
            .s3()
            .get_object()
            .bucket(&self.storage.bucket)
            .key(self.storage.object_key(file_key))
            .send()
            .await;
        match answer {
            Ok(answer) => Some(answer.body.collect().await.unwrap().to_vec()),
            Err(error) => {
                assert!(error.into_service_error().is_no_such_key());
                None
            }
        }
    }

    /// The keys below the bucket's root, and how many uploads are open.
    pub async fn bucket(&self) -> (Vec<String>, usize) {
        let s3 = self.storage.customer.s3();
        let bucket = &self.storage.bucket;
        // Keys may hold characters that XML cannot.
        let list = s3
            .list_objects_v2()
            .bucket(bucket)
            .encoding_type(EncodingType::Url);
        let listed = list.send().await.unwrap();
        let decoded = |key: &str| {
            let spaced = key.replace('+', " ");
            let text = percent_encoding::percent_decode_str(&spaced).decode_utf8();
            text.unwrap().into_owned()
        };
        let keys = listed.contents().iter();
        let uploads = s3.list_multipart_uploads().bucket(bucket);
        let open = uploads.send().await.unwrap().uploads().len();
        (keys.map(|o| decoded(o.key().unwrap())).collect(), open)
    }

    /// Waits until nothing of an upload is left: no object and no open upload.
    pub async fn nothing_left(&self) {
        for _ in 0..100 {
            if self.bucket().await == (Vec::new(), 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("left in the bucket: {:?}", self.bucket().await);
    }

    /// Gives the role exactly these statements besides nothing else.
    pub async fn set_permissions(&self, statements: &[Value]) {
        self.put_policy("sallyport", statements).await;
    }

    /// Lets the role do more than the documents ask for.
    pub async fn allow(&self, actions: &[&str], resource: &str) {
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": resource});
        self.put_policy("more", &[statement]).await;
    }

    /// Lets the role give up uploads, which S3 lets whoever began one do by default.
    pub async fn allow_aborts(&self) {
        let objects = format!("arn:aws:s3:::{}/*", self.storage.bucket);
        self.allow(&["s3:AbortMultipartUpload"], &objects).await;
    }

    async fn put_policy(&self, name: &str, statements: &[Value]) {
        let (_, role) = self.storage.role_arn.rsplit_once('/').unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        self.storage
            .customer
            .iam()
            .put_role_policy()
            .role_name(role)
            .policy_name(name)
            .policy_document(policy.to_string())
            .send()
            .await
            .unwrap();
    }

    pub async fn keep_versions(&self) {
        let configuration = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::Enabled)
            .build();
        self.storage
            .customer
            .s3()
            .put_bucket_versioning()
            .bucket(&self.storage.bucket)
            .versioning_configuration(configuration)
            .send()
            .await
            .unwrap();
    }

    /// Opens a connection and sends the head of an upload with these headers, and nothing of the body.
    pub async fn begin_upload(&self, key: &str, headers: &str) -> RawUpload {
        let mut stream = TcpStream::connect(self.app.address).await.unwrap();
        let head = format!(
            "PUT {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n{headers}\r\n",
            self.content_path(key),
            self.workspace.admin,
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        RawUpload(stream)
    }
}

/// An upload written by hand.
pub struct RawUpload(pub TcpStream);

impl RawUpload {
    pub async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Sends a chunk of a chunked body; an empty one is its end.
    pub async fn chunk(&mut self, bytes: &[u8]) {
        self.send(format!("{:x}\r\n", bytes.len()).as_bytes()).await;
        self.send(bytes).await;
        self.send(b"\r\n").await;
    }

    /// Reads the answer's status and body.
    pub async fn answer(mut self) -> (u16, String) {
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let lower = head.to_ascii_lowercase();
                let (_, after) = lower.split_once("content-length: ").unwrap();
                let length: usize = after.lines().next().unwrap().parse().unwrap();
                if body.len() >= length {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return (status, body.to_owned());
                }
            }
            let read = self.0.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the connection ended: {text}");
            answer.extend_from_slice(&buffer[..read]);
        }
    }
}
