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
        let range = answer.content_range.as_deref().and_then(ServedRange::parse);
        let announced = answer.content_length.and_then(|l| u64::try_from(l).ok());
        // A gateway that packs or decodes what it relays does not know the length.
        let content_length = announced.or(range.as_ref().map(ServedRange::length));
        let first = range.as_ref().map_or(0, |range| range.first);
        let reading = Reading {
            sessions: self.sessions.clone(),
            bucket: bucket.clone(),
            key: key.clone(),
            version_id: conditions.version_id.clone(),
            etag: answer.e_tag.clone(),
            next: first,
            end: content_length.map(|length| first + length),
            body: answer.body,
            _turn: turn,
        };
        let size = match &range {
            Some(range) => range.size,
            None => content_length,
        };
        Ok(ObjectContent {
            metadata: ObjectMetadata {
                size: size.and_then(|size| i64::try_from(size).ok()),
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

/// `bytes 100-199/1234`.
#[derive(Debug, PartialEq, Eq)]
struct ServedRange {
    first: u64,
    last: u64,
    /// Of the whole object; `None` for `*`.
    size: Option<u64>,
}

impl ServedRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(Self {
            first,
            last,
            size: size.parse().ok(),
        })
    }

    fn length(&self) -> u64 {
        self.last - self.first + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_range_is_read_exactly() {
        let range = ServedRange::parse("bytes 100-199/1234").unwrap();
        assert_eq!((range.first, range.length()), (100, 100));
        assert_eq!(range.size, Some(1_234));
        assert_eq!(ServedRange::parse("bytes 0-0/*").unwrap().size, None);
        for odd in [
            "",
            "bytes",
            "bytes 5-4/9",
            "bytes a-b/9",
            "bytes */9",
            "items 0-1/2",
        ] {
            assert_eq!(ServedRange::parse(odd), None, "{odd}");
        }
    }
}
