//! Bodies that go to the bucket in parts.

use crate::application::bucket::body::{BodyFault, UploadBody};
use crate::application::bucket::multipart::{OpenedUpload, SentPart};
use crate::application::bucket::read::BucketResult;
use crate::application::bucket::write::{PutFailure, StoredObject};
use crate::aws::files::body_source::{BodySource, Recorded, WholeBody};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::{acl_of, expires, metadata_of};
use crate::aws::files::encryption::Encryption;
use crate::aws::files::lost_answer::StoreClock;
use crate::aws::files::parts::{UploadCompletion, abort, begun, complete};
use crate::aws::files::parts_at_once;
use crate::aws::files::pass_on::Shared;
use crate::aws::files::spool::{Spool, broken};
use crate::aws::files::upload_call::{
    Call, Failed, Sent, UploadTarget, attempt, fill, helps_to_repeat, of_a_silent_sender, send_kept,
};
use crate::aws::sessions::SessionScope;
use crate::domain::files::part_plan::{LARGEST_OF_UNKNOWN_LENGTH, MOST_PARTS, held_part_size};
use aws_sdk_s3::types::CompletedPart;

/// A body whose length the client sent. Where there is memory for it, several parts are sent at the same time;
/// otherwise each is passed on as it comes.
pub(crate) async fn of_known_length(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    source: BodySource,
    length: u64,
) -> Result<StoredObject, PutFailure> {
    let upload = create(files, target).await?;
    let live = Shared::new(Recorded::new(source));
    let sent = match parts_at_once::room(files, target, length) {
        Some(room) => parts_at_once::send(files, target, &upload.id, &live, length, room).await,
        None => known_parts(files, target, &upload.id, &live, length).await,
    };
    let whole = live.lock().source.whole();
    finish(files, target, &upload, sent.map(|parts| (parts, whole))).await
}

/// A body whose length nobody knows. `first` holds its first part.
pub(crate) async fn of_unknown_length(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    source: &mut BodySource,
    first: Spool,
) -> Result<StoredObject, PutFailure> {
    let upload = create(files, target).await?;
    let sent = unknown_parts(files, target, &upload.id, source, first).await;
    let whole = source.whole();
    finish(files, target, &upload, sent.map(|parts| (parts, whole))).await
}

/// One part of an upload whose parts come one by one. Its body has a length.
pub(crate) async fn relayed(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    upload_id: &str,
    number: u32,
    body: UploadBody,
) -> Result<SentPart, PutFailure> {
    let Some(length) = body.length() else {
        return Err(BodyFault::Incomplete.into());
    };
    let spools = &files.uploads.spools;
    let copy = spools.if_there_is_room(target.workspace(), length).await;
    let live = Shared::new(Recorded {
        copy,
        ..Recorded::new(BodySource::new(body))
    });
    let call = Call::Part {
        upload_id,
        number: u64::from(number),
    };
    match known_part(files, target, call, &live, length).await {
        Ok(sent) => Ok(sent.named(number)),
        Err(failure) => Err(of_a_part(of_a_silent_sender(failure))),
    }
}

pub(crate) async fn create(
    files: &S3Bucket,
    target: UploadTarget<'_>,
) -> BucketResult<OpenedUpload> {
    files
        .with_session(target.bucket, |session| {
            let encryption = Encryption::of(&target.bucket.connection);
            let headers = &target.object.headers;
            let clock = StoreClock::of_a_call();
            let request = session
                .s3
                .create_multipart_upload()
                .bucket(target.bucket_name())
                .key(target.key.as_str())
                .content_type(&target.object.content_type)
                .set_cache_control(headers.cache_control.clone())
                .set_content_disposition(headers.content_disposition.clone())
                .set_content_language(headers.content_language.clone())
                .set_expires(expires(headers))
                .set_metadata(Some(metadata_of(target.object)))
                .set_acl(target.object.acl.map(acl_of))
                .set_server_side_encryption(encryption.algorithm)
                .set_ssekms_key_id(encryption.key_id)
                .set_checksum_algorithm(target.checksum())
                .set_expected_bucket_owner(target.owner())
                .customize()
                .interceptor(clock.clone());
            async move { begun(request.send().await, &clock) }
        })
        .await
}

/// Makes the object of the parts, or leaves nothing of them.
async fn finish(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    upload: &OpenedUpload,
    sent: Result<(Vec<CompletedPart>, WholeBody), PutFailure>,
) -> Result<StoredObject, PutFailure> {
    let completed = async {
        let (parts, whole) = sent.map_err(of_a_part)?;
        let completion = UploadCompletion {
            bucket: target.bucket,
            key: target.key,
            upload,
            parts,
            size: Some(whole.size),
            conditions: target.conditions(),
        };
        let (etag, version_id) = complete(files, SessionScope::Files, completion).await?;
        Ok(whole.stored(etag, version_id))
    };
    match completed.await {
        Ok(stored) => Ok(stored),
        Err(failure) => {
            abort(files, target.bucket, target.key, &upload.id).await;
            Err(failure)
        }
    }
}

