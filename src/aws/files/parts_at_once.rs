//! A body of known length whose parts are sent from memory, several at the same time: one connection to a store
//! is slower than many clients are.

use crate::application::bucket::write::PutFailure;
use crate::application::budget::Reserved;
use crate::aws::files::ahead::{Ahead, LEAST_PARTS};
use crate::aws::files::body_source::Recorded;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::kept_part::MemoryPart;
use crate::aws::files::pass_on::Shared;
use crate::aws::files::upload_call::{Call, UploadTarget, send_kept};
use crate::domain::files::part_plan::MOST_PARTS;
use aws_sdk_s3::types::CompletedPart;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::time::Duration;

/// How long the parts under way have to come to their end after one has failed. A part that arrives after the
/// upload was aborted would stay in the bucket (S3 API reference, AbortMultipartUpload).
const SETTLE: Duration = Duration::from_secs(5);

/// A part that was sent, and the memory that it had.
type SentPart = Result<(CompletedPart, Reserved), PutFailure>;

/// The memory for an upload's parts, a place for each of them. `None`: the parts are passed on as they come.
pub(crate) fn room(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    length: u64,
) -> Option<Vec<Reserved>> {
    let ahead = files.ahead.as_ref()?;
    let fits = length.div_ceil(ahead.sizes.part) <= MOST_PARTS;
    (fits && Ahead::is_fit_for(target.bucket))
        .then(|| ahead.room_for_parts(target.workspace()))
        .flatten()
}

/// Sends the next `length` bytes of the body in parts.
pub(crate) async fn send(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    upload_id: &str,
    live: &Shared<Recorded>,
    length: u64,
    room: Vec<Reserved>,
) -> Result<Vec<CompletedPart>, PutFailure> {
    let Some(ahead) = &files.ahead else {
        return Err(PutFailure::NoRoom);
    };
    let mut going: FuturesUnordered<BoxFuture<'_, SentPart>> = FuturesUnordered::new();
    let mut done = Done {
        parts: Vec::new(),
        places: room.len(),
        room,
        ahead,
        workspace: target.workspace(),
    };
    let sending = async {
        let (mut left, mut number) = (length, 0);
        while left > 0 {
            let own = loop {
                match done.room.pop() {
                    Some(own) => break own,
                    None => match going.next().await {
                        Some(sent) => done.take(sent)?,
                        None => return Err(PutFailure::NoRoom),
                    },
                }
            };
            let size = left.min(ahead.sizes.part);
            let reading = MemoryPart::read(live, size);
            tokio::pin!(reading);
            let part = loop {
                tokio::select! {
                    part = &mut reading => break part?,
                    Some(sent) = going.next(), if !going.is_empty() => done.take(sent)?,
                }
            };
            left -= size;
            number += 1;
            going.push(one(files, target, (upload_id, number), part, own).boxed());
        }
        while let Some(sent) = going.next().await {
            done.take(sent)?;
        }
        Ok(())
    };
    let sent = sending.await;
    if let Err(failure) = sent {
        let rest = async { while going.next().await.is_some() {} };
        let _ = tokio::time::timeout(SETTLE, rest).await;
        return Err(failure);
    }
    let mut parts = done.parts;
    parts.sort_by_key(CompletedPart::part_number);
    Ok(parts)
}

/// What came of the parts so far.
struct Done<'a> {
    parts: Vec<CompletedPart>,
    /// How many parts may be in memory.
    places: usize,
    /// Memory that no part has.
    room: Vec<Reserved>,
    ahead: &'a Ahead,
    workspace: &'a str,
}

impl Done<'_> {
    fn take(&mut self, sent: SentPart) -> Result<(), PutFailure> {
        let (part, room) = sent?;
        self.parts.push(part);
        // An upload may take hours: who comes meanwhile does not wait for its end.
        if self.places > LEAST_PARTS && self.ahead.must_give_back(self.workspace) {
            self.places -= 1;
        } else {
            self.room.push(room);
        }
        Ok(())
    }
}

async fn one(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    (upload_id, number): (&str, u64),
    part: MemoryPart,
    room: Reserved,
) -> SentPart {
    let call = Call::Part { upload_id, number };
    let sent = send_kept(files, target, call, &part, None).await?;
    Ok((sent.part(number), room))
}
