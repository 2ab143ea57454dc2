//! A setup: an open dialog that owns one external ID.

use crate::domain::Invalid;
use crate::domain::connection::access::Auth;
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::ids::{CheckId, SetupId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::Actor;
use crate::domain::policy_document::RoleName;
use time::OffsetDateTime;

/// What has been typed so far. Every field is valid by itself; [`Draft::connection`] says whether they
/// make a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    pub display_name: Option<Name>,
    pub bucket: Option<BucketName>,
    pub settings: BucketSettings,
    pub sign_in: DraftSignIn,
}

/// How a draft signs in, as far as it is filled in.
///
/// `by` chooses which of the others become the connection's [`Credentials`]. What was typed for the
/// other way stays in the draft: choosing one way and then the other must not lose it. A connection
/// never holds both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftSignIn {
    pub by: Auth,
    pub role_arn: Option<RoleArn>,
    /// Where the role will be made, with the documents' own name for it. Says which role it is until
    /// `role_arn` does.
    pub customer: Option<CustomerAccount>,
    /// The path that the documents make the role in.
    pub role_path: RolePath,
    pub access_key: DraftAccessKey,
}

/// The account of a role that may not exist yet. The partition is the service's own: a role of another one
/// cannot be assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerAccount {
    pub id: AccountId,
    pub partition: Partition,
}

/// An access key, as far as it is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftAccessKey {
    pub id: Option<AccessKeyId>,
    /// Sealed for the ID of the record that holds the draft.
    pub secret: Option<SealedSecret>,
    /// Where the store is, when it is not Amazon S3.
    pub endpoint: Option<Endpoint>,
}

impl Draft {
    /// The settings of an existing connection, to be changed.
    pub fn of(name: &Name, connection: &Connection) -> Self {
        Self {
            display_name: Some(name.clone()),
            bucket: Some(connection.bucket.clone()),
            settings: connection.settings.clone(),
            sign_in: DraftSignIn::of(&connection.credentials),
        }
    }

    /// The role that the documents make in the customer's account. `None` while its account or the bucket is
    /// not known, and for access keys, which need no role.
    pub fn expected_role(&self, external_id: &ExternalId) -> Option<RoleArn> {
        match self.sign_in.by {
            Auth::Role => {}
            Auth::AccessKey => return None,
        }
        let customer = self.sign_in.customer.as_ref()?;
        let path = &self.sign_in.role_path;
        let role = RoleName::suggested(self.bucket.as_ref()?, external_id, path);
        // Each part is valid by its type.
        path.role(customer.partition, &customer.id, &role.name).ok()
    }

    /// The role that this connection signs in by: the one that was entered, or else the expected one.
    pub fn role(&self, external_id: &ExternalId) -> Option<RoleArn> {
        let entered = self.sign_in.role_arn.clone();
        entered.or_else(|| self.expected_role(external_id))
    }

    /// The partition of the role, where it is known.
    pub fn role_partition(&self) -> Option<Partition> {
        let sign_in = &self.sign_in;
        let entered = sign_in.role_arn.as_ref().map(RoleArn::partition);
        entered.or(sign_in.customer.as_ref().map(|customer| customer.partition))
    }

    /// The connection that these settings make with this external ID, or the names of the fields that
    /// are still missing. `sealed_for` is the ID that the secret was sealed for.
    pub fn connection(
        &self,
        external_id: &ExternalId,
        sealed_for: &str,
    ) -> Result<Connection, Vec<&'static str>> {
        let role = self.role(external_id);
        let credentials = self.sign_in.credentials(role, external_id, sealed_for);
        match (self.bucket.clone(), credentials) {
            (Some(bucket), Ok(credentials)) => Ok(Connection {
                bucket,
                settings: self.settings.clone(),
                credentials,
            }),
            (bucket, credentials) => {
                let mut missing = credentials.err().unwrap_or_default();
                if bucket.is_none() {
                    missing.insert(0, "bucket");
                }
                Err(missing)
            }
        }
    }
}

impl DraftSignIn {
    /// What these credentials were filled in from.
    pub fn of(credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Role { role_arn, .. } => Self {
                by: Auth::Role,
                role_arn: Some(role_arn.clone()),
                ..Self::default()
            },
            Credentials::AccessKey {
                access_key_id,
                secret,
                sealed_for: _,
                endpoint,
            } => Self {
                by: Auth::AccessKey,
                access_key: DraftAccessKey {
                    id: Some(access_key_id.clone()),
                    secret: Some(secret.clone()),
                    endpoint: endpoint.clone(),
                },
                ..Self::default()
            },
            // The built-in storage has no draft of its own.
            Credentials::Service => Self::default(),
        }
    }

    /// The credentials of the chosen way, or the names of the fields that it still needs.
    fn credentials(
        &self,
        role: Option<RoleArn>,
        external_id: &ExternalId,
        sealed_for: &str,
    ) -> Result<Credentials, Vec<&'static str>> {
        match self.by {
            Auth::Role => match role {
                Some(role_arn) => Ok(Credentials::Role {
                    role_arn,
                    external_id: external_id.clone(),
                }),
                None => Err(vec!["role_arn"]),
            },
            Auth::AccessKey => match (self.access_key.id.clone(), self.access_key.secret.clone()) {
                (Some(access_key_id), Some(secret)) => Ok(Credentials::AccessKey {
                    access_key_id,
                    secret,
                    sealed_for: sealed_for.to_owned(),
                    endpoint: self.access_key.endpoint.clone(),
                }),
                (id, secret) => {
                    let mut missing = Vec::new();
                    if id.is_none() {
                        missing.push("access_key_id");
                    }
                    if secret.is_none() {
                        missing.push("secret_access_key");
                    }
                    Err(missing)
                }
            },
        }
    }
}

/// Where a setup is in its life. `Expired` is never stored: it follows from the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetupStatus {
    Open,
    Completed,
    Closed,
    Expired,
}

impl SetupStatus {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "open" => Ok(Self::Open),
            "completed" => Ok(Self::Completed),
            "closed" => Ok(Self::Closed),
            "expired" => Ok(Self::Expired),
            _ => Err(Invalid::new(
                "unknown_setup_status",
                "Not a setup's status.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Closed => "closed",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    pub id: SetupId,
    pub workspace: WorkspaceId,
    /// As stored: open, completed or closed. Ask [`Setup::status_at`].
    pub status: SetupStatus,
    pub external_id: ExternalId,
    pub draft: Draft,
    /// Grows with each change of the draft other than of its display name. A check counts only for the
    /// revision it was made at.
    pub revision: i64,
    pub last_check: Option<CheckId>,
    /// `None`: an earlier release did not write it down.
    pub created_by: Option<Actor>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

impl Setup {
    pub fn status_at(&self, now: OffsetDateTime) -> SetupStatus {
        match self.status {
            SetupStatus::Open if now >= self.expires_at => SetupStatus::Expired,
            stored => stored,
        }
    }

    pub fn owner(&self) -> Owner {
        Owner::Setup(self.workspace.clone(), self.id.clone())
    }

    /// The connection that the draft describes, or the names of the fields that are still missing.
    pub fn connection(&self) -> Result<ConnectedBucket, Vec<&'static str>> {
        Ok(ConnectedBucket {
            owner: self.owner(),
            revision: self.revision,
            connection: self.draft.connection(&self.external_id, self.id.as_str())?,
            attributed: None,
        })
    }
}
