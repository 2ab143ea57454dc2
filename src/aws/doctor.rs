//! Reads the documents of a role and a bucket with the customer's own credentials. It only reads.

use crate::application::doctor::read::ReadDocuments;
use crate::domain::doctor::Pasted;
use crate::domain::doctor::finding::DocumentKind;
use aws_config::SdkConfig;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// How many pages of policies are read. A role has at most 20 attached policies by default, and 10,240 characters of
/// inline ones.
const PAGES: usize = 10;

/// Every document that these credentials may read. What cannot be read is named, and is no error: only where the role
/// itself cannot be read there is nothing to look at.
pub async fn read(sdk: &SdkConfig, bucket: &str, role: &str) -> Result<ReadDocuments, String> {
    let iam = aws_sdk_iam::Client::new(sdk);
    let s3 = aws_sdk_s3::Client::new(sdk);
    let answer = iam.get_role().role_name(role).send().await;
    let found =
        answer.map_err(|error| format!("the role `{role}` cannot be read: {}", why(&error)))?;
    let mut read = ReadDocuments::default();
    if let Some(role) = found.role {
        read.role_arn = Some(role.arn);
        if role.permissions_boundary.is_some() {
            read.unread
                .push("the role has a permissions boundary, which is not looked at".into());
        }
        if let Some(text) = role.assume_role_policy_document {
            read.add(DocumentKind::TrustPolicy, "trust policy", decoded(&text));
        }
    }
    attached(&iam, role, &mut read).await;
    inline(&iam, role, &mut read).await;
    match s3.get_bucket_policy().bucket(bucket).send().await {
        Ok(answer) => {
            if let Some(text) = answer.policy {
                read.add(DocumentKind::BucketPolicy, "bucket policy", text);
            }
        }
        Err(error) if code(&error) == Some("NoSuchBucketPolicy") => {}
        Err(error) => read
            .unread
            .push(format!("the bucket policy: {}", why(&error))),
    }
    match s3.get_bucket_cors().bucket(bucket).send().await {
        Ok(answer) => {
            let rules: Vec<Value> = answer
                .cors_rules
                .unwrap_or_default()
                .iter()
                .map(rule)
                .collect();
            read.add(
                DocumentKind::Cors,
                "CORS configuration",
                format!("{:#}", Value::from(rules)),
            );
        }
        Err(error) if code(&error) == Some("NoSuchCORSConfiguration") => {}
        Err(error) => read
            .unread
            .push(format!("the CORS configuration: {}", why(&error))),
    }
    Ok(read)
}

async fn attached(iam: &aws_sdk_iam::Client, role: &str, read: &mut ReadDocuments) {
    let call = iam.list_attached_role_policies().role_name(role);
    let mut pages = call.into_paginator().send();
    for _ in 0..PAGES {
        let page = match pages.next().await {
            None => return,
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                read.unread
                    .push(format!("the attached policies: {}", why(&error)));
                return;
            }
        };
        for policy in page.attached_policies.unwrap_or_default() {
            let (Some(arn), Some(name)) = (policy.policy_arn, policy.policy_name) else {
                continue;
            };
            match version(iam, &arn).await {
                Ok(text) => read.add(DocumentKind::PermissionPolicy, &name, text),
                Err(why) => read.unread.push(format!("the policy `{name}`: {why}")),
            }
        }
    }
    if pages.next().await.is_some() {
        read.unread
            .push("more attached policies than are read".into());
    }
}

async fn version(iam: &aws_sdk_iam::Client, arn: &str) -> Result<String, String> {
    let policy = iam
        .get_policy()
        .policy_arn(arn)
        .send()
        .await
        .map_err(|error| why(&error))?;
    let version = policy.policy.and_then(|policy| policy.default_version_id);
    let version = version.ok_or("AWS names no version of it")?;
    let call = iam.get_policy_version().policy_arn(arn).version_id(version);
    let answer = call.send().await.map_err(|error| why(&error))?;
    let text = answer.policy_version.and_then(|version| version.document);
    text.map(|text| decoded(&text))
        .ok_or_else(|| "AWS shows no document".to_owned())
}

async fn inline(iam: &aws_sdk_iam::Client, role: &str, read: &mut ReadDocuments) {
    let mut pages = iam
        .list_role_policies()
        .role_name(role)
        .into_paginator()
        .send();
    for _ in 0..PAGES {
        let page = match pages.next().await {
            None => return,
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                read.unread
                    .push(format!("the inline policies: {}", why(&error)));
                return;
            }
        };
        for name in page.policy_names {
            match iam
                .get_role_policy()
                .role_name(role)
                .policy_name(&name)
                .send()
                .await
            {
                Ok(answer) => {
                    let text = decoded(&answer.policy_document);
                    read.add(DocumentKind::PermissionPolicy, &name, text);
                }
                Err(error) => read
                    .unread
                    .push(format!("the policy `{name}`: {}", why(&error))),
            }
        }
    }
    if pages.next().await.is_some() {
        read.unread
            .push("more inline policies than are read".into());
    }
}

/// IAM answers with documents percent-encoded.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}

fn why<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error.as_service_error() {
        Some(refusal) => format!(
            "{} ({})",
            refusal.message().unwrap_or("AWS gave no reason"),
            refusal.code().unwrap_or("no code")
        ),
        None => {
            let first: &dyn std::error::Error = error;
            let causes = std::iter::successors(Some(first), |error| error.source());
            causes
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": ")
        }
    }
}

fn rule(rule: &aws_sdk_s3::types::CorsRule) -> Value {
    let mut out = Map::new();
    if let Some(id) = rule.id() {
        out.insert("ID".into(), json!(id));
    }
    out.insert("AllowedHeaders".into(), json!(rule.allowed_headers()));
    out.insert("AllowedMethods".into(), json!(rule.allowed_methods()));
    out.insert("AllowedOrigins".into(), json!(rule.allowed_origins()));
    out.insert("ExposeHeaders".into(), json!(rule.expose_headers()));
    if let Some(seconds) = rule.max_age_seconds() {
        out.insert("MaxAgeSeconds".into(), json!(seconds));
    }
    Value::Object(out)
}

impl ReadDocuments {
    fn add(&mut self, kind: DocumentKind, name: &str, text: String) {
        self.names.push(name.to_owned());
        self.documents.push(Pasted { kind, text });
    }
}
