//! A scene's requests that write files. They are an admin's.

use crate::it::support::app::Answer;
use crate::it::support::client::RawUpload;
use crate::it::support::scene::connected::Scene;
use reqwest::Method;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

impl Scene {
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

    pub async fn delete(&self, below: &str) -> Answer {
        let path = self.path(below);
        self.app.delete(&path, &self.workspace.admin).await
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
