//! A setup whose documents the customer has applied.

use crate::it::support::app::{ORIGIN, TestApp, TestWorkspace};
use crate::it::support::emulator::{Customer, random_name};
use crate::it::support::scene::dialog::Dialog;
use serde_json::{Value, json};

/// A setup whose customer has applied exactly the rendered documents, on the emulator.
pub struct Applied<'a> {
    pub dialog: Dialog<'a>,
    pub customer: Customer,
    pub bucket: String,
    pub role: String,
    pub role_arn: String,
    pub trust: Value,
    pub permissions: Value,
}

impl<'a> Applied<'a> {
    /// Opens a setup with these settings for the customer's bucket, and lets the customer make a role of
    /// the documents and name it.
    pub async fn open_in(
        app: &'a TestApp,
        workspace: TestWorkspace,
        customer: Customer,
        settings: Value,
    ) -> Self {
        let bucket = settings["bucket"].as_str().unwrap().to_owned();
        let methods: &[&str] = match settings["access"].as_str() {
            Some("read") => &["GET", "HEAD"],
            _ => &["GET", "PUT", "POST", "HEAD", "DELETE"],
        };
        customer.put_cors(&bucket, &[ORIGIN], methods).await;
        let dialog = Dialog::open_in(app, workspace, settings).await;
        let mut documents = dialog.documents().await;
        let mut applied = Self {
            customer,
            bucket,
            role: random_name("role"),
            role_arn: String::new(),
            trust: documents["trust_policy"].take(),
            permissions: documents["permission_policy"].take(),
            dialog,
        };
        applied.role_arn = applied.apply().await;
        let settings = json!({"role_arn": applied.role_arn});
        applied.dialog.patch(settings).await.expect(200);
        applied
    }

    /// Gives the role the policies as they are now.
    pub async fn apply(&self) -> String {
        self.customer
            .put_role(&self.role, &self.trust, &self.permissions)
            .await
    }

    /// Gives the role another trust policy.
    pub async fn trust(&self, trust: &Value) {
        self.customer
            .put_role(&self.role, trust, &self.permissions)
            .await;
    }

    /// The permission policy without one action.
    pub fn without(&self, action: &str) -> Value {
        let mut policy = self.permissions.clone();
        let statements = policy["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut() {
            let actions = statement["Action"].as_array_mut().unwrap();
            actions.retain(|known| known != action);
        }
        statements.retain(|statement| statement["Action"] != json!([]));
        assert_ne!(policy, self.permissions, "{action} is in the policy");
        policy
    }

    /// What is in the bucket.
    pub async fn keys(&self) -> Vec<String> {
        let page = self.customer.s3().list_objects_v2().bucket(&self.bucket);
        let page = page.send().await.unwrap();
        let keys = page.contents().iter().map(|object| object.key().unwrap());
        keys.map(str::to_owned).collect()
    }
}
