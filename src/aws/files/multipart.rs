//! Multipart uploads whose parts come one by one.

use crate::application::bucket::body::UploadBody;
use crate::application::bucket::multipart::{BucketMultipart, OpenedUpload, SentPart};
use crate::application::bucket::query::BucketQuery;
use crate::application::bucket::read::BucketResult;
use crate::application::bucket::write::{NewObject, PutFailure, StoredObject};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::conditions::Conditions;
use crate::aws::files::convert::{acl_of, expected_owner, expires, metadata_of};
use crate::aws::files::encryption::Encryption;
use crate::aws::files::lost_answer::{StoreClock, is_gone};
use crate::aws::files::parts::{UploadCompletion, abort, abort_upload, begun, complete};
use crate::aws::files::upload_call::UploadTarget;
use crate::aws::files::upload_parts;
use crate::aws::sessions::SessionScope;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::types::CompletedPart;

#[async_trait]
impl BucketMultipart for S3Bucket {
    async fn begin_multipart(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        object: &NewObject,
    ) -> BucketResult<OpenedUpload> {
        // Whoever sends the parts need not know S3's checksums: none is asked of them.
        let plain = || {
            aws_sdk_s3::config::Builder::new()
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        };
        self.with_session(bucket, |session| async move {
            let encryption = Encryption::of(&bucket.connection);
            let headers = &object.headers;
            let clock = StoreClock::of_a_call();
            let request = session
                .s3
                .create_multipart_upload()
                .bucket(bucket.connection.bucket.as_str())
                .key(key.as_str())
                .content_type(&object.content_type)
                .set_cache_control(headers.cache_control.clone())
                .set_content_disposition(headers.content_disposition.clone())
                .set_content_language(headers.content_language.clone())
                .set_expires(expires(headers))
                .set_metadata(Some(metadata_of(object)))
                .set_acl(object.acl.map(acl_of))
                .set_server_side_encryption(encryption.algorithm)
                .set_ssekms_key_id(encryption.key_id)
                .set_expected_bucket_owner(expected_owner(&bucket.connection))
                .customize()
                .config_override(plain())
                .interceptor(clock.clone());
            begun(request.send().await, &clock)
        })
        .await
    }

    async fn begin_relayed(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        object: &NewObject,
    ) -> BucketResult<OpenedUpload> {
        let target = UploadTarget {
            bucket,
            key,
            object,
        };
        upload_parts::create(self, target).await
    }

    async fn relay_part(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload_id: &str,
        number: u32,
        body: UploadBody,
    ) -> Result<SentPart, PutFailure> {
        let object = NewObject::default();
        let target = UploadTarget {
            bucket,
            key,
            object: &object,
        };
        let _turn = self.gates.transfer(&bucket.owner).await?;
        upload_parts::relayed(self, target, upload_id, number, body).await
    }

    async fn complete_multipart(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload: &OpenedUpload,
        object: &NewObject,
        parts: &[SentPart],
    ) -> BucketResult<StoredObject> {
        let parts = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part.number as i32)
                .e_tag(&part.etag)
                .set_checksum_crc32(part.checksum_crc32.clone())
                .build()
        });
        let completion = UploadCompletion {
            bucket,
            key,
            upload,
            parts: parts.collect(),
            size: None,
            conditions: Conditions {
                if_none_match: object.conditions.if_none_match,
                if_match: None,
            },
        };
        let (etag, version_id) = match complete(self, SessionScope::Files, completion).await {
            Ok(made) => made,
            Err(failure) => {
                // It can never become an object, or is one already: nothing of it stays.
                let is_unknown = failure.error_code.as_deref() == Some(AwsFailure::OUTCOME_UNKNOWN);
                if is_unknown || failure.kind == FailureKind::PreconditionFailed {
                    abort(self, bucket, key, &upload.id).await;
                }
                return Err(failure);
            }
        };
        // The answer to the completion has no size. The object is there, whatever comes of asking.
        let made = self.details(bucket, key, None).await.ok();
        Ok(StoredObject {
            size: made.and_then(|made| u64::try_from(made.metadata.size?).ok()),
            etag,
            version_id,
            sha256: None,
        })
    }

    async fn abort_multipart(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        upload_id: &str,
    ) -> BucketResult<()> {
        match abort_upload(self, bucket, key, upload_id).await {
            Err(failure) if is_gone(&failure) => Ok(()),
            answer => answer,
        }
    }
}
