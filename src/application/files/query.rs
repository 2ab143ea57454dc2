//! Read-only queries of files and buckets: metadata, versions, ACLs, the Region, the account's buckets.

use crate::application::bucket::query::{BucketPage, Grant, ObjectDetails, VersionPage};
use crate::application::error::{Error, Kind, Result};
use crate::application::files::shared::Files;
use crate::application::people::caller::{Admin, Member};
use crate::domain::connection::Credentials;
use crate::domain::connection::region::Region;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::ids::StorageRef;

impl Files {
    /// All that is known of a file, or of a version of it.
    pub async fn details(
        &self,
        member: &Member,
        storage: &StorageRef,
        key: &FileKey,
        version_id: Option<&str>,
    ) -> Result<ObjectDetails> {
        let operation = match version_id {
            Some(_) => FileOperation::ReadVersionMetadata,
            None => FileOperation::ReadMetadata,
        };
        let bucket = self.bucket_for(operation, member, storage).await?;
        self.bucket
            .details(&bucket, &bucket.key("key", key)?, version_id)
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
        let bucket = self
            .bucket_for(FileOperation::ListVersions, member, storage)
            .await?;
        self.bucket
            .versions(&bucket, &bucket.key("key", key)?, page_size, after)
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
        let bucket = self
            .bucket_for(FileOperation::ReadAcl, member, storage)
            .await?;
        self.bucket
            .acl(&bucket, &bucket.key("key", key)?)
            .await
            .map_err(|failure| self.denials.error(&bucket, FileOperation::ReadAcl, failure))
    }

    /// Where the bucket is, asked of S3 now.
    pub async fn location(&self, member: &Member, storage: &StorageRef) -> Result<Region> {
        let bucket = self
            .bucket_for(FileOperation::Location, member, storage)
            .await?;
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
        let bucket = self
            .bucket_for(FileOperation::ListBuckets, admin.member(), storage)
            .await?;
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
