//! The built-in storage: the product's own bucket, reached with the service's own credentials. Each
//! workspace has a prefix of its own in it.

use crate::application::bucket::probe::Prober;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::error::{Error, Kind, Reason, Result};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::region::Region;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::files::file_operation::FileOperation;
use crate::domain::ids::WorkspaceId;
use std::sync::Arc;
use tokio::sync::OnceCell;

pub struct BuiltIn {
    bucket: Option<BucketName>,
    prober: Arc<dyn Prober>,
    explainer: Explainer,
    region: OnceCell<Region>,
}

impl BuiltIn {
    pub fn new(bucket: Option<BucketName>, prober: Arc<dyn Prober>, explainer: Explainer) -> Self {
        Self {
            bucket,
            prober,
            explainer,
            region: OnceCell::new(),
        }
    }

    /// The workspace's part of the bucket.
    pub async fn connected(&self, workspace: &WorkspaceId) -> Result<ConnectedBucket> {
        let mut bucket = self.of(workspace)?;
        let region = self
            .region
            .get_or_try_init(|| async {
                let probe = self.prober.with_key(&bucket).await;
                let operation = FileOperation::Location;
                let probe = self.explainer.explain(&bucket, operation, probe).await?;
                let failure = match probe.region_of_bucket().await {
                    Ok(answer) => return Ok(answer.bucket_region.unwrap_or(probe.region())),
                    Err(failure) => failure,
                };
                // A refusal has the Region too.
                match failure.region() {
                    Some(region) => Ok(region),
                    None => Err(self.explainer.error(&bucket, operation, failure).await),
                }
            })
            .await?;
        bucket.connection.settings.region = Some(*region);
        Ok(bucket)
    }

    /// The same, with its Region only where it is known already: S3 is not asked.
    pub fn of(&self, workspace: &WorkspaceId) -> Result<ConnectedBucket> {
        let bucket = self.bucket.clone().ok_or_else(|| {
            Error::new(
                Kind::Conflict,
                "built_in_storage_not_configured",
                "This service has no built-in storage.",
            )
            .because(Reason::NoBuiltInStorage)
            .remedy("Name one of the workspace's storages, or make one of them the default.")
        })?;
        let prefix = BucketPrefix::parse(&format!("workspaces/{workspace}")).map_err(Error::bug)?;
        Ok(ConnectedBucket {
            owner: Owner::BuiltIn(workspace.clone()),
            revision: 0,
            connection: Connection {
                bucket,
                settings: BucketSettings {
                    prefix,
                    region: self.region.get().copied(),
                    ..BucketSettings::default()
                },
                credentials: Credentials::Service,
            },
            attributed: None,
        })
    }
}
