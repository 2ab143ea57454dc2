//! The ends of an upload in parts, whoever sent the parts.

use crate::application::bucket::multipart::OpenedUpload;
use crate::application::bucket::read::BucketResult;
use crate::aws::etag::plain;
use crate::aws::failure::{classify, local};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::conditions::{self, Conditions};
use crate::aws::files::convert::expected_owner;
use crate::aws::files::head::head_object;
use crate::aws::files::lost_answer::{
    Attempts, MadeObject, ObjectOfParts, StoreClock, is_gone, leaves_open, unproved,
};
use crate::aws::sessions::{AwsSession, SessionScope};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::create_multipart_upload::{
    CreateMultipartUploadError, CreateMultipartUploadOutput,
};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use std::sync::Arc;
use std::time::Duration;

/// How long one try of completing an upload may take. S3 puts the parts together before it answers, which
/// takes minutes for a large object (S3 API reference, CompleteMultipartUpload).
const COMPLETE: Duration = Duration::from_secs(600);
const COMPLETION: &str = "CompleteMultipartUpload";
/// How long to wait before the next try to abort an upload.
const ABORT_PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// An upload whose parts are all there.
pub(crate) struct UploadCompletion<'a> {
    pub bucket: &'a ConnectedBucket,
    pub key: &'a ObjectKey,
    pub upload: &'a OpenedUpload,
    pub parts: Vec<CompletedPart>,
    /// What the parts must come to, in bytes, where it is known.
    pub size: Option<u64>,
    pub conditions: Conditions,
}

/// The upload that was begun. `clock`: of the call.
pub(crate) fn begun(
    answer: Result<CreateMultipartUploadOutput, SdkError<CreateMultipartUploadError, HttpResponse>>,
    clock: &StoreClock,
) -> BucketResult<OpenedUpload> {
    const OPERATION: &str = "CreateMultipartUpload";
    let id = answer
        .map_err(|error| classify(OPERATION, &error))?
        .upload_id
        .ok_or_else(|| {
            local(
                OPERATION,
                FailureKind::InvalidResponse,
                "the answer has no ID",
            )
        })?;
    Ok(OpenedUpload {
        id,
        since: clock.since(),
    })
}

/// Makes the object of its parts: CompleteMultipartUpload. The ETag is `None` where the store names none
/// and the object that is there shows none of an upload in so many parts. Where an answer was lost, the object that
/// is there may prove that it is made ([`lost_answer`](crate::aws::files::lost_answer)).
pub(crate) async fn complete(
    files: &S3Bucket,
    scope: SessionScope,
    completion: UploadCompletion<'_>,
) -> BucketResult<MadeObject> {
    let UploadCompletion {
        bucket,
        key,
        upload,
        parts,
        size,
        conditions,
    } = completion;
    conditions::must_hold(files, bucket, key, &conditions).await?;
    let number = parts.len();
    let size = size.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    let expected = ObjectOfParts::of(&parts, size, upload.since);
    let expected = match files.sessions.clients().is_amazon(&bucket.connection) {
        true => expected.map(ObjectOfParts::on_amazon),
        false => expected,
    };
    let attempts = Attempts::default();
    let whole = CompletedMultipartUpload::builder()
        .set_parts(Some(parts))
        .build();
    let completed = files
        .in_scope(bucket, scope, |session| {
            let request = session
                .s3
                .complete_multipart_upload()
                .bucket(bucket.connection.bucket.as_str())
                .key(key.as_str())
                .upload_id(&upload.id)
                .multipart_upload(whole.clone())
                .set_mpu_object_size(size)
                .set_if_none_match(conditions.none_match_header())
                .set_if_match(conditions.if_match.clone())
                .set_expected_bucket_owner(expected_owner(&bucket.connection));
            let attempts = attempts.clone();
            async move {
                request
                    .customize()
                    .config_override(completing())
                    .interceptor(attempts)
                    .send()
                    .await
                    .map_err(|error| classify(COMPLETION, &error))
            }
        })
        .await;
    let answer = match completed {
        Ok(answer) => answer,
        Err(failure) => {
            let lost = attempts.lost_an_answer();
            if !leaves_open(&failure, lost, conditions.is_empty()) {
                return Err(failure);
            }
            let made = match &expected {
                Some(expected) => expected.find(files, bucket, key).await,
                None => None,
            };
            if made.is_some() {
                tracing::info!(storage = %bucket.owner, %failure, "an upload was completed, and its answer was lost");
            }
            return made.ok_or_else(|| unproved(failure, lost));
        }
    };
    let version_id = answer.version_id;
    let etag = match answer.e_tag.filter(|etag| !etag.is_empty()) {
        Some(etag) => Some(etag),
        // Ceph answers without one. Then the object that is there must be it.
        None => {
            let found = files
                .with_session(bucket, |session| {
                    head_object(session, bucket, key, None, None)
                })
                .await?;
            let of_parts = |etag: &String| plain(etag).ends_with(&format!("-{number}"));
            let etag = found.e_tag.filter(of_parts);
            // Without a size to compare, only such an ETag tells the object from one that was there before.
            let is_it = match size {
                Some(_) => found.content_length == size,
                None => etag.is_some(),
            };
            if !is_it {
                return Err(local(
                    COMPLETION,
                    FailureKind::NotS3,
                    "the answer has no ETag, and the object that is there is not proved to be it",
                ));
            }
            etag
        }
    };
    Ok((etag, version_id))
}

