//! From a failed call to the answer: a denial names the action and the resource that are missing.

use crate::application::diagnosis::finding::UNKNOWN_KEY;
use crate::application::error::Error;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::cause::Cause;
use crate::domain::cause::denied::{DeniedAction, is_missing_permission};
use crate::domain::check::MissingPermission;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials};
use crate::domain::files::file_operation::{FileOperation, Permission, Target};
use crate::domain::policy_document::PolicyTemplates;
use serde_json::json;
use std::sync::Arc;

/// Turns an AWS failure into the client's error.
#[derive(Clone)]
pub struct Denials {
    policies: Arc<PolicyTemplates>,
}

impl Denials {
    pub fn new(policies: Arc<PolicyTemplates>) -> Self {
        Self { policies }
    }

    /// The answer to a failure of this operation. A denial gets `missing: [{action, resource}]`: what
    /// the operation needs, or the one action of it that AWS named.
    pub fn error(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        failure: AwsFailure,
    ) -> Error {
        let assuming = failure.operation == "AssumeRole";
        // Nothing is called missing where a statement that allows it would not help, or may not.
        let is_missing = is_missing_permission(failure.reason());
        let missing = match failure.kind {
            FailureKind::AccessDenied if !assuming && is_missing => {
                self.missing(&bucket.connection, operation, &failure)
            }
            FailureKind::AccessDenied if !assuming => {
                return self.otherwise_denied(bucket, operation, failure);
            }
            FailureKind::KmsDenied if is_missing => {
                // Without AWS's words, the key's action follows from what was done.
                let action = match failure.message.as_deref() {
                    Some(text) if text.contains("kms:GenerateDataKey") => "kms:GenerateDataKey",
                    Some(text) if text.contains("kms:Decrypt") => "kms:Decrypt",
                    _ if operation == FileOperation::Upload => "kms:GenerateDataKey",
                    _ => "kms:Decrypt",
                };
                let on = Target::Key;
                vec![self.named(&bucket.connection, Permission { action, on })]
            }
            _ => Vec::new(),
        };
        let denied = failure.kind == FailureKind::AccessDenied;
        let mut error = error_of(&bucket.connection, failure);
        if missing.is_empty() {
            return error;
        }
        if denied {
            let words = Cause::OperationNotPermitted {
                operation,
                auth: bucket.connection.credentials.auth(),
                missing: missing.clone(),
            }
            .words();
            error.detail = words.explanation;
            error.remedy = Some(words.remedy);
        }
        error.members.insert("missing".to_owned(), json!(missing));
        error
    }

    /// The answer to a denial that no statement of the role's lifts, or of which AWS does not say what would.
    fn otherwise_denied(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        failure: AwsFailure,
    ) -> Error {
        let needed = self.missing(&bucket.connection, operation, &failure);
        let actions: Vec<&str> = needed.iter().map(|one| one.action.as_str()).collect();
        let denied = DeniedAction::of(&bucket.connection, actions.join(" or "), &failure);
        let words = Cause::ActionDenied(denied).words();
        let mut error = error_of(&bucket.connection, failure);
        error.detail = format!(
            "The storage does not permit {operation}. {}",
            words.explanation
        );
        error.remedy = Some(words.remedy);
        error
    }

    fn missing(
        &self,
        connection: &Connection,
        operation: FileOperation,
        failure: &AwsFailure,
    ) -> Vec<MissingPermission> {
        let needed = operation.permissions();
        // AWS's text may name foreign ARNs; only an action that is in our own table is repeated.
        let named = failure.message.as_deref().and_then(|text| {
            let (_, after) = text.split_once("to perform: ")?;
            let action = after.split_whitespace().next()?;
            needed.iter().find(|needed| needed.action == action)
        });
        let by_call = || match failure.operation {
            "HeadObject" | "GetObject" => needed.iter().find(|p| p.action.starts_with("s3:Get")),
            "DeleteObject" => needed.iter().find(|p| p.action.starts_with("s3:Delete")),
            _ => None,
        };
        match named.or_else(by_call) {
            Some(one) => vec![self.named(connection, *one)],
            None => needed
                .iter()
                .map(|permission| self.named(connection, *permission))
                .collect(),
        }
    }

    fn named(&self, connection: &Connection, permission: Permission) -> MissingPermission {
        // Any action that the documents grant on the same resource leads to its ARN.
        let like = match permission.on {
            Target::Bucket => "s3:ListBucket",
            Target::Objects => "s3:GetObject",
            Target::Key => "kms:Decrypt",
            Target::Everything => "",
        };
        let resource = self.policies.resource_for(
            connection.partition(),
            &connection.bucket,
            &connection.settings.prefix,
            like,
            connection.settings.kms_key.as_ref(),
        );
        MissingPermission {
            action: permission.action.to_owned(),
            resource: resource.unwrap_or_else(|| match permission.on {
                Target::Key => UNKNOWN_KEY.to_owned(),
                Target::Bucket | Target::Objects | Target::Everything => "*".to_owned(),
            }),
        }
    }
}

/// The error for the failure itself, by whose bucket it is.
fn error_of(connection: &Connection, failure: AwsFailure) -> Error {
    match connection.credentials {
        Credentials::Service => Error::of_own_bucket(failure),
        Credentials::Role { .. } | Credentials::AccessKey { .. } => Error::from(failure),
    }
}
