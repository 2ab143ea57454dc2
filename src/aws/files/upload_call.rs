//! The single calls of an upload, and their repetition.

use crate::application::bucket::body::BodyFault;
use crate::application::bucket::multipart::SentPart;
use crate::application::bucket::write::{NewObject, PutFailure};
use crate::aws::failure::{classify, local};
use crate::aws::files::body_source::BodySource;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::conditions::Conditions;
use crate::aws::files::convert::{acl_of, expected_owner, expires, metadata_of};
use crate::aws::files::encryption::Encryption;
use crate::aws::files::kept_part::KeptBytes;
use crate::aws::files::pass_on::{Chunks, Shared, pass_on, unhurried};
use crate::aws::files::proof::{self, At, Content, Taken};
use crate::aws::files::spool::{Spool, broken};
use crate::aws::sessions::{AwsSession, SessionScope};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedPart, ServerSideEncryption};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::byte_stream::ByteStream;
use std::time::Duration;
use tokio::time::Instant;

/// S3's code for a connection on which its peer was silent for too long (S3 API reference, "Error
/// responses").
const SENDER_WAS_SILENT: &str = "RequestTimeout";

/// Where an upload goes.
#[derive(Clone, Copy)]
pub(crate) struct UploadTarget<'a> {
    pub bucket: &'a ConnectedBucket,
    pub key: &'a ObjectKey,
    pub object: &'a NewObject,
}

impl UploadTarget<'_> {
    pub fn bucket_name(&self) -> &str {
        self.bucket.connection.bucket.as_str()
    }

    pub fn owner(&self) -> Option<String> {
        expected_owner(&self.bucket.connection)
    }

    /// Whose room and memory it takes.
    pub fn workspace(&self) -> &str {
        self.bucket.owner.workspace().as_str()
    }

    /// The checksum of each part. Not every S3-compatible store knows them.
    pub fn checksum(&self) -> Option<ChecksumAlgorithm> {
        self.has_checksums().then_some(ChecksumAlgorithm::Crc32)
    }

    /// Whether the store knows S3's checksums. Where it may not, what is spooled first has an MD5, what is
    /// held is covered by its signature, and what is passed on as it comes by TLS alone.
    pub fn has_checksums(&self) -> bool {
        self.bucket.connection.endpoint().is_none()
    }

    pub fn conditions(&self) -> Conditions {
        Conditions {
            if_none_match: self.object.conditions.if_none_match,
            if_match: self.object.conditions.if_match.clone(),
        }
    }
}

/// One call's worth of a body.
#[derive(Clone, Copy)]
pub(crate) enum Call<'a> {
    Object,
    Part { upload_id: &'a str, number: u64 },
}

/// What the store answered to it.
pub(crate) struct Sent {
    pub etag: Option<String>,
    pub version_id: Option<String>,
    checksum_crc32: Option<String>,
}

impl Sent {
    pub fn part(self, number: u64) -> CompletedPart {
        CompletedPart::builder()
            .part_number(number as i32)
            .set_e_tag(self.etag)
            .set_checksum_crc32(self.checksum_crc32)
            .build()
    }

    /// The same for whoever completes the upload by another request.
    pub fn named(self, number: u32) -> SentPart {
        SentPart {
            number,
            etag: self.etag.unwrap_or_default(),
            checksum_crc32: self.checksum_crc32,
        }
    }
}

/// Fills a spool with the next bytes of the body, at most so many: fewer at its end only.
pub(crate) async fn fill(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    source: &mut BodySource,
    spool: &mut Spool,
    size: u64,
) -> Result<(), PutFailure> {
    let pace = files.uploads.pace;
    spool.begin(!target.has_checksums()).await.map_err(broken)?;
    let mut began = Instant::now();
    while spool.length() < size {
        let due = Duration::from_secs_f64(spool.length() as f64 / pace.least_rate as f64);
        let next = source.next(size - spool.length());
        let chunk = tokio::time::timeout_at(began + pace.grace + due, next)
            .await
            .map_err(|_| BodyFault::TooSlow {
                least_rate: pace.least_rate,
            })??;
        let Some(chunk) = chunk else {
            break;
        };
        spool.push(&chunk);
        // The disk's time is not the sender's.
        let before = Instant::now();
        spool.settle().await.map_err(broken)?;
        began += before.elapsed();
    }
    spool.finish().await.map_err(broken)
}

/// Sends what is kept, again and again while the store breaks. `failed`: the first time has been.
pub(crate) async fn send_kept(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    call: Call<'_>,
    kept: &impl KeptBytes,
    mut failed: Option<Failed>,
) -> Result<Sent, PutFailure> {
    let mut pauses = files.uploads.pace.pauses.iter();
    loop {
        if let Some(failure) = failed {
            let Some(pause) = pauses
                .next()
                .filter(|_| may_repeat(target, call) && helps_to_repeat(&failure))
            else {
                return Err(failure.failure);
            };
            tracing::info!(storage = %target.bucket.owner, failure = ?failure.failure, "a part is sent again");
            tokio::time::sleep(*pause).await;
        }
        let reader = Shared::new(kept.reader());
        let (length, md5) = (kept.length(), kept.md5());
        match attempt(files, target, call, &reader, length, md5).await {
            Ok(sent) => return Ok(sent),
            Err(failure) => failed = Some(failure),
        }
    }
}

/// Where the answer to a conditional call was lost, a repetition would find the object that the first one
/// made, and report that the condition does not hold.
fn may_repeat(target: UploadTarget<'_>, call: Call<'_>) -> bool {
    match call {
        Call::Part { .. } => true,
        Call::Object => target.conditions().is_empty(),
    }
}

