//! Changes in customers' buckets.

use crate::application::bucket::body::UploadBody;
use crate::application::bucket::read::BucketResult;
use crate::application::bucket::write::{
    BucketWrite, CopiedObject, DeleteTarget, NewObject, PutFailure, StoredObject,
};
use crate::aws::failure::{classify, local, of_code};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::conditions::{self, Conditions};
use crate::aws::files::convert::expected_owner;
use crate::aws::files::proof::{self, At};
use crate::aws::files::{copy, lock, upload};
use crate::aws::sessions::{AwsSession, SessionScope};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectCannedAcl, ObjectIdentifier};
use futures_util::StreamExt;
use futures_util::stream;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const DELETE_MANY: &str = "DeleteObjects";
/// How long to wait before keys that failed for a passing reason are deleted again.
const KEY_PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
/// How many single deletions run at once, where a batch cannot do it.
const SINGLES_AT_ONCE: usize = 16;

#[async_trait]
impl BucketWrite for S3Bucket {
    async fn put(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        object: &NewObject,
        body: UploadBody,
    ) -> Result<StoredObject, PutFailure> {
        upload::put(self, bucket, key, object, body).await
    }

    async fn delete(&self, bucket: &ConnectedBucket, target: &DeleteTarget) -> BucketResult<()> {
        let version = target.version_id.as_deref();
        match delete_object(self, bucket, &target.key, version, None).await {
            Err(failure) => Err(lock::described(self, bucket, target, failure).await),
            done => done,
        }
    }

    async fn delete_many(
        &self,
        bucket: &ConnectedBucket,
        targets: &[DeleteTarget],
    ) -> Vec<BucketResult<()>> {
        let (batch, mut alone): (Vec<usize>, Vec<usize>) =
            (0..targets.len()).partition(|&at| fits_xml(targets[at].key.as_str()));
        let mut outcomes: Vec<BucketResult<()>> = vec![Ok(()); targets.len()];
        let mut pauses = KEY_PAUSES.iter();
        let mut batch = batch;
        while !batch.is_empty() {
            let keys: Vec<&DeleteTarget> = batch.iter().map(|&at| &targets[at]).collect();
            let named = match delete_batch(self, bucket, &keys).await {
                Ok(named) => named,
                // A store that does not know the call, or refuses all for one.
                Err(failure) if !failure.kind.is_transient() => {
                    alone.extend(batch);
                    break;
                }
                Err(failure) => {
                    batch
                        .iter()
                        .for_each(|&at| outcomes[at] = Err(failure.clone()));
                    break;
                }
            };
            let mut again = Vec::new();
            for at in batch {
                match named.get(&targets[at]) {
                    Some(outcome) => {
                        outcomes[at].clone_from(outcome);
                        if outcome
                            .as_ref()
                            .is_err_and(|failure| failure.kind.is_transient())
                        {
                            again.push(at);
                        }
                    }
                    // Nobody knows whether it was deleted. By itself it has an answer of its own.
                    None => alone.push(at),
                }
            }
            let Some(pause) = pauses.next().filter(|_| !again.is_empty()) else {
                break;
            };
            tokio::time::sleep(*pause).await;
            batch = again;
        }
        let single: Vec<_> = stream::iter(alone)
            .map(|at| async move { (at, self.delete(bucket, &targets[at]).await) })
            .buffer_unordered(SINGLES_AT_ONCE)
            .collect()
            .await;
        for (at, outcome) in single {
            outcomes[at] = outcome;
        }
        outcomes
    }

    async fn copy(
        &self,
        bucket: &ConnectedBucket,
        from: &ObjectKey,
        version_id: Option<&str>,
        to: &ObjectKey,
        if_none_match: bool,
    ) -> BucketResult<CopiedObject> {
        let way = copy::Way {
            bucket,
            from,
            version_id,
            to,
            if_none_match,
        };
        copy::copy(self, way).await
    }

    async fn delete_unchanged(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        etag: Option<&str>,
    ) -> BucketResult<()> {
        let Some(etag) = etag else {
            return Err(local(
                "DeleteObject",
                FailureKind::PreconditionFailed,
                "the store names no ETag, so a change would go unseen",
            ));
        };
        let unchanged = Conditions {
            if_none_match: false,
            if_match: Some(etag.to_owned()),
        };
        conditions::must_hold(self, bucket, key, &unchanged).await?;
        delete_object(self, bucket, key, None, Some(etag)).await
    }

    async fn put_acl(
        &self,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        acl: CannedAcl,
    ) -> BucketResult<()> {
        const OPERATION: &str = "PutObjectAcl";
        let acl = ObjectCannedAcl::try_parse(acl.as_str())
            .map_err(|error| local(OPERATION, FailureKind::InvalidRequest, error))?;
        self.with_session(bucket, |session| {
            let request = session
                .s3
                .put_object_acl()
                .bucket(bucket.connection.bucket.as_str())
                .key(key.as_str())
                .acl(acl.clone())
                .set_expected_bucket_owner(expected_owner(&bucket.connection));
            async move {
                request
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| classify(OPERATION, &error))
            }
        })
        .await
    }
}

