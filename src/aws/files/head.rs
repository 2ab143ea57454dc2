//! HeadObject, and what its answers mean.

use crate::application::bucket::read::{BucketResult, ObjectMetadata};
use crate::aws::failure::classify;
use crate::aws::files::convert::{expected_owner, key_of, sorted, time_of};
use crate::aws::sessions::AwsSession;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, EncodingType};
use std::sync::Arc;

/// HeadObject. Asking for checksums needs `kms:Decrypt`, too (S3 API reference, HeadObject).
pub(crate) async fn head_object(
    session: Arc<AwsSession>,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    version_id: Option<&str>,
    checksums: Option<ChecksumMode>,
) -> BucketResult<HeadObjectOutput> {
    let answer = session
        .s3
        .head_object()
        .bucket(bucket.connection.bucket.as_str())
        .key(key.as_str())
        .set_version_id(version_id.map(str::to_owned))
        .set_checksum_mode(checksums)
        .set_expected_bucket_owner(expected_owner(&bucket.connection))
        .send()
        .await;
    match answer.map_err(|error| of_version(version_id, classify("HeadObject", &error))) {
        Err(denied) if denied.kind == FailureKind::AccessDenied => {
            let failure = match version_id {
                None => absent_or(denied, session.clone(), bucket, key).await,
                Some(_) => denied,
            };
            Err(if failure.kind == FailureKind::AccessDenied {
                with_reason(failure, session, bucket, key, version_id).await
            } else {
                failure
            })
        }
        answer => answer,
    }
}

/// A version ID that S3 does not understand names no version.
pub(crate) fn of_version(version_id: Option<&str>, mut failure: AwsFailure) -> AwsFailure {
    let unknown = failure.http_status == Some(400)
        && (failure.operation == "HeadObject"
            || failure.error_code.as_deref() == Some("InvalidArgument"));
    let absent = failure.kind == FailureKind::NoSuchKey
        && failure.error_code.as_deref() != Some("DeleteMarker");
    if version_id.is_some() && (unknown || absent) {
        failure.kind = FailureKind::NoSuchKey;
        failure.error_code = Some("NoSuchVersion".to_owned());
    }
    failure
}

/// A refused HeadObject has no body, so AWS's reason is not in it. GetObject needs the same permission, and
/// its refusal has one.
async fn with_reason(
    denied: AwsFailure,
    session: Arc<AwsSession>,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    version_id: Option<&str>,
) -> AwsFailure {
    let read = session
        .s3
        .get_object()
        .bucket(bucket.connection.bucket.as_str())
        .key(key.as_str())
        .set_version_id(version_id.map(str::to_owned))
        .range("bytes=0-0")
        .set_expected_bucket_owner(expected_owner(&bucket.connection))
        .send()
        .await;
    match read.map_err(|error| classify("GetObject", &error)) {
        Err(failure) if failure.kind == FailureKind::AccessDenied => AwsFailure {
            denial: failure.denial,
            message: failure.message,
            ..denied
        },
        Err(failure) if is_behind_a_403(failure.kind) => failure,
        // Nothing is known but what HeadObject said.
        Ok(_) | Err(_) => denied,
    }
}

/// Whether a HeadObject that met this would have been answered 403 and nothing else.
fn is_behind_a_403(kind: FailureKind) -> bool {
    match kind {
        FailureKind::BadCredentials
        | FailureKind::ClockSkew
        | FailureKind::KmsDenied
        | FailureKind::KmsUnusable
        | FailureKind::AccountDisabled => true,
        FailureKind::AccessDenied
        | FailureKind::NoSuchKey
        | FailureKind::NoSuchBucket
        | FailureKind::WrongRegion
        | FailureKind::NotModified
        | FailureKind::PreconditionFailed
        | FailureKind::InvalidRange
        | FailureKind::Archived
        | FailureKind::ObjectLocked
        | FailureKind::Redirected
        | FailureKind::NotSupported
        | FailureKind::InvalidRequest
        | FailureKind::Throttled
        | FailureKind::Unavailable
        | FailureKind::Timeout
        | FailureKind::Network
        | FailureKind::ForbiddenAddress
        | FailureKind::InvalidResponse
        | FailureKind::NotS3
        | FailureKind::ListingIncomplete => false,
    }
}

pub(crate) fn metadata(answer: HeadObjectOutput) -> ObjectMetadata {
    ObjectMetadata {
        size: answer.content_length,
        etag: answer.e_tag,
        content_type: answer.content_type,
        content_encoding: answer.content_encoding,
        last_modified: answer.last_modified.and_then(time_of),
        version_id: answer.version_id,
        storage_class: answer.storage_class.map(|class| class.as_str().to_owned()),
        metadata: sorted(answer.metadata),
    }
}

/// S3 answers 403, without a word, for an object that is absent, unless the caller may list the whole
/// bucket: a condition on `s3:prefix` is never met by a HeadObject. A listing shows which it was.
async fn absent_or(
    denied: AwsFailure,
    session: Arc<AwsSession>,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
) -> AwsFailure {
    let listed = session
        .s3
        .list_objects_v2()
        .bucket(bucket.connection.bucket.as_str())
        .prefix(key.as_str())
        .max_keys(1)
        .encoding_type(EncodingType::Url)
        .set_expected_bucket_owner(expected_owner(&bucket.connection))
        .send()
        .await;
    let Ok(listed) = listed else {
        return denied;
    };
    // S3 lists in the order of the keys' bytes: the object itself, if there is one, comes first.
    let there = match listed.contents().first().and_then(|object| object.key()) {
        None => false,
        Some(first) => {
            key_of(first, listed.encoding_type()).is_ok_and(|first| first == key.as_str())
        }
    };
    match there {
        true => denied,
        false => AwsFailure {
            kind: FailureKind::NoSuchKey,
            ..denied
        },
    }
}
