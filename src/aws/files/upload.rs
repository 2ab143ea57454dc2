//! Bodies of any size into a bucket, in little memory.
//!
//! Up to [`HELD_BODY`] a body is held and stored by one call, which the SDK may repeat. A larger one
//! whose length is known is passed on as it comes: by one call, or, where it is too large for one, part
//! by part. One of unknown length is held part by part, because S3 wants to know each part's length;
//! [`UploadMemory`](crate::aws::files::upload_memory::UploadMemory) bounds all of these together.
//!
//! Checksums: the client's digests are verified on the way ([`UploadBody`]), and the last bytes are
//! withheld until they match; each call to S3 carries a checksum of its own bytes, and completing an
//! upload names each part's and the whole size, so S3 refuses what differs.

use crate::application::bucket::body::{BodyFault, UploadBody};
use crate::application::bucket::write::{NewObject, PutFailure, StoredObject};
use crate::aws::failure::{classify, local};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::expected_owner;
use crate::aws::files::parts::{UploadCompletion, abort, complete};
use crate::aws::sessions::{AwsSession, SessionScope};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::part_plan::{
    LARGEST_OBJECT, LARGEST_OF_UNKNOWN_LENGTH, MOST_PARTS, held_part_size,
};
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedPart};
use aws_smithy_types::byte_stream::ByteStream;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

/// A body up to this size is held in memory as a whole.
const HELD_BODY: u64 = 256 << 10;
/// How long S3 may take nothing of a body, and how long it may think after its end.
const STALL: Duration = Duration::from_secs(60);
/// How many parts of one body are held at once: one comes while the other goes.
const PARTS_HELD: usize = 2;

/// Where an upload goes.
#[derive(Clone, Copy)]
struct UploadTarget<'a> {
    bucket: &'a ConnectedBucket,
    key: &'a ObjectKey,
    object: &'a NewObject,
}

impl UploadTarget<'_> {
    fn bucket_name(&self) -> &str {
        self.bucket.connection.bucket.as_str()
    }

    fn owner(&self) -> Option<String> {
        expected_owner(&self.bucket.connection)
    }

    /// The checksum of each part. Not every S3-compatible store knows them; there, the signature covers
    /// what is held, and TLS what is passed on.
    fn checksum(&self) -> Option<ChecksumAlgorithm> {
        self.bucket
            .connection
            .endpoint()
            .is_none()
            .then_some(ChecksumAlgorithm::Crc32)
    }

    fn if_none_match(&self) -> Option<String> {
        let conditions = &self.object.conditions;
        conditions.if_none_match.then(|| "*".to_owned())
    }

    fn if_match(&self) -> Option<String> {
        self.object.conditions.if_match.clone()
    }
}

pub(crate) async fn put(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    object: &NewObject,
    body: UploadBody,
) -> Result<StoredObject, PutFailure> {
    let place = UploadTarget {
        bucket,
        key,
        object,
    };
    let length = body.length();
    let mut source = BodySource { body, carry: None };
    let _turn = files.gates.transfer(&bucket.owner).await?;
    match length {
        Some(length) if length > LARGEST_OBJECT => Err(BodyFault::TooLong {
            most: LARGEST_OBJECT,
        }
        .into()),
        Some(length) if length > files.sizes.single => {
            let size = files.sizes.part_of(length);
            in_parts(
                files,
                place,
                &mut source,
                BodyParts::KnownLength { length, size },
            )
            .await
        }
        Some(length) if length > HELD_BODY => streamed(files, place, &mut source, length).await,
        _ => {
            let head = source.fill(HELD_BODY + 1).await?;
            if head.len() as u64 <= HELD_BODY {
                return held(files, place, &source, head).await;
            }
            source.put_back(head);
            // A body of one part needs no upload in parts, and nothing to clean up after it.
            let memory = files.upload_memory.take(held_part_size(1)).await?;
            let first = source.fill(held_part_size(1)).await?;
            if source.body.sha256().is_some() && source.carry.is_none() {
                return held(files, place, &source, first).await;
            }
            let first = HeldPart {
                bytes: first,
                memory,
            };
            in_parts(
                files,
                place,
                &mut source,
                BodyParts::UnknownLength { first },
            )
            .await
        }
    }
}

