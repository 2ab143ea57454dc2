//! Proof that a store did what it says, where its answer alone does not show it.
//!
//! [`StoreAnswers`](crate::aws::answers::store) refuses a success that shows nothing of a store, and a
//! deletion that is answered otherwise than by 204. Here the store is asked once more, by a call whose
//! answer is judged in the same way.

use crate::application::bucket::read::BucketResult;
use crate::aws::etag::md5_in;
use crate::aws::failure::{classify, local};
use crate::aws::files::convert::key_of;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::delete_object::builders::DeleteObjectFluentBuilder;
use aws_sdk_s3::types::EncodingType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

/// How many pages of an object's versions are read for a proof.
const MOST_PAGES: usize = 20;

/// Where an object is, in the SDK's terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version_id: Option<&'a str>,
    pub owner: Option<&'a str>,
}

/// Makes a call of DeleteObject. Where the answer does not show that it is done, the object must be gone for
/// a HeadObject, and a version of it for ListObjectVersions or a HeadObject.
pub(crate) async fn delete(
    s3: &Client,
    at: At<'_>,
    request: DeleteObjectFluentBuilder,
) -> BucketResult<DeleteObjectOutput> {
    let error = match request.send().await {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let failure = classify("DeleteObject", &error);
    if !may_be_proved(&failure) {
        return Err(failure);
    }
    let is_gone = match at.version_id {
        None => {
            matches!(head(s3, at).await, Err(looked) if looked.kind == FailureKind::NoSuchKey)
        }
        Some(version) => version_is_gone(s3, at, version).await,
    };
    if !is_gone {
        return Err(failure);
    }
    // What the answer said besides its status.
    let header = |name| {
        let response = error.raw_response()?;
        response.headers().get(name).map(str::to_owned)
    };
    Ok(DeleteObjectOutput::builder()
        .set_version_id(header("x-amz-version-id"))
        .set_delete_marker(header("x-amz-delete-marker").map(|flag| flag == "true"))
        .build())
}

/// Whether no version or delete marker has this ID any more. The documents let the role list versions; they
/// do not let it read one, so a HeadObject is the second choice.
async fn version_is_gone(s3: &Client, at: At<'_>, version: &str) -> bool {
    if let Some(found) = lists_version(s3, at, version).await {
        return !found;
    }
    // A delete marker that is still there is answered with 405 (S3 API reference, HeadObject).
    matches!(
        head(s3, at).await,
        Err(looked) if looked.kind == FailureKind::NoSuchKey && looked.http_status == Some(404)
    )
}

/// `None` where the store does not say it.
async fn lists_version(s3: &Client, at: At<'_>, version: &str) -> Option<bool> {
    let (mut key_marker, mut version_marker) = (None, None);
    for _ in 0..MOST_PAGES {
        let answer = s3
            .list_object_versions()
            .bucket(at.bucket)
            .prefix(at.key)
            .set_key_marker(key_marker.clone())
            .set_version_id_marker(version_marker.clone())
            .encoding_type(EncodingType::Url)
            .set_expected_bucket_owner(at.owner.map(str::to_owned))
            .send()
            .await
            .ok()?;
        let encoding = answer.encoding_type();
        let text = |raw: Option<&str>| key_of(raw?, encoding).ok();
        let is_it = |(key, id): (Option<&str>, Option<&str>)| {
            id == Some(version) && text(key).as_deref() == Some(at.key)
        };
        let versions = answer.versions().iter();
        let markers = answer.delete_markers().iter();
        if versions.map(|one| (one.key(), one.version_id())).any(is_it)
            || markers.map(|one| (one.key(), one.version_id())).any(is_it)
        {
            return Some(true);
        }
        if !answer.is_truncated? {
            return Some(false);
        }
        let next = (
            text(answer.next_key_marker()),
            answer.next_version_id_marker.clone(),
        );
        // All versions of the key have been listed.
        if next.0.as_deref()? > at.key {
            return Some(false);
        }
        if next == (key_marker, version_marker) {
            return None;
        }
        (key_marker, version_marker) = next;
    }
    None
}

/// What a store answered that took a whole object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub etag: Option<String>,
    pub version_id: Option<String>,
    /// The object is encrypted with a key of KMS or of the customer's: its ETag is no MD5 (S3 API reference,
    /// "Object").
    pub etag_is_no_md5: bool,
}

/// What an object must have to be the one that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// In bytes.
    pub size: u64,
    /// In base64, where it is known.
    pub md5: Option<String>,
}

