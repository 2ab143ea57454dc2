//! What the customer's AWS administrator applies in their own account: the role with its two policies,
//! and the bucket's CORS and lifecycle rules. The adapter is `aws::provision`.

use crate::domain::Invalid;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::policy_document::RoleName;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// The rendered documents of a setup, as `GET /v1/storage-setups/{id}/documents` answers them. Its other
/// members (the scripts) are not read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GivenDocuments {
    pub trust_policy: serde_json::Map<String, Value>,
    pub permission_policy: serde_json::Map<String, Value>,
    /// `null` where browsers do not use the bucket.
    #[serde(default, deserialize_with = "rules_or_null")]
    pub cors: Vec<GivenCorsRule>,
    #[serde(default)]
    pub lifecycle: GivenLifecycle,
    /// `null` until the role's ARN is known.
    #[serde(default)]
    pub bucket_policy: Option<serde_json::Map<String, Value>>,
}

fn rules_or_null<'de, D: Deserializer<'de>>(given: D) -> Result<Vec<GivenCorsRule>, D::Error> {
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
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            Invalid::new(
                "invalid_documents",
                format!(
                    "The documents cannot be read at `{}`: {}. Use the answer of `GET /v1/storage-setups/ID/documents` as it is.",
                    error.path(),
                    error.inner()
                ),
            )
        })
    }

    /// The external ID that the trust policy asks for.
    pub fn external_id(&self) -> Option<&str> {
        let statements = statements(&self.trust_policy);
        statements.first().and_then(asked_external_id)
    }

    /// The role of the setup, where it is known: the bucket policy names it.
    pub fn role_arn(&self) -> Option<RoleArn> {
        let policy = self.bucket_policy.as_ref()?;
        let principal = statements(policy).first()?.get("Principal")?.get("AWS")?;
        RoleArn::parse(principal.as_str()?).ok()
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
        if *trust_policy == self.trust_policy {
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
    fn are_for(&self, bucket: &BucketName) -> bool {
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

/// The name of an IAM role or of an inline policy: 1 to 64 (role) or 128 (policy) characters of
/// `[A-Za-z0-9+=,.@_-]` (IAM API reference, CreateRole and PutRolePolicy).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamName(String);

impl IamName {
    pub fn role(value: &str) -> Result<Self, Invalid> {
        Self::parse(value, 64, "role")
    }

    pub fn policy(value: &str) -> Result<Self, Invalid> {
        Self::parse(value, 128, "policy")
    }

    fn parse(value: &str, longest: usize, what: &str) -> Result<Self, Invalid> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
        if value.is_empty() || value.len() > longest || !value.bytes().all(fits) {
            return Err(Invalid::new(
                "invalid_iam_name",
                format!("A {what} name has 1 to {longest} letters, digits and `+=,.@_-`."),
            ));
        }
        Ok(Self(value.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of an IAM role: begins and ends with a slash; at most 512 printable ASCII characters (IAM API
/// reference, CreateRole). As in a setup's role ARN, without wildcards and quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamPath(String);

impl IamPath {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let inner = value
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/').or(rest.is_empty().then_some("")));
        let fits = |c: char| c.is_ascii_graphic() && !"*?$\"\\'`<>".contains(c);
        let parts_fit =
            |inner: &str| inner.is_empty() || inner.split('/').all(|part| !part.is_empty());
        match inner {
            Some(inner) if value.len() <= 512 && inner.chars().all(fits) && parts_fit(inner) => {
                Ok(Self(value.to_owned()))
            }
            _ => Err(Invalid::new(
                "invalid_iam_path",
                "A role path begins and ends with `/` and has at most 512 printable ASCII characters, without spaces, wildcards, quotes and empty parts. Example: /vendors/",
            )),
        }
    }

    /// The path of the role with this ARN.
    pub fn of(role_arn: &RoleArn) -> Self {
        Self(RoleName::of(role_arn).path)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of a managed policy that bounds a role: `arn:PARTITION:iam::ACCOUNT:policy/PATH/NAME`, of the
/// customer's own or of AWS's (`aws` as the account).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundaryArn(String);

impl BoundaryArn {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let fields: Vec<&str> = value.splitn(6, ':').collect();
        let fits = match fields[..] {
            ["arn", partition, "iam", "", account, resource] => {
                !partition.is_empty()
                    && (account == "aws" || AccountId::parse(account).is_ok())
                    && resource
                        .strip_prefix("policy/")
                        .is_some_and(|name| !name.is_empty())
            }
            _ => false,
        };
        if !fits || value.len() > 2048 || !value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid::new(
                "invalid_permissions_boundary",
                "A permissions boundary is the ARN of a managed policy. Example: arn:aws:iam::123456789012:policy/boundary",
            ));
        }
        Ok(Self(value.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What to apply, and where.
///
/// Invariant: the documents are for this bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Provisioning {
    documents: GivenDocuments,
    bucket: BucketName,
    role_name: IamName,
    policy_name: IamName,
    /// Where the role is made. `None`: at `/`; a role that exists stays where it is.
    pub role_path: Option<IamPath>,
    /// What bounds the role. `None`: a boundary that it has stays.
    pub permissions_boundary: Option<BoundaryArn>,
    /// The account that the role is in. `None`: the one that the command runs in.
    pub role_account: Option<AccountId>,
    /// The account that owns the bucket. `None`: the role's.
    pub bucket_account: Option<AccountId>,
    /// Leaves the bucket's CORS rules alone.
    pub skip_cors: bool,
    /// Leaves the bucket's lifecycle rules alone.
    pub skip_lifecycle: bool,
    /// Replaces the trust policy of a role that does not ask for the documents' external ID.
    pub replace: bool,
    /// Takes away what the documents describe, instead of applying it.
    pub remove: bool,
    /// Looks and reports, and changes nothing.
    pub dry_run: bool,
}

impl Provisioning {
    pub fn new(
        documents: GivenDocuments,
        bucket: BucketName,
        role_name: IamName,
        policy_name: IamName,
    ) -> Result<Self, Invalid> {
        if !documents.are_for(&bucket) {
            return Err(Invalid::new(
                "documents_for_another_bucket",
                format!(
                    "The permission policy in the documents does not name the bucket `{bucket}`. Fetch the documents again after the bucket has been entered."
                ),
            ));
        }
        Ok(Self {
            documents,
            bucket,
            role_name,
            policy_name,
            role_path: None,
            permissions_boundary: None,
            role_account: None,
            bucket_account: None,
            skip_cors: false,
            skip_lifecycle: false,
            replace: false,
            remove: false,
            dry_run: false,
        })
    }

    pub fn documents(&self) -> &GivenDocuments {
        &self.documents
    }

    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    pub fn role_name(&self) -> &IamName {
        &self.role_name
    }

    pub fn policy_name(&self) -> &IamName {
        &self.policy_name
    }
}

/// What happened to one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProvisionChange {
    Created,
    Updated,
    /// It already was as the documents say.
    Unchanged,
    /// Left alone, as asked or because the documents have none.
    Skipped,
    Removed,
    /// There was nothing to remove.
    Absent,
}

impl ProvisionChange {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Removed => "removed",
            Self::Absent => "absent",
        }
    }
}

/// What was done to one part, or would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedPart {
    pub change: ProvisionChange,
    /// What changes and what stays, in words for the administrator: a line for each thing.
    pub details: Vec<String>,
}

impl ProvisionedPart {
    pub fn new(change: ProvisionChange, details: Vec<String>) -> Self {
        Self { change, details }
    }
}

/// What was done; with [`Provisioning::dry_run`], what would be done. Doing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// `None` where these credentials are of the bucket's account only, and the documents do not name it.
    pub role_arn: Option<RoleArn>,
    pub role: ProvisionedPart,
    pub permission_policy: ProvisionedPart,
    pub cors: ProvisionedPart,
    pub lifecycle: ProvisionedPart,
    /// `None` where the role is of the bucket's account, and needs none.
    pub bucket_policy: Option<ProvisionedPart>,
    /// What is still to be done, and in which account: a sentence each.
    pub left: Vec<String>,
}

impl Provisioned {
    /// The parts, with their names for people, in the order in which they are applied.
    pub fn parts(&self) -> Vec<(&'static str, &ProvisionedPart)> {
        let mut parts = vec![
            ("Role", &self.role),
            ("Permission policy", &self.permission_policy),
            ("CORS", &self.cors),
            ("Lifecycle", &self.lifecycle),
        ];
        parts.extend(
            self.bucket_policy
                .iter()
                .map(|part| ("Bucket policy", part)),
        );
        parts
    }
}

/// The names of parts, for people.
fn listed(parts: &[&'static str]) -> String {
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

/// Why it was not done. Everything is looked at before anything is changed, so
/// [`ProvisionError::OtherRole`], [`ProvisionError::OtherPath`], [`ProvisionError::OtherAccount`] and
/// [`ProvisionError::RoleInUse`] leave the account as it was. After any other error, run it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    #[error(
        "The role `{role}` exists, and its trust policy is not the one for this setup: it does not ask for the external ID {external_id} in every statement. Nothing was changed. Choose another --role-name. {advice}\nIts trust policy now: {trust_policy}"
    )]
    OtherRole {
        role: IamName,
        external_id: String,
        /// Compact JSON.
        trust_policy: String,
        advice: &'static str,
    },
    #[error(
        "The role `{role}` has more than this setup needs: {what}. Nothing was changed. Detach it and run this again, or remove the role yourself."
    )]
    RoleInUse { role: IamName, what: String },
    #[error(
        "No usable AWS credentials were found. Sign in with the AWS CLI, or choose a profile with AWS_PROFILE. ({cause})"
    )]
    NoCredentials { cause: String },
    /// AWS said no. The text is AWS's own: it is the administrator's account and credentials.
    #[error("{operation} was refused: {code}: {message}")]
    Refused {
        operation: &'static str,
        code: String,
        message: String,
        /// HTTP's.
        status: Option<u16>,
    },
    #[error(
        "The role `{role}` exists at the path `{found}`, not at `{wanted}`: its ARN is {arn}. IAM has one role of a name in an account, whatever the path, and moves none. Nothing was changed. Enter that ARN in the setup, or choose another --role-name."
    )]
    OtherPath {
        role: IamName,
        found: String,
        wanted: IamPath,
        arn: String,
    },
    #[error(
        "The role `{role}` was changed by somebody else while this ran: its trust policy no longer asks for this setup's external ID in every statement, or something was attached to it. It is left alone from here on."
    )]
    ChangedMeanwhile { role: IamName },
    #[error(
        "These credentials are of the account {caller}. This setup's role is in the account {role}{others}. Nothing was changed. Run the command with credentials of one of them."
    )]
    OtherAccount {
        caller: AccountId,
        role: AccountId,
        /// The accounts of bucket and key, in words.
        others: String,
    },
    /// AWS went on refusing for now until the command's patience ended.
    #[error(
        "{}. AWS refuses this for now; it was tried {attempts} times in {} s.",
        cause.to_string().trim_end_matches('.'),
        waited.as_secs()
    )]
    GivenUp {
        cause: Box<ProvisionError>,
        attempts: u32,
        waited: Duration,
    },
    /// The command ended before everything was done.
    #[error(
        "{cause}\nDone: {}. Not done: {}. The same command can be run again: it leaves what is done as it is and does the rest.",
        listed(done),
        listed(left)
    )]
    Unfinished {
        cause: Box<ProvisionError>,
        done: Vec<&'static str>,
        left: Vec<&'static str>,
    },
    #[error("{operation} got no usable answer from AWS: {cause}")]
    Unreachable {
        operation: &'static str,
        cause: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn documents(resource: &str) -> GivenDocuments {
        let value = json!({
            "trust_policy": {"Version": "2012-10-17", "Statement": []},
            "permission_policy": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [resource]}
            ]},
            "cors": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"], "MaxAgeSeconds": 300}],
            "lifecycle": {"Rules": [
                {"ID": "t", "Status": "Enabled", "Filter": {"Prefix": "temp/"}, "Expiration": {"Days": 7}}
            ]},
            "cli": "not read"
        });
        GivenDocuments::parse(value.to_string().as_bytes()).unwrap()
    }

    fn provisioning(resource: &str, bucket: &str) -> Result<Provisioning, Invalid> {
        Provisioning::new(
            documents(resource),
            BucketName::parse(bucket).unwrap(),
            IamName::role("r").unwrap(),
            IamName::policy("p").unwrap(),
        )
    }

    #[test]
    fn documents_are_refused_for_a_bucket_they_do_not_name() {
        assert!(provisioning("arn:aws:s3:::acme-data/team/*", "acme-data").is_ok());
        assert!(provisioning("arn:aws-cn:s3:::acme-data", "acme-data").is_ok());
        for other in ["arn:aws:s3:::acme-data-2/*", "*", "arn:aws:s3:::acme"] {
            let refusal = provisioning(other, "acme-data").unwrap_err();
            assert_eq!(refusal.code, "documents_for_another_bucket", "{other}");
        }
    }

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

    #[test]
    fn iam_names_keep_to_their_limits() {
        assert!(IamName::role(&"a".repeat(64)).is_ok());
        assert!(IamName::role(&"a".repeat(65)).is_err());
        assert!(IamName::policy(&"a".repeat(128)).is_ok());
        for bad in ["", "a b", "a/b", "ä", "a*"] {
            assert!(IamName::role(bad).is_err(), "{bad:?}");
        }
    }
}
