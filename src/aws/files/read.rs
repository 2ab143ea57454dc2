//! Files in customers' buckets.

use crate::application::bucket::read::{
    BucketRead, BucketResult, ListFrom, ListPage, ListRequest, ListedObject, ObjectContent,
    ObjectMetadata, ReadConditions,
};
use crate::aws::failure::{classify, local};
use crate::aws::files::begin_read::begin_read;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::{expected_owner, key_of, time_of};
use crate::aws::files::head::{head_object, metadata};
use crate::aws::files::listing::{Contradiction, Echo, Mark, Said, believed};
use crate::aws::sessions::AwsSession;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use aws_sdk_s3::types::EncodingType;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::sync::Arc;
use std::time::Duration;

#[async_trait]
impl BucketRead for S3Bucket {
    async fn list(&self, bucket: &ConnectedBucket, request: ListRequest) -> BucketResult<ListPage> {
        list(self, bucket, &request).await
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
        begin_read(self, bucket, key, conditions).await
    }

    async fn forget(&self, owner: &Owner) {
        self.sessions.forget(owner).await;
    }

    async fn end(&self, owner: &Owner) {
        self.sessions.end(owner).await;
    }
}

const LIST: &str = "ListObjectsV2";
/// How long to wait before a listing that contradicts itself is asked for once more.
const PAUSE: Duration = Duration::from_millis(200);
/// How many objects are asked for their size at once, where a listing does not say it.
const SIZES_AT_ONCE: usize = 16;

/// A page that can be believed.
async fn list(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    request: &ListRequest,
) -> BucketResult<ListPage> {
    let page = || files.with_session(bucket, |session| list_once(session, bucket, request));
    let first = match page().await {
        Err(failure) if failure.kind == FailureKind::ListingIncomplete => {
            tracing::warn!(
                storage = %bucket.owner, why = failure.message, "a listing is asked for once more"
            );
            tokio::time::sleep(PAUSE).await;
            page().await
        }
        answer => answer,
    };
    let (mut page, unsized_ones) = first?;
    // How large an object is decides what it is: nothing is made up.
    let sizes: Vec<_> = stream::iter(unsized_ones)
        .map(|at| {
            let key = page.objects[at].key.clone();
            async move {
                let head = files
                    .with_session(bucket, |session| head_listed(session, bucket, key.clone()))
                    .await?;
                Ok::<_, AwsFailure>((at, head))
            }
        })
        .buffer_unordered(SIZES_AT_ONCE)
        .try_collect()
        .await?;
    for (at, size) in sizes {
        page.objects[at].size = size;
    }
    Ok(page)
}

async fn head_listed(
    session: Arc<AwsSession>,
    bucket: &ConnectedBucket,
    key: String,
) -> BucketResult<i64> {
    let answer = session
        .s3
        .head_object()
        .bucket(bucket.connection.bucket.as_str())
        .key(key)
        .set_expected_bucket_owner(expected_owner(&bucket.connection))
        .send()
        .await
        .map_err(|error| classify("HeadObject", &error))?;
    answer
        .content_length
        .ok_or_else(|| local(LIST, FailureKind::ListingIncomplete, "no size is said"))
}

/// A page, and the places of the objects whose size the store does not say.
pub(super) async fn list_once(
    session: Arc<AwsSession>,
    bucket: &ConnectedBucket,
    request: &ListRequest,
) -> BucketResult<(ListPage, Vec<usize>)> {
    let mark = match &request.from {
        ListFrom::Continuation(token) => Some(Mark::read(token)),
        ListFrom::Beginning | ListFrom::After(_) => None,
    };
    let after = match &request.from {
        ListFrom::After(key) => Some(key.as_str().to_owned()),
        ListFrom::Beginning | ListFrom::Continuation(_) => None,
    };
    let answer = session
        .s3
        .list_objects_v2()
        .bucket(bucket.connection.bucket.as_str())
        .prefix(request.prefix.as_str())
        .set_delimiter((!request.recursive).then(|| "/".to_owned()))
        .max_keys(request.page_size.min(1000) as i32)
        .set_continuation_token(mark.as_ref().map(|mark| mark.token().to_owned()))
        .set_start_after(after.clone())
        // Keys may hold characters that XML cannot.
        .encoding_type(EncodingType::Url)
        .set_expected_bucket_owner(expected_owner(&bucket.connection))
        .send()
        .await
        .map_err(|error| classify(LIST, &error))?;
    let encoding = answer.encoding_type.clone();
    let text = |raw: Option<String>| key_of(&raw.unwrap_or_default(), encoding.as_ref());
    let of = Echo {
        bucket: answer.name,
        prefix: answer.prefix,
        delimiter: answer.delimiter,
        start_after: answer.start_after,
    };
    let said = Said {
        of,
        is_truncated: answer.is_truncated,
        token: answer.next_continuation_token,
        key_count: answer.key_count,
    };
    let mut page = ListPage::default();
    let mut unsized_ones = Vec::new();
    for folder in answer.common_prefixes.unwrap_or_default() {
        page.folders.push(text(folder.prefix)?);
    }
    for object in answer.contents.unwrap_or_default() {
        if object.size.is_none() {
            unsized_ones.push(page.objects.len());
        }
        page.objects.push(ListedObject {
            key: text(object.key)?,
            size: object.size.unwrap_or_default(),
            last_modified: object.last_modified.and_then(time_of),
            etag: object.e_tag,
            storage_class: object.storage_class.map(|class| class.as_str().to_owned()),
        });
    }
    let settings = &bucket.connection.settings;
    let asked = Echo {
        bucket: Some(bucket.connection.bucket.as_str().to_owned()),
        prefix: Some(request.prefix.as_str().to_owned()),
        delimiter: (!request.recursive).then(|| "/".to_owned()),
        start_after: after,
    };
    let page = said
        .of
        .answers(&asked)
        .and_then(|()| believed(request, settings.prefix.as_str(), mark, said, page))
        .map_err(|Contradiction(why)| local(LIST, FailureKind::ListingIncomplete, why))?;
    Ok((page, unsized_ones))
}
