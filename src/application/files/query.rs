//! What there is to know of files and buckets, by file key.

use crate::application::bucket::query::{
    BucketPage, BucketQueries, Grant, ObjectDetails, VersionPage,
};
use crate::application::diagnosis::denials::Denials;
use crate::application::error::{Error, Kind, Result};
use crate::application::files::read::object_key;
use crate::application::people::caller::{Admin, Member};
use crate::application::storages::Storages;
use crate::domain::connection::region::Region;
use crate::domain::connection::{ConnectedBucket, Credentials};
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::ids::StorageRef;
use std::sync::Arc;

pub struct FileQueries {
    pub storages: Arc<Storages>,
    pub bucket: Arc<dyn BucketQueries>,
    pub denials: Denials,
}

impl FileQueries {
    async fn usable(&self, member: &Member, storage: &StorageRef) -> Result<ConnectedBucket> {
        self.storages.usable(&member.workspace, storage).await
    }

    /// All that is known of a file, or of a version of it.
    pub async fn details(
        &self,
        member: &Member,
        storage: &StorageRef,
        key: &FileKey,
        version_id: Option<&str>,
    ) -> Result<ObjectDetails> {
        let bucket = self.usable(member, storage).await?;
        let operation = match version_id {
            Some(_) => FileOperation::ReadVersionMetadata,
            None => FileOperation::ReadMetadata,
        };
        self.bucket
            .details(&bucket, &object_key(&bucket, key)?, version_id)
            .await
            .map_err(|failure| self.denials.error(&bucket, operation, failure))
    }

    /// The versions of a file, newest first. None for a key that never was a file.
    pub async fn versions(
        &self,
        member: &Member,
        storage: &StorageRef,
        key: &FileKey,
        page_size: u32,
        after: Option<&str>,
    ) -> Result<VersionPage> {
        let bucket = self.usable(member, storage).await?;
        self.bucket
            .versions(&bucket, &object_key(&bucket, key)?, page_size, after)
            .await
            .map_err(|failure| {
                self.denials
                    .error(&bucket, FileOperation::ListVersions, failure)
            })
    }

    pub async fn acl(
        &self,
        member: &Member,
        storage: &StorageRef,
        key: &FileKey,
    ) -> Result<Vec<Grant>> {
        let bucket = self.usable(member, storage).await?;
        self.bucket
            .acl(&bucket, &object_key(&bucket, key)?)
            .await
            .map_err(|failure| self.denials.error(&bucket, FileOperation::ReadAcl, failure))
    }

    /// Where the bucket is, asked of S3 now.
    pub async fn location(&self, member: &Member, storage: &StorageRef) -> Result<Region> {
        let bucket = self.usable(member, storage).await?;
        self.bucket.location(&bucket).await.map_err(|failure| {
            self.denials
                .error(&bucket, FileOperation::Location, failure)
        })
    }

    /// The buckets of the account that the storage's credentials belong to. Not for the built-in
    /// storage: its account is the vendor's.
    pub async fn account_buckets(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        page_size: u32,
        continuation: Option<&str>,
    ) -> Result<BucketPage> {
        let bucket = self.usable(admin.member(), storage).await?;
        if bucket.connection.credentials == Credentials::Service {
            return Err(Error::new(
                Kind::Conflict,
                "not_for_built_in_storage",
                "The built-in storage is the product's own: the buckets beside it are not the workspace's.",
            ));
        }
        self.bucket
            .account_buckets(&bucket, page_size, continuation)
            .await
            .map_err(|failure| {
                self.denials
                    .error(&bucket, FileOperation::ListBuckets, failure)
            })
    }
}
