//! Connections: what setups and storages have in common.
//!
//! A setup's draft and a storage's connection are changed by the same input, shown by the same view, and
//! rendered into the same documents.

pub mod change;
pub mod errors;
mod fields;
pub mod identity;
pub mod input;
pub mod origins;
pub mod principal;
pub mod provision;
pub mod quick_create;
pub mod view;

use crate::application::connections::input::{ConnectionInput, InputRules};
use crate::application::connections::origins::BucketOrigins;
use crate::application::connections::principal::PrincipalSource;
use crate::application::connections::quick_create::QuickCreate;
use crate::application::error::{Error, Result};
use crate::application::kept::vault::{Purpose, Vault, sha256};
use crate::domain::connection::access::Auth;
use crate::domain::connection::access_key::SealedSecret;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::ids::{SetupId, WorkspaceId};
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{
    DocumentParameters, Documents, LifecycleFolders, PolicyTemplates, quick_create_link,
};
use crate::domain::setup::Draft;
use std::sync::Arc;

/// What every connection of this service is changed and rendered with.
pub struct Connections {
    pub vault: Arc<Vault>,
    pub policies: Arc<PolicyTemplates>,
    pub principal: Arc<PrincipalSource>,
    /// The origins whose pages may use the buckets.
    pub origins: Arc<BucketOrigins>,
    /// The folders that the lifecycle rules empty.
    pub lifecycle_folders: LifecycleFolders,
    /// `None`: the documents have no link that makes the role by one click.
    pub quick_create: Option<Arc<QuickCreate>>,
}

/// What documents are rendered of.
pub struct DocumentsOf<'a> {
    /// Whose bucket it is. `None`: nobody's, as on the command line.
    pub workspace: Option<&'a WorkspaceId>,
    /// The setup that role and user are tagged with.
    pub setup: Option<&'a SetupId>,
    pub external_id: &'a ExternalId,
    pub bucket: &'a BucketName,
    pub settings: &'a BucketSettings,
    pub sign_in: DocumentSignIn,
}

/// How the product signs in to AWS, by what the documents make.
pub enum DocumentSignIn {
    Role(DocumentsRole),
    AccessKey {
        /// At an S3-compatible store, which has no IAM.
        at_store: bool,
        /// Where the documents make the user.
        path: RolePath,
    },
}

impl DocumentSignIn {
    /// As a draft says. `has_appeared`: the expected role has let the service in.
    pub fn of(draft: &Draft, external_id: &ExternalId, has_appeared: bool) -> Self {
        match draft.sign_in.by {
            Auth::Role => Self::Role(DocumentsRole::of(draft, external_id, has_appeared)),
            Auth::AccessKey => Self::AccessKey {
                at_store: draft.sign_in.access_key.endpoint.is_some(),
                path: draft.sign_in.role_path.clone(),
            },
        }
    }
}

/// The role that documents are rendered for.
pub struct DocumentsRole {
    /// `None`: neither the role nor its account is known yet.
    pub arn: Option<RoleArn>,
    /// Whether it exists, as far as is known: somebody entered it, or it has let the service in.
    pub exists: bool,
    /// Where the documents make it, while its ARN is not known.
    pub path: RolePath,
}

impl DocumentsRole {
    /// A role that somebody entered.
    pub fn entered(arn: &RoleArn) -> Self {
        Self {
            arn: Some(arn.clone()),
            exists: true,
            path: RolePath::of(arn),
        }
    }

    /// Not a role, but a user in this path.
    fn none(path: RolePath) -> Self {
        Self {
            arn: None,
            exists: false,
            path,
        }
    }

    /// The role of a draft. `has_appeared`: the expected role has let the service in.
    pub fn of(draft: &Draft, external_id: &ExternalId, has_appeared: bool) -> Self {
        Self {
            arn: draft.role(external_id),
            exists: draft.sign_in.role_arn.is_some() || has_appeared,
            path: draft.sign_in.role_path.clone(),
        }
    }
}

impl Connections {
    /// Who the service is to a customer's role.
    pub async fn principal(&self) -> Result<ServicePrincipal> {
        self.principal.get().await
    }

    /// The draft with the changes in it, or every field that cannot be accepted. `record` is the ID of
    /// the setup or storage that the draft belongs to.
    pub async fn apply(
        &self,
        input: ConnectionInput,
        draft: &Draft,
        record: &str,
    ) -> Result<Draft> {
        let rules = InputRules {
            principal: &self.principal,
            policies: &self.policies,
            vault: &self.vault,
        };
        input.apply(draft, record, rules).await
    }

