//! The rendered documents, as the administrator hands them over.

use crate::domain::Invalid;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::sync::LazyLock;

/// The rendered documents of a setup, as `GET /v1/storage-setups/{id}/documents` answers them. Its other
/// members (the scripts) are not read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GivenDocuments {
    /// `null` for an access key, which has a user in place of a role.
    #[serde(default)]
    trust_policy: Option<serde_json::Map<String, Value>>,
    pub permission_policy: serde_json::Map<String, Value>,
    /// `null` where browsers do not use the bucket.
    #[serde(default, deserialize_with = "rules_or_null")]
    pub cors: Vec<GivenCorsRule>,
    /// `null` where the setup has none.
    #[serde(default, deserialize_with = "lifecycle_or_null")]
    pub lifecycle: GivenLifecycle,
    /// `null` until the role's ARN is known.
    #[serde(default)]
    pub bucket_policy: Option<serde_json::Map<String, Value>>,
    /// Absent in documents of an older release, as the next one.
    #[serde(default)]
    role: Option<GivenRole>,
    /// `null` unless for an access key of Amazon S3.
    #[serde(default)]
    user: Option<GivenUser>,
    #[serde(default)]
    setup_tag: Option<String>,
    #[serde(default)]
    permissions_boundary_arn: Option<String>,
    #[serde(default)]
    accounts: Option<GivenAccounts>,
}

/// The IAM user that the documents make for an access key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GivenUser {
    pub name: String,
    /// Begins and ends with a slash.
    pub path: String,
}

/// Of the documents' role, what is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct GivenRole {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    arn: Option<String>,
}

/// Of the documents' accounts, what is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct GivenAccounts {
    bucket: GivenAccount,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct GivenAccount {
    #[serde(default)]
    id: Option<String>,
}

fn rules_or_null<'de, D: Deserializer<'de>>(given: D) -> Result<Vec<GivenCorsRule>, D::Error> {
    Ok(Option::deserialize(given)?.unwrap_or_default())
}

fn lifecycle_or_null<'de, D: Deserializer<'de>>(given: D) -> Result<GivenLifecycle, D::Error> {
    Ok(Option::deserialize(given)?.unwrap_or_default())
}

