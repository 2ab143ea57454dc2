//! The rest of the port to a bucket, which projects do not use.

use crate::application::bucket::body::UploadBody;
use crate::application::bucket::multipart::{BucketMultipart, OpenedUpload, SentPart};
use crate::application::bucket::query::{
    BucketPage, BucketQuery, FolderNames, Grant, ObjectDetails, VersionPage,
};
use crate::application::bucket::read::BucketResult;
use crate::application::bucket::sign::{BucketSign, SignedCall, SignedUrls};
use crate::application::bucket::write::{
    BucketWrite, CopiedObject, DeleteTarget, NewObject, PutFailure, StoredObject,
};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::connection::region::Region;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::it::projects::fake::{FakeBucket, failure};
use async_trait::async_trait;
use std::time::Duration;

fn unused() -> AwsFailure {
    failure(FailureKind::Network)
}

#[async_trait]
impl BucketQuery for FakeBucket {
    async fn details(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: Option<&str>,
    ) -> BucketResult<ObjectDetails> {
        Err(unused())
    }

    async fn versions(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: u32,
        _: Option<&str>,
    ) -> BucketResult<VersionPage> {
        Err(unused())
    }

    async fn acl(&self, _: &ConnectedBucket, _: &ObjectKey) -> BucketResult<Vec<Grant>> {
        Err(unused())
    }

    async fn location(&self, _: &ConnectedBucket) -> BucketResult<Region> {
        Err(unused())
    }

    async fn folders(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKeyPrefix,
        _: u32,
        _: Option<&str>,
    ) -> BucketResult<FolderNames> {
        Err(unused())
    }

    async fn account_buckets(
        &self,
        _: &ConnectedBucket,
        _: u32,
        _: Option<&str>,
    ) -> BucketResult<BucketPage> {
        Err(unused())
    }
}

#[async_trait]
impl BucketWrite for FakeBucket {
    async fn put(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: &NewObject,
        _: UploadBody,
    ) -> Result<StoredObject, PutFailure> {
        Err(unused().into())
    }

    async fn delete(&self, _: &ConnectedBucket, _: &DeleteTarget) -> BucketResult<()> {
        Err(unused())
    }

    async fn delete_many(
        &self,
        _: &ConnectedBucket,
        targets: &[DeleteTarget],
    ) -> Vec<BucketResult<()>> {
        vec![Err(unused()); targets.len()]
    }

    async fn copy(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: Option<&str>,
        _: &ObjectKey,
        _: bool,
    ) -> BucketResult<CopiedObject> {
        Err(unused())
    }

    async fn delete_unchanged(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: Option<&str>,
    ) -> BucketResult<()> {
        Err(unused())
    }

    async fn put_acl(&self, _: &ConnectedBucket, _: &ObjectKey, _: CannedAcl) -> BucketResult<()> {
        Err(unused())
    }
}

#[async_trait]
impl BucketSign for FakeBucket {
    async fn sign(
        &self,
        _: &ConnectedBucket,
        _: SignedCall,
        _: Duration,
    ) -> BucketResult<SignedUrls> {
        Err(unused())
    }
}

#[async_trait]
impl BucketMultipart for FakeBucket {
    async fn begin_multipart(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: &NewObject,
    ) -> BucketResult<OpenedUpload> {
        Err(unused())
    }

    async fn begin_relayed(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: &NewObject,
    ) -> BucketResult<OpenedUpload> {
        Err(unused())
    }

    async fn relay_part(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: &str,
        _: u32,
        _: UploadBody,
    ) -> Result<SentPart, PutFailure> {
        Err(unused().into())
    }

    async fn complete_multipart(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: &OpenedUpload,
        _: &NewObject,
        _: &[SentPart],
    ) -> BucketResult<StoredObject> {
        Err(unused())
    }

    async fn abort_multipart(
        &self,
        _: &ConnectedBucket,
        _: &ObjectKey,
        _: &str,
    ) -> BucketResult<()> {
        Err(unused())
    }
}