/// Whether the same bytes may be taken the next time.
pub(crate) fn helps_to_repeat(failed: &Failed) -> bool {
    match &failed.failure {
        _ if failed.session_is_dead => true,
        PutFailure::StoreStalled { .. } => true,
        PutFailure::Aws(failure) => {
            failure.kind.is_transient()
                || matches!(
                    failure.error_code.as_deref(),
                    Some(SENDER_WAS_SILENT | "BadDigest")
                )
        }
        PutFailure::Body(_) | PutFailure::NoRoom | PutFailure::Spool(_) => false,
    }
}

/// S3 closes a connection on which nothing comes: then the body stopped coming.
pub(crate) fn of_a_silent_sender(failure: PutFailure) -> PutFailure {
    match failure {
        PutFailure::Aws(failure) if failure.error_code.as_deref() == Some(SENDER_WAS_SILENT) => {
            BodyFault::Stalled.into()
        }
        failure => failure,
    }
}

/// A call that failed.
pub(crate) struct Failed {
    pub failure: PutFailure,
    /// AWS may no longer accept the session: the next call has another.
    session_is_dead: bool,
}

impl From<Failed> for PutFailure {
    fn from(failed: Failed) -> Self {
        failed.failure
    }
}

/// Makes one call with the next bytes of the source.
pub(crate) async fn attempt(
    files: &S3Bucket,
    target: UploadTarget<'_>,
    call: Call<'_>,
    source: &Shared<impl Chunks>,
    length: u64,
    md5: Option<String>,
) -> Result<Sent, Failed> {
    let alive = |failure| Failed {
        failure,
        session_is_dead: false,
    };
    let scope = SessionScope::Files;
    let (sessions, bucket) = (&files.sessions, target.bucket);
    // Each time again: an upload may outlive a session.
    let session = sessions.session(bucket).await;
    let session = session.map_err(|failure| alive(failure.into()))?;
    let stall = files.uploads.pace.stall;
    let answer = pass_on(source, length, stall, |body| {
        send(&session, target, call, body, length, md5)
    });
    match answer.await {
        Ok(sent) => Ok(sent),
        Err(PutFailure::Aws(failure)) => {
            let session_is_dead = sessions.retire(bucket, scope, &session, &failure).await;
            Err(Failed {
                failure: failure.into(),
                session_is_dead,
            })
        }
        Err(failure) => Err(alive(failure)),
    }
}

async fn send(
    session: &AwsSession,
    target: UploadTarget<'_>,
    call: Call<'_>,
    body: ByteStream,
    size: u64,
    md5: Option<String>,
) -> Result<Sent, AwsFailure> {
    match call {
        Call::Object => {
            let answer = put_object(session, target)
                .set_content_md5(md5.clone())
                .body(body)
                .customize()
                .config_override(unhurried())
                .send()
                .await;
            let content = Content { size, md5 };
            let answer = proved(session, target, &content, taken(answer)).await?;
            Ok(Sent {
                etag: answer.etag,
                version_id: answer.version_id,
                checksum_crc32: None,
            })
        }
        Call::Part { upload_id, number } => {
            let answer = session
                .s3
                .upload_part()
                .bucket(target.bucket_name())
                .key(target.key.as_str())
                .upload_id(upload_id)
                .part_number(number as i32)
                .set_checksum_algorithm(target.checksum())
                .set_content_md5(md5)
                .set_expected_bucket_owner(target.owner())
                .body(body)
                .customize()
                .config_override(unhurried())
                .send()
                .await
                .map_err(|error| classify("UploadPart", &error))?;
            if answer.e_tag.as_deref().unwrap_or_default().is_empty() {
                return Err(part_unproved("UploadPart"));
            }
            Ok(Sent {
                etag: answer.e_tag,
                version_id: None,
                checksum_crc32: answer.checksum_crc32,
            })
        }
    }
}

/// Without an ETag a part cannot be named when the upload is completed.
pub(crate) fn part_unproved(operation: &'static str) -> AwsFailure {
    local(operation, FailureKind::NotS3, "the answer has no ETag")
}

/// The answer to a PutObject.
pub(crate) fn taken(
    answer: Result<PutObjectOutput, SdkError<PutObjectError, HttpResponse>>,
) -> Result<Taken, AwsFailure> {
    let answer = answer.map_err(|error| classify("PutObject", &error))?;
    let encryption = answer.server_side_encryption();
    Ok(Taken {
        etag_is_no_md5: encryption.is_some_and(|by| *by != ServerSideEncryption::Aes256),
        etag: answer.e_tag,
        version_id: answer.version_id,
    })
}

/// The same, if the object was stored.
pub(crate) async fn proved(
    session: &AwsSession,
    target: UploadTarget<'_>,
    content: &Content,
    answer: Result<Taken, AwsFailure>,
) -> Result<Taken, AwsFailure> {
    let owner = target.owner();
    let at = At {
        bucket: target.bucket_name(),
        key: target.key.as_str(),
        version_id: None,
        owner: owner.as_deref(),
    };
    proof::stored(&session.s3, at, content, answer).await
}

pub(crate) fn put_object(
    session: &AwsSession,
    target: UploadTarget<'_>,
) -> aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder {
    let conditions = target.conditions();
    let encryption = Encryption::of(&target.bucket.connection);
    let headers = &target.object.headers;
    session
        .s3
        .put_object()
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
        .set_if_none_match(conditions.none_match_header())
        .set_if_match(conditions.if_match)
        .set_expected_bucket_owner(target.owner())
}