impl GivenDocuments {
    /// Reads the documents, or says at which place they are not what they should be.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        if json.iter().all(u8::is_ascii_whitespace) {
            return Err(Invalid::new(
                "invalid_documents",
                "There are no documents: the input is empty. Pass the answer of `GET /v1/storage-setups/ID/documents`.",
            ));
        }
        let deserializer = &mut serde_json::Deserializer::from_slice(json);
        let documents: Self = serde_path_to_error::deserialize(deserializer).map_err(|error| {
            Invalid::new(
                "invalid_documents",
                format!(
                    "The documents cannot be read at `{}`: {}. Use the answer of `GET /v1/storage-setups/ID/documents` as it is.",
                    error.path(),
                    error.inner()
                ),
            )
        })?;
        match (&documents.trust_policy, &documents.user) {
            (Some(_), _) | (None, Some(_)) => Ok(documents),
            (None, None) => Err(Invalid::new(
                "invalid_documents",
                "The documents make neither a role nor a user: they have neither `trust_policy` nor `user`. Those of an S3-compatible store and of the built-in storage are applied by hand.",
            )),
        }
    }

    /// Who may assume the role. Empty for an access key.
    pub fn trust_policy(&self) -> &serde_json::Map<String, Value> {
        static NONE: LazyLock<serde_json::Map<String, Value>> = LazyLock::new(serde_json::Map::new);
        match &self.trust_policy {
            Some(policy) => policy,
            None => LazyLock::force(&NONE),
        }
    }

    /// The user of an access key. `None`: the documents are for a role.
    pub fn user(&self) -> Option<&GivenUser> {
        self.user.as_ref().filter(|_| self.trust_policy.is_none())
    }

    /// What the tag of a role or user says that names its setup. Documents of older releases do not have it.
    pub fn setup_tag(&self) -> Option<&str> {
        self.setup_tag.as_deref()
    }

    /// What bounds the role or user.
    pub fn permissions_boundary(&self) -> Result<Option<BoundaryArn>, Invalid> {
        let given = self.permissions_boundary_arn.as_deref();
        given.map(BoundaryArn::parse).transpose()
    }

    /// Where the role is made, unless that is `/`.
    pub fn role_path(&self) -> Result<Option<RolePath>, Invalid> {
        let given = self.role.as_ref().and_then(|role| role.path.as_deref());
        let given = given.filter(|path| *path != "/");
        given.map(RolePath::parse).transpose()
    }

    /// The external ID that the trust policy asks for.
    pub fn external_id(&self) -> Option<&str> {
        let statements = statements(self.trust_policy());
        statements.first().and_then(asked_external_id)
    }

    /// The role of the setup, where it is known. The bucket policy names it too, which documents of older
    /// releases have alone.
    pub fn role_arn(&self) -> Option<RoleArn> {
        let named = self.role.as_ref().and_then(|role| role.arn.as_deref());
        if let Some(arn) = named {
            return RoleArn::parse(arn).ok();
        }
        let policy = self.bucket_policy.as_ref()?;
        let principal = statements(policy).first()?.get("Principal")?.get("AWS")?;
        RoleArn::parse(principal.as_str()?).ok()
    }

    /// What the setup calls its role.
    pub fn role_name(&self) -> Option<&str> {
        self.role.as_ref()?.name.as_deref()
    }

    /// The one bucket that the permission policy is about.
    pub fn bucket(&self) -> Option<BucketName> {
        let mut names = resources(&self.permission_policy)
            .into_iter()
            .filter_map(|arn| arn.split_once(":s3:::"))
            .filter_map(|(_, path)| path.split('/').next());
        let first = names.next()?;
        let is_one = names.all(|name| name == first);
        BucketName::parse(first).ok().filter(|_| is_one)
    }

    /// The account that owns the bucket, where the setup names one that is not known to be the role's.
    pub fn bucket_account_apart(&self) -> Option<AccountId> {
        let named = self.accounts.as_ref()?.bucket.id.as_deref()?;
        let account = AccountId::parse(named).ok()?;
        let is_of_role = self
            .role_arn()
            .is_some_and(|role| *role.account() == account);
        (!is_of_role).then_some(account)
    }

    /// The account of the KMS key that the permission policy names.
    pub fn key_account(&self) -> Option<AccountId> {
        resources(&self.permission_policy)
            .into_iter()
            .filter_map(|arn| arn.split(':').nth(2).zip(arn.split(':').nth(4)))
            .find(|(service, _)| *service == "kms")
            .and_then(|(_, account)| AccountId::parse(account).ok())
    }

    /// What the permission policy allows with the KMS key.
    pub fn key_actions(&self) -> Vec<&str> {
        let of_key = |action: &&str| action.starts_with("kms:");
        statements(&self.permission_policy)
            .iter()
            .filter_map(|statement| statement.get("Action"))
            .flat_map(texts)
            .filter(of_key)
            .collect()
    }

    /// Whether a role with this trust policy is the one that the documents are about: every statement asks
    /// for the documents' external ID. A statement without it is the customer's own.
    pub fn are_of_role(&self, trust_policy: &serde_json::Map<String, Value>) -> bool {
        if trust_policy == self.trust_policy() {
            return true;
        }
        let found = statements(trust_policy);
        self.external_id().is_some_and(|wanted| {
            !found.is_empty()
                && found
                    .iter()
                    .all(|statement| asked_external_id(statement) == Some(wanted))
        })
    }

    /// Whether the permission policy has a statement on this bucket or something in it.
    pub(super) fn are_for(&self, bucket: &BucketName) -> bool {
        resources(&self.permission_policy)
            .into_iter()
            .filter_map(|arn| arn.split_once(":s3:::"))
            .any(|(_, path)| path.split('/').next() == Some(bucket.as_str()))
    }
}

/// A policy's statements, which may be one object instead of a list (IAM user guide, "IAM JSON policy
/// elements: Statement").
fn statements(policy: &serde_json::Map<String, Value>) -> &[Value] {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
        None => &[],
    }
}

/// What a policy's statements are about.
fn resources(policy: &serde_json::Map<String, Value>) -> Vec<&str> {
    statements(policy)
        .iter()
        .filter_map(|statement| statement.get("Resource"))
        .flat_map(texts)
        .collect()
}

/// A text, or each text of a list.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

/// The one external ID that a statement asks for, exactly.
fn asked_external_id(statement: &Value) -> Option<&str> {
    let asked = statement
        .get("Condition")?
        .get("StringEquals")?
        .get("sts:ExternalId")?;
    match asked {
        Value::Array(list) => match list.as_slice() {
            [one] => one.as_str(),
            _ => None,
        },
        one => one.as_str(),
    }
}

/// One CORS rule, in S3's JSON form. A member that this type does not know is refused, so no part
/// of a rule is lost on the way to the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GivenCorsRule {
    #[serde(rename = "ID")]
    pub id: Option<String>,
    #[serde(default)]
    pub allowed_headers: Vec<String>,
    pub allowed_methods: Vec<String>,
    pub allowed_origins: Vec<String>,
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// Seconds a browser may keep the preflight's answer.
    pub max_age_seconds: Option<i32>,
}