/// A body, cut where it is asked to be.
struct BodySource {
    body: UploadBody,
    carry: Option<Bytes>,
}

impl BodySource {
    /// The next bytes, at most so many.
    async fn next(&mut self, most: u64) -> Result<Option<Bytes>, BodyFault> {
        let chunk = match self.carry.take() {
            Some(chunk) => Some(chunk),
            None => self.body.next().await?,
        };
        let Some(mut chunk) = chunk else {
            return Ok(None);
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if chunk.len() > most {
            self.carry = Some(chunk.split_off(most));
        }
        Ok(Some(chunk))
    }

    /// So many bytes, or fewer at the end.
    async fn fill(&mut self, size: u64) -> Result<Bytes, BodyFault> {
        // A part has its full size; most other bodies are small.
        let mut buffer = match size > HELD_BODY + 1 {
            true => BytesMut::with_capacity(usize::try_from(size).unwrap_or_default()),
            false => BytesMut::new(),
        };
        while (buffer.len() as u64) < size {
            match self.next(size - buffer.len() as u64).await? {
                Some(chunk) => buffer.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok(buffer.freeze())
    }

    fn put_back(&mut self, head: Bytes) {
        let mut all = BytesMut::from(head);
        if let Some(rest) = self.carry.take() {
            all.extend_from_slice(&rest);
        }
        self.carry = Some(all.freeze());
    }

    fn stored(&self, etag: Option<String>, version_id: Option<String>) -> StoredObject {
        StoredObject {
            size: Some(self.body.received()),
            etag,
            version_id,
            sha256: self.body.sha256().cloned(),
        }
    }
}

async fn held(
    files: &S3Bucket,
    place: UploadTarget<'_>,
    source: &BodySource,
    bytes: Bytes,
) -> Result<StoredObject, PutFailure> {
    let answer = files
        .with_session(place.bucket, |session| {
            let request = put_object(&session, place)
                .set_checksum_sha256(source.body.sha256().map(|text| text.0.clone()))
                .body(ByteStream::from(bytes.clone()));
            async move {
                request
                    .send()
                    .await
                    .map_err(|error| classify("PutObject", &error))
            }
        })
        .await?;
    Ok(source.stored(answer.e_tag, answer.version_id))
}

async fn streamed(
    files: &S3Bucket,
    place: UploadTarget<'_>,
    source: &mut BodySource,
    length: u64,
) -> Result<StoredObject, PutFailure> {
    let session = files.sessions.session(place.bucket).await?;
    let answer = pass_on(source, length, "PutObject", |body| {
        let request = put_object(&session, place).body(body);
        async move {
            request
                .customize()
                .config_override(patient())
                .send()
                .await
                .map_err(|error| classify("PutObject", &error))
        }
    })
    .await;
    let answer = judged(files, place, &session, answer).await?;
    Ok(source.stored(answer.e_tag, answer.version_id))
}

/// What a call came to whose body is gone with it. Where its session may be dead, the next call has another.
async fn judged<T>(
    files: &S3Bucket,
    place: UploadTarget<'_>,
    session: &Arc<AwsSession>,
    answer: Result<T, PutFailure>,
) -> Result<T, PutFailure> {
    if let Err(PutFailure::Aws(failure)) = &answer {
        let sessions = &files.sessions;
        sessions
            .retire(place.bucket, SessionScope::Files, session, failure)
            .await;
    }
    answer
}

fn put_object(
    session: &AwsSession,
    place: UploadTarget<'_>,
) -> aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder {
    session
        .s3
        .put_object()
        .bucket(place.bucket_name())
        .key(place.key.as_str())
        .content_type(&place.object.content_type)
        .set_metadata(Some(place.object.metadata.iter().cloned().collect()))
        .set_if_none_match(place.if_none_match())
        .set_if_match(place.if_match())
        .set_expected_bucket_owner(place.owner())
}

/// Time limits for a call whose body takes as long as its sender needs: [`pass_on`] has its own.
fn patient() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new()
        .timeout_config(
            TimeoutConfig::builder()
                .disable_operation_timeout()
                .disable_operation_attempt_timeout()
                .read_timeout(STALL)
                .build(),
        )
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// Makes a call with the next `size` bytes as its body, while they come. Where they do not come, the
/// call is cut off, and S3 stores nothing of a body that is shorter than announced.
async fn pass_on<T, F>(
    source: &mut BodySource,
    size: u64,
    operation: &'static str,
    send: impl FnOnce(ByteStream) -> F,
) -> Result<T, PutFailure>
where
    F: Future<Output = Result<T, AwsFailure>>,
{
    let slow = || PutFailure::Aws(local(operation, FailureKind::Timeout, "the store stalls"));
    let (sender, chunks) = mpsc::channel(1);
    let sending = send(ByteStream::from_body_1_x(PassedOn { chunks, left: size }));
    tokio::pin!(sending);
    let feeding = async {
        let mut left = size;
        while left > 0 {
            let Some(chunk) = source.next(left).await? else {
                return Err(BodyFault::Incomplete.into());
            };
            left -= chunk.len() as u64;
            match tokio::time::timeout(STALL, sender.send(chunk)).await {
                Ok(Ok(())) => {}
                // The call has ended: its answer has the reason.
                Ok(Err(_)) => break,
                Err(_) => return Err(slow()),
            }
        }
        // Reads on to the end that follows the last bytes: nothing is left, or the body is too long.
        drop(sender);
        Ok::<_, PutFailure>(())
    };
    tokio::select! {
        biased;
        fed = feeding => fed?,
        answer = &mut sending => return Ok(answer?),
    }
    match tokio::time::timeout(STALL, sending).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(slow()),
    }
}

/// A call's body that is passed on chunk by chunk. It breaks where chunks end too early.
struct PassedOn {
    chunks: mpsc::Receiver<Bytes>,
    left: u64,
}

impl http_body::Body for PassedOn {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.chunks.poll_recv(context)) {
            Some(chunk) => {
                self.left = self.left.saturating_sub(chunk.len() as u64);
                Some(Ok(Frame::data(chunk)))
            }
            None => Some(Err(std::io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// How a body is cut.
enum BodyParts {
    KnownLength { length: u64, size: u64 },
    UnknownLength { first: HeldPart },
}

/// A part in memory, and the permit for it: what is held without one is bounded by nothing.
struct HeldPart {
    bytes: Bytes,
    memory: OwnedSemaphorePermit,
}

async fn in_parts(
    files: &S3Bucket,
    place: UploadTarget<'_>,
    source: &mut BodySource,
    parts: BodyParts,
) -> Result<StoredObject, PutFailure> {
    let upload_id = files
        .with_session(place.bucket, |session| create(session, place))
        .await?;
    let stored = async {
        let done = match parts {
            BodyParts::KnownLength { length, size } => {
                parts_of_known_length(files, place, &upload_id, source, length, size).await?
            }
            BodyParts::UnknownLength { first } => {
                parts_of_unknown_length(files, place, &upload_id, source, first).await?
            }
        };
        let completion = UploadCompletion {
            bucket: place.bucket,
            key: place.key,
            upload_id: &upload_id,
            parts: done,
            size: Some(source.body.received()),
            if_none_match: place.object.conditions.if_none_match,
            if_match: place.if_match(),
        };
        let (etag, version_id) = complete(files, SessionScope::Files, completion).await?;
        Ok(source.stored(etag, version_id))
    };
    match stored.await {
        Ok(stored) => Ok(stored),
        Err(failure) => {
            abort(files, place.bucket, place.key, &upload_id).await;
            Err(failure)
        }
    }
}

async fn create(session: Arc<AwsSession>, place: UploadTarget<'_>) -> Result<String, AwsFailure> {
    const OPERATION: &str = "CreateMultipartUpload";
    session
        .s3
        .create_multipart_upload()
        .bucket(place.bucket_name())
        .key(place.key.as_str())
        .content_type(&place.object.content_type)
        .set_metadata(Some(place.object.metadata.iter().cloned().collect()))
        .set_checksum_algorithm(place.checksum())
        .set_expected_bucket_owner(place.owner())
        .send()
        .await
        .map_err(|error| classify(OPERATION, &error))?
        .upload_id
        .ok_or_else(|| {
            local(
                OPERATION,
                FailureKind::InvalidResponse,
                "the answer has no ID",
            )
        })
}

fn upload_part(
    session: &AwsSession,
    place: UploadTarget<'_>,
    upload_id: &str,
    number: u64,
) -> aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder {
    session
        .s3
        .upload_part()
        .bucket(place.bucket_name())
        .key(place.key.as_str())
        .upload_id(upload_id)
        .part_number(number as i32)
        .set_checksum_algorithm(place.checksum())
        .set_expected_bucket_owner(place.owner())
}

fn completed(
    number: u64,
    answer: aws_sdk_s3::operation::upload_part::UploadPartOutput,
) -> CompletedPart {
    CompletedPart::builder()
        .part_number(number as i32)
        .set_e_tag(answer.e_tag)
        .set_checksum_crc32(answer.checksum_crc32)
        .build()
}

async fn parts_of_known_length(
    files: &S3Bucket,
    place: UploadTarget<'_>,
    upload_id: &str,
    source: &mut BodySource,
    length: u64,
    size: u64,
) -> Result<Vec<CompletedPart>, PutFailure> {
    let mut done = Vec::new();
    let mut left = length;
    for number in 1..=MOST_PARTS {
        if left == 0 {
            break;
        }
        // For each part again: an upload may outlive a session.
        let session = files.sessions.session(place.bucket).await?;
        let now = left.min(size);
        let answer = pass_on(source, now, "UploadPart", |body| {
            let request = upload_part(&session, place, upload_id, number).body(body);
            async move {
                request
                    .customize()
                    .config_override(patient())
                    .send()
                    .await
                    .map_err(|error| classify("UploadPart", &error))
            }
        })
        .await;
        let answer = judged(files, place, &session, answer).await?;
        done.push(completed(number, answer));
        left -= now;
    }
    Ok(done)
}

async fn parts_of_unknown_length(
    files: &S3Bucket,
    place: UploadTarget<'_>,
    upload_id: &str,
    source: &mut BodySource,
    first: HeldPart,
) -> Result<Vec<CompletedPart>, PutFailure> {
    let mut first = Some(first);
    // Dropped with an error, the set ends its tasks.
    let mut sending: JoinSet<Result<CompletedPart, AwsFailure>> = JoinSet::new();
    let mut done = Vec::new();
    let ended = |joined: Result<Result<CompletedPart, AwsFailure>, tokio::task::JoinError>| {
        joined.unwrap_or_else(|error| Err(local("UploadPart", FailureKind::Network, error)))
    };
    for number in 1..=MOST_PARTS + 1 {
        let HeldPart { bytes, memory } = match first.take() {
            Some(first) => first,
            None => {
                let size = held_part_size(number);
                let memory = files.upload_memory.take(size).await?;
                let bytes = source.fill(size).await?;
                HeldPart { bytes, memory }
            }
        };
        if bytes.is_empty() {
            break;
        }
        if number > MOST_PARTS {
            return Err(BodyFault::TooLong {
                most: LARGEST_OF_UNKNOWN_LENGTH,
            }
            .into());
        }
        if sending.len() == PARTS_HELD - 1
            && let Some(part) = sending.join_next().await
        {
            done.push(ended(part)?);
        }
        let session = files.sessions.session(place.bucket).await?;
        let sessions = files.sessions.clone();
        let (bucket, key) = (place.bucket.clone(), place.key.clone());
        let (object, upload_id) = (place.object.clone(), upload_id.to_owned());
        sending.spawn(async move {
            let _memory = memory;
            let place = UploadTarget {
                bucket: &bucket,
                key: &key,
                object: &object,
            };
            let call = |session: Arc<AwsSession>| {
                let request = upload_part(&session, place, &upload_id, number)
                    .body(ByteStream::from(bytes.clone()));
                async move {
                    request
                        .customize()
                        .config_override(held_limits())
                        .send()
                        .await
                        .map_err(|error| classify("UploadPart", &error))
                }
            };
            let answer = sessions
                .call(&bucket, SessionScope::Files, session, call)
                .await?;
            Ok(completed(number, answer))
        });
    }
    while let Some(part) = sending.join_next().await {
        done.push(ended(part)?);
    }
    done.sort_by_key(|part| part.part_number);
    Ok(done)
}

/// Time limits for a held part: each try may take a minute, and the SDK repeats it where that is safe.
fn held_limits() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(
        TimeoutConfig::builder()
            .operation_attempt_timeout(STALL)
            .operation_timeout(3 * STALL)
            .build(),
    )
}
