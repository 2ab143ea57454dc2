//! The end of an upload in parts whose answer was lost.
//!
//! The SDK makes a call again whose connection broke, or that was answered with 5xx. The store may have made the
//! object by then, and answers the next attempt with `NoSuchUpload`. So the object that is there is looked at. It is
//! taken for that of the upload only if all of this holds:
//!
//! - It was made of as many parts: its ETag ends in `-N`.
//! - It has the size of the parts, where that is known.
//! - It is not older than the upload, by the store's own clock ([`StoreClock`]). Amazon S3 dates such an object by
//!   the beginning of its upload (S3 user guide, "Working with object metadata"). There it is not much younger either:
//!   it would be of another upload of the same bytes.
//! - Its ETag is the MD5 of the parts' MD5s; or, where ETags are no MD5s (SSE-KMS), its composite CRC-32 is that of the
//!   parts' CRC-32s (S3 user guide, "Checking object integrity").

use crate::aws::answers::repair::date;
use crate::aws::etag::{md5_in, plain};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::time_of;
use crate::aws::files::head::head_object;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, CompletedPart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;
use md5::{Digest, Md5};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use time::{Duration, OffsetDateTime};

/// S3's code for an upload that was completed or aborted, or never was.
const NO_SUCH_UPLOAD: &str = "NoSuchUpload";

/// An upload began no later than so long after its call was sent: longer than all tries of a call may take.
const BEGUN_WITHIN: Duration = Duration::seconds(60);

/// Whether the store says that there is no such upload any more.
pub(crate) fn is_gone(failure: &AwsFailure) -> bool {
    failure.error_code.as_deref() == Some(NO_SUCH_UPLOAD)
}

/// Counts the attempts of a call of which nobody knows what became of them: sent, and neither done nor refused.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempts(Arc<AtomicUsize>);

impl Attempts {
    /// Whether the store may have done what an attempt asked for, without a word.
    pub fn lost_an_answer(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    // An attempt that is given up at a time limit of the whole call has no such end, and stays counted.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let status = context.response().map(|response| response.status());
        let is_refused = status.is_some_and(|status| status.is_client_error());
        if is_refused || matches!(context.output_or_error(), Some(Ok(_))) {
            // It has an answer, so it was counted.
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// When a call was sent, by the clock of the store that answers it.
#[derive(Debug, Clone)]
pub(crate) struct StoreClock {
    began: Instant,
    at_the_answer: Arc<Mutex<Option<OffsetDateTime>>>,
}

impl StoreClock {
    /// For a call that is made now.
    pub fn of_a_call() -> Self {
        Self {
            began: Instant::now(),
            at_the_answer: Arc::default(),
        }
    }

    /// What the call made is not older than this. In whole seconds, as `Last-Modified` is. `None`: the answer has no
    /// date.
    pub fn since(&self) -> Option<OffsetDateTime> {
        *self
            .at_the_answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, answered: &str) -> Option<OffsetDateTime> {
        let took = Duration::try_from(self.began.elapsed()).ok()?;
        let sent = date(answered)?.checked_sub(took)?;
        sent.replace_nanosecond(0).ok()
    }
}

impl Intercept for StoreClock {
    fn name(&self) -> &'static str {
        "StoreClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let sent = context
            .response()
            .headers()
            .get("date")
            .and_then(|text| self.note(text));
        *self
            .at_the_answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = sent;
        Ok(())
    }
}

/// The ETag and the version ID of an object just made.
pub(crate) type MadeObject = (Option<String>, Option<String>);

/// What proves that an object is the one of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectOfParts {
    parts: usize,
    /// In bytes.
    size: Option<i64>,
    since: OffsetDateTime,
    /// It is not younger, where the store dates it by the beginning of its upload.
    until: Option<OffsetDateTime>,
    /// Without quotes.
    etag: Option<String>,
    /// In base64, without the number of parts.
    crc32: Option<String>,
}

impl ObjectOfParts {
    /// `None`: nothing would prove it.
    pub fn of(
        parts: &[CompletedPart],
        size: Option<i64>,
        since: Option<OffsetDateTime>,
    ) -> Option<Self> {
        let expected = Self {
            parts: parts.len(),
            size,
            since: since?,
            until: None,
            etag: etag_of(parts),
            crc32: crc32_of(parts),
        };
        (expected.etag.is_some() || expected.crc32.is_some()).then_some(expected)
    }

