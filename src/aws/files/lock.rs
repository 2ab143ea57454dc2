//! Until when Object Lock protects what could not be deleted.

use crate::application::bucket::write::DeleteTarget;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::time_of;
use crate::aws::files::head::head_object;
use crate::domain::aws_failure::{AwsFailure, FailureKind, ObjectLock};
use crate::domain::connection::ConnectedBucket;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ObjectLockLegalHoldStatus, ObjectLockMode};

/// The failure, with what S3 says of the lock. It says it to those who have `s3:GetObjectRetention` and
/// `s3:GetObjectLegalHold` (S3 API reference, HeadObject); to others the lock stays unknown.
pub(crate) async fn described(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    target: &DeleteTarget,
    failure: AwsFailure,
) -> AwsFailure {
    if failure.kind != FailureKind::ObjectLocked {
        return failure;
    }
    let version = target.version_id.as_deref();
    let looked = files
        .with_session(bucket, |session| {
            head_object(session, bucket, &target.key, version, None)
        })
        .await;
    let Ok(found) = looked else {
        return failure;
    };
    let lock = lock_of(
        found.object_lock_retain_until_date(),
        found.object_lock_mode(),
        found.object_lock_legal_hold_status(),
    );
    match lock.is_known() {
        true => failure.with_lock(lock),
        false => failure,
    }
}

/// What the headers of an answer say of the object's lock.
pub(crate) fn lock_of(
    until: Option<&DateTime>,
    mode: Option<&ObjectLockMode>,
    hold: Option<&ObjectLockLegalHoldStatus>,
) -> ObjectLock {
    ObjectLock {
        until: until.copied().and_then(time_of),
        compliance: mode == Some(&ObjectLockMode::Compliance),
        legal_hold: hold == Some(&ObjectLockLegalHoldStatus::On),
    }
}
