//! Files in customers' buckets.

use crate::application::bucket::read::{
    BucketRead, BucketResult, ListFrom, ListPage, ListRequest, ListedObject, ObjectContent,
    ObjectMetadata, ReadConditions,
};
use crate::aws::failure::classify;
use crate::aws::files::bucket::{S3Bucket, scope_of};
use crate::aws::files::content::Reading;
use crate::aws::files::convert::{decode, expected_owner, sorted, time_of};
use crate::aws::files::head::{head_object, metadata, of_version};
use crate::aws::sessions::AwsSession;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use aws_sdk_s3::types::EncodingType;
use std::sync::Arc;

#[async_trait]
impl BucketRead for S3Bucket {
    async fn list(&self, bucket: &ConnectedBucket, request: ListRequest) -> BucketResult<ListPage> {
        self.with_session(bucket, |session| list(session, bucket, &request))
            .await
    }

    async fn head(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
    ) -> BucketResult<ObjectMetadata> {
        let answer = self
            .with_session(bucket, |session| {
                head_object(session, bucket, key, None, None)
            })
            .await?;
        Ok(metadata(answer))
    }

    async fn get(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        conditions: &ReadConditions,
    ) -> BucketResult<ObjectContent> {
        let turn = self.gates.transfer(&bucket.owner).await?;
        let version = conditions.version_id.as_deref();
        let answer = self
            .in_scope(bucket, scope_of(version), |session| async move {
                session
                    .s3
                    .get_object()
                    .bucket(bucket.connection.bucket.as_str())
                    .key(key.as_str())
                    .set_version_id(conditions.version_id.clone())
                    .set_range(conditions.range.clone())
                    .set_if_match(conditions.if_match.clone())
                    .set_if_none_match(conditions.if_none_match.clone())
                    .set_expected_bucket_owner(expected_owner(&bucket.connection))
                    .send()
                    .await
                    .map_err(|error| of_version(version, classify("GetObject", &error)))
            })
            .await?;
        let content_length = answer.content_length.unwrap_or_default();
        let first = answer
            .content_range
            .as_deref()
            .and_then(first_byte)
            .unwrap_or_default();
        let reading = Reading {
            sessions: self.sessions.clone(),
            bucket: bucket.clone(),
            key: key.clone(),
            version_id: conditions.version_id.clone(),
            etag: answer.e_tag.clone(),
            next: first,
            end: first + u64::try_from(content_length).unwrap_or_default(),
            body: answer.body,
            _turn: turn,
        };
        let size = answer
            .content_range
            .as_deref()
            .and_then(|range| range.rsplit('/').next()?.parse().ok())
            .unwrap_or(content_length);
        Ok(ObjectContent {
            metadata: ObjectMetadata {
                size,
                etag: answer.e_tag,
                content_type: answer.content_type,
                content_encoding: answer.content_encoding,
                last_modified: answer.last_modified.and_then(time_of),
                version_id: answer.version_id,
                storage_class: answer.storage_class.map(|class| class.as_str().to_owned()),
                metadata: sorted(answer.metadata),
            },
            content_length,
            content_range: answer.content_range,
            body: reading.stream(),
        })
    }

    async fn forget(&self, owner: &Owner) {
        self.sessions.forget(owner).await;
    }

    async fn end(&self, owner: &Owner) {
        self.sessions.end(owner).await;
    }
}

async fn list(
    session: Arc<AwsSession>,
    bucket: &ConnectedBucket,
    request: &ListRequest,
) -> BucketResult<ListPage> {
    const OPERATION: &str = "ListObjectsV2";
    let (continuation, after) = match &request.from {
        ListFrom::Beginning => (None, None),
        ListFrom::Continuation(token) => (Some(token.clone()), None),
        ListFrom::After(key) => (None, Some(key.as_str().to_owned())),
    };
    let answer = session
        .s3
        .list_objects_v2()
        .bucket(bucket.connection.bucket.as_str())
        .prefix(request.prefix.as_str())
        .set_delimiter((!request.recursive).then(|| "/".to_owned()))
        .max_keys(request.page_size.min(1000) as i32)
        .set_continuation_token(continuation)
        .set_start_after(after)
        // Keys may hold characters that XML cannot.
        .encoding_type(EncodingType::Url)
        .set_expected_bucket_owner(expected_owner(&bucket.connection))
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?;
    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    let text = |raw: Option<String>| -> BucketResult<String> {
        let raw = raw.unwrap_or_default();
        if encoded { decode(&raw) } else { Ok(raw) }
    };
    let mut page = ListPage {
        continuation: answer
            .is_truncated
            .unwrap_or_default()
            .then_some(answer.next_continuation_token)
            .flatten(),
        ..ListPage::default()
    };
    for folder in answer.common_prefixes.unwrap_or_default() {
        page.folders.push(text(folder.prefix)?);
    }
    for object in answer.contents.unwrap_or_default() {
        page.objects.push(ListedObject {
            key: text(object.key)?,
            size: object.size.unwrap_or_default(),
            last_modified: object.last_modified.and_then(time_of),
            etag: object.e_tag,
            storage_class: object.storage_class.map(|class| class.as_str().to_owned()),
        });
    }
    Ok(page)
}

/// The offset in `bytes 100-199/1234`.
fn first_byte(range: &str) -> Option<u64> {
    range
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .parse()
        .ok()
}