    /// The same on Amazon S3, which dates objects by the beginning of their uploads.
    pub fn on_amazon(mut self) -> Self {
        self.until = self.since.checked_add(BEGUN_WITHIN);
        self
    }

    /// Looks for the object. `None`: what is there is not proved to be it.
    pub async fn find(
        &self,
        files: &S3Bucket,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
    ) -> Option<MadeObject> {
        let mut found = self.look(files, bucket, key, None).await?;
        if !self.has_etag(&found) {
            self.crc32.as_ref()?;
            // Only where it must be: with a KMS key, checksums need a permission more.
            let checksums = Some(ChecksumMode::Enabled);
            found = self.look(files, bucket, key, checksums).await?;
            if !self.has_crc32(&found) {
                return None;
            }
        }
        let version_id = found.version_id.filter(|id| !id.is_empty());
        Some((found.e_tag, version_id))
    }

    /// The object that is there, if nothing that HeadObject says of it speaks against it.
    async fn look(
        &self,
        files: &S3Bucket,
        bucket: &ConnectedBucket,
        key: &ObjectKey,
        checksums: Option<ChecksumMode>,
    ) -> Option<HeadObjectOutput> {
        let looked = files
            .with_session(bucket, |session| {
                head_object(session, bucket, key, None, checksums.clone())
            })
            .await;
        match looked {
            Ok(found) => Some(found).filter(|found| self.may_be(found)),
            Err(failure) => {
                tracing::info!(storage = %bucket.owner, %failure, "cannot look for the object of an upload");
                None
            }
        }
    }

    /// Whether nothing speaks against it.
    fn may_be(&self, found: &HeadObjectOutput) -> bool {
        let of_parts = found
            .e_tag()
            .is_some_and(|etag| plain(etag).ends_with(&format!("-{}", self.parts)));
        let modified = found.last_modified.and_then(time_of);
        of_parts
            && (self.size.is_none() || self.size == found.content_length)
            && modified.is_some_and(|modified| {
                modified >= self.since && self.until.is_none_or(|until| modified <= until)
            })
    }

    fn has_etag(&self, found: &HeadObjectOutput) -> bool {
        match (&self.etag, found.e_tag()) {
            (Some(own), Some(etag)) => own.eq_ignore_ascii_case(plain(etag)),
            (None, _) | (_, None) => false,
        }
    }

