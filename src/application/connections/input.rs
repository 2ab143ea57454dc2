//! What a client changes in a connection: every field is parsed, and every bad one is named.

use crate::application::closed_sets;
use crate::application::connections::change::Change;
use crate::application::connections::fields::{FieldParser, Place};
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
use crate::domain::connection::pasted;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::names::Name;
use crate::domain::policy_document::PolicyTemplates;
use crate::domain::setup::{CustomerAccount, Draft, DraftAccessKey, DraftSignIn};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

/// Declares the input's fields once: the struct that JSON and forms are read into, and what is done with
/// each of its fields by name.
macro_rules! connection_input {
    (
        $(#[$of_struct:meta])*
        pub struct $name:ident {
            $($(#[$of_field:meta])* $field:ident: $kind:ty,)*
        }
    ) => {
        $(#[$of_struct])*
        #[derive(Debug, Clone, Default, Deserialize, ToSchema)]
        #[schema(as = ConnectionSettings)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$of_field])* #[serde(default)] pub $field: Change<$kind>,)*
        }

        impl $name {
            /// The names of all fields.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            /// Leaves the field of this name as it is. False when it was not to be changed anyway.
            pub fn keep(&mut self, name: &str) -> bool {
                $(if name == stringify!($field) {
                    return !std::mem::take(&mut self.$field).is_keep();
                })*
                false
            }

            /// The text of each field that is set, as it was sent. A secret has none.
            pub fn texts(&self) -> Vec<(&'static str, Option<String>)> {
                let mut texts = Vec::new();
                $(if let Change::Set(value) = &self.$field {
                    texts.push((stringify!($field), value.shown()));
                })*
                texts
            }

            /// The input that a person means who filled in a form: blank fields clear, and spaces around values go.
            pub fn meant(self) -> Self {
                let meant = Self {
                    $($field: match self.$field {
                        Change::Set(value) => value.meant_in(stringify!($field)),
                        unchanged => unchanged,
                    },)*
                };
                meant.with_blanks_of_an_address()
            }
        }
    };
}

connection_input! {
    /// The settings of a connection. An absent field keeps its value; `null` clears it.
    pub struct ConnectionInput {
        /// 1 to 200 characters; the bucket's name where there is none.
        #[schema(value_type = Option<String>, example = "Acme's data")]
        display_name: String,
        /// The bucket's name, or an address that names the bucket: an S3 URI, the ARN of the bucket or an object,
        /// the S3 console's address, or an object's URL. The bucket is taken from it, and the prefix and the
        /// Region too where the address has them and the request does not.
        #[schema(value_type = Option<String>, example = "acme-data")]
        bucket: String,
        /// The only part of the bucket that is used; `team` and `/team/` mean the same. Empty: the whole
        /// bucket.
        #[schema(value_type = Option<String>, example = "team/")]
        prefix: String,
        /// What the product may do below the prefix; `read_write` where nothing else is set.
        #[schema(value_type = Option<closed_sets::Access>)]
        access: String,
        /// The role's ARN, a switch-role link, or the address of the role's page in the IAM console where that
        /// names the account.
        #[schema(value_type = Option<String>, example = "arn:aws:iam::123456789012:role/acme-sallyport")]
        role_arn: String,
        /// The account that the role is made in, for a setup: with it the role's ARN is known before the role
        /// exists (`expected_role_arn`), and is used until a `role_arn` is given. A storage has its role.
        #[schema(value_type = Option<String>, example = "123456789012")]
        customer_account_id: String,
        /// The path that the documents make the role in, or with an access key the user, for a setup; `/` where
        /// nothing else is set.
        #[schema(value_type = Option<String>, example = "/vendors/")]
        role_path: String,
        /// The managed policy that bounds the role, or with an access key the user, where the customer's account
        /// demands one: of that account, or one of AWS's. The documents make the role or the user with it.
        #[schema(value_type = Option<String>, example = "arn:aws:iam::123456789012:policy/boundary")]
        permissions_boundary_arn: String,
        /// The KMS key that encrypts the bucket's objects, where there is one.
        #[schema(value_type = Option<String>)]
        kms_key_arn: String,
        /// The account that owns the bucket, where it is not the role's. Any other owner is refused.
        #[schema(value_type = Option<String>, example = "123456789012")]
        bucket_account_id: String,
        /// Whether the role's account pays for requests to the bucket, as it must for a Requester Pays
        /// bucket of another account.
        #[schema(value_type = Option<bool>)]
        requester_pays: bool,
        /// Whether browsers use the bucket directly, which needs CORS rules. `true` unless it is said
        /// otherwise.
        #[schema(value_type = Option<bool>)]
        browser_access: bool,
        /// Whether the documents grant the ACLs of objects: `s3:GetObjectAcl`, and with `read_write`
        /// `s3:PutObjectAcl`. As the access says where it is not said: `true` with `read_write`. `false`: the
        /// actions are in no document, and operations on ACLs answer 409 `not_granted`.
        #[schema(value_type = Option<bool>)]
        object_acls: bool,
        /// The same for versions: `s3:ListBucketVersions`, and `s3:GetObjectVersion` with `read` or
        /// `s3:DeleteObjectVersion` with `read_write`.
        #[schema(value_type = Option<bool>)]
        object_versions: bool,
        /// Whether the documents let S3 delete what is below `temp/` and `export/` after 7 days, old versions
        /// included. `true` unless it is said otherwise. Documents for `read` never do.
        #[schema(value_type = Option<bool>)]
        lifecycle: bool,
        /// How the connection signs in; `role` where nothing else is set.
        #[schema(value_type = Option<closed_sets::Auth>)]
        auth: String,
        #[schema(value_type = Option<String>)]
        access_key_id: String,
        /// Write-only: it never comes back.
        #[schema(value_type = Option<String>, write_only)]
        secret_access_key: SecretString,
        /// Found by the check where it is empty: `null`, or `""`.
        #[schema(value_type = Option<String>, example = "eu-west-1")]
        region: String,
        /// The address of an S3-compatible store, for access keys.
        #[schema(value_type = Option<String>)]
        endpoint: String,
    }
}

/// The refusal of an endpoint that the stored secret was not entered for.
const SECRET_NEEDED_AGAIN: &str = "secret_needed_again";

/// What judging an input needs to know.
pub struct InputRules<'a> {
    pub principal: &'a PrincipalSource,
    pub policies: &'a PolicyTemplates,
    pub vault: &'a Vault,
}

impl ConnectionInput {
    /// A form sends all its fields. Blank ones beside an address are not meant to take away what the address
    /// says.
    fn with_blanks_of_an_address(mut self) -> Self {
        let Change::Set(text) = &self.bucket else {
            return self;
        };
        let Some(Ok(pasted)) = pasted::bucket(text) else {
            return self;
        };
        if matches!(self.prefix, Change::Clear) && pasted.prefix.is_some() {
            self.prefix = Change::Keep;
        }
        if matches!(self.region, Change::Clear) && pasted.region.is_some() {
            self.region = Change::Keep;
        }
        self
    }

    /// Leaves as it is what this error refuses: its field, and what does not go with it.
    pub fn keep_refused(&mut self, error: &FieldError) {
        self.keep(&error.field);
        if error.code == SECRET_NEEDED_AGAIN {
            self.keep("endpoint");
        }
    }

    /// The draft with the changes in it, or every field that cannot be accepted. `sealed_for` is the ID
    /// of the record that a secret will be stored in.
    pub async fn apply(
        self,
        draft: &Draft,
        sealed_for: &str,
        rules: InputRules<'_>,
    ) -> Result<Draft> {
        // Both are taken apart whole, so the compiler names a field that is forgotten here.
        let Self {
            display_name,
            bucket,
            prefix,
            access,
            role_arn,
            customer_account_id,
            role_path,
            permissions_boundary_arn,
            kms_key_arn,
            bucket_account_id,
            requester_pays,
            browser_access,
            object_acls,
            object_versions,
            lifecycle,
            auth,
            access_key_id,
            secret_access_key,
            region,
            endpoint,
        } = self;
        let mut next = draft.clone();
        let Draft {
            display_name: next_name,
            bucket: next_bucket,
            settings,
            sign_in:
                DraftSignIn {
                    by,
                    role_arn: next_role,
                    customer,
                    role_path: next_path,
                    access_key,
                },
        } = &mut next;
        let BucketSettings {
            prefix: next_prefix,
            access: next_access,
            region: next_region,
            kms_key,
            bucket_account,
            requester_pays: next_payer,
            browser_access: next_browsers,
            object_acls: next_acls,
            object_versions: next_versions,
            lifecycle: next_lifecycle,
            permissions_boundary,
        } = settings;
        let DraftAccessKey {
            id: key_id,
            secret,
            endpoint: next_endpoint,
        } = access_key;

        let mut parser = FieldParser::default();
        let Place {
            bucket,
            prefix,
            region,
        } = parser.place(bucket, prefix, region);
        let role_arn = parser.role(role_arn, next_role.as_ref());
        parser.optional("display_name", display_name, next_name, Name::parse);
        parser.optional("bucket", bucket, next_bucket, BucketName::parse);
        let present = next_prefix.clone();
        parser.required("prefix", prefix, next_prefix, |text| typed(text, &present));
        parser.required("access", access, next_access, Access::parse);
        parser.required("auth", auth, by, Auth::parse);
        parser.optional("role_arn", role_arn, next_role, RoleArn::parse);
        let mut account = customer.as_ref().map(|customer| customer.id.clone());
        parser.optional(
            "customer_account_id",
            customer_account_id,
            &mut account,
            AccountId::parse,
        );
        parser.required("role_path", role_path, next_path, RolePath::parse);
        parser.optional(
            "permissions_boundary_arn",
            permissions_boundary_arn,
            permissions_boundary,
            BoundaryArn::parse,
        );
        *customer = match (account, customer.take()) {
            (Some(id), Some(before)) if before.id == id => Some(before),
            (Some(id), _) => Some(CustomerAccount {
                id,
                partition: rules.principal.partition().await?,
            }),
            (None, _) => None,
        };
        parser.optional("region", region, next_region, Region::parse);
        parser.optional("kms_key_arn", kms_key_arn, kms_key, KmsKeyArn::parse);
        parser.optional(
            "bucket_account_id",
            bucket_account_id,
            bucket_account,
            AccountId::parse,
        );
        parser.plain(requester_pays, next_payer, false);
        parser.plain(browser_access, next_browsers, true);
        parser.plain(object_acls.map(Some), next_acls, None);
        parser.plain(object_versions.map(Some), next_versions, None);
        parser.plain(lifecycle, next_lifecycle, true);
        parser.optional("access_key_id", access_key_id, key_id, AccessKeyId::parse);
        parser.optional("endpoint", endpoint, next_endpoint, Endpoint::parse);
        match secret_access_key {
            Change::Keep => {}
            Change::Clear => *secret = None,
            Change::Set(text) => match parse_secret(&text) {
                Ok(()) => {
                    let sealed = rules.vault.seal(
                        Purpose::AccessKeySecret,
                        sealed_for.as_bytes(),
                        text.expose_secret().as_bytes(),
                    )?;
                    *secret = Some(SealedSecret(sealed));
                }
                Err(invalid) => parser.refuse("secret_access_key", invalid),
            },
        }
        let mut errors = parser.errors;
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

/// A prefix as it is typed. A form sends back what it showed, also a prefix that an earlier release took.
fn typed(text: &str, present: &BucketPrefix) -> std::result::Result<BucketPrefix, Invalid> {
    match BucketPrefix::from_record(text) {
        Ok(same) if same == *present => Ok(same),
        Ok(_) | Err(_) => BucketPrefix::parse(text),
    }
}

/// Fields that are well-formed each, and do not go together.
async fn conflicts(
    before: &Draft,
    next: &Draft,
    rules: &InputRules<'_>,
) -> Result<Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, code, detail: String| {
        errors.push(FieldError::new(field, Invalid::new(code, detail)));
    };
    if let Some(role) = &next.sign_in.role_arn
        && before.sign_in.role_arn != next.sign_in.role_arn
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
    if let Some(role) = &next.sign_in.role_arn
        && before.sign_in.role_arn != next.sign_in.role_arn
    {
        let own = rules.principal.partition().await?;
        if role.partition() != own {
            refuse(
                "role_arn",
                "role_in_other_partition",
                format!(
                    "The role is in the partition `{}`, and this service in `{own}`. AWS lets nobody assume a role of another partition.",
                    role.partition()
                ),
            );
        }
    }
    if let Some(customer) = &next.sign_in.customer
        && before.sign_in.customer.as_ref() != Some(customer)
        && rules.principal.is_own_account(&customer.id).await?
    {
        refuse(
            "customer_account_id",
            "role_of_this_service",
            format!(
                "Account {} is the service's own; the role must be one of the customer's account.",
                customer.id
            ),
        );
    }
    let (key_before, key) = (&before.sign_in.access_key, &next.sign_in.access_key);
    if key.endpoint != key_before.endpoint {
        if next.sign_in.by == Auth::Role && key.endpoint.is_some() {
            refuse(
                "endpoint",
                "endpoint_needs_access_key",
                "An endpoint is for S3-compatible stores, which are connected by an access key. A role is assumed at AWS and works with Amazon S3 only.".to_owned(),
            );
        }
        // Whoever may change the endpoint need not know the secret. Signed requests to a host of theirs
        // would be a use of it that its owner has not agreed to.
        if key.secret.is_some() && key.secret == key_before.secret {
            refuse(
                "secret_access_key",
                SECRET_NEEDED_AGAIN,
                "The stored secret access key was entered for another endpoint and is not used with this one. Enter it again, together with the endpoint.".to_owned(),
            );
        }
    }
    let has_endpoint =
        next.sign_in.by == Auth::AccessKey && next.sign_in.access_key.endpoint.is_some();
    if let Some(region) = next.settings.region
        && region.partition().is_none()
        && !has_endpoint
    {
        let invalid = Region::not_of_aws(region.as_str());
        refuse("region", invalid.code, invalid.detail);
    }
    if let Some(bucket) = &next.bucket
        && !bucket.is_of_today()
        && !has_endpoint
        && let Some(region) = next.settings.region
        && region.as_str() != "us-east-1"
    {
        refuse(
            "bucket",
            "invalid_bucket",
            format!(
                "`{bucket}` is no bucket of {region}: names with capitals, `_` or more than 63 characters exist in us-east-1 and in S3-compatible stores only."
            ),
        );
    }
    let partition = next.role_partition();
    if let (Some(partition), Some(region)) = (partition, next.settings.region)
        && region.partition().is_some_and(|own| own != partition)
    {
        refuse(
            "region",
            "partition_mismatch",
            format!("{region} is not in the role's partition `{partition}`."),
        );
    }
    if let Some(boundary) = &next.settings.permissions_boundary {
        let own = match partition {
            Some(partition) => partition,
            None => rules.principal.partition().await?,
        };
        if boundary.partition() != own {
            refuse(
                "permissions_boundary_arn",
                "partition_mismatch",
                format!("The permissions boundary is not in the role's partition `{own}`."),
            );
        }
        let sign_in = &next.sign_in;
        let entered = sign_in.role_arn.as_ref().map(RoleArn::account);
        let of_role = entered.or(sign_in.customer.as_ref().map(|customer| &customer.id));
        if let (Some(owner), Some(of_role)) = (boundary.account(), of_role)
            && owner != of_role
        {
            refuse(
                "permissions_boundary_arn",
                "boundary_of_other_account",
                format!(
                    "The permissions boundary is a policy of account {owner}, and the role is in {of_role}. IAM takes a policy of the role's own account, or one of AWS's."
                ),
            );
        }
    }
    if let Some(key) = &next.settings.kms_key {
        if let Some(partition) = partition
            && key.partition() != partition
        {
            refuse(
                "kms_key_arn",
                "partition_mismatch",
                format!("The key is not in the role's partition `{partition}`."),
            );
        }
        if let Some(region) = next.settings.region
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
            &next.settings.prefix,
            next.settings.grants(),
            next.settings.kms_key.as_ref(),
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

/// What differs between a value in JSON and the same value in a form.
trait FormValue: Sized {
    /// The value as a form shows it again. `None` where it must not be shown.
    fn shown(&self) -> Option<String>;

    /// What a person means by this value in the form's field of this name.
    fn meant_in(self, field: &str) -> Change<Self>;
}

impl FormValue for String {
    fn shown(&self) -> Option<String> {
        Some(self.clone())
    }

    fn meant_in(self, field: &str) -> Change<Self> {
        match self.trim() {
            // A prefix is taken as it is: its blanks are refused, never removed in silence. Around any other
            // value they come from copying.
            _ if field == "prefix" && !self.is_empty() => Change::Set(self),
            "" => Change::Clear,
            trimmed => Change::Set(trimmed.to_owned()),
        }
    }
}

impl FormValue for bool {
    fn shown(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn meant_in(self, _: &str) -> Change<Self> {
        Change::Set(self)
    }
}

impl FormValue for SecretString {
    fn shown(&self) -> Option<String> {
        None
    }

    fn meant_in(self, _: &str) -> Change<Self> {
        // A form never shows the stored secret, so an empty field means that nothing was typed.
        if self.expose_secret().is_empty() {
            Change::Keep
        } else {
            Change::Set(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_of_an_earlier_release_may_be_sent_back() {
        let odd = BucketPrefix::from_record("team\u{200b} ").unwrap();
        assert_eq!(typed(odd.as_str(), &odd), Ok(odd.clone()));
        assert_eq!(typed("/team\u{200b} ", &odd), Ok(odd.clone()));
        assert!(typed("team\u{200b}", &odd).is_err());
        assert!(typed(odd.as_str(), &BucketPrefix::default()).is_err());
        assert!(typed(" ", &BucketPrefix::default()).is_err());
    }

    #[test]
    fn a_blank_is_no_empty_prefix() {
        for (field, text, meant) in [
            ("prefix", " ", Change::Set(" ".to_owned())),
            ("prefix", "team ", Change::Set("team ".to_owned())),
            ("prefix", "", Change::Clear),
            ("bucket", " ", Change::Clear),
            ("bucket", " acme ", Change::Set("acme".to_owned())),
        ] {
            assert!(text.to_owned().meant_in(field) == meant, "{field} {text:?}");
        }
    }
}
