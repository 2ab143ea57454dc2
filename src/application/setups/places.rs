//! The buckets that a setup's credentials may list, and the folders in one of them: what an admin chooses from
//! instead of typing.
//!
//! The credentials are used before the connection has passed a check, so each of these is no more than what the
//! check itself would do: a role is asked for nothing before it has been proved to refuse everybody else.
//! Otherwise an admin could name the role of somebody else, which lets the service in without an external ID,
//! and look around there.

use crate::application::bucket::port::Bucket;
use crate::application::bucket::probe::{ExternalIdSent, Prober};
use crate::application::bucket::query::{BucketPage, FolderNames};
use crate::application::bucket::read::BucketResult;
use crate::application::checks::is_proven;
use crate::application::connections::errors::incomplete;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::error::{Error, Kind, Result};
use crate::application::people::caller::Admin;
use crate::application::setups::{CHECK_FRESH, Setups};
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::{ConnectedBucket, Credentials};
use crate::domain::files::file_key::Folder;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::ObjectKeyPrefix;
use crate::domain::ids::SetupId;
use futures_util::future::join4;
use moka::future::Cache;
use std::sync::Arc;

/// How many roles are remembered to refuse everybody else. One more is asked once more.
const MOST_PROVED: u64 = 10_000;

pub struct Places {
    setups: Arc<Setups>,
    prober: Arc<dyn Prober>,
    bucket: Arc<dyn Bucket>,
    explainer: Explainer,
    /// Roles that were proved to refuse everybody else, a short while ago.
    proved: Cache<(RoleArn, ExternalId), ()>,
}

/// A folder that a bucket prefix can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceFolder {
    /// With both slashes, from the bucket's root.
    pub key: String,
    pub name: String,
}

/// A page of a folder's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceFolders {
    pub folder: Folder,
    pub folders: Vec<PlaceFolder>,
    /// S3's own token for the next page; `None` on the last one.
    pub continuation: Option<String>,
}

impl Places {
    pub fn new(
        setups: Arc<Setups>,
        prober: Arc<dyn Prober>,
        bucket: Arc<dyn Bucket>,
        explainer: Explainer,
    ) -> Self {
        Self {
            setups,
            prober,
            bucket,
            explainer,
            proved: Cache::builder()
                .max_capacity(MOST_PROVED)
                .time_to_live(CHECK_FRESH)
                .build(),
        }
    }

    /// The buckets of the account that the setup's credentials belong to. Needs no bucket's name.
    pub async fn buckets(
        &self,
        admin: &Admin,
        setup: &SetupId,
        page_size: u32,
        continuation: Option<&str>,
    ) -> Result<BucketPage> {
        const OPERATION: FileOperation = FileOperation::ListBuckets;
        let bucket = self
            .connected(admin, setup, |own| own.or(Some(BucketName::not_chosen())))
            .await?;
        self.must_refuse_others(&bucket, OPERATION).await?;
        let page = self
            .bucket
            .account_buckets(&bucket, page_size, continuation)
            .await;
        self.explainer.explain(&bucket, OPERATION, page).await
    }

    /// The folders of a folder, in this bucket or else in the setup's own.
    pub async fn folders(
        &self,
        admin: &Admin,
        setup: &SetupId,
        named: Option<BucketName>,
        folder: Folder,
        page_size: u32,
        continuation: Option<&str>,
    ) -> Result<PlaceFolders> {
        const OPERATION: FileOperation = FileOperation::Browse;
        let below = ObjectKeyPrefix::within(&BucketPrefix::default(), &folder)
            .map_err(|invalid| Error::field("folder", invalid))?;
        let mut bucket = self.connected(admin, setup, |own| named.or(own)).await?;
        self.must_refuse_others(&bucket, OPERATION).await?;
        let page = self
            .list(&mut bucket, &below, page_size, continuation)
            .await;
        let page = self.explainer.explain(&bucket, OPERATION, page).await?;
        let folders = page.folders.iter().filter_map(|key| {
            let name = key.strip_prefix(folder.path())?.trim_end_matches('/');
            // What no bucket prefix can be is nothing to choose.
            BucketPrefix::parse(key).ok()?;
            Some(PlaceFolder {
                key: format!("/{key}"),
                name: name.to_owned(),
            })
        });
        Ok(PlaceFolders {
            folders: folders.collect(),
            folder,
            continuation: page.continuation,
        })
    }

    /// Lists where the bucket is: before the first check nobody knows, and S3's refusal says it.
    async fn list(
        &self,
        bucket: &mut ConnectedBucket,
        below: &ObjectKeyPrefix,
        page_size: u32,
        continuation: Option<&str>,
    ) -> BucketResult<FolderNames> {
        let first = self
            .bucket
            .folders(bucket, below, page_size, continuation)
            .await;
        let elsewhere = match &first {
            Err(failure) if failure.kind == FailureKind::WrongRegion => failure.region(),
            Ok(_) | Err(_) => None,
        };
        let present = &mut bucket.connection.settings.region;
        match elsewhere {
            Some(region) if *present != Some(region) => {
                *present = Some(region);
                self.bucket
                    .folders(bucket, below, page_size, continuation)
                    .await
            }
            Some(_) | None => first,
        }
    }

    /// What the setup's credentials reach of a bucket: of the whole, whatever prefix has been typed.
    async fn connected(
        &self,
        admin: &Admin,
        id: &SetupId,
        choose: impl FnOnce(Option<BucketName>) -> Option<BucketName>,
    ) -> Result<ConnectedBucket> {
        let mut setup = self.setups.load_open(admin.workspace(), id).await?;
        let draft = &mut setup.draft;
        draft.settings.prefix = BucketPrefix::default();
        draft.bucket = choose(draft.bucket.take());
        setup.connection().map_err(incomplete)
    }

    /// Lets a role be used only where it has been proved to refuse a call without the external ID and with a
    /// wrong one. An access key is its owner's own.
    async fn must_refuse_others(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
    ) -> Result<()> {
        let Credentials::Role {
            role_arn,
            external_id,
        } = &bucket.connection.credentials
        else {
            return Ok(());
        };
        let role = (role_arn.clone(), external_id.clone());
        if self.proved.contains_key(&role) {
            return Ok(());
        }
        let _permit = self.setups.checks.limits.enter(bucket.owner.workspace())?;
        let ask = |sent| self.prober.assume_role(bucket, sent);
        let (own, missing, stranger, near) = join4(
            ask(ExternalIdSent::Own),
            ask(ExternalIdSent::Missing),
            ask(ExternalIdSent::Stranger),
            ask(ExternalIdSent::NearMiss),
        )
        .await;
        if let Err(failure) = own {
            return Err(self.explainer.error(bucket, operation, failure).await);
        }
        // The session that lists is one more call of AssumeRole with the own ID, after the refusals.
        match [missing, stranger, near].iter().all(is_proven) {
            true => {
                self.proved.insert(role, ()).await;
                Ok(())
            }
            false => Err(Error::new(
                Kind::Conflict,
                "role_not_proven",
                "The role was not proved to refuse everybody else, so nothing is listed with it.",
            )
            .remedy("Check the connection: the report says what to change.")),
        }
    }
}
