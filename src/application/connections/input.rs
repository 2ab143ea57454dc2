//! Changes to a connection's settings, as typed: every field is parsed, and every bad one is named.

use crate::application::connections::change::Change;
use crate::application::connections::principal::PrincipalSource;
use crate::application::error::{Error, FieldError, Result};
use crate::application::kept::vault::{Purpose, Vault};
use crate::domain::Invalid;
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::names::Name;
use crate::domain::policy_document::PolicyTemplates;
use crate::domain::setup::Draft;
use secrecy::{ExposeSecret, SecretString};

/// The fields of a setup, or of a storage's settings, that a client may change.
#[derive(Debug, Default)]
pub struct DraftChanges {
    pub display_name: Change<String>,
    pub bucket: Change<String>,
    pub prefix: Change<String>,
    pub access: Change<String>,
    pub auth: Change<String>,
    pub role_arn: Change<String>,
    pub region: Change<String>,
    pub kms_key_arn: Change<String>,
    pub bucket_account_id: Change<String>,
    pub requester_pays: Change<bool>,
    pub access_key_id: Change<String>,
    pub secret_access_key: Change<SecretString>,
    pub endpoint: Change<String>,
}

/// What judging a change needs to know.
pub struct DraftRules<'a> {
    pub principal: &'a PrincipalSource,
    pub policies: &'a PolicyTemplates,
    pub vault: &'a Vault,
}

impl DraftChanges {
    /// The draft with the changes in it, or every field that cannot be accepted. `sealed_for` is the ID
    /// of the record that a secret will be stored in.
    pub async fn apply(
        self,
        draft: &Draft,
        sealed_for: &str,
        rules: DraftRules<'_>,
    ) -> Result<Draft> {
        let mut next = draft.clone();
        let mut errors = Vec::new();
        let e = &mut errors;
        optional(
            e,
            "display_name",
            self.display_name,
            &mut next.display_name,
            Name::parse,
        );
        optional(
            e,
            "bucket",
            self.bucket,
            &mut next.bucket,
            BucketName::parse,
        );
        required(
            e,
            "prefix",
            self.prefix,
            &mut next.prefix,
            BucketPrefix::default(),
            BucketPrefix::parse,
        );
        required(
            e,
            "access",
            self.access,
            &mut next.access,
            Draft::default().access,
            Access::parse,
        );
        required(
            e,
            "auth",
            self.auth,
            &mut next.auth,
            Auth::Role,
            Auth::parse,
        );
        optional(
            e,
            "role_arn",
            self.role_arn,
            &mut next.role_arn,
            RoleArn::parse,
        );
        optional(e, "region", self.region, &mut next.region, Region::parse);
        optional(
            e,
            "kms_key_arn",
            self.kms_key_arn,
            &mut next.kms_key,
            KmsKeyArn::parse,
        );
        optional(
            e,
            "bucket_account_id",
            self.bucket_account_id,
            &mut next.bucket_account,
            AccountId::parse,
        );
        match self.requester_pays {
            Change::Keep => {}
            Change::Clear => next.requester_pays = false,
            Change::Set(pays) => next.requester_pays = pays,
        }
        optional(
            e,
            "access_key_id",
            self.access_key_id,
            &mut next.access_key_id,
            AccessKeyId::parse,
        );
        optional(
            e,
            "endpoint",
            self.endpoint,
            &mut next.endpoint,
            Endpoint::parse,
        );
        match self.secret_access_key {
            Change::Keep => {}
            Change::Clear => next.secret = None,
            Change::Set(secret) => match parse_secret(&secret) {
                Ok(()) => {
                    let sealed = rules.vault.seal(
                        Purpose::AccessKeySecret,
                        sealed_for.as_bytes(),
                        secret.expose_secret().as_bytes(),
                    )?;
                    next.secret = Some(SealedSecret(sealed));
                }
                Err(invalid) => e.push(FieldError::new("secret_access_key", invalid)),
            },
        }
        if errors.is_empty() {
            errors = conflicts(draft, &next, &rules).await?;
        }
        if errors.is_empty() {
            Ok(next)
        } else {
            Err(Error::invalid(errors))
        }
    }
}

/// Fields that are well-formed each, and do not go together.
async fn conflicts(
    before: &Draft,
    next: &Draft,
    rules: &DraftRules<'_>,
) -> Result<Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, code, detail: String| {
        errors.push(FieldError::new(field, Invalid::new(code, detail)));
    };
    if let Some(role) = &next.role_arn
        && before.role_arn != next.role_arn
        && rules.principal.is_own_account(role.account()).await?
    {
        refuse(
            "role_arn",
            "role_of_this_service",
            format!(
                "Account {} is the service's own; the role must be one of the customer's account.",
                role.account()
            ),
        );
    }
    let partition = next.role_arn.as_ref().map(RoleArn::partition);
    if let (Some(partition), Some(region)) = (partition, next.region)
        && region.partition() != partition
    {
        refuse(
            "region",
            "partition_mismatch",
            format!("{region} is not in the role's partition `{partition}`."),
        );
    }
    if let Some(key) = &next.kms_key {
        if let Some(partition) = partition
            && key.partition() != partition
        {
            refuse(
                "kms_key_arn",
                "partition_mismatch",
                format!("The key is not in the role's partition `{partition}`."),
            );
        }
        if let Some(region) = next.region
            && *key.region() != region
        {
            refuse(
                "kms_key_arn",
                "kms_key_region",
                format!(
                    "The key is in {}, and the bucket in {region}; S3 uses keys of the bucket's own Region only.",
                    key.region()
                ),
            );
        }
    }
    if let Some(bucket) = &next.bucket
        && let Err(invalid) = rules.policies.session_policy(
            partition.unwrap_or(Partition::AwsUsGov),
            bucket,
            &next.prefix,
            next.access,
            next.kms_key.as_ref(),
        )
    {
        refuse("prefix", invalid.code, invalid.detail);
    }
    Ok(errors)
}

/// Never repeats the value.
fn parse_secret(secret: &SecretString) -> std::result::Result<(), Invalid> {
    let text = secret.expose_secret();
    if (8..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Invalid::new(
            "invalid_secret_access_key",
            "A secret access key has 8 to 256 printable ASCII characters and no spaces.",
        ))
    }
}

fn optional<T>(
    errors: &mut Vec<FieldError>,
    field: &str,
    change: Change<String>,
    slot: &mut Option<T>,
    parse: impl Fn(&str) -> std::result::Result<T, Invalid>,
) {
    match change {
        Change::Keep => {}
        Change::Clear => *slot = None,
        Change::Set(text) => match parse(&text) {
            Ok(value) => *slot = Some(value),
            Err(invalid) => errors.push(FieldError::new(field, invalid)),
        },
    }
}

fn required<T>(
    errors: &mut Vec<FieldError>,
    field: &str,
    change: Change<String>,
    slot: &mut T,
    default: T,
    parse: impl Fn(&str) -> std::result::Result<T, Invalid>,
) {
    match change {
        Change::Keep => {}
        Change::Clear => *slot = default,
        Change::Set(text) => match parse(&text) {
            Ok(value) => *slot = value,
            Err(invalid) => errors.push(FieldError::new(field, invalid)),
        },
    }
}
