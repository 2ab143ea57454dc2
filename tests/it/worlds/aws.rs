//! One AWS for all worlds: the emulator, with AWS's own rules where it is lax, and with the answers of the world that a
//! request is about.

use crate::it::support::aws::proxy::forward;
use crate::it::support::aws::stub::{denied, s3_error};
use crate::it::support::aws::wire::{Reply, Request, Wire};
use crate::it::support::emulator::Emulator;
use crate::it::worlds::account::Account;
use crate::it::worlds::kms::Key;
use crate::it::worlds::sentences::{explicit, no_allow};
use crate::it::worlds::world::{Names, Wire as Rule};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use futures_util::FutureExt;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is registered of a world.
#[derive(Clone)]
pub struct Staged {
    pub names: Names,
    pub account: Account,
    pub rules: Vec<Rule>,
    pub key: Option<Key>,
    /// The bucket's owner.
    pub owner: String,
    pub has_role: bool,
}

/// The way to AWS.
#[derive(Clone)]
pub struct Aws {
    wire: Wire,
    worlds: Arc<Mutex<Worlds>>,
}

#[derive(Default)]
struct Worlds {
    by_bucket: HashMap<String, Arc<Staged>>,
    by_role: HashMap<String, Arc<Staged>>,
}

impl Aws {
    pub async fn start() -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let to = Emulator::url();
        let worlds = Arc::new(Mutex::new(Worlds::default()));
        let own = worlds.clone();
        let wire = Wire::serve(move |request| {
            let (client, to) = (client.clone(), to.clone());
            let staged = of(&own, &request);
            async move {
                let Some(staged) = staged else {
                    return forward(&client, &to, request).await;
                };
                if let Some(reply) = staged.before(&request) {
                    return reply;
                }
                let reply = forward(&client, &to, request.clone()).await;
                staged.after(&request, reply)
            }
            .boxed()
        })
        .await;
        Self { wire, worlds }
    }

    pub fn url(&self) -> &str {
        &self.wire.url
    }

    pub fn register(&self, staged: Staged) {
        let staged = Arc::new(staged);
        let mut worlds = self.worlds.lock().unwrap();
        worlds
            .by_role
            .insert(staged.names.role_arn.clone(), staged.clone());
        worlds.by_bucket.insert(staged.names.bucket.clone(), staged);
    }

    /// SDK settings that lead here.
    pub fn sdk_config(&self, sdk: &SdkConfig) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(8))
            .operation_timeout(Duration::from_secs(20))
            .build();
        sdk.clone()
            .into_builder()
            .endpoint_url(&self.wire.url)
            .timeout_config(timeouts)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(2)
                    .with_initial_backoff(Duration::from_millis(10)),
            )
            .build()
    }
}

fn of(worlds: &Mutex<Worlds>, request: &Request) -> Option<Arc<Staged>> {
    let worlds = worlds.lock().unwrap();
    match request.form("RoleArn") {
        Some(arn) if request.method == "POST" => worlds.by_role.get(&arn).cloned(),
        _ => worlds.by_bucket.get(&request.bucket_and_key().0).cloned(),
    }
}

/// The action of S3 that a request needs.
pub fn action_of(request: &Request) -> Option<&'static str> {
    Some(match request.operation().as_str() {
        "GetBucketLocation" => "s3:GetBucketLocation",
        "ListObjectsV2" => "s3:ListBucket",
        "ListObjectVersions" => "s3:ListBucketVersions",
        "GetObject" | "HeadObject" => "s3:GetObject",
        "GetObjectAcl" => "s3:GetObjectAcl",
        "PutObjectAcl" => "s3:PutObjectAcl",
        "PutObject" => "s3:PutObject",
        "DeleteObject" if request.query("versionId").is_some() => "s3:DeleteObjectVersion",
        "DeleteObject" => "s3:DeleteObject",
        _ => return None,
    })
}

/// The ARN of what it is about.
pub fn resource_of(request: &Request, action: &str, names: &Names) -> String {
    match action.contains("Object") {
        true => format!("{}/{}", names.bucket_arn(), request.bucket_and_key().1),
        false => names.bucket_arn(),
    }
}

impl Staged {
    fn before(&self, request: &Request) -> Option<Reply> {
        if request.operation() == "AssumeRole"
            && let Some(policy) = request.form("Policy")
        {
            let policy: Value = serde_json::from_str(&policy).unwrap();
            self.account.set_session(&policy);
        }
        let rules = self.rules.iter();
        let mut answers = rules.filter_map(|rule| rule(request, &self.account, &self.names));
        if let Some(reply) = answers.next() {
            return Some(reply);
        }
        // The emulator knows no `aws:ResourceAccount` (IAM user guide, "AWS global condition context keys").
        if let Some(action) = action_of(request)
            && self.has_role
            && self.account.session_is_of_other_account(&self.owner)
        {
            let resource = resource_of(request, action, &self.names);
            let denial = match self.account.may(action, &resource) {
                true => no_allow(action, "session policy", &self.names),
                false => no_allow(action, "identity-based policy", &self.names),
            };
            return Some(denial);
        }
        // The emulator ignores the header (S3 user guide, "Verifying bucket ownership").
        let expected = request.header("x-amz-expected-bucket-owner");
        if expected.is_some_and(|account| account != self.owner) {
            return Some(denied("Access Denied"));
        }
        // Reading an absent file is looked at by S3 before its key is.
        self.key?.refuses(request, &self.account, &self.names)
    }

    fn after(&self, request: &Request, reply: Reply) -> Reply {
        let Reply::Answer {
            status: 404, body, ..
        } = &reply
        else {
            return reply;
        };
        let is_read = matches!(request.operation().as_str(), "GetObject" | "HeadObject");
        let (text, arn) = (String::from_utf8_lossy(body), self.names.bucket_arn());
        if !is_read || text.contains("NoSuchBucket") {
            return reply;
        }
        if self.account.bucket_policy_denies("s3:ListBucket") {
            return match request.operation().as_str() {
                "HeadObject" => s3_error(403, "AccessDenied", ""),
                _ => explicit("s3:ListBucket", "resource-based policy", &self.names),
            };
        }
        // S3 tells only those who may list that there is no such file (S3 API reference, GetObject).
        let by = match (
            self.account.allows("s3:ListBucket", &arn),
            self.has_role && !self.account.session_allows("s3:ListBucket", &arn),
        ) {
            (false, _) => "identity-based policy",
            (true, true) => "session policy",
            (true, false) => return reply,
        };
        match request.operation().as_str() {
            "HeadObject" => s3_error(403, "AccessDenied", ""),
            _ => no_allow("s3:ListBucket", by, &self.names),
        }
    }
}
