//! Builds a world: a correct setup, and what breaks it.

use crate::it::connections::custom_endpoints::user_key;
use crate::it::support::app::{ORIGIN, TestApp};
use crate::it::support::emulator::{
    Customer, Emulator, REGION, VENDOR_ACCOUNT, random_name, trust_policy,
};
use crate::it::support::scene::{Dialog, Report};
use crate::it::worlds::account::Account;
use crate::it::worlds::aws::{Aws, Staged};
use crate::it::worlds::world::{By, Names, Origins, State, World};
use aws_sdk_s3::types::{
    BucketVersioningStatus, CorsConfiguration, CorsRule, VersioningConfiguration,
};
use serde_json::{Value, json};

/// A world that was built.
pub struct Stage<'a> {
    pub world: &'a World,
    pub dialog: Dialog<'a>,
    pub customer: Customer,
    pub names: Names,
    pub account: Account,
    pub role: String,
    /// The user, and its key.
    pub user: Option<(String, String, String)>,
    pub trust: Value,
    pub permissions: Value,
    pub region: &'static str,
}

impl<'a> Stage<'a> {
    pub async fn build(world: &'a World, app: &'a TestApp, aws: &Aws) -> Self {
        let customer = Emulator::customer();
        let region = world
            .states
            .iter()
            .find_map(|state| match state {
                State::Elsewhere(region) => Some(*region),
                _ => None,
            })
            .unwrap_or(REGION);
        let bucket = random_name("w");
        customer.create_bucket_in(&bucket, region).await;
        let typed = world.typed_prefix.unwrap_or(world.prefix);
        let mut settings = json!({
            "bucket": bucket, "access": world.access, "prefix": typed,
            "browser_access": world.is_browsed,
        });
        if world.by != By::Role {
            settings["auth"] = json!("access_key");
        }
        let workspace = app.workspace().await;
        let mut other_id = String::new();
        if world.states.contains(&State::OtherSetup) {
            let other = Dialog::open_in(app, workspace.clone(), json!({})).await;
            other_id = other.external_id;
        }
        let dialog = Dialog::open_in(app, workspace, settings).await;
        let account = Account::default();
        let role = random_name("r");
        let names = Names {
            prefix: world.prefix.to_owned(),
            external_id: dialog.external_id.clone(),
            other_id,
            vendor: VENDOR_ACCOUNT.to_owned(),
            account: customer.account.clone(),
            role_arn: format!("arn:aws:iam::{}:role/{role}", customer.account),
            key_arn: format!(
                "arn:aws:kms:{region}:{}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                customer.account
            ),
            bucket,
        };
        aws.register(Staged {
            names: names.clone(),
            account: account.clone(),
            rules: world.wires.clone(),
            key: world.key,
            owner: world.owner.unwrap_or(&customer.account).to_owned(),
            has_role: world.by == By::Role,
        });
        let mut stage = Self {
            world,
            dialog,
            customer,
            names,
            account,
            role,
            user: None,
            trust: Value::Null,
            permissions: Value::Null,
            region,
        };
        stage.fill().await;
        stage.apply_documents(aws).await;
        stage
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        self.customer.s3_in(self.region)
    }

    async fn fill(&self) {
        let s3 = self.s3();
        let bucket = &self.names.bucket;
        if self.has(State::Versioned) {
            let versioning = VersioningConfiguration::builder()
                .status(BucketVersioningStatus::Enabled)
                .build();
            let put = s3.put_bucket_versioning().bucket(bucket);
            put.versioning_configuration(versioning)
                .send()
                .await
                .unwrap();
        }
        let key = self.world.states.iter().find_map(|state| match state {
            State::OnlyAt(key) => Some((*key).to_owned()),
            _ => None,
        });
        let key = key.unwrap_or_else(|| format!("{}a.txt", self.names.prefix));
        if !self.has(State::Empty) {
            let put = s3.put_object().bucket(bucket).key(key);
            let body = aws_sdk_s3::primitives::ByteStream::from_static(b"hello");
            put.body(body).send().await.unwrap();
        }
    }

    fn has(&self, state: State) -> bool {
        self.world.states.contains(&state)
    }

