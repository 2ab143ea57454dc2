//! How a bucket is connected: `Scene::on(Emulator).access("read").prefix("team/").connect()`.

use crate::it::support::app::{TestApp, TestWorkspace, app_on};
use crate::it::support::aws::stub::{AwsStub, CUSTOMER};
use crate::it::support::emulator::{Customer, Emulator};
use crate::it::support::scene::applied::Applied;
use crate::it::support::scene::connected::Scene;
use crate::it::support::scene::dialog::Dialog;
use crate::it::support::scene::storage::ConnectedStorage;
use serde_json::{Value, json};

/// Without more words: read and write access to a whole bucket.
pub struct SceneBuilder<'a, Aws> {
    aws: Aws,
    access: &'a str,
    prefix: &'a str,
    /// A customer with a bucket, where it is not a new one.
    of: Option<&'a ConnectedStorage>,
}

impl Scene {
    /// `aws` is the [`Emulator`] or `&AwsStub`.
    pub fn on<'a, Aws>(aws: Aws) -> SceneBuilder<'a, Aws> {
        SceneBuilder {
            aws,
            access: "read_write",
            prefix: "",
            of: None,
        }
    }
}

impl<'a, Aws> SceneBuilder<'a, Aws> {
    pub fn access(self, access: &'a str) -> Self {
        Self { access, ..self }
    }

    pub fn prefix(self, prefix: &'a str) -> Self {
        Self { prefix, ..self }
    }

    /// Read access below this prefix.
    pub fn reading(self, prefix: &'a str) -> Self {
        self.access("read").prefix(prefix)
    }

    /// The bucket of this storage instead of a new one.
    pub fn bucket_of(self, storage: &'a ConnectedStorage) -> Self {
        let of = Some(storage);
        Self { of, ..self }
    }

    fn settings(&self, bucket: &str) -> Value {
        json!({"bucket": bucket, "access": self.access, "prefix": self.prefix})
    }
}

impl SceneBuilder<'_, Emulator> {
    /// On a service and in a workspace of its own.
    pub async fn connect(self) -> Scene {
        let app = TestApp::spawn_on_emulator().await;
        let workspace = app.workspace().await;
        let storage = self.connect_in(&app, &workspace).await;
        Scene {
            app,
            workspace,
            storage,
        }
    }

    /// The whole way: setup, documents, role, check, storage.
    pub async fn connect_in(self, app: &TestApp, workspace: &TestWorkspace) -> ConnectedStorage {
        let (customer, bucket) = self.customer().await;
        let mut settings = self.settings(&bucket);
        settings["display_name"] = json!("Acme's bucket");
        let applied = Applied::open_in(app, workspace.clone(), customer, settings).await;
        storage_of(&applied.dialog, &applied.customer, &applied.role_arn).await
    }

    /// As far as the role, in a workspace of its own. The bucket holds `a.txt`, which the check can read.
    pub async fn apply(self, app: &TestApp) -> Applied<'_> {
        let workspace = app.workspace().await;
        let (customer, bucket) = self.customer().await;
        let key = format!("{}a.txt", self.prefix);
        customer.put_object(&bucket, &key, "hello").await;
        Applied::open_in(app, workspace, customer, self.settings(&bucket)).await
    }

    async fn customer(&self) -> (Customer, String) {
        if let Some(storage) = self.of {
            return (storage.customer.clone(), storage.bucket.clone());
        }
        let customer = Emulator::customer();
        let bucket = customer.create_bucket().await;
        (customer, bucket)
    }
}

impl SceneBuilder<'_, &AwsStub> {
    /// On a service and in a workspace of its own.
    pub async fn connect(self) -> Scene {
        let app = app_on(&self.aws.sdk_config()).await;
        let workspace = app.workspace().await;
        let storage = self.connect_in(&app, &workspace).await;
        Scene {
            app,
            workspace,
            storage,
        }
    }

    /// The whole way: setup, check, storage.
    pub async fn connect_in(self, app: &TestApp, workspace: &TestWorkspace) -> ConnectedStorage {
        let (customer, role_arn) = (self.customer(), self.aws.role_arn());
        let dialog = self.open_in(app, workspace.clone()).await;
        storage_of(&dialog, &customer, &role_arn).await
    }

    /// An open setup for the stub's bucket, whose role trusts it.
    pub async fn open(self, app: &TestApp) -> Dialog<'_> {
        let workspace = app.workspace().await;
        self.open_in(app, workspace).await
    }

    async fn open_in(self, app: &TestApp, workspace: TestWorkspace) -> Dialog<'_> {
        let mut settings = self.settings(&self.aws.bucket);
        settings["role_arn"] = json!(self.aws.role_arn());
        let dialog = Dialog::open_in(app, workspace, settings).await;
        self.aws.world().external_id = Some(dialog.external_id.clone());
        dialog
    }

    fn customer(&self) -> Customer {
        Customer {
            account: CUSTOMER.to_owned(),
            sdk_config: self.aws.sdk_config(),
        }
    }
}

/// Checks and completes a setup. A warning of the check is accepted.
async fn storage_of(dialog: &Dialog<'_>, customer: &Customer, role_arn: &str) -> ConnectedStorage {
    let report = dialog.check().await.0;
    assert_ne!(report["outcome"], "failed", "{report:#}");
    let body = dialog.complete().await.expect(201);
    let text = |field: &str| body[field].as_str().unwrap().to_owned();
    ConnectedStorage {
        id: text("id"),
        bucket: text("bucket"),
        prefix: text("prefix"),
        role_arn: role_arn.to_owned(),
        customer: customer.clone(),
        body,
    }
}
