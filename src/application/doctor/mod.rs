//! The policy doctor for setups and storages: what their documents are compared with.

pub mod read;

use crate::application::connections::{Connections, DocumentSignIn, DocumentsOf};
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{Store, Window};
use crate::application::people::caller::Admin;
use crate::application::setups::Setups;
use crate::application::storages::built_in::BuiltIn;
use crate::domain::connection::Connection;
use crate::domain::connection::account::Partition;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::doctor::expected::{Expected, RightDocuments};
use crate::domain::doctor::finding::Finding;
use crate::domain::doctor::{self, Pasted};
use crate::domain::ids::{SetupId, StorageRef};
use crate::domain::names::Name;
use crate::domain::setup::Draft;
use std::sync::Arc;

/// How many other setups and storages have their external IDs compared.
const OTHERS: u32 = 50;

/// Looks at documents that somebody pasted. It asks AWS nothing and changes nothing.
pub struct Doctor {
    pub store: Arc<dyn Store>,
    pub connections: Arc<Connections>,
    pub setups: Arc<Setups>,
    pub built_in: Arc<BuiltIn>,
}

impl Doctor {
    /// Compares documents with what a setup needs, as far as it is filled in.
    pub async fn of_setup(
        &self,
        admin: &Admin,
        id: &SetupId,
        documents: Vec<Pasted>,
    ) -> Result<Vec<Finding>> {
        let setup = self.setups.get(admin, id).await?.setup;
        let expected = self
            .expected(admin, &setup.draft, Some(&setup.external_id))
            .await?;
        examine(documents, expected).await
    }

    /// Compares documents with what a storage needs: the connection in use.
    pub async fn of_storage(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        documents: Vec<Pasted>,
    ) -> Result<Vec<Finding>> {
        let connection = match storage {
            StorageRef::BuiltIn => self.built_in.of(admin.workspace())?.connection,
            StorageRef::Own(id) => {
                let found = self.store.storage(admin.workspace(), id).await?;
                found.ok_or_else(|| Error::not_found("storage"))?.connection
            }
        };
        let external_id = connection.credentials.external_id().cloned();
        let expected = self
            .expected(admin, &draft(&connection)?, external_id.as_ref())
            .await?;
        examine(documents, expected).await
    }

    async fn expected(
        &self,
        admin: &Admin,
        draft: &Draft,
        external_id: Option<&ExternalId>,
    ) -> Result<Expected> {
        let role = external_id.map_or_else(
            || draft.sign_in.role_arn.clone(),
            |external_id| draft.role(external_id),
        );
        // Without it the documents are compared with the rest.
        let principal = self.connections.principal.known().await;
        let settings = &draft.settings;
        let right = match (&draft.bucket, external_id, &principal) {
            (Some(bucket), Some(id), Some(_)) => {
                let rendered = self
                    .connections
                    // The documents of a role that exists: a bucket policy that was pasted is compared.
                    .documents(DocumentsOf {
                        workspace: Some(admin.workspace()),
                        setup: None,
                        external_id: id,
                        bucket,
                        settings,
                        sign_in: DocumentSignIn::of(draft, id, true),
                    })
                    .await?;
                RightDocuments {
                    trust_policy: rendered.0.trust_policy,
                    bucket_policy: rendered.0.bucket_policy,
                    cors: rendered.0.cors,
                }
            }
            _ => RightDocuments::default(),
        };
        let partition = role
            .as_ref()
            .map(RoleArn::partition)
            .or(settings.region.and_then(|region| region.partition()))
            .or(principal.as_ref().map(|principal| principal.partition()))
            .unwrap_or(Partition::Aws);
        let origins = self.connections.origins.of(admin.workspace()).await?;
        Ok(Expected {
            partition,
            bucket: draft.bucket.clone(),
            prefix: settings.prefix.clone(),
            lifecycle_folders: self.connections.lifecycle_folders.clone(),
            grants: settings.grants(),
            auth: draft.sign_in.by,
            role,
            kms_key: settings.kms_key.clone(),
            region: settings.region,
            bucket_account: settings.bucket_account.clone(),
            principal,
            external_id: external_id.map(ToString::to_string),
            other_external_ids: self.other_external_ids(admin, external_id).await?,
            origins: settings.allowed_origins(&origins).to_vec(),
            right,
        })
    }

    /// Those of this workspace's other setups and storages. Never another workspace's.
    async fn other_external_ids(
        &self,
        admin: &Admin,
        own: Option<&ExternalId>,
    ) -> Result<Vec<String>> {
        let window = Window {
            after: None,
            limit: OTHERS,
        };
        let workspace = admin.workspace();
        let setups = self.store.list_setups(workspace, &window).await?;
        let storages = self.store.list_storages(workspace, &window).await?;
        let of_setups = setups.iter().map(|setup| &setup.external_id);
        let of_storages = storages
            .iter()
            .filter_map(|storage| storage.connection.credentials.external_id());
        Ok(of_setups
            .chain(of_storages)
            .filter(|id| Some(*id) != own)
            .map(ToString::to_string)
            .collect())
    }
}

fn draft(connection: &Connection) -> Result<Draft> {
    // The name is not looked at.
    let name = Name::parse("storage").map_err(Error::bug)?;
    Ok(Draft::of(&name, connection))
}

/// In a thread of its own: the largest documents take some milliseconds.
async fn examine(documents: Vec<Pasted>, expected: Expected) -> Result<Vec<Finding>> {
    if let Some(large) = documents
        .iter()
        .find(|document| document.text.len() > doctor::LARGEST)
    {
        return Err(Error::new(
            Kind::TooLarge,
            "body_too_large",
            format!(
                "`{}` has {} bytes; at most {} are read, which is more than AWS takes.",
                large.kind,
                large.text.len(),
                doctor::LARGEST
            ),
        ));
    }
    tokio::task::spawn_blocking(move || doctor::examine(&documents, &expected))
        .await
        .map_err(Error::bug)
}