impl Content {
    /// Of bytes that are at hand.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            md5: Some(STANDARD.encode(Md5::digest(bytes))),
        }
    }

    /// Whether an ETag looks like the MD5 of other bytes.
    fn is_contradicted(&self, taken: &Taken) -> bool {
        let own = self
            .md5
            .as_ref()
            .and_then(|text| STANDARD.decode(text).ok());
        let (Some(own), Some(etag), false) = (own, &taken.etag, taken.etag_is_no_md5) else {
            return false;
        };
        md5_in(etag).is_some_and(|found| found[..] != own[..])
    }
}

/// An answer to PutObject. Without an ETag, or without anything of a store, the object must be there with
/// its size. With an ETag that looks like the MD5 of other bytes, it must hold the bytes that were sent.
pub(crate) async fn stored(
    s3: &Client,
    at: At<'_>,
    content: &Content,
    answer: Result<Taken, AwsFailure>,
) -> BucketResult<Taken> {
    const OPERATION: &str = "PutObject";
    let has_etag = |taken: &Taken| taken.etag.as_deref().is_some_and(|etag| !etag.is_empty());
    let (taken, why) = match answer {
        Ok(taken) if has_etag(&taken) && !content.is_contradicted(&taken) => return Ok(taken),
        Ok(taken) if has_etag(&taken) => {
            // Some stores have ETags of their own.
            return match holds(s3, at, content, taken.etag.as_deref()).await {
                Ok(true) => Ok(taken),
                Ok(false) => Err(local(
                    OPERATION,
                    FailureKind::NotS3,
                    "the ETag is of other content, and the object has not the bytes that were sent",
                )),
                Err(failure) => Err(failure),
            };
        }
        Ok(taken) => {
            let why = local(
                OPERATION,
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
        Ok(found) if found == Some(content.size) => Ok(Taken {
            etag: None,
            ..taken
        }),
        Ok(_) | Err(_) => Err(why),
    }
}

/// Whether the object with this ETag has these bytes.
async fn holds(
    s3: &Client,
    at: At<'_>,
    content: &Content,
    etag: Option<&str>,
) -> BucketResult<bool> {
    const OPERATION: &str = "GetObject";
    let answer = s3
        .get_object()
        .bucket(at.bucket)
        .key(at.key)
        .set_if_match(etag.map(str::to_owned))
        .set_expected_bucket_owner(at.owner.map(str::to_owned))
        .send()
        .await;
    let mut body = match answer.map_err(|error| classify(OPERATION, &error)) {
        Ok(answer) => answer.body,
        Err(failure)
            if matches!(
                failure.kind,
                FailureKind::NoSuchKey | FailureKind::PreconditionFailed
            ) =>
        {
            return Ok(false);
        }
        // Who may write need not be let read: then the store's own ETag stands.
        Err(failure) if failure.kind == FailureKind::AccessDenied => return Ok(true),
        Err(failure) => return Err(failure),
    };
    let (mut md5, mut size) = (Md5::new(), 0);
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| local(OPERATION, FailureKind::Network, error))?;
        size += part.len() as u64;
        if size > content.size {
            return Ok(false);
        }
        md5.update(&part);
    }
    let found = STANDARD.encode(md5.finalize());
    Ok(size == content.size && content.md5.as_deref() == Some(found.as_str()))
}

/// A page for people proves that something else answered.
fn may_be_proved(failure: &AwsFailure) -> bool {
    failure.kind == FailureKind::NotS3 && failure.error_code.as_deref() != Some(AwsFailure::PAGE)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_md5_of_other_bytes_contradicts() {
        let abc = Content::of(b"abc");
        let taken = |etag: &str, encrypted| Taken {
            etag: Some(etag.to_owned()),
            version_id: None,
            etag_is_no_md5: encrypted,
        };
        let other = "\"00000000000000000000000000000000\"";
        assert!(abc.is_contradicted(&taken(other, false)));
        for fine in [
            taken("\"900150983CD24FB0D6963F7D28E17F72\"", false),
            taken("900150983cd24fb0d6963f7d28e17f72", false),
            taken(other, true),
            taken("\"00000000000000000000000000000000-2\"", false),
            taken("\"5f3c\"", false),
        ] {
            assert!(!abc.is_contradicted(&fine), "{fine:?}");
        }
        let unknown = Content { size: 3, md5: None };
        assert!(!unknown.is_contradicted(&taken(other, false)));
    }
}
