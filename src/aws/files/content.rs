//! An object's bytes, as they come. Where S3 breaks off, the rest is asked for: of the same object, or
//! not at all.

use crate::aws::failure::classify;
use crate::aws::files::bucket::scope_of;
use crate::aws::files::convert::expected_owner;
use crate::aws::gates::Turn;
use crate::aws::sessions::{AwsSession, RoleSessions};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::sync::Arc;
use std::time::Duration;

/// How often a read goes on after breaks that come close together.
const RESUMES: u32 = 3;
/// After so many bytes without a break, earlier ones no longer count: a read of terabytes may meet many.
const STEADY: u64 = 64 << 20;
/// How long it waits before the first time; twice as long each further time.
const PAUSE: Duration = Duration::from_millis(100);

/// A read under way.
pub(crate) struct Reading {
    pub sessions: Arc<RoleSessions>,
    pub bucket: ConnectedBucket,
    pub key: ObjectKey,
    pub version_id: Option<String>,
    /// What the rest must have too. Without one, nothing is resumed.
    pub etag: Option<String>,
    /// The offset in the object of the next byte.
    pub next: u64,
    /// The one after the last. `None` where the store has not said how much it sends: then nothing is
    /// resumed, and the body ends where the store ends it.
    pub end: Option<u64>,
    pub body: ByteStream,
    /// Kept until the last byte.
    pub _turn: Turn,
}

impl Reading {
    /// The bytes; an error where they end too early.
    pub fn stream(self) -> BoxStream<'static, Result<Bytes, std::io::Error>> {
        let from = self.next;
        stream::unfold(Some((self, 0, from)), |state| async move {
            let (mut reading, mut resumes, mut resumed_at) = state?;
            loop {
                let broken = match reading.body.next().await {
                    Some(Ok(chunk)) => {
                        reading.next += chunk.len() as u64;
                        return Some((Ok(chunk), Some((reading, resumes, resumed_at))));
                    }
                    None if reading.end.is_none_or(|end| reading.next >= end) => return None,
                    None => std::io::ErrorKind::UnexpectedEof.into(),
                    Some(Err(error)) => std::io::Error::other(error),
                };
                if reading.next - resumed_at >= STEADY {
                    resumes = 0;
                }
                resumed_at = reading.next;
                let Some(end) = reading.end.filter(|end| {
                    resumes < RESUMES && reading.etag.is_some() && reading.next < *end
                }) else {
                    return Some((Err(broken), None));
                };
                tokio::time::sleep(PAUSE * 2u32.pow(resumes)).await;
                resumes += 1;
                if let Err(error) = reading.resume(end).await {
                    return Some((Err(error), None));
                }
            }
        })
        .boxed()
    }

    /// Asks for the rest. Anything but exactly that is an error.
    async fn resume(&mut self, end: u64) -> Result<(), std::io::Error> {
        let scope = scope_of(self.version_id.as_deref());
        let (bucket, key, etag) = (&self.bucket, &self.key, &self.etag);
        let version = &self.version_id;
        let range = format!("bytes={}-{}", self.next, end - 1);
        let call = |session: Arc<AwsSession>| {
            let request = session
                .s3
                .get_object()
                .bucket(bucket.connection.bucket.as_str())
                .key(key.as_str())
                .set_version_id(version.clone())
                .range(&range)
                .set_if_match(etag.clone())
                .set_expected_bucket_owner(expected_owner(&bucket.connection));
            async move {
                request
                    .send()
                    .await
                    .map_err(|error| classify("GetObject", &error))
            }
        };
        let sessions = &self.sessions;
        let answer = match sessions.session_in(bucket, scope).await {
            Ok(session) => sessions.call(bucket, scope, session, call).await,
            Err(failure) => Err(failure),
        };
        let answer = answer.map_err(std::io::Error::other)?;
        let begins = format!("bytes {}-{}/", self.next, end - 1);
        let same = answer.e_tag == self.etag
            && answer
                .content_range
                .is_some_and(|range| range.starts_with(&begins));
        if !same {
            return Err(std::io::Error::other("the rest is not of the same object"));
        }
        tracing::info!(storage = %self.bucket.owner, offset = self.next, "a read goes on after a break");
        self.body = answer.body;
        Ok(())
    }
}
