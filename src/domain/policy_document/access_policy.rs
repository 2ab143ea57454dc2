//! Policies about the bucket: permission policy, session policies and bucket policy.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::Partition;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::files::file_operation::{PermissionRow, Target, feature_of};
use crate::domain::policy_document::escape;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The policy language. `2012-10-17` is the only version that knows the escapes `${*}`, `${?}` and
/// `${$}`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum PolicyVersion {
    #[serde(rename = "2012-10-17")]
    V2012,
}

/// A policy is for allowing: this service never asks a customer to deny.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Effect {
    Allow,
}

/// A policy as `policies/` holds it: placeholders where a customer's values go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct AccessPolicy {
    version: PolicyVersion,
    statement: Vec<AccessStatement>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AccessStatement {
    #[serde(default)]
    sid: Option<String>,
    effect: Effect,
    #[serde(default)]
    principal: Option<Principal>,
    action: Vec<String>,
    resource: [Resource; 1],
    #[serde(default)]
    condition: Option<Condition>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Principal {
    #[serde(rename = "AWS")]
    _role: RoleSlot,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum RoleSlot {
    #[serde(rename = "{role_arn}")]
    RoleArn,
}

/// What a statement is about. A statement about the key is left out where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Resource {
    #[serde(rename = "{bucket_arn}")]
    Bucket,
    #[serde(rename = "{objects_arn}")]
    Objects,
    #[serde(rename = "{key_arn}")]
    Key,
}

/// The one condition there is: listings stay below the prefix. Left out for the whole bucket.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    #[serde(rename = "StringLike")]
    _string_like: PrefixKey,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixKey {
    #[serde(rename = "s3:prefix")]
    _prefixes: [PrefixSlot; 1],
}

const BELOW_PREFIX: Condition = Condition {
    _string_like: PrefixKey {
        _prefixes: [PrefixSlot::ListPrefixes],
    },
};

#[derive(Debug, Clone, Copy, Deserialize)]
enum PrefixSlot {
    #[serde(rename = "{list_prefixes}")]
    ListPrefixes,
}

/// One for each access that a customer may grant.
#[derive(Debug, Clone)]
pub struct ByAccess<T> {
    pub read: T,
    pub read_write: T,
}

impl<T> ByAccess<T> {
    pub fn of(&self, access: Access) -> &T {
        match access {
            Access::Read => &self.read,
            Access::ReadWrite => &self.read_write,
        }
    }
}

/// The part of AWS that a policy is about.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub partition: Partition,
    pub bucket: &'a BucketName,
    pub prefix: &'a BucketPrefix,
    pub kms_key: Option<&'a KmsKeyArn>,
    pub grants: Grants,
}

impl Scope<'_> {
    fn arn(&self, resource: Resource) -> Option<String> {
        let bucket = format!(
            "arn:{}:s3:::{}",
            self.partition,
            escape::for_iam(self.bucket.as_str())
        );
        match resource {
            Resource::Bucket => Some(bucket),
            Resource::Objects => Some(format!("{bucket}/{}", self.below_prefix())),
            Resource::Key => self.kms_key.map(|key| escape::for_iam(key.as_str())),
        }
    }

    /// Every key below the prefix. As a pattern for `s3:prefix` it matches the prefix itself too, since
    /// `*` matches nothing as well; and never a neighbour, because a prefix ends in a slash.
    fn below_prefix(&self) -> String {
        format!("{}*", escape::for_iam(self.prefix.as_str()))
    }
}