    /// Every document that the customer applies, filled in.
    pub async fn documents(&self, of: DocumentsOf<'_>) -> Result<(Documents, DocumentParameters)> {
        let DocumentsOf {
            workspace,
            setup,
            external_id,
            bucket,
            settings,
            sign_in,
        } = of;
        let (auth, role, at_store) = match sign_in {
            DocumentSignIn::Role(role) => (Auth::Role, role, false),
            DocumentSignIn::AccessKey { at_store, path } => {
                (Auth::AccessKey, DocumentsRole::none(path), at_store)
            }
        };
        let service_principal = self.principal.get().await?;
        let origins = self.origins_of(workspace).await?;
        let parameters = DocumentParameters {
            setup_id: setup.cloned(),
            auth,
            at_store,
            lifecycle_folders: self.lifecycle_folders.clone(),
            partition: role
                .arn
                .as_ref()
                .map(RoleArn::partition)
                .or(settings.region.and_then(|region| region.partition()))
                .unwrap_or(service_principal.partition()),
            service_principal,
            external_id: external_id.clone(),
            bucket: bucket.clone(),
            prefix: settings.prefix.clone(),
            grants: settings.grants(),
            lifecycle: settings.has_lifecycle(),
            kms_key: settings.kms_key.clone(),
            allowed_origins: settings.allowed_origins(&origins).to_vec(),
            region: settings.region,
            role_arn: role.arn,
            role_exists: role.exists,
            role_path: role.path,
            permissions_boundary: settings.permissions_boundary.clone(),
            bucket_account: settings.bucket_account.clone(),
        };
        let mut documents = self.policies.documents(&parameters).map_err(Error::bug)?;
        // Only a role is made by the link: the template is put for nobody else.
        if parameters.auth == Auth::Role
            && let Some(quick_create) = &self.quick_create
            && let Some(url) = quick_create.template_url().await
        {
            documents.cloudformation_quick_create_url =
                quick_create_link(&url, &parameters, &documents);
        }
        Ok((documents, parameters))
    }

    /// The origins whose pages use the workspace's buckets.
    pub async fn origins_of(&self, workspace: Option<&WorkspaceId>) -> Result<Vec<OriginPattern>> {
        match workspace {
            Some(workspace) => self.origins.of(workspace).await,
            None => Ok(self.origins.everywhere().to_vec()),
        }
    }

    /// Whether two connections are the same, also where the same secret is sealed for different records.
    pub fn is_same(&self, one: &Connection, other: &Connection) -> bool {
        self.comparable(one) == self.comparable(other)
    }

    /// Whether both have the same secret, or neither has one.
    pub fn is_same_secret(&self, one: &Credentials, other: &Credentials) -> bool {
        self.secret_hash(one) == self.secret_hash(other)
    }

    /// The connection with the secret's hash in place of the secret. One that does not open stays as it
    /// is: nothing but itself is the same.
    fn comparable(&self, connection: &Connection) -> Connection {
        let hash = self.secret_hash(&connection.credentials);
        let mut comparable = connection.clone();
        if let (
            Some(hash),
            Credentials::AccessKey {
                secret, sealed_for, ..
            },
        ) = (hash, &mut comparable.credentials)
        {
            *secret = SealedSecret(hash);
            sealed_for.clear();
        }
        comparable
    }

    /// What distinguishes a secret from another, wherever both are sealed. One that does not open is
    /// itself.
    fn secret_hash(&self, credentials: &Credentials) -> Option<Vec<u8>> {
        let Credentials::AccessKey {
            secret, sealed_for, ..
        } = credentials
        else {
            return None;
        };
        let opened = self
            .vault
            .open(Purpose::AccessKeySecret, sealed_for.as_bytes(), &secret.0);
        Some(opened.map_or_else(|_| secret.0.clone(), |plain| sha256(&plain).to_vec()))
    }

    /// The documents of the service's own bucket, for a workspace's part of it.
    pub async fn built_in_documents(
        &self,
        workspace: &WorkspaceId,
        connection: &Connection,
    ) -> Result<Documents> {
        let partition = self.principal.get().await?.partition();
        let origins = self.origins.of(workspace).await?;
        self.policies
            .documents_without_role(partition, connection, &origins, &self.lifecycle_folders)
            .map_err(Error::bug)
    }

    /// The credentials, kept in another record. A secret is bound to its record: moving it means opening
    /// and sealing it again.
    pub fn reseal(&self, credentials: Credentials, record: &str) -> Result<Credentials> {
        match credentials {
            Credentials::AccessKey {
                access_key_id,
                secret,
                sealed_for,
                endpoint,
            } => {
                let plain = self
                    .vault
                    .open(Purpose::AccessKeySecret, sealed_for.as_bytes(), &secret.0)
                    .map_err(Error::bug)?;
                let sealed =
                    self.vault
                        .seal(Purpose::AccessKeySecret, record.as_bytes(), &plain)?;
                Ok(Credentials::AccessKey {
                    access_key_id,
                    secret: SealedSecret(sealed),
                    sealed_for: record.to_owned(),
                    endpoint,
                })
            }
            unsealed @ (Credentials::Role { .. } | Credentials::Service) => Ok(unsealed),
        }
    }
}
