//! A workspace, a setup and a customer's role and bucket that go together, driven through the API.

use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::aws_stub::AwsStub;
use crate::it::support::emulator::{Customer, Emulator, random_name};
use serde_json::{Value, json};

pub const ORIGIN: &str = "https://app.example.com";

/// The names of a report's steps, in order.
pub const STEPS: [&str; 10] = [
    "assume_role",
    "refuses_missing_external_id",
    "refuses_wrong_external_id",
    "get_bucket_location",
    "bucket_owner",
    "list_bucket",
    "get_object",
    "put_object",
    "delete_object",
    "cors",
];

/// An open setup.
pub struct Dialog<'a> {
    pub app: &'a TestApp,
    pub workspace: TestWorkspace,
    pub id: String,
    pub external_id: String,
}

impl<'a> Dialog<'a> {
    /// Opens a setup in a workspace of its own.
    pub async fn open(app: &'a TestApp, settings: Value) -> Self {
        let workspace = app.workspace().await;
        Self::open_in(app, workspace, settings).await
    }

    pub async fn open_in(app: &'a TestApp, workspace: TestWorkspace, settings: Value) -> Self {
        let made = app
            .post("/v1/storage-setups", &workspace.admin, &settings)
            .await
            .expect(201);
        Self {
            app,
            workspace,
            id: made["id"].as_str().unwrap().to_owned(),
            external_id: made["external_id"].as_str().unwrap().to_owned(),
        }
    }

    /// Opens a setup for the stub's bucket, whose role trusts it.
    pub async fn on_stub(app: &'a TestApp, stub: &AwsStub, access: &str) -> Self {
        let settings =
            json!({"bucket": stub.bucket, "role_arn": stub.role_arn(), "access": access});
        let dialog = Self::open(app, settings).await;
        stub.world().external_id = Some(dialog.external_id.clone());
        dialog
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/v1/storage-setups/{}{rest}", self.id)
    }

    pub async fn get(&self) -> Value {
        let answer = self.app.get(&self.path(""), &self.workspace.admin).await;
        answer.expect(200)
    }

    pub async fn patch(&self, settings: Value) -> Answer {
        let (path, token) = (self.path(""), &self.workspace.admin);
        self.app.patch(&path, token, &settings).await
    }

    pub async fn documents(&self) -> Value {
        let path = self.path("/documents");
        self.app.get(&path, &self.workspace.admin).await.expect(200)
    }

    /// Checks, and asserts what every report has.
    pub async fn check(&self) -> Report {
        let (path, token) = (self.path("/check"), &self.workspace.admin);
        Report::of(&self.app.post(&path, token, &json!({})).await)
    }

    pub async fn complete(&self) -> Answer {
        let (path, token) = (self.path("/complete"), &self.workspace.admin);
        self.app.post(&path, token, &json!({})).await
    }

    /// Checks, completes, and gives the storage.
    pub async fn finish(&self) -> Value {
        self.check().await.passed();
        self.complete().await.expect(201)
    }

    /// Nothing came of it: the check is required, and there is no storage.
    pub async fn refused(&self) {
        self.complete().await.problem(409, "check_required");
        let storages = self.app.get("/v1/storages", &self.workspace.admin).await;
        assert_eq!(storages.expect(200)["storages"], json!([]));
    }
}

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
    pub async fn new(app: &'a TestApp, access: &str, prefix: &str) -> Self {
        let workspace = app.workspace().await;
        Self::new_in(app, workspace, access, prefix).await
    }

    pub async fn new_in(
        app: &'a TestApp,
        workspace: TestWorkspace,
        access: &str,
        prefix: &str,
    ) -> Self {
        let customer = Emulator::customer();
        let bucket = customer.create_bucket().await;
        customer
            .put_object(&bucket, &format!("{prefix}a.txt"), "hello")
            .await;
        let methods: &[&str] = match access {
            "read" => &["GET", "HEAD"],
            _ => &["GET", "PUT", "POST", "HEAD", "DELETE"],
        };
        customer.put_cors(&bucket, &[ORIGIN], methods).await;
        let settings = json!({"bucket": bucket, "access": access, "prefix": prefix});
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

/// A check report.
#[derive(Debug)]
pub struct Report(pub Value);

impl Report {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let body = answer.expect(200);
        let steps = body["steps"].as_array().unwrap();
        let names: Vec<_> = steps.iter().map(|s| s["name"].as_str().unwrap()).collect();
        assert_eq!(names, STEPS);
        for step in steps {
            let told = match step["status"].as_str().unwrap() {
                "passed" => step["problem"].is_null() && step["skipped_because"].is_null(),
                "skipped" => step["skipped_because"].is_string() && step["problem"].is_null(),
                "failed" | "warning" => {
                    let problem = &step["problem"];
                    let said = |field: &str| !problem[field].as_str().unwrap().is_empty();
                    ["code", "title", "explanation", "remedy"]
                        .into_iter()
                        .all(said)
                }
                other => panic!("{other}"),
            };
            assert!(told, "{step}");
        }
        Self(body)
    }

    #[track_caller]
    pub fn step(&self, name: &str) -> &Value {
        let at = STEPS.iter().position(|step| *step == name).unwrap();
        &self.0["steps"][at]
    }

    #[track_caller]
    pub fn status(&self, name: &str) -> &str {
        self.step(name)["status"].as_str().unwrap()
    }

    pub fn code(&self, name: &str) -> Option<&str> {
        self.step(name)["problem"]["code"].as_str()
    }

    pub fn with_status(&self, status: &str) -> Vec<&str> {
        let steps = STEPS.into_iter();
        steps.filter(|name| self.status(name) == status).collect()
    }

    #[track_caller]
    pub fn passed(self) -> Self {
        assert_eq!(self.0["outcome"], "passed", "{:#}", self.0);
        self
    }

    /// Exactly these steps failed.
    #[track_caller]
    pub fn failed(self, steps: &[&str]) -> Self {
        assert_eq!(self.0["outcome"], "failed", "{:#}", self.0);
        assert_eq!(self.with_status("failed"), steps, "{:#}", self.0);
        self
    }

    /// The role was refused in the one way that says no more: nothing else was tried.
    #[track_caller]
    pub fn role_refused(self) -> Self {
        let report = self.failed(&["assume_role"]);
        assert_eq!(report.code("assume_role"), Some("role_refused"));
        assert_eq!(report.with_status("skipped").len(), 9);
        report
    }
}

/// The service on this AWS, with the origin that the tests' buckets let in.
pub async fn app_on(aws: &aws_config::SdkConfig) -> TestApp {
    TestApp::spawn_on(aws, |options| {
        options.allowed_origins = Some(ORIGIN.into());
    })
    .await
}
