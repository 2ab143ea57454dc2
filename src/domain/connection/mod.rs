//! A connection: which bucket, which prefix, with which credentials.

pub mod access;
pub mod access_key;
pub mod account;
pub mod attributed;
pub mod bucket_name;
pub mod bucket_prefix;
pub mod endpoint;
pub mod external_id;
pub mod grants;
pub mod kms_key_arn;
pub mod pasted;
pub mod permissions_boundary;
pub mod region;
pub mod role_arn;
pub mod role_path;
pub mod service_identity;
pub mod settings;

use crate::domain::connection::access::Auth;
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::attributed::Attributed;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::ids::{SetupId, StorageId, WorkspaceId};
use std::fmt;

/// Everything that a call to the customer's bucket depends on. Complete: an unfinished setup has no
/// `Connection`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub bucket: BucketName,
    pub settings: BucketSettings,
    pub credentials: Credentials,
}

impl Connection {
    /// Who must own the bucket: the account that was named, or else the role's. A bucket of the same name
    /// that somebody else made after the customer deleted theirs is refused by S3 (S3 user guide,
    /// "Verifying bucket ownership with bucket owner condition"). `None`: nobody has said.
    pub fn expected_owner(&self) -> Option<&AccountId> {
        self.settings
            .bucket_account
            .as_ref()
            .or(match &self.credentials {
                Credentials::Role { role_arn, .. } => Some(role_arn.account()),
                Credentials::AccessKey { .. } | Credentials::Service => None,
            })
    }

    /// The partition of the bucket's ARN: the role's, or else the Region's; `aws` where neither is known.
    pub fn partition(&self) -> Partition {
        match &self.credentials {
            Credentials::Role { role_arn, .. } => role_arn.partition(),
            Credentials::AccessKey { .. } | Credentials::Service => self
                .settings
                .region
                .and_then(|region| region.partition())
                .unwrap_or(Partition::Aws),
        }
    }

    /// The address of an S3-compatible store, where the store is not Amazon S3.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match &self.credentials {
            Credentials::AccessKey { endpoint, .. } => endpoint.as_ref(),
            Credentials::Role { .. } | Credentials::Service => None,
        }
    }
}

/// The credentials that calls are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Sessions of the customer's role.
    Role {
        role_arn: RoleArn,
        external_id: ExternalId,
    },
    /// The customer's own access key; the secret is sealed for the record `sealed_for`.
    AccessKey {
        access_key_id: AccessKeyId,
        secret: SealedSecret,
        sealed_for: String,
        endpoint: Option<Endpoint>,
    },
    /// The service's own credentials, for the built-in storage. How calls are signed is not which storage
    /// they are for ([`StorageRef`](crate::domain::ids::StorageRef)).
    Service,
}

impl Credentials {
    /// The external ID that the role's trust policy must ask for.
    pub fn external_id(&self) -> Option<&ExternalId> {
        match self {
            Self::Role { external_id, .. } => Some(external_id),
            Self::AccessKey { .. } | Self::Service => None,
        }
    }

    pub fn auth(&self) -> Option<Auth> {
        match self {
            Self::Role { .. } => Some(Auth::Role),
            Self::AccessKey { .. } => Some(Auth::AccessKey),
            Self::Service => None,
        }
    }
}

/// Whose connection it is. The credential cache is keyed by this together with the connection, so
/// one workspace's warm session never serves another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    Setup(WorkspaceId, SetupId),
    Storage(WorkspaceId, StorageId),
    /// The change of a storage that has not passed a check. What is done to try it never serves the storage.
    Pending(WorkspaceId, StorageId),
    /// In the owner, because each workspace has sessions of its own for its prefix of the bucket.
    BuiltIn(WorkspaceId),
}

impl Owner {
    pub fn workspace(&self) -> &WorkspaceId {
        match self {
            Self::Setup(workspace, _)
            | Self::Storage(workspace, _)
            | Self::Pending(workspace, _)
            | Self::BuiltIn(workspace) => workspace,
        }
    }

    /// The role session name: what the customer's CloudTrail shows for each of our calls. It identifies the
    /// workspace and the storage (or setup) by the ends of their IDs and has no personal data. 59
    /// characters of the 64 that STS allows, all of `[\w+=,.@-]`.
    pub fn session_name(&self) -> String {
        let end = |id: &str| id[id.len().saturating_sub(20)..].to_owned();
        let workspace = end(self.workspace().as_str());
        let (kind, target) = match self {
            Self::Setup(_, setup) => (SetupId::PREFIX, end(setup.as_str())),
            Self::Storage(_, storage) | Self::Pending(_, storage) => {
                (StorageId::PREFIX, end(storage.as_str()))
            }
            Self::BuiltIn(_) => ("", "built-in".to_owned()),
        };
        format!("sallyport@wrk_{workspace}.{kind}{target}")
    }

    /// The same for what is done for one person of the product's. It identifies the storage by the end of its ID, and
    /// the person by the ID that the product has for them. At most 64 characters.
    pub fn session_name_for(&self, person: &Attributed) -> String {
        format!("sallyport@{}.{}", self.short_name(), person.as_str())
    }

    /// The last 8 characters of the ID of the setup or storage; of the workspace's for the built-in storage,
    /// where each workspace has a prefix of its own.
    pub fn short_name(&self) -> String {
        let id = match self {
            Self::Setup(_, setup) => setup.as_str(),
            Self::Storage(_, storage) | Self::Pending(_, storage) => storage.as_str(),
            Self::BuiltIn(workspace) => workspace.as_str(),
        };
        id[id.len().saturating_sub(8)..].to_owned()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(_, setup) => setup.fmt(f),
            Self::Storage(_, storage) | Self::Pending(_, storage) => storage.fmt(f),
            Self::BuiltIn(_) => f.write_str("built-in"),
        }
    }
}

/// A connection and its owner: what every adapter call to a bucket takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedBucket {
    pub owner: Owner,
    /// Grows with each change of the connection; part of the credential cache's key, so a session
    /// made for an earlier state is never used for a later one.
    pub revision: i64,
    pub connection: Connection,
    /// The person of the product's for whom it is used, where the product said so.
    pub attributed: Option<Attributed>,
}

impl ConnectedBucket {
    /// The same for what is done on behalf of this person, by the product's ID of them.
    pub fn on_behalf_of(self, person: Option<&str>) -> Self {
        Self {
            attributed: person.map(Attributed::to),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_fit_sts_and_tell_workspace_and_storage() {
        let (workspace, storage) = (WorkspaceId::generate(), StorageId::generate());
        let name = Owner::Storage(workspace.clone(), storage.clone()).session_name();
        assert!(name.len() <= 64 && name.len() >= 2);
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
        );
        assert!(name.contains(&workspace.as_str()[16..]) && name.contains(&storage.as_str()[16..]));
        for person in ["user-7", &"|".repeat(128)] {
            let owner = Owner::Storage(workspace.clone(), storage.clone());
            let name = owner.session_name_for(&Attributed::to(person));
            assert!(name.len() <= 64, "{name}");
            let end = &storage.as_str()[storage.as_str().len() - 8..];
            assert!(name.starts_with(&format!("sallyport@{end}.")), "{name}");
        }
    }
}
