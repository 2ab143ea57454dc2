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
use crate::domain::people::reach::Touch;

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
        let bucket = self
            .bucket_for(operation, member, storage, &[Touch::Read(key)])
            .await?;
        let key = bucket.key("key", key)?;
        let details = self.bucket.details(&bucket, &key, version_id).await;
        self.explainer.explain(&bucket, operation, details).await
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
            .bucket_for(
                FileOperation::ListVersions,
                member,
                storage,
                &[Touch::Read(key)],
            )
            .await?;
        let key = bucket.key("key", key)?;
        let page = self.bucket.versions(&bucket, &key, page_size, after).await;
        self.explainer
            .explain(&bucket, FileOperation::ListVersions, page)
            .await
    }

    pub async fn acl(
        &self,
        member: &Member,
        storage: &StorageRef,
        key: &FileKey,
    ) -> Result<Vec<Grant>> {
        let bucket = self
            .bucket_for(FileOperation::ReadAcl, member, storage, &[Touch::Read(key)])
            .await?;
        let grants = self.bucket.acl(&bucket, &bucket.key("key", key)?).await;
        self.explainer
            .explain(&bucket, FileOperation::ReadAcl, grants)
            .await
    }

    /// Where the bucket is, asked of S3 now.
    pub async fn location(&self, member: &Member, storage: &StorageRef) -> Result<Region> {
        let bucket = self
            .bucket_for(FileOperation::Location, member, storage, &[Touch::Storage])
            .await?;
        let region = self.bucket.location(&bucket).await;
        self.explainer
            .explain(&bucket, FileOperation::Location, region)
            .await
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
            .bucket_for(
                FileOperation::ListBuckets,
                admin.member(),
                storage,
                &[Touch::Storage],
            )
            .await?;
        if bucket.connection.credentials == Credentials::Service {
            return Err(Error::new(
                Kind::Conflict,
                "not_for_built_in_storage",
                "The built-in storage is the product's own: the buckets beside it are not the workspace's.",
            ));
        }
        let page = self
            .bucket
            .account_buckets(&bucket, page_size, continuation)
            .await;
        self.explainer
            .explain(&bucket, FileOperation::ListBuckets, page)
            .await
    }
}
