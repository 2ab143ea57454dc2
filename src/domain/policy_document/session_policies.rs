//! The policies that narrow a session, made of the table of permissions.
//!
//! A session policy only narrows: what the role's own policies do not allow stays forbidden.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::grants::Grants;
use crate::domain::files::file_operation::{FileOperation, PERMISSIONS, PermissionRow, Target};
use crate::domain::policy_document::access_policy::{AccessPolicy, ByAccess, Scope};
use crate::domain::policy_document::escape;
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(super) struct SessionPolicies {
    files: ByAccess<AccessPolicy>,
    objects: ByAccess<AccessPolicy>,
}

impl SessionPolicies {
    pub fn new() -> Self {
        Self {
            files: by_access(|access| {
                let rows = PERMISSIONS.iter();
                AccessPolicy::allowing(rows.filter(|row| row.in_documents(Grants::all(access))))
            }),
            objects: by_access(|access| {
                let rows = PERMISSIONS.iter();
                let (on_bucket, others): (Vec<_>, Vec<_>) = rows
                    .filter(|row| row.in_wider_session(Grants::all(access)))
                    .partition(|row| row.permission.on == Target::Bucket);
                AccessPolicy::allowing(others.into_iter().chain(on_bucket))
            }),
        }
    }

    /// The documents' own permissions; with an account, on its buckets only.
    pub fn files(&self, scope: &Scope<'_>, owner: Option<&AccountId>) -> String {
        let policy = self.files.of(scope.grants.access);
        text(&owned_by(owner, policy.render(scope, None)))
    }

    /// Those of the wider session; with an account, on its buckets only.
    pub fn objects(&self, scope: &Scope<'_>, owner: Option<&AccountId>) -> String {
        let policy = self.objects.of(scope.grants.access);
        text(&owned_by(owner, policy.render(scope, None)))
    }

    /// The permissions that take no resource (service authorization reference).
    pub fn all_buckets(&self) -> String {
        let on_everything = |row: &&PermissionRow| row.permission.on == Target::Everything;
        let rows = PERMISSIONS.iter().filter(on_everything);
        let actions: Vec<&str> = rows.map(|row| row.permission.action).collect();
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": ["*"] });
        text(&json!({ "Version": "2012-10-17", "Statement": [statement] }))
    }

    /// Listing one bucket, and nothing else; with an account, only where that owns it.
    pub fn folders(&self, scope: &Scope<'_>, owner: Option<&AccountId>) -> String {
        let bucket = format!("arn:{}:s3:::{}", scope.partition, scope.bucket);
        let action = FileOperation::Browse.permissions().iter();
        let actions: Vec<&str> = action.map(|permission| permission.action).collect();
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": [bucket] });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        text(&owned_by(owner, policy))
    }
}

fn by_access(policy: impl Fn(Access) -> AccessPolicy) -> ByAccess<AccessPolicy> {
    ByAccess {
        read: policy(Access::Read),
        read_write: policy(Access::ReadWrite),
    }
}

/// Limits the statements about S3 to what this account owns (IAM user guide, "AWS global condition context
/// keys", `aws:ResourceAccount`). A KMS key may be another account's, and its ARN names that account.
fn owned_by(owner: Option<&AccountId>, mut policy: Value) -> Value {
    let Some(owner) = owner else {
        return policy;
    };
    let statements = policy["Statement"].as_array_mut();
    for statement in statements.into_iter().flatten() {
        let is_about_s3 = statement["Action"].as_array().is_some_and(|actions| {
            let mut names = actions.iter().filter_map(Value::as_str);
            names.all(|action| action.starts_with("s3:"))
        });
        if is_about_s3 {
            statement["Condition"]["StringEquals"] =
                json!({ "aws:ResourceAccount": owner.as_str() });
        }
    }
    policy
}

/// AssumeRole takes U+0020 to U+00FF.
fn text(policy: &Value) -> String {
    escape::beyond('\u{ff}', &policy.to_string())
}