/// A lifecycle configuration, in S3's JSON form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GivenLifecycle {
    #[serde(default)]
    pub rules: Vec<GivenLifecycleRule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GivenLifecycleRule {
    #[serde(rename = "ID")]
    pub id: Option<String>,
    pub status: RuleStatus,
    pub filter: PrefixFilter,
    pub expiration: Option<GivenExpiration>,
    pub noncurrent_version_expiration: Option<NoncurrentExpiration>,
    pub abort_incomplete_multipart_upload: Option<AbortUploads>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum RuleStatus {
    Enabled,
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PrefixFilter {
    pub prefix: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GivenExpiration {
    pub days: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct NoncurrentExpiration {
    pub noncurrent_days: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AbortUploads {
    pub days_after_initiation: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_with_an_unknown_member_is_refused_with_its_place() {
        let text = json!({
            "trust_policy": {}, "permission_policy": {},
            "lifecycle": {"Rules": [
                {"Status": "Enabled", "Filter": {"Prefix": "a/"}, "Transitions": []}
            ]}
        });
        let refusal = GivenDocuments::parse(text.to_string().as_bytes()).unwrap_err();
        assert!(
            refusal.detail.contains("lifecycle.Rules[0]"),
            "{}",
            refusal.detail
        );
        assert!(refusal.detail.contains("Transitions"), "{}", refusal.detail);
        let empty = GivenDocuments::parse(b" \n").unwrap_err();
        assert!(empty.detail.contains("empty"), "{}", empty.detail);
        assert!(GivenDocuments::parse(b"[").is_err());
        assert!(GivenDocuments::parse(b"{\"trust_policy\": {}}").is_err());
    }

    #[test]
    fn documents_make_a_role_or_a_user_and_others_are_refused() {
        let parse = |text: Value| GivenDocuments::parse(text.to_string().as_bytes());
        let user = json!({"name": "sally", "path": "/vendors/"});
        let by_key = parse(json!({
            "trust_policy": null, "permission_policy": {}, "user": user, "role": null,
            "setup_tag": "set_1", "permissions_boundary_arn": "arn:aws:iam::aws:policy/PowerUserAccess"
        }))
        .unwrap();
        assert_eq!(by_key.user().unwrap().path, "/vendors/");
        assert!(by_key.trust_policy().is_empty());
        assert!(by_key.permissions_boundary().unwrap().is_some());
        let by_role = parse(json!({
            "trust_policy": {}, "permission_policy": {}, "user": null,
            "role": {"name": "r", "path": "/vendors/", "arn": null}
        }))
        .unwrap();
        assert_eq!(by_role.user(), None);
        assert_eq!(by_role.role_path().unwrap().unwrap().as_str(), "/vendors/");
        // An S3-compatible store has no IAM.
        let refusal = parse(json!({"trust_policy": null, "permission_policy": {}, "user": null}));
        assert!(refusal.unwrap_err().detail.contains("neither"));
    }

    #[test]
    fn the_accounts_are_those_that_the_setup_names() {
        let given = |role: Option<&str>, bucket: Option<&str>| {
            let text = json!({
                "trust_policy": {}, "permission_policy": {},
                "role": {"name": "x", "path": "/", "arn": role},
                "accounts": {"role": {"id": null, "documents": []}, "bucket": {"id": bucket, "documents": []}, "key": null}
            });
            GivenDocuments::parse(text.to_string().as_bytes()).unwrap()
        };
        let role = "arn:aws:iam::111111111111:role/x";
        let account = |given: GivenDocuments| given.bucket_account_apart().map(|a| a.to_string());
        let (own, other) = ("111111111111", "222222222222");
        assert_eq!(
            given(Some(role), None).role_arn(),
            RoleArn::parse(role).ok()
        );
        assert_eq!(account(given(Some(role), Some(own))), None);
        assert_eq!(
            account(given(Some(role), Some(other))).as_deref(),
            Some(other)
        );
        assert_eq!(account(given(None, Some(other))).as_deref(), Some(other));
        assert_eq!(account(given(None, None)), None);
        let older = br#"{"trust_policy": {}, "permission_policy": {}}"#;
        let older = GivenDocuments::parse(older).unwrap();
        assert_eq!((older.role_arn(), account(older)), (None, None));
    }

    #[test]
    fn a_role_is_of_the_documents_when_every_statement_asks_for_their_external_id() {
        let trust = |ids: &[Option<Value>]| {
            let statements: Vec<Value> = ids
                .iter()
                .map(|id| match id {
                    Some(id) => json!({"Effect": "Allow", "Condition": {"StringEquals": {"sts:ExternalId": id}}}),
                    None => json!({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}),
                })
                .collect();
            json!({"Version": "2012-10-17", "Statement": statements})
        };
        let of_role = |wanted: &Value, found: &Value| {
            let documents = json!({"trust_policy": wanted, "permission_policy": {}});
            let documents = GivenDocuments::parse(documents.to_string().as_bytes()).unwrap();
            documents.are_of_role(found.as_object().unwrap())
        };
        let own = trust(&[Some(json!("own"))]);
        assert!(of_role(&own, &own));
        assert!(of_role(&own, &trust(&[Some(json!(["own"]))])));
        assert!(of_role(&own, &json!({"Statement": own["Statement"][0]})));
        for other in [
            trust(&[]),
            trust(&[None]),
            trust(&[Some(json!("other"))]),
            trust(&[Some(json!(["own", "other"]))]),
            trust(&[Some(json!("own")), None]),
            trust(&[Some(json!("own")), Some(json!("other"))]),
        ] {
            assert!(!of_role(&own, &other), "{other}");
        }
        // Documents without an external ID fit nothing but their own policy.
        let none = trust(&[None]);
        assert!(of_role(&none, &none));
        assert!(!of_role(&none, &own));
    }
}