/// Of an upload that is given up nothing is stored, whatever the store took.
fn of_a_part(failure: PutFailure) -> PutFailure {
    match failure {
        PutFailure::StoreStalled { limit, .. } => PutFailure::StoreStalled {
            limit,
            all_sent: false,
        },
        failure => failure,
    }
}

async fn known_parts(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    upload_id: &str,
    live: &Shared<Recorded>,
    length: u64,
) -> Result<Vec<CompletedPart>, PutFailure> {
    let size = files.sizes.part_of(length);
    let spools = &files.uploads.spools;
    let copy = spools.if_there_is_room(target.workspace(), size).await;
    live.lock().copy = copy;
    let mut done = Vec::new();
    let mut left = length;
    for number in 1..=MOST_PARTS {
        if left == 0 {
            break;
        }
        let now = left.min(size);
        let call = Call::Part { upload_id, number };
        let sent = known_part(files, target, call, live, now).await?;
        done.push(sent.part(number));
        left -= now;
    }
    Ok(done)
}

/// Passes a part on as it comes. Where there is a spool, it is sent again from there when the store breaks.
async fn known_part(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    call: Call<'_>,
    live: &Shared<Recorded>,
    size: u64,
) -> Result<Sent, PutFailure> {
    let mut copy = live.lock().copy.take();
    if let Some(spool) = &mut copy
        && let Err(error) = spool.begin(false).await
    {
        tracing::warn!(%error, "cannot spool: a part that breaks is not sent again");
        copy = None;
    }
    {
        let mut live = live.lock();
        live.copy = copy;
        live.taken = 0;
    }
    match attempt(files, target, call, live, size, None).await {
        Ok(sent) => Ok(sent),
        Err(failure) => again(files, target, call, live, size, failure).await,
    }
}

/// Sends a part again that broke on its way. The rest of it still comes: it is waited for first, so a
/// sender that is slow costs no further try.
async fn again(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    call: Call<'_>,
    live: &Shared<Recorded>,
    size: u64,
    failure: Failed,
) -> Result<Sent, PutFailure> {
    let (copy, taken) = {
        let mut live = live.lock();
        (live.copy.take(), live.taken)
    };
    let Some(mut spool) = copy.filter(|_| helps_to_repeat(&failure)) else {
        return Err(failure.into());
    };
    debug_assert_eq!(spool.length(), taken);
    while spool.length() < size {
        let Some(chunk) = live.next(size - spool.length()).await? else {
            return Err(BodyFault::Incomplete.into());
        };
        spool.push(&chunk);
        spool.settle().await.map_err(broken)?;
    }
    spool.finish().await.map_err(broken)?;
    let sent = send_kept(files, target, call, &spool, Some(failure)).await?;
    live.lock().copy = Some(spool);
    Ok(sent)
}

/// While one part goes, the next one comes, where there is room for both. Otherwise they take turns in one spool:
/// uploads that each have one and wait for a second one would wait for each other. Only where parts grow, and the two
/// together are too small, does an upload wait for more than it has.
async fn unknown_parts(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    upload_id: &str,
    source: &mut BodySource,
    first: Spool,
) -> Result<Vec<CompletedPart>, PutFailure> {
    let spools = &files.uploads.spools;
    let workspace = target.workspace();
    let mut going = first;
    let mut coming: Option<Spool> = None;
    let mut done = Vec::new();
    for number in 1..=MOST_PARTS + 1 {
        if going.length() == 0 {
            break;
        }
        if number > MOST_PARTS {
            return Err(BodyFault::TooLong {
                most: LARGEST_OF_UNKNOWN_LENGTH,
            }
            .into());
        }
        let size = held_part_size(number + 1);
        let call = Call::Part { upload_id, number };
        let mut next = match coming.take() {
            Some(next) => Some(next),
            None => spools.if_there_is_room(workspace, size).await,
        };
        let fits = next
            .as_mut()
            .is_some_and(|next| spools.enlarge_at_once(next, workspace, size));
        match next {
            Some(mut next) if fits => {
                let (sent, ()) = tokio::try_join!(
                    send_kept(files, target, call, &going, None),
                    fill(files, target, source, &mut next, size),
                )?;
                done.push(sent.part(number));
                coming = Some(std::mem::replace(&mut going, next));
            }
            small => {
                let sent = send_kept(files, target, call, &going, None).await?;
                done.push(sent.part(number));
                if let Some(small) = small {
                    going.take_room_of(small);
                }
                spools.enlarge(&mut going, workspace, size).await?;
                fill(files, target, source, &mut going, size).await?;
            }
        }
    }
    Ok(done)
}
