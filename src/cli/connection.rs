//! The values of a connection, as options: the same for `check`, `render` and `doctor`.

use crate::application::connections::change::Change;
use crate::application::connections::input::ConnectionInput;
use crate::cli::ending::Failed;
use crate::domain::Invalid;
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::origin::Origin;
use clap::ValueEnum;
use secrecy::SecretString;

/// The values of a connection. Those of a setup are in `GET /v1/storage-setups/{id}`, under the same names.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionOptions {
    /// The bucket's name
    #[arg(long, value_parser = parse(BucketName::parse))]
    pub bucket: Option<BucketName>,

    /// The only part of the bucket that is used, like team/. Empty: the whole bucket
    #[arg(long, default_value = "", value_parser = parse(BucketPrefix::parse), hide_default_value = true)]
    pub prefix: BucketPrefix,

    /// What is to be allowed: read or read_write
    #[arg(long, default_value = "read_write", value_parser = parse(Access::parse))]
    pub access: Access,

    /// How to sign in: role or access_key. Without it, access_key where an --endpoint and no --role-arn is given
    #[arg(long, value_parser = parse(Auth::parse))]
    pub auth: Option<Auth>,

    /// The role's ARN
    #[arg(long, value_name = "ARN", value_parser = parse(RoleArn::parse))]
    pub role_arn: Option<RoleArn>,

    /// The external ID of the setup
    #[arg(long, value_name = "ID", value_parser = external_id)]
    pub external_id: Option<ExternalId>,

    /// Who assumes the role: what the setup shows as Sallyport's principal
    #[arg(long, value_name = "ARN", value_parser = parse(ServicePrincipal::parse))]
    pub service_principal: Option<ServicePrincipal>,

    /// The bucket's Region. Without it, it is found
    #[arg(long, value_parser = parse(Region::parse))]
    pub region: Option<Region>,

    /// The address of an S3-compatible store, for access keys
    #[arg(long, value_name = "URL", value_parser = parse(Endpoint::parse))]
    pub endpoint: Option<Endpoint>,

    /// The KMS key that encrypts the bucket's objects
    #[arg(long, value_name = "ARN", value_parser = parse(KmsKeyArn::parse))]
    pub kms_key_arn: Option<KmsKeyArn>,

    /// The account that owns the bucket, where it is not the role's
    #[arg(long, alias = "bucket-account-id", value_name = "ACCOUNT", value_parser = parse(AccountId::parse))]
    pub bucket_account: Option<AccountId>,

    /// The origins whose pages use the bucket, separated by commas, like https://app.example.com
    #[arg(long = "allowed-origins", alias = "origin", value_name = "ORIGINS", value_delimiter = ',', value_parser = parse(Origin::parse))]
    pub allowed_origins: Vec<Origin>,

    /// Whether browsers use the bucket directly: true or false
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub browser_access: bool,

    /// Whether ACLs of objects are granted: true or false. Without it, as the access says
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub object_acls: Option<bool>,

    /// Whether versions of objects are granted: true or false. Without it, as the access says
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub object_versions: Option<bool>,

    /// Whether the documents let S3 delete what is below temp/ and export/ after 7 days: true or false
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub lifecycle: bool,

    /// Whether the role's account pays for requests to the bucket: true or false
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub requester_pays: bool,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[value(alias = "text")]
    Table,
    /// For programs
    Json,
}

/// A parser of the domain, as clap takes it.
pub fn parse<T>(
    parse: impl Fn(&str) -> Result<T, Invalid> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| parse(text).map_err(|invalid| invalid.detail)
}

fn external_id(text: &str) -> Result<ExternalId, String> {
    ExternalId::from_record(text)
        .map_err(|_| "not an external ID that Sallyport made: copy it from the setup".to_owned())
}

impl ConnectionOptions {
    /// How the connection signs in.
    pub fn auth(&self) -> Auth {
        self.auth.unwrap_or(match (&self.role_arn, &self.endpoint) {
            (None, Some(_)) => Auth::AccessKey,
            (Some(_), _) | (None, None) => Auth::Role,
        })
    }

    /// What a call depends on besides bucket and credentials.
    pub fn settings(&self) -> BucketSettings {
        BucketSettings {
            prefix: self.prefix.clone(),
            access: self.access,
            region: self.region,
            kms_key: self.kms_key_arn.clone(),
            bucket_account: self.bucket_account.clone(),
            requester_pays: self.requester_pays,
            browser_access: self.browser_access,
            object_acls: self.object_acls,
            object_versions: self.object_versions,
            lifecycle: self.lifecycle,
            permissions_boundary: None,
        }
    }

    /// The same values as a request carries them, so that they are judged by the same rules. A key is the pair
    /// of its ID and secret.
    pub fn input(&self, key: Option<(String, SecretString)>) -> ConnectionInput {
        let (access_key_id, secret_access_key) = match key {
            Some((id, secret)) => (Change::Set(id), Change::Set(secret)),
            None => (Change::Keep, Change::Keep),
        };
        ConnectionInput {
            bucket: set(self.bucket.as_ref()),
            prefix: Change::Set(self.prefix.to_string()),
            access: Change::Set(self.access.as_str().to_owned()),
            role_arn: set(self.role_arn.as_ref()),
            kms_key_arn: set(self.kms_key_arn.as_ref()),
            bucket_account_id: set(self.bucket_account.as_ref()),
            requester_pays: Change::Set(self.requester_pays),
            browser_access: Change::Set(self.browser_access),
            object_acls: self.object_acls.map_or(Change::Keep, Change::Set),
            object_versions: self.object_versions.map_or(Change::Keep, Change::Set),
            lifecycle: Change::Set(self.lifecycle),
            auth: Change::Set(self.auth().as_str().to_owned()),
            access_key_id,
            secret_access_key,
            region: set(self.region.as_ref()),
            endpoint: set(self.endpoint.as_ref()),
            ..ConnectionInput::default()
        }
    }

    /// An option that a command cannot do without.
    pub fn needed<'a, T>(name: &str, value: &'a Option<T>) -> Result<&'a T, Failed> {
        value.as_ref().ok_or_else(|| {
            Failed::usage(format!(
                "--{name} is missing. It is needed here; --help says what it is."
            ))
        })
    }
}

fn set<T: ToString>(value: Option<&T>) -> Change<String> {
    value.map_or(Change::Keep, |value| Change::Set(value.to_string()))
}
