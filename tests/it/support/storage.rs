//! A customer's bucket, connected over the API as its people would connect it.

use crate::application::connections::provision::{GivenDocuments, IamName, Provisioning};
use crate::aws::provision::provision;
use crate::domain::connection::bucket_name::BucketName;
use crate::it::support::app::{TestApp, TestWorkspace};
use crate::it::support::emulator::{Customer, Emulator, random_name};
use crate::settings::Options;
use serde_json::{Value, json};

/// The product's origin, which the buckets' CORS rules let in.
pub const ORIGIN: &str = "https://app.example.com";

impl TestApp {
    /// Starts the service on the emulator, as the vendor's user, with the vendor's bucket for the
    /// built-in storage.
    pub async fn spawn_on_emulator() -> Self {
        Self::spawn_on_emulator_with(|_| {}).await
    }

    pub async fn spawn_on_emulator_with(change: impl FnOnce(&mut Options)) -> Self {
        let vendor = Emulator::vendor().await;
        Self::spawn_on(&vendor.sdk_config, |options| {
            options.allowed_origins = Some(ORIGIN.into());
            options.built_in_bucket = Some(vendor.bucket.clone());
            change(options);
        })
        .await
    }
}

/// A storage of a workspace, and the customer behind it.
pub struct ConnectedStorage {
    pub id: String,
    /// The storage as `complete` answered it.
    pub body: Value,
    pub customer: Customer,
    pub bucket: String,
    /// With its slash, or empty.
    pub prefix: String,
    pub role_arn: String,
}

impl ConnectedStorage {
    /// With read and write access below `prefix` of a new bucket.
    pub async fn connect(app: &TestApp, workspace: &TestWorkspace, prefix: &str) -> Self {
        Self::connect_with(app, workspace, prefix, "read_write").await
    }

    /// The whole way: setup, documents, provision, check, complete.
    pub async fn connect_with(
        app: &TestApp,
        workspace: &TestWorkspace,
        prefix: &str,
        access: &str,
    ) -> Self {
        let customer = Emulator::customer();
        let bucket = customer.create_bucket().await;
        let typed = json!({
            "display_name": "Acme's bucket", "bucket": bucket, "prefix": prefix, "access": access,
        });
        let admin = &workspace.admin;
        let setup = app.post("/v1/storage-setups", admin, &typed).await;
        let setup = setup.expect(201);
        let path = format!("/v1/storage-setups/{}", setup["id"].as_str().unwrap());
        let documents = app.get(&format!("{path}/documents"), admin).await;
        documents.expect(200);
        let role_arn = apply(&customer, &bucket, documents.text.as_bytes()).await;
        app.patch(&path, admin, &json!({"role_arn": role_arn}))
            .await
            .expect(200);
        let check = app.post(&format!("{path}/check"), admin, &json!({})).await;
        let report = check.expect(200);
        assert_ne!(report["outcome"], "failed", "{report:#}");
        let complete = format!("{path}/complete");
        let body = app.post(&complete, admin, &json!({})).await.expect(201);
        Self {
            id: body["id"].as_str().unwrap().to_owned(),
            prefix: body["prefix"].as_str().unwrap().to_owned(),
            body,
            customer,
            bucket,
            role_arn,
        }
    }

    /// The address of something of this storage: `path("/files")`.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/storages/{}{below}", self.id)
    }

    /// Puts an object by its file key.
    pub async fn put(&self, file_key: &str, body: impl Into<Vec<u8>>) {
        let key = self.object_key(file_key);
        self.customer.put_object(&self.bucket, &key, body).await;
    }

    /// The key in the bucket.
    pub fn object_key(&self, file_key: &str) -> String {
        let path = file_key.strip_prefix('/').unwrap_or(file_key);
        format!("{}{path}", self.prefix)
    }
}

/// The customer's administrator applies the documents. Gives the role's ARN.
pub async fn apply(customer: &Customer, bucket: &str, documents: &[u8]) -> String {
    let wanted = Provisioning::new(
        GivenDocuments::parse(documents).unwrap(),
        BucketName::parse(bucket).unwrap(),
        IamName::role(&random_name("r")).unwrap(),
        IamName::policy("sallyport").unwrap(),
    )
    .unwrap();
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    done.role_arn.to_string()
}