fn completing() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new()
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(COMPLETE)
                .operation_timeout(2 * COMPLETE)
                .read_timeout(COMPLETE)
                .build(),
        )
        // While S3 puts the parts together, it sends next to nothing.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// Aborts an upload, so nothing of it stays in the bucket. A failure is for the log only: the caller
/// already has the reason why the upload failed.
pub(crate) async fn abort(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    upload_id: &str,
) {
    let mut tries = ABORT_PAUSES.iter();
    while let Err(failure) = abort_upload(files, bucket, key, upload_id).await {
        // It was completed, or somebody else aborted it: no part is left.
        if is_gone(&failure) {
            return;
        }
        // S3 may be away for a moment only.
        if failure.kind.is_transient()
            && let Some(pause) = tries.next()
        {
            tokio::time::sleep(*pause).await;
            continue;
        }
        tracing::warn!(
            storage = %bucket.owner,
            %failure,
            message = failure.message,
            "cannot abort an upload: its parts stay in the bucket until a lifecycle rule removes them"
        );
        return;
    }
}

pub(crate) async fn abort_upload(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    upload_id: &str,
) -> Result<(), AwsFailure> {
    let call = |session: Arc<AwsSession>| async move {
        session
            .s3
            .abort_multipart_upload()
            .bucket(bucket.connection.bucket.as_str())
            .key(key.as_str())
            .upload_id(upload_id)
            .set_expected_bucket_owner(expected_owner(&bucket.connection))
            .send()
            .await
            .map(drop)
            .map_err(|error| classify("AbortMultipartUpload", &error))
    };
    // Whoever began an upload may abort it by default (S3 user guide, "Multipart upload API and
    // permissions"); a session policy may stand in the way of that.
    let abort = || async {
        match files.with_session(bucket, call).await {
            Err(failure) if failure.kind == FailureKind::AccessDenied => {
                files.in_scope(bucket, SessionScope::Objects, call).await
            }
            answer => answer,
        }
    };
    match abort().await {
        // The answer does not show it. Of an upload that is gone, S3 says so.
        Err(failure) if failure.kind == FailureKind::NotS3 => match abort().await {
            Err(second) if is_gone(&second) => Ok(()),
            Ok(()) => Ok(()),
            Err(_) => Err(failure),
        },
        answer => answer,
    }
}
