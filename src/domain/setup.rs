//! A setup: an open dialog that owns one external ID.

use crate::domain::Invalid;
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::ids::{CheckId, SetupId, WorkspaceId};
use crate::domain::names::Name;
use time::OffsetDateTime;

/// What has been typed so far. Every field is valid by itself; [`Setup::connection`] says whether they
/// make a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub display_name: Option<Name>,
    pub bucket: Option<BucketName>,
    pub prefix: BucketPrefix,
    pub access: Access,
    pub auth: Auth,
    pub role_arn: Option<RoleArn>,
    pub region: Option<Region>,
    pub kms_key: Option<KmsKeyArn>,
    pub bucket_account: Option<AccountId>,
    pub requester_pays: bool,
    pub access_key_id: Option<AccessKeyId>,
    /// Sealed for the setup's own ID.
    pub secret: Option<SealedSecret>,
    pub endpoint: Option<Endpoint>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            display_name: None,
            bucket: None,
            prefix: BucketPrefix::default(),
            access: Access::ReadWrite,
            auth: Auth::Role,
            role_arn: None,
            region: None,
            kms_key: None,
            bucket_account: None,
            requester_pays: false,
            access_key_id: None,
            secret: None,
            endpoint: None,
        }
    }
}

impl Draft {
    /// The settings of an existing connection, to be changed.
    pub fn of(name: &Name, connection: &Connection) -> Self {
        let mut draft = Self {
            display_name: Some(name.clone()),
            bucket: Some(connection.bucket.clone()),
            prefix: connection.prefix.clone(),
            access: connection.access,
            region: connection.region,
            kms_key: connection.kms_key.clone(),
            bucket_account: connection.bucket_account.clone(),
            requester_pays: connection.requester_pays,
            ..Self::default()
        };
        match &connection.credentials {
            Credentials::Role { role_arn, .. } => draft.role_arn = Some(role_arn.clone()),
            Credentials::AccessKey {
                access_key_id,
                secret,
                endpoint,
                ..
            } => {
                draft.auth = Auth::AccessKey;
                draft.access_key_id = Some(access_key_id.clone());
                draft.secret = Some(secret.clone());
                draft.endpoint = endpoint.clone();
            }
            Credentials::Service => {}
        }
        draft
    }

    /// The connection that these settings make with this external ID, or the names of the fields that
    /// are still missing. `sealed_for` is the ID that the secret was sealed for.
    pub fn connection(
        &self,
        external_id: &ExternalId,
        sealed_for: &str,
    ) -> Result<Connection, Vec<&'static str>> {
        let mut missing = Vec::new();
        let mut need = |field, present: bool| {
            if !present {
                missing.push(field);
            }
        };
        need("bucket", self.bucket.is_some());
        match self.auth {
            Auth::Role => need("role_arn", self.role_arn.is_some()),
            Auth::AccessKey => {
                need("access_key_id", self.access_key_id.is_some());
                need("secret_access_key", self.secret.is_some());
            }
        }
        let credentials = match self.auth {
            Auth::Role => self.role_arn.clone().map(|role_arn| Credentials::Role {
                role_arn,
                external_id: external_id.clone(),
            }),
            Auth::AccessKey => self.access_key_id.clone().zip(self.secret.clone()).map(
                |(access_key_id, secret)| Credentials::AccessKey {
                    access_key_id,
                    secret,
                    sealed_for: sealed_for.to_owned(),
                    endpoint: self.endpoint.clone(),
                },
            ),
        };
        match (self.bucket.clone(), credentials) {
            (Some(bucket), Some(credentials)) => Ok(Connection {
                bucket,
                prefix: self.prefix.clone(),
                access: self.access,
                region: self.region,
                kms_key: self.kms_key.clone(),
                bucket_account: self.bucket_account.clone(),
                requester_pays: self.requester_pays,
                credentials,
            }),
            _ => Err(missing),
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
        })
    }
}