    fn has_crc32(&self, found: &HeadObjectOutput) -> bool {
        let is_composite = found
            .checksum_type()
            .is_none_or(|kind| *kind == ChecksumType::Composite);
        let crc32 = found.checksum_crc32().map(|text| {
            let number = format!("-{}", self.parts);
            text.strip_suffix(number.as_str()).unwrap_or(text)
        });
        is_composite && crc32.is_some() && crc32 == self.crc32.as_deref()
    }
}

/// The ETag of an object of these parts. `None`: the ETag of a part is no MD5.
fn etag_of(parts: &[CompletedPart]) -> Option<String> {
    let mut all = Md5::new();
    for part in parts {
        all.update(md5_in(part.e_tag()?)?);
    }
    let digest: String = all
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(format!("{digest}-{}", parts.len()))
}

/// The composite CRC-32 of an object of these parts. `None`: a part has none.
fn crc32_of(parts: &[CompletedPart]) -> Option<String> {
    let mut all = Crc::new();
    for part in parts {
        let crc32: [u8; 4] = STANDARD
            .decode(part.checksum_crc32()?)
            .ok()?
            .try_into()
            .ok()?;
        all.update(&crc32);
    }
    Some(STANDARD.encode(all.sum().to_be_bytes()))
}

/// Whether a failed completion leaves open what became of the upload. `lost`: an attempt had no answer. `is_free`: the
/// object is stored whatever is there.
pub(crate) fn leaves_open(failure: &AwsFailure, lost: bool, is_free: bool) -> bool {
    if is_gone(failure) {
        // An earlier request may have completed it. What is there may not be what a condition is about.
        return lost || is_free;
    }
    let is_of_a_repetition = failure.kind == FailureKind::PreconditionFailed;
    let is_no_answer = matches!(
        failure.kind,
        FailureKind::Unavailable
            | FailureKind::Timeout
            | FailureKind::Network
            | FailureKind::InvalidResponse
    );
    lost && (is_of_a_repetition || (is_no_answer && failure.no_connection().is_none()))
}

/// What is answered where an attempt was lost and nothing proves what became of it. A failure that says itself that
/// the store did not answer stays.
pub(crate) fn unproved(failure: AwsFailure, lost: bool) -> AwsFailure {
    let is_of_a_repetition = failure.kind == FailureKind::PreconditionFailed || is_gone(&failure);
    if !(lost && is_of_a_repetition) {
        return failure;
    }
    let message = format!(
        "an earlier attempt had no answer, and the object that is there is not proved to be it; {failure}: {}",
        failure.message.as_deref().unwrap_or_default()
    );
    AwsFailure {
        kind: FailureKind::Unavailable,
        error_code: Some(AwsFailure::OUTCOME_UNKNOWN.to_owned()),
        message: Some(message),
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::failure::local;
    use aws_sdk_s3::primitives::DateTime;

    /// Of the bytes `a` and `b`.
    const ETAGS: [&str; 2] = [
        "\"0cc175b9c0f1b6a831c399e269772661\"",
        "92EB5FFEE6AE2FEC3AD71C777531578F",
    ];
    const CRCS: [&str; 2] = ["6Le+Qw==", "cb7v+Q=="];
    const OWN: &str = "\"96e024ba2074fe77e8e965ba43a704be-2\"";

    fn parts(etags: [&str; 2], crcs: Option<[&str; 2]>) -> Vec<CompletedPart> {
        (0..2)
            .map(|at| {
                CompletedPart::builder()
                    .part_number(at as i32 + 1)
                    .e_tag(etags[at])
                    .set_checksum_crc32(crcs.map(|crcs| crcs[at].to_owned()))
                    .build()
            })
            .collect()
    }

    fn at(seconds: i64) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }

    fn found(etag: &str, size: i64, modified: i64) -> HeadObjectOutput {
        HeadObjectOutput::builder()
            .e_tag(etag)
            .content_length(size)
            .last_modified(DateTime::from_secs(modified))
            .build()
    }

    #[test]
    fn an_object_is_told_from_others_by_the_etags_of_its_parts() {
        let own = ObjectOfParts::of(&parts(ETAGS, None), Some(2), at(100)).unwrap();
        let is_it = |found: &HeadObjectOutput| own.may_be(found) && own.has_etag(found);
        assert!(is_it(&found(OWN, 2, 100)));
        assert!(is_it(&found(OWN.trim_matches('"'), 2, 101)));
        for other in [
            found(OWN, 3, 100),
            found(OWN, 2, 99),
            found("\"96e024ba2074fe77e8e965ba43a704be-3\"", 2, 100),
            found("\"96e024ba2074fe77e8e965ba43a704bf-2\"", 2, 100),
            found("\"96e024ba2074fe77e8e965ba43a704be\"", 2, 100),
            HeadObjectOutput::builder()
                .e_tag(OWN)
                .content_length(2)
                .build(),
        ] {
            assert!(!is_it(&other), "{other:?}");
        }
    }

    #[test]
    fn on_amazon_an_object_of_a_later_upload_is_not_it() {
        let parts = parts(ETAGS, None);
        let own = ObjectOfParts::of(&parts, Some(2), at(100)).unwrap();
        // Other stores date it by the end of its upload.
        assert!(own.may_be(&found(OWN, 2, 90_000)));
        let own = own.on_amazon();
        for (modified, is_it) in [(99, false), (100, true), (160, true), (161, false)] {
            assert_eq!(own.may_be(&found(OWN, 2, modified)), is_it, "{modified}");
        }
    }

    #[test]
    fn without_md5s_checksums_tell() {
        let etags = ["\"e\"", "\"f\""];
        let own = ObjectOfParts::of(&parts(etags, Some(CRCS)), None, at(100)).unwrap();
        assert_eq!(own.etag, None);
        let mut there = found("\"x-2\"", 2, 100);
        assert!(own.may_be(&there) && !own.has_etag(&there) && !own.has_crc32(&there));
        for text in ["7pJxdw==-2", "7pJxdw=="] {
            there.checksum_crc32 = Some(text.to_owned());
            assert!(own.has_crc32(&there), "{text}");
        }
        for text in ["7pJxdw==-3", "6Le+Qw==-2"] {
            there.checksum_crc32 = Some(text.to_owned());
            assert!(!own.has_crc32(&there), "{text}");
        }
        there.checksum_crc32 = Some("7pJxdw==".to_owned());
        there.checksum_type = Some(ChecksumType::FullObject);
        assert!(!own.has_crc32(&there));
    }

    #[test]
    fn where_nothing_would_prove_it_nothing_is_looked_for() {
        let of = |etags, crcs, since| ObjectOfParts::of(&parts(etags, crcs), None, since);
        assert!(of(["\"e\"", ETAGS[1]], None, at(1)).is_none());
        assert!(of(["\"e\"", "\"f\""], Some(["?", CRCS[1]]), at(1)).is_none());
        assert!(of(ETAGS, Some(CRCS), None).is_none());
        assert!(of(ETAGS, None, at(1)).is_some());
    }

    #[test]
    fn the_time_is_the_stores_and_not_later_than_the_call() {
        let clock = StoreClock::of_a_call();
        assert_eq!(clock.since(), None);
        let noted = clock.note("Thu, 01 Jan 2026 00:00:10 GMT").unwrap();
        let answered = at(1_767_225_610).unwrap();
        assert!(noted < answered && noted.nanosecond() == 0, "{noted}");
        assert_eq!(clock.note("yesterday"), None);
    }

    #[test]
    fn only_a_failure_that_leaves_it_open_is_looked_into() {
        let gone = AwsFailure {
            error_code: Some(NO_SUCH_UPLOAD.to_owned()),
            ..local("CompleteMultipartUpload", FailureKind::InvalidRequest, "x")
        };
        let of = |kind| local("CompleteMultipartUpload", kind, "x");
        for (failure, lost, is_free, open) in [
            (&gone, false, true, true),
            (&gone, false, false, false),
            (&gone, true, false, true),
            (&of(FailureKind::PreconditionFailed), true, false, true),
            (&of(FailureKind::PreconditionFailed), false, false, false),
            (&of(FailureKind::Timeout), true, true, true),
            (&of(FailureKind::Timeout), false, true, false),
            (&of(FailureKind::Throttled), true, true, false),
            (&of(FailureKind::AccessDenied), true, true, false),
        ] {
            let found = leaves_open(failure, lost, is_free);
            assert_eq!(found, open, "{failure} {lost} {is_free}");
        }
        let code = |failure: AwsFailure| failure.error_code;
        let unknown = Some(AwsFailure::OUTCOME_UNKNOWN.to_owned());
        assert_eq!(code(unproved(gone.clone(), true)), unknown);
        assert_eq!(
            code(unproved(of(FailureKind::PreconditionFailed), true)),
            unknown
        );
        assert_eq!(unproved(gone.clone(), false), gone);
        assert_eq!(
            unproved(of(FailureKind::Timeout), true),
            of(FailureKind::Timeout)
        );
    }
}