impl AccessPolicy {
    /// The policy that grants these permissions: one statement for those that follow one another and have
    /// the same resource and condition. Permissions that take no resource have no place in it.
    pub fn allowing<'a>(rows: impl Iterator<Item = &'a PermissionRow>) -> Self {
        let mut statements: Vec<AccessStatement> = Vec::new();
        for row in rows {
            let resource = match row.permission.on {
                Target::Bucket => Resource::Bucket,
                Target::Objects => Resource::Objects,
                Target::Key => Resource::Key,
                Target::Everything => continue,
            };
            let action = row.permission.action.to_owned();
            match statements.last_mut() {
                Some(last)
                    if last.resource == [resource]
                        && last.condition.is_some() == row.below_prefix() =>
                {
                    last.action.push(action);
                }
                _ => statements.push(AccessStatement {
                    sid: None,
                    effect: Effect::Allow,
                    principal: None,
                    action: vec![action],
                    resource: [resource],
                    condition: row.below_prefix().then_some(BELOW_PREFIX),
                }),
            }
        }
        Self {
            version: PolicyVersion::V2012,
            statement: statements,
        }
    }

    /// What it grants, in its order.
    #[cfg(test)]
    pub fn granted(&self) -> impl Iterator<Item = (&str, Target)> {
        self.statement.iter().flat_map(|statement| {
            let [resource] = statement.resource;
            let on = match resource {
                Resource::Bucket => Target::Bucket,
                Resource::Objects => Target::Objects,
                Resource::Key => Target::Key,
            };
            let actions = statement.action.iter();
            actions.map(move |action| (action.as_str(), on))
        })
    }

    /// Whether every statement names the role as its principal, as a bucket policy must, or none does,
    /// as in an identity's policy; `None` for a mixture.
    pub fn names_principals(&self) -> Option<bool> {
        let mut named = self.statement.iter().map(|s| s.principal.is_some());
        let first = named.next()?;
        named.all(|other| other == first).then_some(first)
    }

    /// Renders the policy. `role` is the principal, where the policy has one.
    pub fn render(&self, scope: &Scope<'_>, role: Option<&RoleArn>) -> Value {
        self.render_with_sids(scope, role, "")
    }

    /// The same, with Sids that begin in this way: for a policy that others have statements in.
    pub fn render_with_sids(&self, scope: &Scope<'_>, role: Option<&RoleArn>, sids: &str) -> Value {
        let statements: Vec<Value> = self
            .statement
            .iter()
            .filter_map(|statement| {
                let granted: Vec<&String> = statement
                    .action
                    .iter()
                    .filter(|action| scope.grants.has(feature_of(action)))
                    .collect();
                match granted.as_slice() {
                    [] => None,
                    granted => statement.render(granted, scope, role, sids),
                }
            })
            .collect();
        json!({ "Version": self.version, "Statement": statements })
    }

    /// What the key's own policy must say for it: the actions that this policy grants on the key, for the role.
    /// None without a key. In a key's policy, the resource `*` is the key (KMS developer guide, "Key
    /// policies").
    pub fn key_policy(&self, scope: &Scope<'_>, role: &RoleArn, sids: &str) -> Option<Value> {
        scope.kms_key?;
        let statements: Vec<Value> = self
            .statement
            .iter()
            .filter(|statement| statement.resource == [Resource::Key])
            .map(|statement| {
                json!({
                    "Sid": statement.sid.as_ref().map(|sid| format!("{sids}{sid}")),
                    "Effect": statement.effect,
                    "Principal": { "AWS": role.as_str() },
                    "Action": statement.action,
                    "Resource": "*",
                })
            })
            .collect();
        Some(json!({ "Version": self.version, "Statement": statements }))
    }

    /// The statement that grants one action, without the other actions beside it. None for an action
    /// that the policy does not grant, or one on a key where there is none.
    pub fn statement_for(&self, action: &str, scope: &Scope<'_>) -> Option<Value> {
        self.granting(action)?.render(&[action], scope, None, "")
    }

    /// The ARN that an action of this policy applies to; None as in [`AccessPolicy::statement_for`].
    pub fn resource_for(&self, action: &str, scope: &Scope<'_>) -> Option<String> {
        let [resource] = self.granting(action)?.resource;
        scope.arn(resource)
    }

    fn granting(&self, action: &str) -> Option<&AccessStatement> {
        self.statement
            .iter()
            .find(|statement| statement.action.iter().any(|granted| granted == action))
    }
}

impl AccessStatement {
    fn render(
        &self,
        actions: &[impl Serialize],
        scope: &Scope<'_>,
        role: Option<&RoleArn>,
        sids: &str,
    ) -> Option<Value> {
        let [resource] = self.resource;
        let resource = scope.arn(resource)?;
        let mut out = Map::new();
        if let Some(sid) = &self.sid {
            out.insert("Sid".into(), json!(format!("{sids}{sid}")));
        }
        out.insert("Effect".into(), json!(self.effect));
        if self.principal.is_some() {
            // A bucket policy without its principal is left out, never rendered without one.
            out.insert("Principal".into(), json!({ "AWS": role?.as_str() }));
        }
        out.insert("Action".into(), json!(actions));
        out.insert("Resource".into(), json!([resource]));
        if self.condition.is_some() && !scope.prefix.is_whole_bucket() {
            let condition = json!({ "StringLike": { "s3:prefix": [scope.below_prefix()] } });
            out.insert("Condition".into(), condition);
        }
        Some(Value::Object(out))
    }
}
