//! A product's service for the browser, a workspace, and a customer with a bucket.

use crate::application::connections::provision::{GivenDocuments, IamName, Provisioning};
use crate::aws::provision::provision;
use crate::domain::connection::bucket_name::BucketName;
use crate::it::support::app::{OPERATOR, TestApp, TestWorkspace};
use crate::it::support::browser::Page;
use crate::it::support::emulator::{Customer, Emulator, VENDOR_ACCOUNT, random_name, trust_policy};
use crate::settings::Options;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

pub struct World {
    pub app: TestApp,
    pub workspace: TestWorkspace,
    pub customer: Customer,
    pub bucket: String,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The service with settings that differ, and a customer with an empty bucket.
    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let customer = Emulator::customer();
        let bucket = customer.create_bucket().await;
        Self::of(customer, bucket, change).await
    }

    pub async fn of(customer: Customer, bucket: String, change: impl FnOnce(&mut Options)) -> Self {
        // The public address is settled before the service listens, as in production.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let address = port.unwrap().to_string();
        let origin = format!("http://{address}");
        let app = TestApp::spawn_on_emulator_with(|options| {
            options.listen = Some(address);
            options.public_url = Some(origin.clone());
            options.allowed_origins = Some(origin);
            change(options);
        })
        .await;
        Self {
            workspace: app.workspace().await,
            app,
            customer,
            bucket,
        }
    }

    pub fn url(&self, path: &str) -> String {
        self.app.url(path)
    }

    /// A fresh sign-in link.
    pub async fn link(&self, role: &str, purpose: &str) -> String {
        self.link_of(&self.workspace, role, purpose).await
    }

    pub async fn link_of(&self, workspace: &TestWorkspace, role: &str, purpose: &str) -> String {
        let path = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
        let body = json!({"role": role, "purpose": purpose});
        let made = self.app.post(&path, OPERATOR, &body).await.expect(201);
        made["url"].as_str().unwrap().to_owned()
    }

    /// Signs a browser in as the workspace's admin.
    pub async fn sign_in(&self, page: &Page) {
        page.goto(&self.link("admin", "settings").await).await;
        page.at("/settings/storages").await;
    }

    pub async fn sign_in_as_member(&self, page: &Page) {
        page.goto(&self.link("member", "projects").await).await;
        page.at("/projects").await;
    }

    pub async fn goto(&self, page: &Page, path: &str) {
        page.goto(&self.url(path)).await;
    }

    /// Opens a setup over the API. Gives its ID.
    pub async fn open_setup(&self, typed: &Value) -> String {
        let admin = &self.workspace.admin;
        let setup = self.app.post("/v1/storage-setups", admin, typed).await;
        setup.expect(201)["id"].as_str().unwrap().to_owned()
    }

    pub async fn setup(&self, id: &str) -> Value {
        let path = format!("/v1/storage-setups/{id}");
        self.app.get(&path, &self.workspace.admin).await.expect(200)
    }

    /// The customer's administrator applies the documents of a setup, as the API gives them. Gives the
    /// role's ARN.
    pub async fn apply(&self, setup: &str) -> String {
        let path = format!("/v1/storage-setups/{setup}/documents");
        let documents = self.app.get(&path, &self.workspace.admin).await;
        documents.expect(200);
        self.apply_documents(documents.text.as_bytes()).await
    }

    /// The same with documents that came another way.
    pub async fn apply_documents(&self, documents: &[u8]) -> String {
        let wanted = Provisioning::new(
            GivenDocuments::parse(documents).unwrap(),
            BucketName::parse(&self.bucket).unwrap(),
            IamName::role(&random_name("r")).unwrap(),
            IamName::policy("sallyport").unwrap(),
        )
        .unwrap();
        let done = provision(&self.customer.sdk_config, &wanted).await;
        done.unwrap().role_arn.unwrap().to_string()
    }

    /// A setup with everything typed and the role made, not checked yet.
    pub async fn applied_setup(&self, typed: &Value) -> String {
        let id = self.open_setup(typed).await;
        let role_arn = self.apply(&id).await;
        self.patch_setup(&id, &json!({"role_arn": role_arn})).await;
        id
    }

    pub async fn patch_setup(&self, id: &str, changes: &Value) {
        let path = format!("/v1/storage-setups/{id}");
        let admin = &self.workspace.admin;
        self.app.patch(&path, admin, changes).await.expect(200);
    }

    pub async fn check_setup(&self, id: &str) -> Value {
        let path = format!("/v1/storage-setups/{id}/check");
        let admin = &self.workspace.admin;
        self.app.post(&path, admin, &json!({})).await.expect(200)
    }

    /// A storage over the API, the whole way. Gives its ID.
    pub async fn connect(&self, typed: &Value) -> String {
        let setup = self.applied_setup(typed).await;
        let report = self.check_setup(&setup).await;
        assert_ne!(report["outcome"], "failed", "{report:#}");
        let path = format!("/v1/storage-setups/{setup}/complete");
        let admin = &self.workspace.admin;
        let storage = self.app.post(&path, admin, &json!({})).await.expect(201);
        storage["id"].as_str().unwrap().to_owned()
    }

    /// Deletes the role of a storage in the customer's account.
    pub async fn withdraw_role(&self, storage: &str) {
        let path = format!("/v1/storages/{storage}");
        let storage = self.app.get(&path, &self.workspace.admin).await.expect(200);
        let arn = storage["role_arn"].as_str().unwrap();
        let name = arn.rsplit('/').next().unwrap();
        let iam = self.customer.iam();
        let policy = iam.delete_role_policy().role_name(name);
        policy.policy_name("sallyport").send().await.unwrap();
        iam.delete_role().role_name(name).send().await.unwrap();
    }

    /// Takes the bucket's CORS configuration away.
    pub async fn remove_cors(&self) {
        let s3 = self.customer.s3();
        let removal = s3.delete_bucket_cors().bucket(&self.bucket);
        removal.send().await.unwrap();
    }

    /// A role as a careless administrator makes it: it asks for no external ID.
    pub async fn unguarded_role(&self) -> String {
        let permissions = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": [format!("arn:aws:s3:::{}", self.bucket), format!("arn:aws:s3:::{}/*", self.bucket)],
        }]});
        let trust = trust_policy(VENDOR_ACCOUNT, None);
        let name = random_name("careless");
        self.customer.put_role(&name, &trust, &permissions).await
    }

    /// The path of a new link for the customer's administrator, made by the page's form.
    pub async fn instruction_link(&self, setup: &str) -> String {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let link = self.link("admin", "settings").await;
        let answer = client.get(link).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = format!("/settings/setups/{setup}?step=role&way=administrator");
        let html = client.get(self.url(&page)).header("cookie", &cookie);
        let html = html.send().await.unwrap().text().await.unwrap();
        let token = between(&html, "name=\"csrf\" value=\"", "\"");
        let made = client
            .post(self.url(&format!("/settings/setups/{setup}/link")))
            .header("cookie", &cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("csrf={token}&step=role"))
            .send()
            .await
            .unwrap();
        let html = made.text().await.unwrap();
        let start = self.url("/instructions/");
        format!("/instructions/{}", between(&html, &start, "<"))
    }

    /// A project of these file keys. Gives its ID.
    pub async fn project(&self, storage: &str, keys: &[&str]) -> String {
        let files: Vec<Value> = keys.iter().map(|key| json!({"file_key": key})).collect();
        let body = json!({"name": "Rings and chequers", "storage_id": storage, "files": files});
        let admin = &self.workspace.admin;
        let made = self
            .app
            .post("/v1/projects", admin, &body)
            .await
            .expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// What a setup of the bucket has typed.
    pub fn typed(&self, name: &str, prefix: &str) -> Value {
        json!({
            "display_name": name, "bucket": self.bucket, "prefix": prefix, "access": "read_write",
        })
    }

    /// Puts the demo's sample files into the bucket, below `team/` and beside it.
    pub async fn put_samples(&self) {
        let folder = tempfile::tempdir().unwrap();
        let written = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/demo/samples.py"))
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(written.success());
        let mut folders = vec![folder.path().to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    self.put_file(folder.path(), &path).await;
                }
            }
        }
    }

    async fn put_file(&self, folder: &Path, file: &Path) {
        let key = file.strip_prefix(folder).unwrap().to_str().unwrap();
        let kind = mime_guess::from_path(file).first_or_octet_stream();
        self.customer
            .s3()
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(kind.as_ref())
            .body(std::fs::read(file).unwrap().into())
            .send()
            .await
            .unwrap();
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split_once(after).unwrap().0
}
