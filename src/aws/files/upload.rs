//! Bodies of any size into a bucket, in little memory.
//!
//! Up to [`HELD_BODY`] a body is held in memory and stored by one call, which the SDK may repeat. A larger
//! one whose length is known is passed on as it comes: by one call up to
//! [`Sizes::single`](crate::domain::files::part_plan::Sizes), part by part above. One of unknown length
//! is spooled part by part, because S3 wants to know each part's length before its bytes. Where the memory
//! budget has room, parts of known length are held in memory and several are sent at the same time.
//!
//! No time limit covers the sending of a body ([`pass_on`](crate::aws::files::pass_on)). A part is also
//! kept, in memory or in a [`Spool`](crate::aws::files::spool::Spool), and sent again from there when the
//! store breaks.
//!
//! Checksums: the client's digests are verified on the way
//! ([`UploadBody`](crate::application::bucket::body::UploadBody)), and the last bytes are
//! withheld until they match; each call to S3 carries a checksum of its own bytes, and completing an
//! upload names each part's and the whole size, so S3 refuses what differs.

use crate::application::bucket::body::{BodyFault, UploadBody};
use crate::application::bucket::write::{NewObject, PutFailure, StoredObject};
use crate::aws::files::body_source::{BodySource, Recorded};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::conditions;
use crate::aws::files::pass_on::Shared;
use crate::aws::files::proof::Content;
use crate::aws::files::signed_digest::SignedDigest;
use crate::aws::files::upload_call::{
    Call, UploadTarget, attempt, fill, of_a_silent_sender, proved, put_object, send_kept, taken,
};
use crate::aws::files::upload_parts;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::part_plan::{LARGEST_OBJECT, held_part_size};
use aws_config::timeout::TimeoutConfig;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use std::time::Duration;

/// A body up to this size is held in memory as a whole.
const HELD_BODY: u64 = 256 << 10;

pub(crate) async fn put(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    object: &NewObject,
    body: UploadBody,
) -> Result<StoredObject, PutFailure> {
    let target = UploadTarget {
        bucket,
        key,
        object,
    };
    let _turn = files.gates.transfer(&bucket.owner).await?;
    let stored = stored(files, target, body).await;
    stored.map_err(of_a_silent_sender)
}

async fn stored(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    body: UploadBody,
) -> Result<StoredObject, PutFailure> {
    let length = body.length();
    let mut source = BodySource::new(body);
    match length {
        Some(length) if length > LARGEST_OBJECT => Err(BodyFault::TooLong {
            most: LARGEST_OBJECT,
        }
        .into()),
        Some(length) if length > files.sizes.single => {
            upload_parts::of_known_length(files, target, source, length).await
        }
        Some(length) if length > HELD_BODY => {
            conditions::must_hold(files, target.bucket, target.key, &target.conditions()).await?;
            let live = Shared::new(Recorded::new(source));
            let sent = attempt(files, target, Call::Object, &live, length, None).await?;
            let whole = live.lock().source.whole();
            Ok(whole.stored(sent.etag, sent.version_id))
        }
        _ => {
            let head = source.fill(HELD_BODY + 1).await?;
            if head.len() as u64 <= HELD_BODY {
                return held(files, target, &source, head).await;
            }
            source.put_back(head);
            let size = held_part_size(1);
            let mut first = files.uploads.spools.open(target.workspace(), size).await?;
            fill(files, target, &mut source, &mut first, size).await?;
            if !source.has_ended() {
                return upload_parts::of_unknown_length(files, target, &mut source, first).await;
            }
            // A body of one part needs no upload in parts, and nothing to clean up after it.
            conditions::must_hold(files, target.bucket, target.key, &target.conditions()).await?;
            let sent = send_kept(files, target, Call::Object, &first, None).await?;
            Ok(source.whole().stored(sent.etag, sent.version_id))
        }
    }
}

async fn held(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    source: &BodySource,
    bytes: Bytes,
) -> Result<StoredObject, PutFailure> {
    conditions::must_hold(files, target.bucket, target.key, &target.conditions()).await?;
    let content = &Content::of(&bytes);
    let sha256 = source.body.sha256();
    let answer = files
        .with_session(target.bucket, |session| {
            let request = put_object(&session, target)
                .set_checksum_sha256(sha256.map(|text| text.0.clone()))
                .body(ByteStream::from(bytes.clone()));
            let limits = held_limits(files.uploads.pace.stall);
            // The body was hashed as it came: the signature takes that digest.
            let digest = sha256.and_then(SignedDigest::of);
            async move {
                let request = request.customize().config_override(limits);
                let request = match digest {
                    Some(digest) => request.interceptor(digest),
                    None => request,
                };
                let answer = request.send().await;
                proved(&session, target, content, taken(answer)).await
            }
        })
        .await?;
    Ok(source.whole().stored(answer.etag, answer.version_id))
}

/// Time limits for a held body: each try may take as long as a larger body may stand still.
fn held_limits(stall: Duration) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(
        TimeoutConfig::builder()
            .operation_attempt_timeout(stall)
            .operation_timeout(3 * stall)
            .build(),
    )
}
