//! Proof that a store did what it says, where its answer alone does not show it.
//!
//! [`StoreAnswers`](crate::aws::answers::store) refuses a success that shows nothing of a store. Here the
//! store is asked once more by HeadObject, whose answer is judged in the same way.

use crate::application::bucket::read::BucketResult;
use crate::aws::failure::{classify, local};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::delete_object::builders::DeleteObjectFluentBuilder;

/// Where an object is, in the SDK's terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version_id: Option<&'a str>,
    pub owner: Option<&'a str>,
}

/// Makes a call of DeleteObject. Where the answer shows nothing of a store, the object must be gone for a
/// HeadObject; the answer is then an empty one.
pub(crate) async fn delete(
    s3: &Client,
    at: At<'_>,
    request: DeleteObjectFluentBuilder,
) -> BucketResult<DeleteObjectOutput> {
    match request.send().await {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let failure = classify("DeleteObject", &error);
            if !may_be_proved(&failure) {
                return Err(failure);
            }
            match head(s3, at).await {
                Err(looked) if looked.kind == FailureKind::NoSuchKey => {
                    Ok(DeleteObjectOutput::builder().build())
                }
                Ok(_) | Err(_) => Err(failure),
            }
        }
    }
}

/// What a store answered that took a whole object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub etag: Option<String>,
    pub version_id: Option<String>,
}

/// An answer to PutObject. Without an ETag, or without anything of a store, the object must be there with
/// its size.
pub(crate) async fn stored(
    s3: &Client,
    at: At<'_>,
    size: u64,
    answer: Result<Taken, AwsFailure>,
) -> BucketResult<Taken> {
    let has_etag = |taken: &Taken| taken.etag.as_deref().is_some_and(|etag| !etag.is_empty());
    let (taken, why) = match answer {
        Ok(taken) if has_etag(&taken) => return Ok(taken),
        Ok(taken) => {
            let why = local(
                "PutObject",
                FailureKind::NotS3,
                "the answer has no ETag, and the object is not there with its size",
            );
            (taken, why)
        }
        Err(failure) if may_be_proved(&failure) => (Taken::default(), failure),
        Err(failure) => return Err(failure),
    };
    match head(s3, at).await {
        // Its ETag may be that of what was there before.
        Ok(found) if found == Some(size) => Ok(Taken {
            etag: None,
            ..taken
        }),
        Ok(_) | Err(_) => Err(why),
    }
}

/// A page for people proves that something else answered.
fn may_be_proved(failure: &AwsFailure) -> bool {
    failure.kind == FailureKind::NotS3
        && failure.error_code.as_deref() != Some(crate::aws::failure::PAGE)
}

/// The object's size.
async fn head(s3: &Client, at: At<'_>) -> BucketResult<Option<u64>> {
    let answer = s3
        .head_object()
        .bucket(at.bucket)
        .key(at.key)
        .set_version_id(at.version_id.map(str::to_owned))
        .set_expected_bucket_owner(at.owner.map(str::to_owned))
        .send()
        .await
        .map_err(|error| classify("HeadObject", &error))?;
    Ok(answer
        .content_length
        .and_then(|size| u64::try_from(size).ok()))
}