    /// The documents as they were rendered, and then what breaks them.
    async fn apply_documents(&mut self, aws: &Aws) {
        let documents = self.dialog.documents().await;
        let permissions = documents["permission_policy"].clone();
        let trust = match documents["trust_policy"].is_null() {
            true => trust_policy(VENDOR_ACCOUNT, Some(&self.names.external_id)),
            false => documents["trust_policy"].clone(),
        };
        self.trust = match self.world.trust {
            Some(edit) => edit(trust, &self.names),
            None => trust,
        };
        self.permissions = match self.world.permissions {
            Some(edit) => edit(permissions, &self.names),
            None => permissions,
        };
        if self.has(State::NoPolicy) {
            self.permissions = Value::Null;
        }
        match self.world.by {
            By::Role => {
                if !self.has(State::NoRole) {
                    self.put_trust(&self.trust).await;
                }
                let arn = json!({"role_arn": self.names.role_arn});
                self.dialog.patch(arn).await.expect(200);
            }
            By::Key | By::KeyAtStore => {
                let (id, secret) = user_key(&self.customer, &self.permissions).await;
                let iam = self.customer.iam();
                let used = iam
                    .get_access_key_last_used()
                    .access_key_id(&id)
                    .send()
                    .await;
                let user = used.unwrap().user_name.unwrap();
                let mut settings = json!({"access_key_id": id, "secret_access_key": secret});
                if self.world.by == By::KeyAtStore {
                    settings["endpoint"] = json!(aws.url());
                }
                self.dialog.patch(settings).await.expect(200);
                self.user = Some((user, id, secret));
            }
        }
        if !self.permissions.is_null() && !self.has(State::NoRole) {
            self.put_permissions(&self.permissions).await;
        }
        let cors = match self.world.cors {
            Some(make) => make(&self.names),
            None => documents["cors"].clone(),
        };
        if !cors.is_null() && self.world.is_browsed {
            self.put_cors(&cors).await;
        }
        if let Some(make) = self.world.bucket_policy {
            self.put_bucket_policy(&make(&self.names)).await;
        }
        self.set_settings().await;
        if self.has(State::NoBucket) {
            let s3 = self.s3();
            let bucket = &self.names.bucket;
            let key = format!("{}a.txt", self.names.prefix);
            s3.delete_object()
                .bucket(bucket)
                .key(key)
                .send()
                .await
                .unwrap();
            s3.delete_bucket().bucket(bucket).send().await.unwrap();
        }
    }

    /// The settings that break it. Another endpoint needs the secret again.
    pub async fn set_settings(&self) {
        let Some(make) = self.world.settings else {
            return;
        };
        let mut settings = make(&self.names);
        if let (Some((_, _, secret)), true) = (&self.user, settings["endpoint"].is_string()) {
            settings["secret_access_key"] = json!(secret);
        }
        self.dialog.patch(settings).await.expect(200);
    }

    pub async fn put_trust(&self, trust: &Value) {
        let iam = self.customer.iam();
        let made = iam.create_role().role_name(&self.role);
        let made = made
            .assume_role_policy_document(trust.to_string())
            .send()
            .await;
        if made.is_err() {
            let put = iam.update_assume_role_policy().role_name(&self.role);
            put.policy_document(trust.to_string()).send().await.unwrap();
        }
    }

    pub async fn put_permissions(&self, policy: &Value) {
        self.account.set_permissions(policy);
        let iam = self.customer.iam();
        match &self.user {
            Some((user, ..)) => {
                let put = iam.put_user_policy().user_name(user).policy_name("access");
                put.policy_document(policy.to_string())
                    .send()
                    .await
                    .unwrap();
            }
            None => {
                let put = iam
                    .put_role_policy()
                    .role_name(&self.role)
                    .policy_name("access");
                put.policy_document(policy.to_string())
                    .send()
                    .await
                    .unwrap();
            }
        }
    }

    pub async fn put_bucket_policy(&self, policy: &Value) {
        self.account.set_bucket_policy(policy);
        let put = self.s3().put_bucket_policy().bucket(&self.names.bucket);
        put.policy(policy.to_string()).send().await.unwrap();
    }

    pub async fn put_cors(&self, rules: &Value) {
        let texts = |value: &Value| -> Option<Vec<String>> {
            let list = value.as_array()?;
            Some(
                list.iter()
                    .filter_map(|one| one.as_str().map(str::to_owned))
                    .collect(),
            )
        };
        let rules = rules.as_array().unwrap().iter().map(|rule| {
            CorsRule::builder()
                .set_id(rule["ID"].as_str().map(str::to_owned))
                .set_allowed_headers(texts(&rule["AllowedHeaders"]))
                .set_allowed_methods(texts(&rule["AllowedMethods"]))
                .set_allowed_origins(texts(&rule["AllowedOrigins"]))
                .set_expose_headers(texts(&rule["ExposeHeaders"]))
                .build()
                .unwrap()
        });
        let configuration = CorsConfiguration::builder()
            .set_cors_rules(Some(rules.collect()))
            .build()
            .unwrap();
        let put = self.s3().put_bucket_cors().bucket(&self.names.bucket);
        put.cors_configuration(configuration).send().await.unwrap();
    }

    pub async fn check(&self) -> Report {
        self.dialog.check().await
    }
}

/// What a service's operator has set as origins.
pub fn origins(origins: Origins) -> &'static str {
    match origins {
        Origins::One => ORIGIN,
        Origins::Two => "https://app.example.com,https://admin.example.com",
        Origins::WithPort => "https://app.example.com:8443",
    }
}
