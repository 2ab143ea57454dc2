//! The questions that are asked of S3.

use crate::application::bucket::probe::{
    Answer, Answered, BucketProbe, ExpectedOwner, PreflightSent, Preflighted, PutEncryption,
    ReadBack,
};
use crate::application::bucket::read::ListedObject;
use crate::aws::checks::s3_probe::{S3Probe, answered};
use crate::aws::checks::{listings, preflight, probe_object};
use crate::aws::failure::{classify, local};
use crate::aws::files::head::of_version;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::region::Region;
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::files::version::NULL_VERSION;
use async_trait::async_trait;
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::types::ObjectCannedAcl;
use std::sync::Arc;

#[async_trait]
impl BucketProbe for S3Probe {
    fn region(&self) -> Region {
        self.region
    }

    fn in_region(&self, region: Region) -> Arc<dyn BucketProbe> {
        let s3 = aws_sdk_s3::Client::from_conf(
            self.s3
                .config()
                .to_builder()
                .region(aws_config::Region::new(region.to_string()))
                .build(),
        );
        Arc::new(Self {
            common: self.common.clone(),
            region,
            s3,
        })
    }

    async fn location(&self, owner: ExpectedOwner) -> Answer<Region> {
        const OPERATION: &str = "GetBucketLocation";
        let answer = self
            .s3
            .get_bucket_location()
            .bucket(self.bucket())
            .set_expected_bucket_owner(self.owner(owner))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let constraint = answer.location_constraint().map(|c| c.as_str());
        let region = Region::from_location_constraint(constraint)
            .map_err(|invalid| local(OPERATION, FailureKind::InvalidResponse, invalid))?;
        Ok(answered(OPERATION, answer.request_id(), region))
    }

    async fn region_of_bucket(&self) -> Answer<()> {
        const OPERATION: &str = "HeadBucket";
        let answer = self
            .s3
            .head_bucket()
            .bucket(self.bucket())
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let bucket_region = answer
            .bucket_region()
            .and_then(|name| Region::parse(name).ok());
        Ok(Answered {
            bucket_region,
            ..answered(OPERATION, answer.request_id(), ())
        })
    }

    async fn list(&self, owner: ExpectedOwner) -> Answer<Vec<ListedObject>> {
        listings::list(self, owner).await
    }

    async fn read_listed(&self, key: &str) -> Answer<()> {
        if !key.starts_with(self.prefix()) {
            return Err(local(
                "GetObject",
                FailureKind::InvalidResponse,
                "a key outside of the prefix",
            ));
        }
        self.read(key).await
    }

    async fn read_absent(&self, key: &ObjectKey) -> Answer<()> {
        self.read(key.as_str()).await
    }

    async fn read_absent_version(&self, key: &ObjectKey) -> Answer<()> {
        const OPERATION: &str = "GetObject";
        let answer = self
            .s3
            .get_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .version_id(NULL_VERSION)
            .range("bytes=0-0")
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| of_version(Some(NULL_VERSION), classify(OPERATION, &error)))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    async fn list_folder(&self, folder: &ObjectKeyPrefix) -> Answer<Vec<String>> {
        listings::list_folder(self, folder).await
    }

    async fn list_paying(&self) -> Answer<()> {
        listings::list_paying(self).await
    }

    async fn folders_beside(&self) -> Answer<Vec<String>> {
        listings::folders_beside(self).await
    }

    async fn put_encrypted(
        &self,
        key: &ObjectKey,
        encryption: PutEncryption,
    ) -> Answer<Option<String>> {
        probe_object::put_encrypted(self, key, encryption).await
    }

    async fn versions(&self, key: &ObjectKey) -> Answer<Vec<String>> {
        listings::versions(self, key).await
    }

    async fn current_version(&self, key: &ObjectKey) -> Answer<Option<String>> {
        const OPERATION: &str = "HeadObject";
        let answer = self
            .s3
            .head_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let id = answer.version_id().filter(|id| *id != NULL_VERSION);
        let id = id.map(str::to_owned);
        Ok(answered(OPERATION, answer.request_id(), id))
    }

    async fn put(&self, key: &ObjectKey, if_absent: bool) -> Answer<Option<String>> {
        probe_object::put(self, key, if_absent).await
    }

    async fn read_back(&self, key: &ObjectKey) -> Answer<ReadBack> {
        probe_object::read_back(self, key).await
    }

    async fn delete(&self, key: &ObjectKey, version: Option<&str>) -> Answer<Option<String>> {
        probe_object::delete(self, key, version).await
    }

    async fn read_absent_acl(&self, key: &ObjectKey) -> Answer<()> {
        const OPERATION: &str = "GetObjectAcl";
        let answer = self
            .s3
            .get_object_acl()
            .bucket(self.bucket())
            .key(key.as_str())
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    async fn write_absent_acl(&self, key: &ObjectKey) -> Answer<()> {
        const OPERATION: &str = "PutObjectAcl";
        let answer = self
            .s3
            .put_object_acl()
            .bucket(self.bucket())
            .key(key.as_str())
            .acl(ObjectCannedAcl::Private)
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    async fn preflight(&self, key: &ObjectKey, sent: PreflightSent<'_>) -> Answer<Preflighted> {
        preflight::preflight(self, key, sent).await
    }
}