/// Deletes an object or a version of it; with an ETag, only where the object still has it.
async fn delete_object(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    version_id: Option<&str>,
    etag: Option<&str>,
) -> BucketResult<()> {
    let owner = expected_owner(&bucket.connection);
    let owner = owner.as_deref();
    files
        .with_session(bucket, |session| async move {
            let at = At {
                bucket: bucket.connection.bucket.as_str(),
                key: key.as_str(),
                version_id,
                owner,
            };
            let request = session
                .s3
                .delete_object()
                .bucket(at.bucket)
                .key(at.key)
                .set_version_id(version_id.map(str::to_owned))
                .set_if_match(etag.map(str::to_owned))
                .set_expected_bucket_owner(owner.map(str::to_owned));
            proof::delete(&session.s3, at, request).await.map(drop)
        })
        .await
}

/// What XML 1.0 can hold: DeleteObjects names its keys in XML, and a character that is none of XML's
/// would spoil the whole call. A carriage return would come out as a line feed, another key.
fn fits_xml(key: &str) -> bool {
    key.chars()
        .all(|c| !matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
}

/// The denial of an answer that denies every key.
fn refused_as_a_whole(answer: &DeleteObjectsOutput, keys: usize) -> Option<AwsFailure> {
    let errors = answer.errors();
    let first = errors.first()?;
    let is_denied = errors
        .iter()
        .all(|error| error.code() == Some("AccessDenied"));
    (is_denied && errors.len() >= keys)
        .then(|| of_code(DELETE_MANY, "AccessDenied", first.message()))
}

/// Deletes up to 1,000 objects by one call. Gives what the answer says of each; one that it does not name is
/// not among them.
async fn delete_batch<'a>(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    targets: &[&'a DeleteTarget],
) -> Result<HashMap<DeleteTarget, BucketResult<()>>, AwsFailure> {
    const OPERATION: &str = DELETE_MANY;
    let mut objects = Vec::with_capacity(targets.len());
    for one in targets {
        let identifier = ObjectIdentifier::builder()
            .key(one.key.as_str())
            .set_version_id(one.version_id.clone())
            .build()
            .map_err(|error| local(OPERATION, FailureKind::InvalidRequest, error))?;
        objects.push(identifier);
    }
    let delete = Delete::builder()
        .set_objects(Some(objects))
        // Each key is to be named.
        .quiet(false)
        .build()
        .map_err(|error| local(OPERATION, FailureKind::InvalidRequest, error))?;
    let call = |session: Arc<AwsSession>| {
        let request = session
            .s3
            .delete_objects()
            .bucket(bucket.connection.bucket.as_str())
            .delete(delete.clone())
            .set_expected_bucket_owner(expected_owner(&bucket.connection));
        async move {
            let answer = request.send().await;
            let answer = answer.map_err(|error| classify(OPERATION, &error))?;
            Ok((answer, session))
        }
    };
    let (mut answer, session) = files.with_session(bucket, call).await?;
    // S3 denies key by key, and so it does to a session that was revoked.
    if let Some(denied) = refused_as_a_whole(&answer, targets.len()) {
        let sessions = &files.sessions;
        if sessions
            .is_dead(bucket, SessionScope::Files, &session, &denied)
            .await
        {
            (answer, _) = files.with_session(bucket, call).await?;
        }
    }
    let mut by_name: HashMap<(String, Option<String>), &'a DeleteTarget> = targets
        .iter()
        .map(|one| ((one.key.as_str().to_owned(), one.version_id.clone()), *one))
        .collect();
    let mut take = |key: Option<&str>, version: Option<&str>| {
        let key = key?.to_owned();
        let version = version.filter(|id| !id.is_empty()).map(str::to_owned);
        let found = by_name
            .remove(&(key.clone(), version))
            .or_else(|| by_name.remove(&(key, None)));
        if found.is_none() {
            tracing::warn!(storage = %bucket.owner, "a deletion's answer names a key that was not asked for");
        }
        found
    };
    let mut named = HashMap::with_capacity(targets.len());
    for error in answer.errors() {
        if let Some(one) = take(error.key(), error.version_id()) {
            let code = error.code().unwrap_or_default();
            let failure = of_code(OPERATION, code, error.message());
            named.insert(one.clone(), Err(failure));
        }
    }
    for deleted in answer.deleted() {
        if let Some(one) = take(deleted.key(), deleted.version_id()) {
            named.insert(one.clone(), Ok(()));
        }
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_xml_cannot_hold_go_alone() {
        for key in ["a b", "ü/%2f+&<>\"'", "\u{7f}", "\u{1f600}"] {
            assert!(fits_xml(key), "{key:?}");
        }
        for key in ["a\nb", "a\rb", "a\tb", "\u{1}", "\u{ffff}"] {
            assert!(!fits_xml(key), "{key:?}");
        }
    }
}
