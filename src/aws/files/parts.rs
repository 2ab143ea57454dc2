//! The ends of an upload in parts, whoever sent the parts.

use crate::aws::failure::classify;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::expected_owner;
use crate::aws::sessions::{Session, SessionScope};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_config::timeout::TimeoutConfig;
use std::sync::Arc;
use std::time::Duration;

/// S3 answers when it has copied, up to 5 GiB, or put an upload's parts together, which takes minutes at
/// times (S3 API reference, CompleteMultipartUpload).
const PATIENCE: Duration = Duration::from_secs(300);
/// How long to wait before an upload that could not be given up is given up again.
const ABORT_PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// Gives an upload up, so that nothing of it stays in the bucket. A failure is for the log only: whoever
/// uploads is told why the upload failed.
pub(crate) async fn abort(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    upload_id: &str,
) {
    let mut tries = ABORT_PAUSES.iter();
    while let Err(failure) = abort_upload(files, bucket, key, upload_id).await {
        // While the service stops, a pooled connection may end with the thread that drove it.
        if failure.kind.is_passing()
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
    let call = |session: Arc<Session>| async move {
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
    // Whoever began an upload may give it up by default (S3 user guide, "Multipart upload API and
    // permissions"); a session policy may stand in the way of that.
    match files.with_session(bucket, call).await {
        Err(failure) if failure.kind == FailureKind::AccessDenied => {
            files.in_scope(bucket, SessionScope::Objects, call).await
        }
        answer => answer,
    }
}

/// Time limits for a call that S3 answers only when its work is done.
pub(crate) fn patient() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(
        TimeoutConfig::builder()
            .operation_attempt_timeout(PATIENCE)
            .operation_timeout(2 * PATIENCE)
            .read_timeout(PATIENCE)
            .build(),
    )
}
