//! A scene's requests that read files. They are a member's.

use crate::it::support::app::Answer;
use crate::it::support::client::{Content, encoded};
use crate::it::support::scene::connected::Scene;
use reqwest::Method;
use serde_json::Value;

impl Scene {
    pub async fn get(&self, below: &str) -> Answer {
        let path = self.path(below);
        self.app.get(&path, &self.workspace.member).await
    }

    /// A page of a folder; `query` begins with `&` or is empty.
    pub async fn list(&self, folder: &str, query: &str) -> Answer {
        let path = format!("{}{query}", self.list_path(folder));
        self.app.get(&path, &self.workspace.member).await
    }

    pub fn list_path(&self, folder: &str) -> String {
        self.path(&format!("/files?folder={}", encoded(folder)))
    }

    pub fn content_path(&self, key: &str) -> String {
        self.path(&format!("/files/content?key={}", encoded(key)))
    }

    pub async fn metadata(&self, key: &str) -> Answer {
        self.get(&format!("/files/metadata?key={}", encoded(key)))
            .await
    }

    /// The content, with request headers.
    pub async fn content(&self, key: &str, headers: &[(&str, &str)]) -> Content {
        self.read(Method::GET, key, headers).await
    }

    pub async fn read(&self, method: Method, key: &str, headers: &[(&str, &str)]) -> Content {
        let mut request = self
            .app
            .request(method, &self.content_path(key), &self.workspace.member);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Content::of(request).await
    }

    pub async fn sign(&self, body: &Value) -> Answer {
        let path = self.path("/files/sign");
        self.app.post(&path, &self.workspace.member, body).await
    }

    /// One signed URL.
    pub async fn signed(&self, body: &Value) -> String {
        let answer = self.sign(body).await.expect(200);
        answer["urls"][0]["url"].as_str().unwrap().to_owned()
    }

    /// Every key of a listing, page by page: folders' keys and files' keys.
    pub async fn all(
        &self,
        folder: &str,
        recursive: bool,
        page_size: u32,
    ) -> (Vec<String>, Vec<String>) {
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        let query = format!("&recursive={recursive}&page_size={page_size}");
        let mut token = String::new();
        loop {
            let page = self.list(folder, &format!("{query}{token}")).await;
            let page = page.expect(200);
            let keys = |list: &str| -> Vec<String> {
                let list = page[list].as_array().unwrap();
                assert!(list.len() <= page_size as usize);
                let key = |entry: &Value| entry["key"].as_str().unwrap().to_owned();
                list.iter().map(key).collect()
            };
            folders.extend(keys("folders"));
            files.extend(keys("files"));
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={}", encoded(next)),
                None => return (folders, files),
            }
        }
    }
}
